// Flags within a block, from its end: which are read later. Where none is, an instruction may set flags or not, whichever
// encoding is smaller; where some are, those that need not set them must not.
// Flags are never live into a block: a comparison stands in the block of what reads it (select.ts).

import { unreachable } from '../base/errors.ts'
import { RowFlags, rowsOf } from '../thumb/encodings.ts'
import { chooseRow } from '../thumb/encode.ts'
import { F, formNames } from '../thumb/forms.ts'
import { Cond, Flags, Shift } from '../thumb/instruction.ts'
import { type Code, P } from './code.ts'

const N = 8
const Z = 4
const C = 2
const V = 1
const ALL = 15

/** Flags that a condition reads. */
const readsOf = [Z, Z, C, C, N, N, V, V, C | Z, C | Z, N | V, N | V, N | Z | V, N | Z | V, 0]

// How forms treat flags, learnt when first asked for.
const SETTABLE = 1
const COMPARES = 2
const KNOWN = 4
const treatment = new Uint8Array(formNames.length)

function treatmentOf(form: number): number {
  let known = treatment[form]!
  if (known !== 0) return known
  known = KNOWN
  for (const { flags } of rowsOf(form)) {
    if (flags === RowFlags.COMPARE) known |= COMPARES
    else if (flags !== RowFlags.KEEP) known |= SETTABLE
  }
  treatment[form] = known
  return known
}

/** The form can set flags on demand. */
const canSet = (form: number): boolean => (treatmentOf(form) & SETTABLE) !== 0

/** By form: flags that it leaves as they were where it sets flags. Most leave V, and some C. */
const leaves = new Uint8Array(formNames.length).fill(C | V)
for (const form of [F.ADD_i, F.ADC_i, F.SBC_i, F.SUB_i, F.RSB_i, F.CMP_i, F.CMN_i]) leaves[form] = 0
for (const form of [F.ADD_r, F.ADC_r, F.SBC_r, F.SUB_r, F.RSB_r, F.CMP_r, F.CMN_r]) leaves[form] = 0
for (const form of [F.LSL_i, F.LSR_i, F.ASR_i, F.ROR_i, F.RRX]) leaves[form] = V
/** By form: 1 where it reads the carry. */
export const readsCarry: Uint8Array = new Uint8Array(formNames.length)
for (const form of [F.ADC_i, F.SBC_i, F.ADC_r, F.SBC_r, F.RRX]) readsCarry[form] = 1

/** Flags that are read from `code` on, if those in `live` are read behind it. */
export function flagsBefore({ form, cond, s, imm, shift }: Code, live: number): number {
  if (form >= formNames.length) return form === P.CALL ? 0 : live | readsOf[cond]!
  if (s === Flags.SET && cond === Cond.AL) live &= leaves[form]!
  if (readsCarry[form] === 1 || shift === Shift.RRX) live |= C
  else if (form === F.MRS && imm <= 3) live = ALL
  return live | readsOf[cond]!
}

/** `before` computes what `CMP n, #0` compares and can set N and Z by it, without growing. */
function canTest(before: Code, n: number): boolean {
  if (before.d !== n || before.cond !== Cond.AL || before.form >= formNames.length || !canSet(before.form)) return false
  const { s } = before
  const size = chooseRow(before, false, false)?.size ?? 0
  before.s = Flags.SET
  const setting = chooseRow(before, false, false)
  before.s = s
  return setting !== undefined && setting.size <= size
}

/**
 * Sets `s` of the block's codes to SET, KEEP or, where flags are dead, ANY; drops comparisons that nobody reads and those
 * with 0 of what the instruction before can set flags by. Changes the codes, and `codes` in place.
 */
export function settleFlags(codes: Code[]): void {
  let live = 0
  let kept = codes.length
  for (let i = codes.length - 1; i >= 0; i--) {
    const code = codes[i]!
    const { form, cond } = code
    if (form >= formNames.length) {
      if (form === P.CALL) live = 0
    } else if (treatmentOf(form) !== KNOWN) {
      if ((treatmentOf(form) & COMPARES) !== 0) {
        if (live === 0) continue
        const before = codes[i - 1]
        const zero = form === F.CMP_i && code.imm === 0 && cond === Cond.AL && (live & ~(N | Z)) === 0
        if (zero && before !== undefined && canTest(before, code.n)) {
          before.s = Flags.SET
          continue
        }
        code.s = Flags.SET
      } else if (live !== 0) {
        if (code.s === Flags.ANY) code.s = Flags.KEEP
      } else if (form !== F.MOV_r) {
        code.s = Flags.ANY
      } else {
        code.s = Flags.KEEP
      }
      if (code.s === Flags.SET && cond === Cond.AL) live &= leaves[form]!
      if (readsCarry[form] === 1 || code.shift === Shift.RRX) live |= C
    } else if (form === F.MRS && code.imm <= 3) {
      live = ALL
    }
    live |= readsOf[cond]!
    codes[--kept] = code
  }
  if (kept > 0) codes.splice(0, kept)
  if (live !== 0) unreachable('flags are live into a block')
}
