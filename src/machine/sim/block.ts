// Basic blocks: straight lines of decoded instructions, each with its handler chosen and its cycles known as far as they
// can be in advance. A block ends after a branch, after ISB, after 64 instructions (never inside of an IT block), or
// before what can't be executed: BKPT, an undefined instruction, a fetch that faults. DDI 0403E A7.3.2 (ITSTATE).

import { decode } from '../../thumb/decode.ts'
import { F, FIELD, formNames, reads } from '../../thumb/forms.ts'
import type { FormName } from '../../thumb/forms.ts'
import { branchSystem, writesPcByAlu, writesPcByLoad } from './branch-system.ts'
import { Flow, isMultiple, Op, passed, writesD } from './core.ts'
import type { Core, Handler } from './core.ts'
import { baseCycles, loadsPc, sequenceCycles } from './cycles.ts'
import { dataProcessing } from './data-processing.ts'
import { loadStore } from './load-store.ts'
import { Fault, hex } from './memory.ts'
import type { Memory } from './memory.ts'
import { multiply } from './multiply.ts'
import { parallel } from './parallel.ts'
import type { Translation } from './translate.ts'

/** What each form does. A form without a meaning does not compile. */
const meanings: Record<FormName, Handler> = {
  ...dataProcessing,
  ...multiply,
  ...parallel,
  ...loadStore,
  ...branchSystem,
}
const handlers: readonly Handler[] = formNames.map((name) => meanings[name])

/** No block has more instructions: 64, and an IT block that began as the last of them. */
export const MAX_OPS = 68
const SOFT_LIMIT = 64
/** More cycles than any instruction takes. */
export const MAX_CYCLES = 32

const SP = 13
const PC = 15
const branches = new Set([F.B, F.BL, F.BX, F.BLX_r, F.CBZ, F.CBNZ, F.TBB, F.TBH])

/** Why nothing can be executed at a block's end. */
export type Halt =
  | { readonly kind: 'breakpoint'; readonly number: number }
  | { readonly kind: 'fault'; readonly fault: Fault }

export class Block {
  /** Address as int32; -1 when the code was written since. */
  pc: number
  readonly ops: readonly Op[]
  /** The address after the last op. */
  readonly end: number
  /** The last op sets r15 and flow. */
  readonly branch: boolean
  readonly halt: Halt | null
  /** Cycles of all ops by their static costs. */
  readonly cost: number
  /** A branch to this block takes so many cycles more: a wide instruction at 2 mod 4. */
  readonly misaligned: number
  readonly startsWithIt: boolean
  /** The last op is a 16-bit one. */
  readonly narrowEnd: boolean
  /** Blocks that came after this one before. */
  linkA: Block | null = null
  linkB: Block | null = null
  /** Times that it was interpreted, and what runs instead of that once it is worth it. */
  runs = 0
  translation: Translation | null = null
  constructor(pc: number, ops: readonly Op[], branch: boolean, halt: Halt | null) {
    const first = ops[0]
    const last = ops[ops.length - 1]
    this.pc = pc
    this.ops = ops
    this.end = last === undefined ? pc : last.next
    this.branch = branch
    this.halt = halt
    this.cost = ops.reduce((sum, op) => sum + op.cost, 0)
    this.misaligned = first !== undefined && first.size === 4 && (pc & 2) !== 0 ? 1 : 0
    this.startsWithIt = first !== undefined && first.form === F.IT
    this.narrowEnd = last !== undefined && last.size === 2
  }
}

/** The IT state after an instruction. */
function advance(it: number): number {
  return (it & 7) === 0 ? 0 : (it & 0xe0) | ((it << 1) & 0x1f)
}

/**
 * Decodes the block at an even address, with the IT state there. `previous` is the instruction executed just before in
 * sequence; null after a branch.
 */
