// Comparisons that need not be made: an instruction before has the same flags to give, or has given them.

import { F, FIELD, writes } from '../thumb/forms.ts'
import { fitsModified } from '../thumb/immediates.ts'
import { Cond, Flags, Index, Shift } from '../thumb/instruction.ts'
import { type Code, P } from './code.ts'

/** How far back an instruction is looked for. */
const WINDOW = 16

/**
 * Drops comparisons whose flags the one before has left; of pairs too, that are CMP and SBCS, or CMP and a second one on EQ.
 * Changes `codes` in place.
 */
export function dropRepeatedCompares(codes: Code[]): void {
  let last: Code | undefined
  /** The second instruction of the last comparison, if it is one of pairs. */
  let second: Code | undefined
  let kept = 0
  for (let at = 0; at < codes.length; at++) {
    const code = codes[at]!
    if (last !== undefined && code.cond === Cond.AL && equal(code, last)) {
      const next = codes[at + 1]
      if (second === undefined && (next === undefined || !extendsCompare(next))) continue
      if (second !== undefined && next !== undefined && equal(next, second)) {
        at++
        continue
      }
    }
    if (last !== undefined && second === undefined && isExchanged(code, last) && exchangeConditions(codes, at + 1))
      continue
    codes[kept++] = code
    if (isCompare(code) && code.cond === Cond.AL) {
      last = code
      second = undefined
    } else if (last !== undefined && second === undefined && codes[kept - 2] === last && extendsCompare(code)) {
      second = keeps(code, last) && keeps(code, code) ? code : undefined
      if (second === undefined) last = undefined
    } else if (last !== undefined) {
      if (code.s === Flags.SET || !keeps(code, last) || (second !== undefined && !keeps(code, second))) last = undefined
    }
  }
  if (kept < codes.length) codes.length = kept
}

/** The same two registers are compared, the other way round. */
function isExchanged({ form, cond, n, m, amount, shift }: Code, last: Code): boolean {
  if (form !== F.CMP_r || last.form !== F.CMP_r || cond !== Cond.AL || n !== last.m || m !== last.n) return false
  return shift === last.shift && amount === 0 && last.amount === 0
}

/** What each condition is where the operands of the comparison are exchanged; -1: no condition. */
const exchanged: readonly number[] = [
  Cond.EQ,
  Cond.NE,
  Cond.LS,
  Cond.HI,
  -1,
  -1,
  -1,
  -1,
  Cond.CC,
  Cond.CS,
  Cond.LE,
  Cond.GT,
  Cond.LT,
  Cond.GE,
]

/** Turns round what is asked from `from` on until flags are set again. False, and nothing is changed, if that can't be. */
function exchangeConditions(codes: readonly Code[], from: number): boolean {
  let end = from
  for (; end < codes.length; end++) {
    const code = codes[end]!
    const { cond, s, form } = code
    if (readsCarry(code) || form === F.MRS) return false
    const sets = s === Flags.SET || isCompare(code)
    if (cond === Cond.AL) {
      if (sets) break
    } else if (sets || exchanged[cond] === -1) return false
  }
  for (let at = from; at < end; at++) if (codes[at]!.cond !== Cond.AL) codes[at]!.cond = exchanged[codes[at]!.cond]!
  return true
}

/** It completes a comparison of pairs: a difference that only sets flags, or a comparison on EQ. */
function extendsCompare({ form, s, cond }: Code): boolean {
  if (form === F.SBC_i || form === F.SBC_r) return s === Flags.SET && cond === Cond.AL
  return (form === F.CMP_i || form === F.CMP_r) && cond === Cond.EQ
}

function isCompare({ form }: Code): boolean {
  return form === F.CMP_i || form === F.CMP_r || form === F.CMN_i
}

/** The same comparison, but for a difference that it leaves in a register. */
function equal(one: Code, other: Code): boolean {
  return (
    one.form === other.form &&
    one.cond === other.cond &&
    one.n === other.n &&
    one.m === other.m &&
    one.imm === other.imm &&
    one.shift === other.shift &&
    one.amount === other.amount
  )
}

