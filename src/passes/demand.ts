// Which words of each 64-bit value somebody needs, over the calls of a module: an address needs the low one, a sum's low word needs
// no high one. What legalization need not make, no later pass has to remove. Needs: 64-bit SSA.

import { uint8 } from '../base/arrays.ts'
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

/** What legalization must know of a function. */
export class Needs {
  readonly func: Func
  readonly ranges: Ranges
  /** By id of each I64 value: what is known of its high word. */
  readonly facts: Uint8Array
  /** By id: 0 for a value that nobody needs, LOW or BOTH; LOW for a word that is needed. */
  readonly demand: Uint8Array
  /** Of what it returns: LOW or BOTH. */
  result: number
  readonly params: Value[] = []
  /** What is needed whoever reads it. */
  readonly roots: Value[] = []
  readonly returns: Value[] = []
  /** Calls of it. */
  readonly calls: { readonly from: Needs; readonly value: Value }[] = []
  readonly work: Value[] = []

  constructor(func: Func, ranges: Ranges, result: number) {
    this.func = func
    this.ranges = ranges
    this.facts = uint8(func.valueCount)
    this.demand = uint8(func.valueCount)
    this.result = result
    for (const { values } of func.blocks) {
      for (let index = 0; index < values.length; index++) {
        const value = values[index]!
        if (value.type === I64) {
          this.facts[value.id] = (ranges.isWord(value) ? ZERO : 0) | (ranges.isSignedWord(value) ? SIGN : 0)
        }
        if (value.op === Op.param) this.params[value.imm] = value
        if ((attributes[value.op]! & (EFFECT | TERMINATOR)) !== 0) this.roots.push(value)
      }
    }
  }

  need(value: Value, words: number): void {
    if (value.op === Op.const) return
    const before = this.demand[value.id]!
    const now = before | (value.type === I64 ? words : LOW)
    if (now === before) return
    this.demand[value.id] = now
    this.work.push(value)
  }
}

/**
 * Needs of functions that call each other: `functions` by index are called by those of `funcs` alone. A result or an argument is
 * needed as far as somebody reads it.
 */
export function findNeeds(
  funcs: readonly { readonly func: Func; readonly ranges: Ranges }[],
  functions: readonly (Func | null)[],
): Needs[] {
  const local = new Set(functions)
  const all = funcs.map(({ func, ranges }) => new Needs(func, ranges, local.has(func) ? LOW : BOTH))
  const byFunc = new Map(all.map((needs) => [needs.func, needs]))
  const byIndex = functions.map((func) => (func === null ? undefined : byFunc.get(func)))
  const calleeOf = (call: Value): Needs | undefined => {
    if (call.op !== Op.call || call.callee!.kind !== 'function') return undefined
    return byIndex[call.callee!.index]
  }
  for (const needs of all) {
    for (const value of needs.roots) {
      if (value.op === Op.ret) needs.returns.push(value)
      calleeOf(value)?.calls.push({ from: needs, value })
      needs.need(value, LOW)
    }
  }
  for (let again = true; again;) {
    again = false
    for (const needs of all) {
      for (let value = needs.work.pop(); value !== undefined; value = needs.work.pop()) {
        again = true
        spread(needs, value, calleeOf(value))
      }
    }
  }
  return all
}

/** Needs what this value needs; it comes again when its high word is needed too, or what it calls or returns to needs more. */
function spread(needs: Needs, value: Value, callee: Needs | undefined): void {
  const { args, op } = value
  if (op === Op.param) for (const { from, value: call } of needs.calls) from.work.push(call)
  if (callee !== undefined) {
    const result = callee.result | needs.demand[value.id]!
    if (result !== callee.result) {
      callee.result = result
      callee.work.push(...callee.returns)
    }
    for (let index = 0; index < args.length; index++) {
      const param = callee.params[index]
      needs.need(args[index]!, LOW | (param === undefined ? 0 : callee.demand[param.id]!))
    }
    return
  }
  const words = op === Op.ret ? needs.result : wordsOfOperands(value, needs.demand[value.id]!, needs.facts)
  for (let index = 0; index < args.length; index++) needs.need(args[index]!, words)
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
  return (knownOf(args[0]!, facts) & knownOf(args[1]!, facts)) !== 0 ? LOW : BOTH
}

function knownOf(value: Value, facts: Uint8Array): number {
  return value.op === Op.const ? knownHigh(value) : facts[value.id]!
}