export function buildBlock(memory: Memory, address: number, it: number, previous: Op | null): Block {
  const ops: Op[] = []
  let at = address | 0
  let state = it
  let before = previous
  for (;;) {
    const decoded = decodeAt(memory, at, state)
    if (!(decoded instanceof Op)) return new Block(address | 0, ops, false, decoded)
    const op = decoded
    const usual = sequenceCycles(before, false, op)
    op.cost = baseCycles(op) + usual
    op.costAfterSkip = sequenceCycles(before, true, op) - usual
    if (before !== null && before.it !== 0 && state === 0) before.costOfSkip = op.costAfterSkip
    ops.push(op)
    before = op
    at = op.next
    const ends = bind(op)
    state = op.form === F.IT ? ((op.cond << 4) | op.imm) & 0xff : advance(state)
    if (ends) return new Block(address | 0, ops, true, null)
    if (state === 0 && (ops.length >= SOFT_LIMIT || op.form === F.ISB)) return new Block(address | 0, ops, false, null)
  }
}

function decodeAt(memory: Memory, address: number, it: number): Op | Halt {
  try {
    const first = memory.fetch(address)
    const wide = first >>> 11 >= 0x1d
    const second = wide ? memory.fetch((address + 2) | 0) : 0
    const instruction = decode(first, second, it !== 0)
    if (instruction === undefined || instruction.form === F.UDF) {
      const text = first.toString(16).padStart(4, '0') + (wide ? ` ${second.toString(16).padStart(4, '0')}` : '')
      return { kind: 'fault', fault: new Fault('UNDEFINSTR', `undefined instruction ${text} at ${hex(address)}`) }
    }
    if (instruction.form === F.BKPT) return { kind: 'breakpoint', number: instruction.imm }
    // IT takes its own cond and mask, not the place's.
    return new Op(instruction, address, instruction.form === F.IT ? 0 : it, handlers[instruction.form]!)
  } catch (error) {
    if (error instanceof Fault) return { kind: 'fault', fault: error }
    throw error
  }
}

/** Chooses what an op runs: its meaning, inside of the wrappers that its operands ask for. True if it ends the block. */
function bind(op: Op): boolean {
  let ends = branches.has(op.form)
  if (loadsPc(op)) {
    op.inner = writesPcByLoad
    ends = true
  } else if (writesD(op) && op.d === PC && !isMultiple(op.form)) {
    op.inner = writesPcByAlu
    ends = true
  } else if (mayMisalignSp(op)) {
    op.inner = alignsSp
  } else if (readsPc(op)) {
    op.inner = seesPc
  }
  const conditional = op.it !== 0 && op.cond < 14
  op.run = conditional ? (ends ? conditionalEnd : conditionalOp) : op.inner
  return ends
}

function readsPc(op: Op): boolean {
  const set = reads[op.form]!
  return (
    ((set & FIELD.n) !== 0 && op.n === PC) ||
    ((set & FIELD.m) !== 0 && op.m === PC) ||
    ((set & FIELD.d) !== 0 && op.d === PC) ||
    ((set & FIELD.a) !== 0 && op.a === PC)
  )
}
function mayMisalignSp(op: Op): boolean {
  if (op.index !== 0 && op.n === SP && !isMultiple(op.form) && (op.imm & 3) !== 0) return true
  if (!writesD(op) || op.d !== SP || isMultiple(op.form)) return false
  return !((op.form === F.ADD_i || op.form === F.SUB_i) && op.n === SP && (op.imm & 3) === 0)
}

function seesPc(core: Core, op: Op): void {
  core.r[PC] = op.pc
  op.meaning(core, op)
}
/** SP[1:0] are always zero. */
function alignsSp(core: Core, op: Op): void {
  core.r[PC] = op.pc
  op.meaning(core, op)
  core.r[SP] = core.r[SP]! & ~3
}
function conditionalOp(core: Core, op: Op): void {
  if (passed(core, op.cond)) {
    if (core.skipped) {
      core.stall += op.costAfterSkip
      core.skipped = false
    }
    op.inner(core, op)
  } else {
    core.stall += 1 - op.cost + op.costOfSkip
    // The last of an IT block has told the next instruction by costOfSkip.
    core.skipped = (op.it & 15) !== 8
  }
}
function conditionalEnd(core: Core, op: Op): void {
  if (passed(core, op.cond)) {
    if (core.skipped) core.stall += op.costAfterSkip
    op.inner(core, op)
  } else {
    core.stall += 1 - op.cost
    core.r[PC] = op.next
    core.flow = Flow.NEXT
  }
  core.skipped = false
}
