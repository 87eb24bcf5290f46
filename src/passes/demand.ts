// Which words of each 64-bit value somebody needs: an address needs the low one, a sum's low word needs no high one. What
// legalization need not make, no later pass has to remove. Needs: 64-bit SSA.

import type { Func, Value } from '../ir/func.ts'
import { COMPARE, EFFECT, I64, Op, TERMINATOR, attributes } from '../ir/op.ts'
import type { Ranges } from './ranges.ts'

export const LOW = 1
export const BOTH = 3

/** What may be known of the high word of a 64-bit value: that it is zero, that it is the sign of the low one. */
export const ZERO = 1
export const SIGN = 2

/** Of a constant: a set of ZERO and SIGN. */
export function knownHigh(constant: Value): number {
  return (constant.immHigh === 0 ? ZERO : 0) | (constant.immHigh === constant.imm >> 31 ? SIGN : 0)
}

/** By id of each I64 value: a set of ZERO and SIGN. */
export function highWords(func: Func, ranges: Ranges): Uint8Array {
  const facts = new Uint8Array(func.valueCount)
  for (const block of func.blocks) {
    const { values } = block
    for (let index = 0; index < values.length; index++) {
      const value = values[index]!
      if (value.type !== I64) continue
      facts[value.id] = (ranges.isWord(value) ? ZERO : 0) | (ranges.isSignedWord(value) ? SIGN : 0)
    }
  }
  return facts
}

/** Operations of which the low word depends on low words alone. */
export function needsLowAlone(op: number): boolean {
  switch (op) {
    case Op.phi:
    case Op.select:
    case Op.add:
    case Op.sub:
    case Op.mul:
    case Op.and:
    case Op.or:
    case Op.xor:
    case Op.lsl:
      return true
    default:
      return false
  }
}

/** By id: 0 for a value that nobody needs, LOW or BOTH; LOW for a word that is needed. `facts`: what highWords knows. */
export function demandedWords(func: Func, facts: Uint8Array): Uint8Array {
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
    const words = wordsOfOperands(value, demand[value.id]!, facts)
    for (let index = 0; index < args.length; index++) need(args[index]!, words)
  }
  return demand
}

/** The words of its 64-bit operands that a value needs if these of its own are needed. */
function wordsOfOperands(value: Value, words: number, facts: Uint8Array): number {
  const { op, args } = value
  if (op === Op.trunc) return LOW
  if (value.type === I64) {
    if (!needsLowAlone(op)) return BOTH
    // A high word that is known is not computed.
    return facts[value.id] !== 0 ? LOW : words
  }
  if ((attributes[op]! & COMPARE) === 0 || args[0]!.type !== I64) return BOTH
  const known = (arg: Value): number => (arg.op === Op.const ? knownHigh(arg) : facts[arg.id]!)
  return (known(args[0]!) & known(args[1]!)) !== 0 ? LOW : BOTH
}
