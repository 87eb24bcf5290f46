// Which words of each 64-bit value somebody needs: an address needs the low one, a sum's low word needs no high one. What
// legalization need not make, no later pass has to remove. Needs: 64-bit SSA.

import type { Func, Value } from '../ir/func.ts'
import { EFFECT, I64, Op, TERMINATOR, attributes } from '../ir/op.ts'

export const LOW = 1
export const BOTH = 3

/** By id: 0 for a value that nobody needs, LOW or BOTH; LOW for a word that is needed. */
export function demandedWords(func: Func): Uint8Array {
  const demand = new Uint8Array(func.valueCount)
  const work: Value[] = []
  const need = (value: Value, words: number): void => {
    if (value.op === Op.const) return
    const now = demand[value.id]! | (value.type === I64 ? words : LOW)
    if (now === demand[value.id]) return
    demand[value.id] = now
    work.push(value)
  }
  for (const block of func.blocks) {
    const { values } = block
    for (let index = 0; index < values.length; index++) {
      const value = values[index]!
      if ((attributes[value.op]! & (EFFECT | TERMINATOR)) !== 0) need(value, LOW)
    }
  }
  // A value comes again when its high word is needed too.
  for (let value = work.pop(); value !== undefined; value = work.pop()) {
    const { args } = value
    const words = wordsOfOperands(value, demand[value.id]!)
    for (let index = 0; index < args.length; index++) need(args[index]!, words)
  }
  return demand
}

/** The words of its 64-bit operands that a value needs if these of its own are needed. */
function wordsOfOperands(value: Value, words: number): number {
  switch (value.op) {
    case Op.trunc:
      return LOW
    case Op.phi:
    case Op.select:
    case Op.add:
    case Op.sub:
    case Op.mul:
    case Op.and:
    case Op.or:
    case Op.xor:
    case Op.lsl:
      return value.type === I64 ? words : BOTH
    default:
      return BOTH
  }
}
