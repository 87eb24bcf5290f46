// What is known of the high word of each 64-bit value: that it is zero, that it is the sign of the low word. Optimistic
// over loops: everything holds until shown otherwise. Legalization asks it.

import type { Block, Func, Value } from '../ir/func.ts'
import { I64, Op } from '../ir/op.ts'
import { type Counter, findCounters } from './induction.ts'
import { significantBits } from '../ir/known.ts'

export const ZERO = 1
export const SIGN = 2

/**
 * By id of each I64 value that is needed (`demand` of demand.ts is not 0): a set of ZERO and SIGN. `order`: reverse postorder of
 * all blocks.
 */
export function highWords(func: Func, order: readonly Block[], demand: Uint8Array): Uint8Array {
  const facts = new Uint8Array(func.valueCount).fill(ZERO | SIGN)
  const of = (value: Value): number => (value.op === Op.const ? ofConstant(value) : facts[value.id]!)
  const counters = findCounters(order)
  const now = (value: Value): number => {
    const counter = counters.get(value.id)
    return ((counter === undefined ? 0 : ofCounter(value, counter, of)) | transfer(value, of)) & facts[value.id]!
  }
  /** Values that depend on what may come later: phis, and what counts. */
  const late: Value[] = []
  for (let first = true, again = true; again; first = false) {
    for (const block of order) {
      for (const value of block.values) {
        if (value.type !== I64 || demand[value.id] === 0) continue
        if (first && (value.op === Op.phi || counters.has(value.id))) late.push(value)
        facts[value.id] = now(value)
      }
    }
    again = late.some((value) => now(value) !== facts[value.id])
  }
  return facts
}

/** A counter is a word if what it starts from and its bound are. */
function ofCounter(value: Value, { phi, starts, bound, nextFits }: Counter, of: (value: Value) => number): number {
  if (value !== phi && !nextFits) return 0
  return starts.every((start) => (of(start) & ZERO) !== 0) ? of(bound) & ZERO : 0
}

export function ofConstant(value: Value): number {
  return (value.immHigh === 0 ? ZERO : 0) | (value.immHigh === value.imm >> 31 ? SIGN : 0)
}

function transfer(value: Value, of: (value: Value) => number): number {
  const { op, args } = value
  switch (op) {
    case Op.zext:
      return significantBits(args[0]!) < 32 ? ZERO | SIGN : ZERO
    case Op.sext:
      return significantBits(args[0]!) < 32 ? ZERO | SIGN : SIGN
    case Op.phi: {
      let all = ZERO | SIGN
      for (const arg of args) all &= of(arg)
      return all
    }
    case Op.select:
      return of(args[1]!) & of(args[2]!)
    case Op.and: {
      const a = of(args[0]!)
      const b = of(args[1]!)
      return ((a | b) & ZERO) | (a & b & SIGN)
    }
    case Op.or:
    case Op.xor:
    case Op.srem:
      return op === Op.srem ? of(args[0]!) & of(args[1]!) & SIGN : of(args[0]!) & of(args[1]!)
    case Op.lsr: {
      const amount = args[1]!
      const a = of(args[0]!) & ZERO
      return a !== 0 && amount.op === Op.const && amount.imm > 0 ? ZERO | SIGN : a
    }
    case Op.asr:
      return of(args[0]!)
    case Op.udiv:
    case Op.urem:
      // Neither is greater than the dividend.
      return of(args[0]!) & ZERO
    default:
      return 0
  }
}