/** The instruction leaves the flags and what was compared. */
function keeps(code: Code, { n, m }: Code): boolean {
  const { form, d, a } = code
  if (form === P.CONSTANT || form === P.SPILL_LOAD || form === P.FRAME_ADDRESS) return d !== n && d !== m
  if (form === P.SPILL_STORE || form === P.ARGUMENT_STORE || form === F.B) return true
  if (form >= F.MRS || (form >= F.LDM && form <= F.STMDB)) return false
  const written = writes[form]!
  if ((written & FIELD.d) !== 0 && (d === n || d === m)) return false
  if ((written & FIELD.a) !== 0 && (a === n || a === m)) return false
  return code.index === Index.OFFSET || (code.n !== n && code.n !== m)
}

/**
 * The last comparison before the branches that end a block goes, if the same difference is computed before it anyway, or
 * if it is with 0 and what is compared is computed by an instruction that can set flags. Before allocation: registers are
 * virtual. Changes `codes` in place.
 */
export function reuseFlags(codes: Code[]): void {
  let at = codes.length - 1
  while (at >= 0 && codes[at]!.form === F.B) at--
  const compare = codes[at]
  if (compare === undefined || !isCompare(compare) || compare.cond !== Cond.AL || compare.form === F.CMN_i) return
  const zero = compare.form === F.CMP_i && compare.imm === 0
  if (zero && !signOrZero(codes, at + 1)) return
  for (let back = at - 1; back >= 0 && back >= at - WINDOW; back--) {
    const code = codes[back]!
    if (zero ? makes(code, compare.n) : subtracts(code, compare)) {
      code.s = Flags.SET
      codes.splice(at, 1)
      if (zero) for (let after = at; after < codes.length; after++) withoutOverflow(codes[after]!)
      return
    }
    if (code.s === Flags.SET || code.cond !== Cond.AL || readsCarry(code) || !keeps(code, compare)) return
  }
}

/** The branches from `at` on ask for no more than the sign, or whether it is 0. */
function signOrZero(codes: readonly Code[], at: number): boolean {
  for (let i = at; i < codes.length; i++) {
    const { cond } = codes[i]!
    if (cond > Cond.NE && cond !== Cond.AL && cond !== Cond.LT && cond !== Cond.GE) return false
  }
  return true
}

/** Compared with 0 nothing overflows: less is negative. */
function withoutOverflow(code: Code): void {
  if (code.cond === Cond.LT) code.cond = Cond.MI
  else if (code.cond === Cond.GE) code.cond = Cond.PL
}

/** It computes the register, and can set flags by it in any encoding of 4 bytes. */
function makes({ form, d, s, cond, imm, base }: Code, n: number): boolean {
  if (d !== n || s === Flags.KEEP || cond !== Cond.AL || base !== 0) return false
  switch (form) {
    case F.ADD_i:
    case F.SUB_i:
      return fitsModified(imm) || (imm < 0 && imm >= -255)
    case F.AND_i:
    case F.ORR_i:
    case F.EOR_i:
    case F.BIC_i:
    case F.RSB_i:
    case F.AND_r:
    case F.ORR_r:
    case F.EOR_r:
    case F.BIC_r:
    case F.ADD_r:
    case F.SUB_r:
    case F.LSL_i:
    case F.LSR_i:
    case F.ASR_i:
      return true
    default:
      return false
  }
}

/** It computes the difference that is compared. Adding -c sets flags as subtracting c does, but for 0 and the least number. */
function subtracts(code: Code, compare: Code): boolean {
  const { form, s, cond, base, imm } = code
  if (s === Flags.KEEP || cond !== Cond.AL || base !== 0 || code.n !== compare.n) return false
  if (compare.form === F.CMP_r) {
    return form === F.SUB_r && code.m === compare.m && code.shift === compare.shift && code.amount === compare.amount
  }
  const c = compare.imm | 0
  if (form === F.SUB_i) return (imm | 0) === c && fitsModified(c)
  if (form !== F.ADD_i || (imm | 0) !== -c || c === 0 || c === -0x80000000) return false
  return fitsModified(-c) || (c > 0 && c <= 255)
}

function readsCarry({ form, shift }: Code): boolean {
  switch (form) {
    case F.ADC_i:
    case F.ADC_r:
    case F.SBC_i:
    case F.SBC_r:
    case F.RRX:
      return true
    default:
      return shift === Shift.RRX
  }
}
