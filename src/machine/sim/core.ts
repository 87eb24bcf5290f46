// The state of the simulated processor, one decoded instruction as the handlers see it, and the pseudocode functions of
// the manual that many handlers share: AddWithCarry, Shift_C, ConditionPassed, the saturations.
// DDI 0403E A2.2, A2.3, A7.3, B1.4.

import { F, FIELD, writes } from '../../thumb/forms.ts'
import type { Form } from '../../thumb/forms.ts'
import type { Instruction } from '../../thumb/instruction.ts'
import type { Memory } from './memory.ts'

/** How the last branch at the end of a block left it; the cycles of the next block's first fetch depend on it. */
export const Flow = {
  /** Not taken: the next instruction in sequence. */
  NEXT: 0,
  /** Taken; a wide target at 2 mod 4 costs a cycle more. */
  TAKEN: 1,
  /** Taken by a load of PC or a table branch, whose cycles include all. */
  LOADED: 2,
} as const

export class Core {
  /**
   * r0-r15 as int32. r15 is set only where an instruction reads it (its address + 4), and by one that writes it: the
   * address to go on at. There an odd value stands for a clear T bit: executing at it is the fault INVSTATE.
   */
  readonly r = new Int32Array(16)
  readonly memory: Memory
  // Flags: N is n < 0, Z is z == 0, V is v < 0, and c is 0 or 1.
  n = 0
  z = 1
  c = 0
  v = 0
  /** 0 or 1. */
  q = 0
  /** Four bits. */
  ge = 0
  primask = 0
  faultmask = 0
  basepri = 0
  control = 0
  /** The stack pointer that SP does not stand for at present. */
  otherSp = 0
  /** The local exclusive monitor: an exclusive access is open. */
  exclusive = false
  /** CCR.DIV_0_TRP. */
  trapDivideByZero = false
  /** Cycles over the static cost of the block: division, branches taken, conditions that failed. */
  stall = 0
  /** One of Flow, set by every handler that ends a block. */
  flow = 0
  /** The previous instruction of this IT block was skipped. */
  skipped = false
  /** In a translated block: index of the op that may fault. */
  at = 0
  constructor(memory: Memory) {
    this.memory = memory
  }
}

export type Handler = (core: Core, op: Op) => void

/** A decoded instruction at its address: the fields of Instruction, and what is known of them in advance. */
export class Op {
  /** What to call: the meaning, or a wrapper around it (condition, PC, SP). */
  run: Handler
  /** What the condition's wrapper calls. */
  inner: Handler
  /** The form's own meaning. */
  readonly meaning: Handler
  readonly form: Form
  readonly s: number
  readonly d: number
  readonly n: number
  readonly m: number
  readonly a: number
  readonly imm: number
  readonly shift: number
  readonly amount: number
  readonly index: number
  readonly size: number
  readonly address: number
  /** What the instruction reads as PC. */
  readonly pc: number
  /** pc + imm: where a direct branch goes. */
  readonly target: number
  readonly next: number
  /** Carry out of a modified immediate: 0, 1, or -1 to leave C. */
  readonly carry: number
  /** Of B, or of its place in an IT block. */
  readonly cond: number
  /** IT state before the instruction. */
  readonly it: number
  /** Cycles, taking it that the condition passes here and at the previous instruction, and that no branch is taken. */
  cost = 0
  /** Cycles more if the previous instruction was skipped by its condition. */
  costAfterSkip = 0
  /** Last of an IT block: cycles more at the instruction after it, if this one is skipped. */
  costOfSkip = 0
  constructor(instruction: Instruction, address: number, it: number, meaning: Handler) {
    this.run = meaning
    this.inner = meaning
    this.meaning = meaning
    this.form = instruction.form
    this.s = instruction.s
    this.d = instruction.d
    this.n = instruction.n
    this.m = instruction.m
    this.a = instruction.a
    this.imm = instruction.imm | 0
    this.shift = instruction.shift
    this.amount = instruction.amount
    this.index = instruction.index
    this.size = instruction.size
    this.address = address | 0
    this.pc = (address + 4) | 0
    this.target = (address + 4 + instruction.imm) | 0
    this.next = (address + instruction.size) | 0
    this.carry = immediateCarry(instruction.imm)
    this.cond = it !== 0 ? it >>> 4 : instruction.cond
    this.it = it
  }
}

/** Writes register field d (DDI 0403E's Rd or Rt). */
export function writesD(op: Op): boolean {
  return (writes[op.form]! & FIELD.d) !== 0
}

/** Loads or stores of several registers: imm is their mask. */
export function isMultiple(form: Form): boolean {
  return form === F.LDM || form === F.LDMDB || form === F.STM || form === F.STMDB
}

