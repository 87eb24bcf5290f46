// `x < 2^k` at the end of a block that computes `x >> k` is `x >> k == 0`: clang writes the former for the latter, and the shift can
// set the flags, of pairs by one ORRS; what x was need not be kept beside it. Needs and leaves: any stage; best behind the analysis of
// ranges, which learns more from the former. A comparison is changed in place, so that what is known of values stays right.

import { type Func, type Value, countUses } from '../ir/func.ts'
import { I64, Op } from '../ir/op.ts'

/** Values before a branch that are looked at. */
const NEAR = 24

/** True if it changed anything. */
export function testShifts(func: Func): boolean {
  let counted = false
  let changed = false
  for (const block of func.blocks) {
    const { values } = block
    const { op, args } = values[values.length - 1]!
    const test = args[0]
    if (op !== Op.branch || test === undefined || test.block !== block) continue
    const bits = boundOf(test)
    if (bits === 0) continue
    const upper = test.args[1]!.op === Op.const
    const value = test.args[upper ? 0 : 1]!
    const shift = findShift(values, value, bits)
    if (shift === undefined) continue
    if (!counted) countUses(func)
    counted = true
    if (test.uses !== 1) continue
    test.op = upper ? Op.eq : Op.ne
    test.args = [shift, value.type === I64 ? func.double(0, 0) : func.word(0)]
    // The shift may stand behind it.
    values.splice(values.indexOf(test), 1)
    values.splice(values.length - 1, 0, test)
    changed = true
  }
  return changed
}

/** k where the comparison asks whether a value is below 2^k, one way or the other; 0 where it does not. */
function boundOf({ op, args }: Value): number {
  if (op !== Op.ult && op !== Op.ule) return 0
  const [left, right] = args as [Value, Value]
  const upper = right.op === Op.const
  if (upper === (left.op === Op.const)) return 0
  const bound = upper ? right : left
  const wide = bound.type === I64
  const number = (wide ? bound.immHigh >>> 0 : 0) * 2 ** 32 + (bound.imm >>> 0)
  // x < 2^k, 2^k <= x; x <= 2^k - 1, 2^k - 1 < x.
  const power = (op === Op.ult) === upper ? number : number + 1
  const bits = Math.log2(power)
  return bits > 0 && bits < (wide ? 53 : 32) && Number.isInteger(bits) && 2 ** bits === power ? bits : 0
}

function findShift(values: readonly Value[], value: Value, bits: number): Value | undefined {
  const least = Math.max(0, values.length - NEAR)
  for (let at = values.length - 2; at >= least; at--) {
    const { op, args } = values[at]!
    if (op === Op.lsr && args[0] === value && args[1]!.op === Op.const && args[1]!.imm === bits) return values[at]
  }
  return undefined
}
