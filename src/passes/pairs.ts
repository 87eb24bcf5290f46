// Arithmetic of 64 bits in words: sums, products and shifts of pairs, for legalization and for division by constants.

import type { Value } from '../ir/func.ts'
import { I64, Op, type Type } from '../ir/op.ts'

/** Makes values, one after the other. */
export interface Emitter {
  add(op: number, args: Value[], imm?: number, type?: Type): Value
  word(value: number): Value
}

/** 64 bits in two words. */
export type Pair = readonly [low: Value, high: Value]

/** The words of a pair operation's result. */
export function wordsOf(to: Emitter, pair: Value): Pair {
  return [to.add(Op.word, [pair], 0), to.add(Op.word, [pair], 1)]
}

/** a - b. */
export function subtractPairs(to: Emitter, a: Pair, b: Pair): Pair {
  return wordsOf(to, to.add(Op.sub2, [...a, ...b], 0, I64))
}

/** The lower 64 bits of a product. */
export function multiplyPairs(to: Emitter, a: Pair, b: Pair): Pair {
  const [low, carry] = wordsOf(to, to.add(Op.umul, [a[0], b[0]], 0, I64))
  const cross = to.add(Op.mul, [a[0], b[1]])
  const other = to.add(Op.mul, [a[1], b[0]])
  return [low, to.add(Op.add, [to.add(Op.add, [carry, cross]), other])]
}

/** lsl, lsr or asr by an amount from 0 to 63; a constant one may be more, up to 255, as two shifts in a row that became one are. */
export function shiftPair(to: Emitter, op: number, pair: Pair, amount: Value): Pair {
  return amount.op === Op.const ? shiftByConstant(to, op, pair, amount.imm & 0xff) : shiftByWord(to, op, pair, amount)
}

/** lsl, lsr or asr by a constant of 0 and more. */
export function shiftByConstant(to: Emitter, op: number, [low, high]: Pair, by: number): Pair {
  if (by === 0) return [low, high]
  if (by === 1 && op === Op.lsl) return wordsOf(to, to.add(Op.add2, [low, high, low, high], 0, I64))
  const shifted = (word: Value, count: number): Value => (count === 0 ? word : to.add(op, [word, to.word(count)]))
  if (by >= 32) {
    const empty = op === Op.asr ? shifted(high, 31) : to.word(0)
    if (by >= 64) return [empty, empty]
    return op === Op.lsl ? [empty, shifted(low, by - 32)] : [shifted(high, by - 32), empty]
  }
  const back = to.word(32 - by)
  if (op === Op.lsl) {
    const upper = to.add(Op.or, [shifted(high, by), to.add(Op.lsr, [low, back])])
    return [shifted(low, by), upper]
  }
  const lower = to.add(Op.or, [to.add(Op.lsr, [low, to.word(by)]), to.add(Op.lsl, [high, back])])
  return [lower, shifted(high, by)]
}

/** Shifts of words give 0 for 32 and more, up to 255. A variable amount is below 64 (the frontend masks it). */
function shiftByWord(to: Emitter, op: number, [low, high]: Pair, amount: Value): Pair {
  const back = to.add(Op.sub, [to.word(32), amount])
  const over = to.add(Op.sub, [amount, to.word(32)])
  if (op === Op.lsl) {
    // Of the two words that the low one may give to the high one, at most one is not 0, or both are the same.
    const given = to.add(Op.or, [to.add(Op.lsr, [low, back]), to.add(Op.lsl, [low, over])])
    const upper = to.add(Op.or, [to.add(Op.lsl, [high, amount]), given])
    return [to.add(Op.lsl, [low, amount]), upper]
  }
  const kept = to.add(Op.lsr, [low, amount])
  const near = to.add(Op.or, [kept, to.add(Op.lsl, [high, back])])
  if (op === Op.lsr) {
    const lower = to.add(Op.or, [near, to.add(Op.lsr, [high, over])])
    return [lower, to.add(Op.lsr, [high, amount])]
  }
  // asr by a negative amount would give the sign and not 0: choose.
  const below = to.add(Op.slt, [over, to.word(0)])
  const lower = to.add(Op.select, [below, near, to.add(Op.asr, [high, over])])
  return [lower, to.add(Op.asr, [high, amount])]
}