/**
 * ThumbExpandImm_C's carry, from the constant alone: a rotated byte has 1 as its top bit and is never a byte by itself nor
 * one of the repeated patterns, so the constant tells how it was made.
 */
function immediateCarry(imm: number): number {
  const low = imm & 0xff
  const high = (imm >>> 8) & 0xff
  const halves = imm >>> 16 === (imm & 0xffff)
  if (imm >>> 8 === 0 || (halves && (low === 0 || high === 0 || low === high))) return -1
  return imm >>> 31
}

/** ConditionPassed() for a condition 0..14. */
export function passed(core: Core, cond: number): boolean {
  switch (cond) {
    case 0:
      return core.z === 0
    case 1:
      return core.z !== 0
    case 2:
      return core.c !== 0
    case 3:
      return core.c === 0
    case 4:
      return core.n < 0
    case 5:
      return core.n >= 0
    case 6:
      return core.v < 0
    case 7:
      return core.v >= 0
    case 8:
      return core.c !== 0 && core.z !== 0
    case 9:
      return core.c === 0 || core.z === 0
    case 10:
      return (core.n ^ core.v) >= 0
    case 11:
      return (core.n ^ core.v) < 0
    case 12:
      return core.z !== 0 && (core.n ^ core.v) >= 0
    case 13:
      return core.z === 0 || (core.n ^ core.v) < 0
    default:
      return true
  }
}

/** AddWithCarry(): the sum; with `s` all four flags. */
export function addWithCarry(core: Core, x: number, y: number, carry: number, s: number): number {
  const sum = (x + y + carry) | 0
  if (s !== 0) {
    core.n = sum
    core.z = sum
    core.v = (x ^ sum) & (y ^ sum)
    // Carry out of bit 31: of both operands, or of one where the sum's bit is clear.
    core.c = ((x & y) | ((x | y) & ~sum)) >>> 31
  }
  return sum
}

/** N and Z of a result. */
export function setNZ(core: Core, result: number): void {
  core.n = result
  core.z = result
}

/** Shift() of a register by a constant. Amounts to 32 for LSR and ASR. */
export function shiftedValue(core: Core, value: number, shift: number, amount: number): number {
  switch (shift) {
    case 0:
      return value << amount
    case 1:
      return amount === 32 ? 0 : value >>> amount
    case 2:
      return value >> (amount === 32 ? 31 : amount)
    case 3:
      return (value >>> amount) | (value << (32 - amount))
    default:
      return (value >>> 1) | (core.c << 31)
  }
}

/** Shift_C()'s carry out. */
export function shiftCarry(core: Core, value: number, shift: number, amount: number): number {
  switch (shift) {
    case 0:
      return amount === 0 ? core.c : (value >>> (32 - amount)) & 1
    case 4:
      return value & 1
    default:
      return (value >>> (amount - 1)) & 1
  }
}

/** Register m shifted as the instruction says. */
export function shiftedM(core: Core, op: Op): number {
  const value = core.r[op.m]!
  return op.amount === 0 && op.shift !== 4 ? value : shiftedValue(core, value, op.shift, op.amount)
}

/** SignedSatQ() of an exact sum to `bits` bits; sets Q where it saturates. */
export function saturateSigned(core: Core, value: number, bits: number): number {
  const limit = 2 ** (bits - 1)
  if (value >= limit) {
    core.q = 1
    return limit - 1
  }
  if (value < -limit) {
    core.q = 1
    return -limit
  }
  return value
}

/** UnsignedSatQ(). */
export function saturateUnsigned(core: Core, value: number, bits: number): number {
  const limit = 2 ** bits
  if (value >= limit) {
    core.q = 1
    return limit - 1
  }
  if (value < 0) {
    core.q = 1
    return 0
  }
  return value
}

/** APSR: NZCVQ in bits 31:27, GE in 19:16; a signed word. */
export function readApsr(core: Core): number {
  return (
    (core.n & (1 << 31)) |
    ((core.z === 0 ? 1 : 0) << 30) |
    (core.c << 29) |
    (core.v < 0 ? 1 << 28 : 0) |
    (core.q << 27) |
    (core.ge << 16)
  )
}

/** Sets NZCVQ from bits 31:27 (`flags`) and GE from 19:16 (`ge`) of a word. */
export function writeApsr(core: Core, value: number, flags: boolean, ge: boolean): void {
  if (flags) {
    core.n = value
    core.z = (value & (1 << 30)) === 0 ? 1 : 0
    core.c = (value >>> 29) & 1
    core.v = value << 3
    core.q = (value >>> 27) & 1
  }
  if (ge) core.ge = (value >>> 16) & 15
}
