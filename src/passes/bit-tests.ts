// `1 << x & C` compared with 0, in 64 bits: what compilers for BPF make of `c == ' ' || c == '\t' || ...`. A bit is asked for in one word
// where those of C that x can lead to lie within 32, or are the same in both words.
// Needs and leaves: 64-bit SSA, with its ranges, which do not know the values that this makes.

import { type Func, type Value, replaceValues } from '../ir/func.ts'
import { I32, I64, Op } from '../ir/op.ts'
import type { Ranges } from './ranges.ts'

/** True if it changed anything. */
export function testBits(func: Func, ranges: Ranges): boolean {
  let found = false
  for (const block of func.blocks) {
    for (let at = 0; at < block.values.length; at++) {
      const value = block.values[at]!
      if (value.op !== Op.ne && value.op !== Op.eq) continue
      const masked = value.args[0]!
      if (masked.type !== I64 || masked.op !== Op.and || !isNumber(value.args[1]!, 0)) continue
      const [shifted, mask] = masked.args as [Value, Value]
      if (mask.op !== Op.const || shifted.op !== Op.lsl || !isNumber(shifted.args[0]!, 1)) continue
      const made: Value[] = []
      const make = (op: number, args: Value[]): Value => {
        const result = func.create(block, op, I32, args, 0, value.origin)
        made.push(result)
        return result
      }
      const bit = bitOf(func, shifted.args[1]!, mask, ranges, make)
      if (bit === undefined) continue
      value.replacement = make(value.op, [bit, func.word(0)])
      block.values.splice(at, 0, ...made)
      at += made.length
      found = true
    }
  }
  if (found) replaceValues(func)
  return found
}

function isNumber({ op, imm, immHigh }: Value, number: number): boolean {
  return op === Op.const && imm === number && immHigh === 0
}

/** A word that is 0 exactly if the bit `amount` of the mask is; undefined where it takes both words. */
function bitOf(
  func: Func,
  amount: Value,
  { imm: low, immHigh: high }: Value,
  ranges: Ranges,
  make: (op: number, args: Value[]) => Value,
): Value | undefined {
  const most = ranges.maximum(amount)
  if (most > 63) return undefined
  // Of the high word's bits, those that the amount leads to.
  const above = most < 32 ? 0 : high & (-1 >>> (63 - most))
  const one = func.word(1)
  // Amounts of a word's size and more, up to 255, give 0: so do those below 0.
  if (above === 0) return make(Op.and, [make(Op.lsl, [one, amount]), func.word(low)])
  const first = low === 0 ? 32 + trailingZeros(above) : trailingZeros(low)
  if (63 - Math.clz32(above) - first < 32) {
    const window = first >= 32 ? above >>> (first - 32) : (low >>> first) | (first === 0 ? 0 : above << (32 - first))
    const moved = make(Op.add, [amount, func.word(-first)])
    return make(Op.and, [make(Op.lsl, [one, moved]), func.word(window)])
  }
  if (((low ^ above) & (-1 >>> (63 - most))) !== 0) return undefined
  return make(Op.and, [make(Op.ror, [one, make(Op.sub, [func.word(0), amount])]), func.word(low)])
}

function trailingZeros(word: number): number {
  return 31 - Math.clz32(word & -word)
}
