// What the data-processing instructions do: logic, addition, moves, shifts, extends, bit fields. DDI 0403E A7.7.

import { addWithCarry, setNZ, shiftCarry, shiftedM, shiftedValue } from './core.ts'
import type { Core, Handler, Op } from './core.ts'

/** Flags of a logical result whose second operand was a modified immediate. */
function logicImmediate(core: Core, op: Op, result: number): void {
  setNZ(core, result)
  if (op.carry >= 0) core.c = op.carry
}
/** Flags of a logical result whose second operand was register m, shifted. */
function logicRegister(core: Core, op: Op, m: number, result: number): void {
  core.c = shiftCarry(core, m, op.shift, op.amount)
  setNZ(core, result)
}
/** LSL, LSR, ASR, RRX by a constant. */
function shiftConstant(core: Core, op: Op, shift: number): void {
  const value = core.r[op.m]!
  const result = shiftedValue(core, value, shift, op.imm)
  if (op.s !== 0) {
    core.c = shiftCarry(core, value, shift, op.imm)
    setNZ(core, result)
  }
  core.r[op.d] = result
}
/** Shifts by the low byte of a register: 0 leaves value and carry, amounts over 31 shift everything out. */
function shiftRegister(core: Core, op: Op, result: number, carry: number): void {
  if (op.s !== 0) {
    if ((core.r[op.m]! & 255) !== 0) core.c = carry & 1
    setNZ(core, result)
  }
  core.r[op.d] = result
}
function rotated(core: Core, op: Op): number {
  const value = core.r[op.m]!
  return op.amount === 0 ? value : (value >>> op.amount) | (value << (32 - op.amount))
}
/** Two halfwords, each from the low byte of a halfword, sign-extended. */
function signedBytes(value: number): number {
  return (((value << 24) >> 24) & 0xffff) | (((value << 8) >> 24) << 16)
}
/** Adds halfword by halfword. */
function addHalves(x: number, y: number): number {
  return ((x + y) & 0xffff) | (((x >>> 16) + (y >>> 16)) << 16)
}

