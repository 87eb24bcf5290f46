// One Thumb instruction as data: what the encoder takes, what the decoder gives, what the simulator runs.

import type { Form } from './forms.ts'

/** Condition codes, DDI 0403E A7.3. AL also stands for "no condition". */
export const Cond = {
  EQ: 0,
  NE: 1,
  CS: 2,
  CC: 3,
  MI: 4,
  PL: 5,
  VS: 6,
  VC: 7,
  HI: 8,
  LS: 9,
  GE: 10,
  LT: 11,
  GT: 12,
  LE: 13,
  AL: 14,
} as const
export type Cond = number

export const Shift = { LSL: 0, LSR: 1, ASR: 2, ROR: 3, RRX: 4 } as const
export type Shift = number

/** How a load or store forms its address: at n + imm; the same and n is set to it; at n, and n is set to n + imm. */
export const Index = { OFFSET: 0, PRE: 1, POST: 2 } as const
export type Index = number

/** What happens to the flags: left alone, written, or whichever gives the smaller encoding (only before encoding). */
export const Flags = { KEEP: 0, SET: 1, ANY: 2 } as const
export type Flags = number

/**
 * One instruction. Register fields hold 0..15, or -1 when the form has no such field; which fields mean what is said in
 * forms.ts. Mutable, every field set here, so that all instances share one hidden class.
 */
export class Instruction {
  form: Form
  cond: Cond = 14
  /** Flags: KEEP, SET or ANY. A decoded instruction has KEEP or SET; comparisons have SET. */
  s: Flags = 0
  d = -1
  n = -1
  m = -1
  a = -1
  imm = 0
  shift: Shift = 0
  amount = 0
  index: Index = 0
  /** Bytes of the chosen encoding, 2 or 4; 0 until encoded or decoded. */
  size = 0
  constructor(form: Form) {
    this.form = form
  }
}
