// Pair operations of which only the low word is needed become plain ones; sums with a product become multiply-accumulate.
// Needs: legal. Leaves: legal, with dead high words.

import { type Func, type Value, countUses, replaceValues } from '../ir/func.ts'
import { I32, I64, Op } from '../ir/op.ts'
import { findLive } from './dead-code.ts'

const single: Record<number, number> = { [Op.add2]: Op.add, [Op.sub2]: Op.sub, [Op.umul]: Op.mul, [Op.smul]: Op.mul }

export function simplifyPairs(func: Func): void {
  countUses(func)
  const live = findLive(func)
  const needsHigh = new Uint8Array(func.valueCount)
  for (const block of func.blocks) {
    for (const value of block.values) {
      if (value.op === Op.word && value.imm > 0 && live[value.id] !== 0) needsHigh[value.args[0]!.id] = 1
    }
  }
  const replacement: (Value | undefined)[] = []
  let replaced = false
  for (const block of func.blocks) {
    const out: Value[] = []
    for (const value of block.values) {
      out.push(value)
      if (value.type !== I64) continue
      const { op, args } = value
      if (op === Op.add2 && needsHigh[value.id] === 1) {
        const fused = accumulate(args[0]!, args[1]!, args[2]!, args[3]!) ?? accumulate(args[2]!, args[3]!, args[0]!, args[1]!)
        if (fused !== undefined) {
          value.op = fused.op
          value.args = fused.args
        }
        continue
      }
      const plain = single[op]
      if (plain === undefined || needsHigh[value.id] === 1) continue
      out.pop()
      const [first, second] = op === Op.add2 || op === Op.sub2 ? [args[0]!, args[2]!] : [args[0]!, args[1]!]
      const low = func.create(block, plain, I32, [first, second], 0, value.origin)
      out.push(low)
      replacement[value.id] = low
      replaced = true
    }
    block.values = out
  }
  if (!replaced) return
  // The words that read a pair which is now a word are that word.
  for (const block of func.blocks) {
    for (const value of block.values) {
      if (value.op !== Op.word) continue
      const low = replacement[value.args[0]!.id]
      // What still reads the high word is dead.
      if (low !== undefined) replacement[value.id] = value.imm === 0 ? low : func.word(0)
    }
  }
  replaceValues(func, replacement)
}

/** low:high + the product whose two words, used for nothing else, are the other operand. */
function accumulate(low: Value, high: Value, first: Value, second: Value): { op: number; args: Value[] } | undefined {
  if (first.op !== Op.word || second.op !== Op.word || first.imm !== 0 || second.imm !== 1) return undefined
  const product = first.args[0]!
  if (product !== second.args[0] || first.uses !== 1 || second.uses !== 1 || product.uses !== 2) return undefined
  if (product.op !== Op.umul && product.op !== Op.smul) return undefined
  return { op: product.op === Op.umul ? Op.umla : Op.smla, args: [low, high, product.args[0]!, product.args[1]!] }
}