export const dataProcessing = {
  AND_i: (core, op) => {
    const result = core.r[op.n]! & op.imm
    if (op.s !== 0) logicImmediate(core, op, result)
    core.r[op.d] = result
  },
  EOR_i: (core, op) => {
    const result = core.r[op.n]! ^ op.imm
    if (op.s !== 0) logicImmediate(core, op, result)
    core.r[op.d] = result
  },
  ORR_i: (core, op) => {
    const result = core.r[op.n]! | op.imm
    if (op.s !== 0) logicImmediate(core, op, result)
    core.r[op.d] = result
  },
  ORN_i: (core, op) => {
    const result = core.r[op.n]! | ~op.imm
    if (op.s !== 0) logicImmediate(core, op, result)
    core.r[op.d] = result
  },
  BIC_i: (core, op) => {
    const result = core.r[op.n]! & ~op.imm
    if (op.s !== 0) logicImmediate(core, op, result)
    core.r[op.d] = result
  },
  MOV_i: (core, op) => {
    if (op.s !== 0) logicImmediate(core, op, op.imm)
    core.r[op.d] = op.imm
  },
  MVN_i: (core, op) => {
    if (op.s !== 0) logicImmediate(core, op, ~op.imm)
    core.r[op.d] = ~op.imm
  },
  TST_i: (core, op) => logicImmediate(core, op, core.r[op.n]! & op.imm),
  TEQ_i: (core, op) => logicImmediate(core, op, core.r[op.n]! ^ op.imm),
  ADD_i: (core, op) => {
    core.r[op.d] = addWithCarry(core, core.r[op.n]!, op.imm, 0, op.s)
  },
  ADC_i: (core, op) => {
    core.r[op.d] = addWithCarry(core, core.r[op.n]!, op.imm, core.c, op.s)
  },
  SBC_i: (core, op) => {
    core.r[op.d] = addWithCarry(core, core.r[op.n]!, ~op.imm, core.c, op.s)
  },
  SUB_i: (core, op) => {
    core.r[op.d] = addWithCarry(core, core.r[op.n]!, ~op.imm, 1, op.s)
  },
  RSB_i: (core, op) => {
    core.r[op.d] = addWithCarry(core, ~core.r[op.n]!, op.imm, 1, op.s)
  },
  CMP_i: (core, op) => {
    addWithCarry(core, core.r[op.n]!, ~op.imm, 1, 1)
  },
  CMN_i: (core, op) => {
    addWithCarry(core, core.r[op.n]!, op.imm, 0, 1)
  },
  MOVT: (core, op) => {
    core.r[op.d] = (core.r[op.d]! & 0xffff) | (op.imm << 16)
  },
  ADR: (core, op) => {
    core.r[op.d] = (op.pc & ~3) + op.imm
  },

  AND_r: (core, op) => {
    const m = core.r[op.m]!
    const result = core.r[op.n]! & shiftedM(core, op)
    if (op.s !== 0) logicRegister(core, op, m, result)
    core.r[op.d] = result
  },
  EOR_r: (core, op) => {
    const m = core.r[op.m]!
    const result = core.r[op.n]! ^ shiftedM(core, op)
    if (op.s !== 0) logicRegister(core, op, m, result)
    core.r[op.d] = result
  },
  ORR_r: (core, op) => {
    const m = core.r[op.m]!
    const result = core.r[op.n]! | shiftedM(core, op)
    if (op.s !== 0) logicRegister(core, op, m, result)
    core.r[op.d] = result
  },
  ORN_r: (core, op) => {
    const m = core.r[op.m]!
    const result = core.r[op.n]! | ~shiftedM(core, op)
    if (op.s !== 0) logicRegister(core, op, m, result)
    core.r[op.d] = result
  },
  BIC_r: (core, op) => {
    const m = core.r[op.m]!
    const result = core.r[op.n]! & ~shiftedM(core, op)
    if (op.s !== 0) logicRegister(core, op, m, result)
    core.r[op.d] = result
  },
  MVN_r: (core, op) => {
    const m = core.r[op.m]!
    const result = ~shiftedM(core, op)
    if (op.s !== 0) logicRegister(core, op, m, result)
    core.r[op.d] = result
  },
  TST_r: (core, op) => logicRegister(core, op, core.r[op.m]!, core.r[op.n]! & shiftedM(core, op)),
  TEQ_r: (core, op) => logicRegister(core, op, core.r[op.m]!, core.r[op.n]! ^ shiftedM(core, op)),
  ADD_r: (core, op) => {
    core.r[op.d] = addWithCarry(core, core.r[op.n]!, shiftedM(core, op), 0, op.s)
  },
  ADC_r: (core, op) => {
    core.r[op.d] = addWithCarry(core, core.r[op.n]!, shiftedM(core, op), core.c, op.s)
  },
  SBC_r: (core, op) => {
    core.r[op.d] = addWithCarry(core, core.r[op.n]!, ~shiftedM(core, op), core.c, op.s)
  },
  SUB_r: (core, op) => {
    core.r[op.d] = addWithCarry(core, core.r[op.n]!, ~shiftedM(core, op), 1, op.s)
  },
  RSB_r: (core, op) => {
    core.r[op.d] = addWithCarry(core, ~core.r[op.n]!, shiftedM(core, op), 1, op.s)
  },
  CMP_r: (core, op) => {
    addWithCarry(core, core.r[op.n]!, ~shiftedM(core, op), 1, 1)
  },
  CMN_r: (core, op) => {
    addWithCarry(core, core.r[op.n]!, shiftedM(core, op), 0, 1)
  },
  MOV_r: (core, op) => {
    const result = core.r[op.m]!
    if (op.s !== 0) setNZ(core, result)
    core.r[op.d] = result
  },

  LSL_i: (core, op) => shiftConstant(core, op, 0),
  LSR_i: (core, op) => shiftConstant(core, op, 1),
  ASR_i: (core, op) => shiftConstant(core, op, 2),
  ROR_i: (core, op) => shiftConstant(core, op, 3),
  RRX: (core, op) => shiftConstant(core, op, 4),
  LSL_r: (core, op) => {
    const value = core.r[op.n]!
    const amount = core.r[op.m]! & 255
    shiftRegister(core, op, amount > 31 ? 0 : value << amount, amount > 32 ? 0 : value >>> (32 - amount))
  },
  LSR_r: (core, op) => {
    const value = core.r[op.n]!
    const amount = core.r[op.m]! & 255
    shiftRegister(core, op, amount > 31 ? 0 : value >>> amount, amount > 32 ? 0 : value >>> (amount - 1))
  },
  ASR_r: (core, op) => {
    const value = core.r[op.n]!
    const amount = Math.min(core.r[op.m]! & 255, 32)
    shiftRegister(core, op, value >> Math.min(amount, 31), value >>> (amount - 1))
  },
  ROR_r: (core, op) => {
    const value = core.r[op.n]!
    const amount = core.r[op.m]! & 31
    const result = amount === 0 ? value : (value >>> amount) | (value << (32 - amount))
    shiftRegister(core, op, result, result >>> 31)
  },

  PKHBT: (core, op) => {
    core.r[op.d] = (core.r[op.n]! & 0xffff) | ((core.r[op.m]! << op.amount) & ~0xffff)
  },
  PKHTB: (core, op) => {
    const m = core.r[op.m]! >> (op.amount === 0 || op.amount === 32 ? 31 : op.amount)
    core.r[op.d] = (core.r[op.n]! & ~0xffff) | (m & 0xffff)
  },

  SXTB: (core, op) => {
    core.r[op.d] = (rotated(core, op) << 24) >> 24
  },
  SXTH: (core, op) => {
    core.r[op.d] = (rotated(core, op) << 16) >> 16
  },
  UXTB: (core, op) => {
    core.r[op.d] = rotated(core, op) & 0xff
  },
  UXTH: (core, op) => {
    core.r[op.d] = rotated(core, op) & 0xffff
  },
  SXTB16: (core, op) => {
    core.r[op.d] = signedBytes(rotated(core, op))
  },
  UXTB16: (core, op) => {
    core.r[op.d] = rotated(core, op) & 0x00ff00ff
  },
  SXTAB: (core, op) => {
    core.r[op.d] = core.r[op.n]! + ((rotated(core, op) << 24) >> 24)
  },
  SXTAH: (core, op) => {
    core.r[op.d] = core.r[op.n]! + ((rotated(core, op) << 16) >> 16)
  },
  UXTAB: (core, op) => {
    core.r[op.d] = core.r[op.n]! + (rotated(core, op) & 0xff)
  },
  UXTAH: (core, op) => {
    core.r[op.d] = core.r[op.n]! + (rotated(core, op) & 0xffff)
  },
  SXTAB16: (core, op) => {
    core.r[op.d] = addHalves(core.r[op.n]!, signedBytes(rotated(core, op)))
  },
  UXTAB16: (core, op) => {
    core.r[op.d] = addHalves(core.r[op.n]!, rotated(core, op) & 0x00ff00ff)
  },

  BFI: (core, op) => {
    const mask = (op.amount === 32 ? -1 : (1 << op.amount) - 1) << op.imm
    core.r[op.d] = (core.r[op.d]! & ~mask) | ((core.r[op.n]! << op.imm) & mask)
  },
  BFC: (core, op) => {
    const mask = (op.amount === 32 ? -1 : (1 << op.amount) - 1) << op.imm
    core.r[op.d] = core.r[op.d]! & ~mask
  },
  UBFX: (core, op) => {
    core.r[op.d] = (core.r[op.n]! << (32 - op.imm - op.amount)) >>> (32 - op.amount)
  },
  SBFX: (core, op) => {
    core.r[op.d] = (core.r[op.n]! << (32 - op.imm - op.amount)) >> (32 - op.amount)
  },

  CLZ: (core, op) => {
    core.r[op.d] = Math.clz32(core.r[op.m]!)
  },
  RBIT: (core, op) => {
    let x = core.r[op.m]!
    x = ((x >>> 1) & 0x55555555) | ((x & 0x55555555) << 1)
    x = ((x >>> 2) & 0x33333333) | ((x & 0x33333333) << 2)
    x = ((x >>> 4) & 0x0f0f0f0f) | ((x & 0x0f0f0f0f) << 4)
    x = ((x >>> 8) & 0x00ff00ff) | ((x & 0x00ff00ff) << 8)
    core.r[op.d] = (x >>> 16) | (x << 16)
  },
  REV: (core, op) => {
    const x = core.r[op.m]!
    core.r[op.d] = (x >>> 24) | ((x >>> 8) & 0xff00) | ((x & 0xff00) << 8) | (x << 24)
  },
  REV16: (core, op) => {
    const x = core.r[op.m]!
    core.r[op.d] = ((x >>> 8) & 0x00ff00ff) | ((x & 0x00ff00ff) << 8)
  },
  REVSH: (core, op) => {
    const x = core.r[op.m]!
    core.r[op.d] = ((x >>> 8) & 0xff) | ((x << 24) >> 16)
  },
} as const satisfies Record<string, Handler>
