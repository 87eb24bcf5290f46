// Comparisons made again in a block, of the same registers, while the flags are still there.

import { F, FIELD, writes } from '../thumb/forms.ts'
import { Cond, Flags, Index } from '../thumb/instruction.ts'
import { type Code, P } from './code.ts'

/** Drops comparisons whose flags the one before has left. Changes `codes` in place. */
export function dropRepeatedCompares(codes: Code[]): void {
  let last: Code | undefined
  let kept = 0
  for (const code of codes) {
    if (last !== undefined && repeats(code, last)) continue
    codes[kept++] = code
    if (isCompare(code) && code.cond === Cond.AL) last = code
    else if (last !== undefined && (code.s === Flags.SET || !keeps(code, last))) last = undefined
  }
  codes.length = kept
}

function isCompare({ form }: Code): boolean {
  return form === F.CMP_i || form === F.CMP_r || form === F.CMN_i
}

function repeats(code: Code, last: Code): boolean {
  return (
    code.form === last.form &&
    code.cond === Cond.AL &&
    code.n === last.n &&
    code.m === last.m &&
    code.imm === last.imm &&
    code.shift === last.shift &&
    code.amount === last.amount
  )
}

/** The instruction leaves the flags and what was compared. */
function keeps(code: Code, { n, m }: Code): boolean {
  const { form, d, a } = code
  if (form === P.CONSTANT || form === P.SPILL_LOAD || form === P.FRAME_ADDRESS) return d !== n && d !== m
  if (form === P.SPILL_STORE || form === F.B) return true
  if (form >= F.MRS || (form >= F.LDM && form <= F.STMDB)) return false
  const written = writes[form]!
  if ((written & FIELD.d) !== 0 && (d === n || d === m)) return false
  if ((written & FIELD.a) !== 0 && (a === n || a === m)) return false
  return code.index === Index.OFFSET || (code.n !== n && code.n !== m)
}
