// Terms of constants as closures: what a rule's conditions and computed constants give on the constants that matched.

import { unreachable } from '../../base/errors.ts'
import type { Value } from '../../ir/func.ts'
import { significantBits } from '../../ir/known.ts'
import { I64, Op } from '../../ir/op.ts'
import { evaluateDouble, evaluateWord } from '../evaluate.ts'
import type { Term } from './language.ts'

/** On what was matched: `slots` from `base` on. Signed words. */
export type Word = (slots: readonly Value[], base: number) => number
/** Unsigned 64-bit numbers. */
export type Double = (slots: readonly Value[], base: number) => bigint

const doubleOf = (low: number, high: number): bigint => (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0)

/** A computed term of type I32. `slotOf` has each name's slot. */
export function word(term: Term, slotOf: ReadonlyMap<string, number>): Word {
  switch (term.kind) {
    case 'literal': {
      const value = Number(term.value) | 0
      return () => value
    }
    case 'constant': {
      const slot = slotOf.get(term.name) ?? unreachable(`no constant ${term.name}`)
      return (slots, base) => slots[base + slot]!.imm
    }
    case 'bits': {
      const [of] = term.args
      const slot = (of!.kind === 'value' ? slotOf.get(of!.name) : undefined) ?? unreachable('bits of what?')
      return (slots, base) => significantBits(slots[base + slot]!)
    }
    case 'log2': {
      const [of] = term.args
      if (of!.type === I64) {
        const inner = double(of!, slotOf)
        return (slots, base) => inner(slots, base).toString(2).length - 1
      }
      const inner = word(of!, slotOf)
      return (slots, base) => 31 - Math.clz32(inner(slots, base))
    }
    case 'value':
      return unreachable(`${term.name} is no constant`)
    case 'operation':
      break
  }
  const { op } = term
  const [a, b] = term.args as [Term, Term]
  if (a.type === I64) {
    const left = double(a, slotOf)
    if (op === Op.trunc) return (slots, base) => Number(BigInt.asIntN(32, left(slots, base)))
    if (op === Op.high) return (slots, base) => Number(BigInt.asIntN(32, left(slots, base) >> 32n))
    const right = double(b, slotOf)
    return (slots, base) => Number(evaluateDouble(op, left(slots, base), right(slots, base))!)
  }
  const left = word(a, slotOf)
  if (b === undefined) return (slots, base) => evaluateWord(op, left(slots, base), 0)!
  const right = word(b, slotOf)
  // The ones that most conditions are made of, since these are looked at again and again.
  const literal = b.kind === 'literal' ? Number(b.value) | 0 : undefined
  switch (op) {
    case Op.ult:
      if (literal !== undefined) return (slots, base) => (left(slots, base) >>> 0 < literal >>> 0 ? 1 : 0)
      return (slots, base) => (left(slots, base) >>> 0 < right(slots, base) >>> 0 ? 1 : 0)
    case Op.ule:
      return (slots, base) => (left(slots, base) >>> 0 <= right(slots, base) >>> 0 ? 1 : 0)
    case Op.and:
      if (literal !== undefined) return (slots, base) => left(slots, base) & literal
      return (slots, base) => left(slots, base) & right(slots, base)
    case Op.eq:
      if (literal !== undefined) return (slots, base) => (left(slots, base) === literal ? 1 : 0)
      return (slots, base) => (left(slots, base) === right(slots, base) ? 1 : 0)
    default:
      return (slots, base) => evaluateWord(op, left(slots, base), right(slots, base))!
  }
}

/** A computed term of type I64. */
export function double(term: Term, slotOf: ReadonlyMap<string, number>): Double {
  if (term.kind === 'literal') {
    const { value } = term
    return () => value
  }
  if (term.kind === 'constant') {
    const slot = slotOf.get(term.name) ?? unreachable(`no constant ${term.name}`)
    return (slots, base) => doubleOf(slots[base + slot]!.imm, slots[base + slot]!.immHigh)
  }
  if (term.kind !== 'operation') return unreachable('a value of 64 bits that is not a constant')
  const { op } = term
  const [a, b] = term.args as [Term, Term]
  if (op === Op.zext || op === Op.sext) {
    const inner = word(a, slotOf)
    return (slots, base) => BigInt.asUintN(64, BigInt(op === Op.sext ? inner(slots, base) : inner(slots, base) >>> 0))
  }
  if (op === Op.concat) {
    const low = word(a, slotOf)
    const high = word(b, slotOf)
    return (slots, base) => doubleOf(low(slots, base), high(slots, base))
  }
  const left = double(a, slotOf)
  if (b.type !== I64) {
    const amount = word(b, slotOf)
    return (slots, base) => evaluateDouble(op, left(slots, base), BigInt(amount(slots, base) >>> 0))!
  }
  const right = double(b, slotOf)
  return (slots, base) => evaluateDouble(op, left(slots, base), right(slots, base))!
}
