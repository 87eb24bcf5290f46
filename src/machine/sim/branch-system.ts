// What branches and system instructions do. A handler that ends a block sets core.flow, and r15 to the address to go on at
// (odd: T is clear). Cycles of a branch not taken are in the op's static cost; a taken one adds to core.stall.
// DDI 0403E A7.7, B5.2 (MRS, MSR, CPS).

import { Flow, passed, readApsr, writeApsr } from './core.ts'
import type { Core, Handler, Op } from './core.ts'
import { Fault } from './memory.ts'

const { NEXT, TAKEN, LOADED } = Flow
const SP = 13
const LR = 14
const PC = 15
/** CONTROL.nPRIV and SPSEL. */
const UNPRIVILEGED = 1
const PROCESS_STACK = 2

function branchIf(core: Core, op: Op, taken: boolean): void {
  if (taken) {
    core.r[PC] = op.target
    core.flow = TAKEN
    core.stall++
  } else {
    core.r[PC] = op.next
    core.flow = NEXT
  }
}
function tableBranch(core: Core, op: Op, halfwords: number): void {
  core.r[PC] = op.pc + 2 * halfwords
  core.flow = LOADED
}
function privileged(core: Core): boolean {
  return (core.control & UNPRIVILEGED) === 0
}
function readSpecial(core: Core, number: number): number {
  // 0-3 with APSR; the execution and exception numbers read as zero in thread mode.
  if (number < 4) return readApsr(core)
  switch (number) {
    case 8:
      return (core.control & PROCESS_STACK) === 0 ? core.r[SP]! : core.otherSp
    case 9:
      return (core.control & PROCESS_STACK) === 0 ? core.otherSp : core.r[SP]!
    case 16:
      return core.primask
    case 17:
    case 18:
      return core.basepri
    case 19:
      return core.faultmask
    case 20:
      return core.control
    default:
      return 0
  }
}
function setStackPointer(core: Core, process: boolean, value: number): void {
  if (process === ((core.control & PROCESS_STACK) !== 0)) core.r[SP] = value & ~3
  else core.otherSp = value & ~3
}
function writeSpecial(core: Core, number: number, value: number, mask: number): void {
  if (number < 4) {
    writeApsr(core, value, (mask & 2) !== 0, (mask & 1) !== 0)
    return
  }
  if (!privileged(core)) return
  switch (number) {
    case 8:
      setStackPointer(core, false, value)
      break
    case 9:
      setStackPointer(core, true, value)
      break
    case 16:
      core.primask = value & 1
      break
    case 17:
      core.basepri = value & 0xff
      break
    case 18: {
      const priority = value & 0xff
      if (priority !== 0 && (core.basepri === 0 || priority < core.basepri)) core.basepri = priority
      break
    }
    case 19:
      core.faultmask = value & 1
      break
    case 20:
      if (((core.control ^ value) & PROCESS_STACK) !== 0) {
        const sp = core.r[SP]!
        core.r[SP] = core.otherSp
        core.otherSp = sp
      }
      core.control = value & 3
      core.memory.privileged = privileged(core)
      break
  }
}
function changeState(core: Core, op: Op, value: number): void {
  if (!privileged(core)) return
  if ((op.imm & 2) !== 0) core.primask = value
  if ((op.imm & 1) !== 0) core.faultmask = value
}
const nothing: Handler = () => {}

export const branchSystem = {
  B: (core, op) => branchIf(core, op, passed(core, op.cond)),
  BL: (core, op) => {
    core.r[LR] = op.next | 1
    core.r[PC] = op.target
    core.flow = TAKEN
  },
  BX: (core, op) => {
    core.r[PC] = core.r[op.m]! ^ 1
    core.flow = TAKEN
  },
  BLX_r: (core, op) => {
    const target = core.r[op.m]!
    core.r[LR] = op.next | 1
    core.r[PC] = target ^ 1
    core.flow = TAKEN
  },
  CBZ: (core, op) => {
    const value = core.r[op.n]!
    branchIf(core, op, value === 0)
  },
  CBNZ: (core, op) => {
    const value = core.r[op.n]!
    branchIf(core, op, value !== 0)
  },
  TBB: (core, op) => tableBranch(core, op, core.memory.load8((core.r[op.n]! + core.r[op.m]!) | 0)),
  TBH: (core, op) => tableBranch(core, op, core.memory.load16((core.r[op.n]! + (core.r[op.m]! << 1)) | 0)),
  // The block's builder has taken IT apart, and ends the block before BKPT and UDF.
  IT: nothing,
  BKPT: nothing,
  UDF: nothing,
  SVC: (_core, op) => {
    throw new Fault('SVCALL', `supervisor call ${op.imm}`)
  },
  NOP: nothing,
  YIELD: nothing,
  WFE: nothing,
  WFI: nothing,
  SEV: nothing,
  DBG: nothing,
  DMB: nothing,
  DSB: nothing,
  ISB: nothing,
  MRS: (core, op) => {
    core.r[op.d] = readSpecial(core, op.imm)
  },
  MSR: (core, op) => writeSpecial(core, op.imm, core.r[op.n]!, op.amount),
  CPSIE: (core, op) => changeState(core, op, 0),
  CPSID: (core, op) => changeState(core, op, 1),
} as const satisfies Record<string, Handler>

/** Wraps a data-processing instruction that writes PC: a simple branch, bit 0 ignored. */
export function writesPcByAlu(core: Core, op: Op): void {
  core.r[PC] = op.pc
  op.meaning(core, op)
  core.r[PC] &= ~1
  core.flow = TAKEN
}

/** Wraps a load that writes PC: bit 0 of what was loaded becomes T. */
export function writesPcByLoad(core: Core, op: Op): void {
  op.meaning(core, op)
  core.r[PC]! ^= 1
  core.flow = LOADED
}
