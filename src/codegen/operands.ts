// What the allocator sees of the machine: which virtual registers a Code uses and defines, when, and under which
// constraint; which real registers are lost; what is a copy; what can be made again instead of being kept.
// Everything else about Thumb is unknown to it.

import { int32 } from '../base/arrays.ts'
import { FIELD, F, formNames, reads, writes } from '../thumb/forms.ts'
import { Cond, Flags } from '../thumb/instruction.ts'
import { type Code, FIRST_VIRTUAL, P, isMove } from './code.ts'

/**
 * How an operand takes part. USE reads before anything is written, DEF writes after everything is read; both together are
 * one operand that is read and written (MOVT, BFI, a conditional write, the base of a write-back). EARLY: a DEF that
 * differs from all uses too. FIXED: the value is copied to or from the operand's register by moves around the Code, and
 * may itself be anywhere. PAIR: one side of a PARALLEL_MOVE or a MOV, may be anywhere too. COPY: one side of a move that
 * is better coalesced. LIKE: of an instruction that is shorter when d and this operand are one register. SHORT: of one that is
 * shorter when this operand is in r0-r7, where bytes are to be saved. Without FIXED and PAIR the operand is a register
 * field and needs a register, whichever.
 */
export const Role = { USE: 1, DEF: 2, FIXED: 4, PAIR: 8, EARLY: 16, COPY: 32, LIKE: 64, SHORT: 128 } as const

/** Field of an operand (its index) when neither FIXED nor PAIR. With DEF | LIKE, `fixed` holds the FIELD bits it is like. */
export const Field = { D: 0, N: 1, M: 2, A: 3 } as const

/** Operands of Codes, in the order in which they happen: of each the uses before the definitions. */
export class OperandBuffer {
  count = 0
  /** Virtual register; or a real one that stands in a field as it is. */
  register: Int32Array
  /** Role bits | fixed register << 8 | index << 12; the index is a Field, or that in uses, defs, fixedUses, fixedDefs. */
  info: Int32Array

  constructor(capacity = 64) {
    this.register = int32(capacity)
    this.info = int32(capacity)
  }

  push(register: number, role: number, index: number, fixed: number): void {
    if (this.count === this.register.length) {
      const size = this.count * 2
      const wider = int32(size)
      wider.set(this.register)
      this.register = wider
      const widerInfo = int32(size)
      widerInfo.set(this.info)
      this.info = widerInfo
    }
    this.register[this.count] = register
    this.info[this.count++] = role | (fixed << 8) | (index << 12)
  }
}

export function fixedRegister(info: number): number {
  return (info >> 8) & 15
}

export function operandIndex(info: number): number {
  return info >>> 12
}

const PSEUDO_BASE = P.PARALLEL_MOVE
/** For each form: fields read | fields written << 4 | fields written early << 8. Pseudo-forms follow the real ones. */
const roles = new Uint16Array(formNames.length + 16)
for (let form = 0; form < formNames.length; form++) roles[form] = reads[form]! | (writes[form]! << 4)
for (const form of [F.STREX, F.STREXB, F.STREXH]) roles[form] = roles[form]! | (FIELD.a << 8)
function pseudo(form: number, use: number, def: number, early = 0): void {
  roles[formNames.length + form - PSEUDO_BASE] = use | (def << 4) | (early << 8)
}
pseudo(P.CALL, FIELD.m, 0)
pseudo(P.CONSTANT, 0, FIELD.d)
pseudo(P.FRAME_ADDRESS, 0, FIELD.d)
pseudo(P.TABLE_BRANCH, FIELD.n, 0)
pseudo(P.SPILL_LOAD, 0, FIELD.d)
pseudo(P.SPILL_STORE, FIELD.d, 0)
pseudo(P.ARGUMENT_LOAD, 0, FIELD.d)
pseudo(P.ARGUMENT_STORE, FIELD.d, 0)
pseudo(P.ENTRY_SP, 0, FIELD.d)

/** Forms whose 16-bit encoding names d and n, or d and m, by one field: bits of FIELD. */
const oneField = new Uint8Array(formNames.length)
for (const form of [F.AND_r, F.EOR_r, F.ORR_r, F.ADC_r, F.MUL]) oneField[form] = FIELD.n | FIELD.m
for (const form of [F.BIC_r, F.SBC_r, F.LSL_r, F.LSR_r, F.ASR_r, F.ROR_r, F.ADD_i, F.SUB_i]) oneField[form] = FIELD.n

