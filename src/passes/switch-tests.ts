// Comparisons with constants as sets of values: intervals of a word as signed, or of 64 bits, of which constants within 32 bits
// are looked at alone.

import type { Value } from '../ir/func.ts'
import { Op } from '../ir/op.ts'

/** Both ends are of it. The ends of 64 bits are meant where a double can't tell. */
export interface Interval {
  readonly from: number
  readonly to: number
}

/** The values low (and high, of 64 bits) for which a condition holds. */
export interface Test {
  readonly low: Value
  readonly high: Value | null
  /** In order, apart. */
  readonly holds: readonly Interval[]
}

const WORD: Interval = { from: -(2 ** 31), to: 2 ** 31 - 1 }
const PAIR: Interval = { from: -(2 ** 63), to: 2 ** 63 }

/** All values of what is tested. */
export function domainOf(test: Test): Interval {
  return test.high === null ? WORD : PAIR
}

/** The values by which a condition holds that compares something with a constant; undefined for other conditions. */
export function testOf(condition: Value): Test | undefined {
  const { op, args } = condition
  if (op >= Op.eq && op <= Op.sle) {
    const [left, right] = args as [Value, Value]
    if (right.op === Op.const) return ofWord(left, compared(op, right.imm, WORD))
    if (left.op === Op.const) return ofWord(right, exchanged(op, left.imm, WORD))
    return undefined
  }
  if (op < Op.eq2 || op > Op.sle2) return undefined
  const [aLow, aHigh, bLow, bHigh] = args as [Value, Value, Value, Value]
  const plain = op - Op.eq2 + Op.eq
  const right = pairConstant(bLow, bHigh)
  if (right !== undefined) return aHigh.op === Op.const ? undefined : ofPair(aLow, aHigh, compared(plain, right, PAIR))
  const left = pairConstant(aLow, aHigh)
  if (left !== undefined && bHigh.op !== Op.const) return ofPair(bLow, bHigh, exchanged(plain, left, PAIR))
  return undefined
}

function ofPair(low: Value, high: Value, holds: readonly Interval[]): Test {
  return { low, high, holds }
}

/** A sum with a constant is tested as what the constant is added to. */
function ofWord(value: Value, holds: readonly Interval[]): Test {
  if (value.op !== Op.add || value.args[1]!.op !== Op.const) return { low: value, high: null, holds }
  const added = value.args[1]!.imm
  const moved: Interval[] = []
  for (const { from, to } of holds) {
    const least = from - added
    const most = to - added
    // What leaves the range at one end comes in at the other.
    for (const turn of [-(2 ** 32), 0, 2 ** 32]) {
      const start = Math.max(WORD.from, least + turn)
      const end = Math.min(WORD.to, most + turn)
      if (start <= end) moved.push({ from: start, to: end })
    }
  }
  moved.sort((one, other) => one.from - other.from)
  return { low: value.args[0]!, high: null, holds: moved }
}

/** A 64-bit constant that is the sign extension of its low word, or a word. */
function pairConstant(low: Value, high: Value): number | undefined {
  if (low.op !== Op.const || high.op !== Op.const) return undefined
  if (high.imm === 0) return low.imm >>> 0
  return high.imm === -1 && low.imm < 0 ? low.imm : undefined
}

/** Values x for which `x op constant`. */
function compared(op: number, constant: number, domain: Interval): Interval[] {
  switch (op) {
    case Op.eq:
      return [{ from: constant, to: constant }]
    case Op.ne:
      return complement([{ from: constant, to: constant }], domain)
    case Op.slt:
      return upTo(constant - 1, domain)
    case Op.sle:
      return upTo(constant, domain)
    case Op.ult:
      return unsignedUpTo(constant - 1, constant, domain)
    default:
      return unsignedUpTo(constant, constant, domain)
  }
}

/** Values x for which `constant op x`: the opposite of the other comparison. */
function exchanged(op: number, constant: number, domain: Interval): Interval[] {
  if (op === Op.eq || op === Op.ne) return compared(op, constant, domain)
  const opposite = op === Op.slt ? Op.sle : op === Op.sle ? Op.slt : op === Op.ult ? Op.ule : Op.ult
  return complement(compared(opposite, constant, domain), domain)
}

function upTo(last: number, domain: Interval): Interval[] {
  return last < domain.from ? [] : [{ from: domain.from, to: last }]
}

/** As unsigned, the negative values come behind the others. */
function unsignedUpTo(last: number, constant: number, domain: Interval): Interval[] {
  if (constant >= 0) return last < 0 ? [] : [{ from: 0, to: last }]
  return [...upTo(last, domain), { from: 0, to: domain.to }]
}

/** What is in both. */
export function intersect(some: readonly Interval[], others: readonly Interval[]): Interval[] {
  const result: Interval[] = []
  let at = 0
  let also = 0
  while (at < some.length && also < others.length) {
    const one = some[at]!
    const other = others[also]!
    const from = Math.max(one.from, other.from)
    const to = Math.min(one.to, other.to)
    if (from <= to) result.push({ from, to })
    if (one.to < other.to) at++
    else also++
  }
  return result
}

/** What is not in any, of all values. */
export function complement(intervals: readonly Interval[], domain: Interval): Interval[] {
  const result: Interval[] = []
  let next = domain.from
  for (const { from, to } of intervals) {
    if (from > next) result.push({ from: next, to: from - 1 })
    if (to >= domain.to) return result
    next = to + 1
  }
  result.push({ from: next, to: domain.to })
  return result
}