function shorterAlike(code: Code): number {
  const { form } = code
  if (form >= PSEUDO_BASE || oneField[form] === 0 || code.amount !== 0 || code.s === Flags.KEEP) return 0
  if ((form === F.ADD_i || form === F.SUB_i) && (code.imm < 8 || code.imm > 255)) return 0
  return oneField[form]!
}

/** Fills `out` with the operands of `code`. */
export function collectOperands(code: Code, out: OperandBuffer): void {
  out.count = 0
  appendOperands(code, out)
}

/** Adds the operands of `code` to `out`. */
export function appendOperands(code: Code, out: OperandBuffer): void {
  const { form, fixedUses, fixedDefs } = code
  for (let i = 0; i < fixedUses.length; i++) {
    const use = fixedUses[i]!
    out.push(use.vreg, Role.USE | Role.FIXED, i, use.register)
  }
  if (form === P.PARALLEL_MOVE) {
    const { uses, defs } = code
    for (let i = 0; i < uses.length; i++) out.push(uses[i]!, Role.USE | Role.PAIR | Role.COPY, i, 0)
    for (let i = 0; i < defs.length; i++) out.push(defs[i]!, Role.DEF | Role.PAIR | Role.COPY, i, 0)
  } else {
    const role = roles[form < PSEUDO_BASE ? form : form - PSEUDO_BASE + formNames.length]!
    let use = role & 15
    let def = (role >> 4) & 15
    const early = role >> 8
    if (code.index !== 0) {
      use |= FIELD.n
      def |= FIELD.n
    }
    if (code.cond !== Cond.AL) use |= def
    const copy = isMove(code) ? (isPair(code) ? Role.COPY | Role.PAIR : Role.COPY) : 0
    const only = use & ~def
    const alike = shorterAlike(code)
    const likeN = (alike & FIELD.n) !== 0 ? Role.LIKE : 0
    const likeM = (alike & FIELD.m) !== 0 ? Role.LIKE : 0
    if ((only & FIELD.n) !== 0 && code.n >= 0) out.push(code.n, Role.USE | likeN, Field.N, 0)
    if ((only & FIELD.m) !== 0 && code.m >= 0) out.push(code.m, Role.USE | copy | likeM, Field.M, 0)
    if ((only & FIELD.a) !== 0 && code.a >= 0) out.push(code.a, Role.USE, Field.A, 0)
    if ((only & FIELD.d) !== 0 && code.d >= 0) out.push(code.d, Role.USE, Field.D, 0)
    if (def !== 0) {
      if ((def & FIELD.n) !== 0 && code.n >= 0) out.push(code.n, Role.USE | Role.DEF, Field.N, 0)
      if ((def & FIELD.a) !== 0 && code.a >= 0) out.push(code.a, written(use, early, FIELD.a), Field.A, 0)
      if ((def & FIELD.d) !== 0 && code.d >= 0)
        out.push(code.d, written(use, early, FIELD.d) | copy | likeN, Field.D, alike)
    }
  }
  for (let i = 0; i < fixedDefs.length; i++) {
    const def = fixedDefs[i]!
    out.push(def.vreg, Role.DEF | Role.FIXED, i, def.register)
  }
}

function written(use: number, early: number, field: number): number {
  return Role.DEF | ((use & field) !== 0 ? Role.USE : 0) | ((early & field) !== 0 ? Role.EARLY : 0)
}

/** A move between virtual registers: one pair of a PARALLEL_MOVE, whose sides may be anywhere. */
export function isPair(code: Code): boolean {
  return isMove(code) && code.d >= FIRST_VIRTUAL && code.m >= FIRST_VIRTUAL
}

/** Can be made again wherever it is needed: reads nothing, changes nothing but d. */
export function isRematerialisable(code: Code): boolean {
  return (code.form === P.CONSTANT || code.form === P.FRAME_ADDRESS) && code.cond === Cond.AL
}

/** Goes to other blocks: only other branches may follow it in its block. */
export function isBranch(code: Code): boolean {
  return code.target >= 0 || code.form === P.TABLE_BRANCH
}

/** Index of the first of the branches that end a block, its length if there is none: nothing else stands behind a branch. */
export function branchesFrom(codes: readonly Code[]): number {
  let at = codes.length
  while (at > 0 && isBranch(codes[at - 1]!)) at--
  return at
}
