// Comparisons of values of which something is known: which are decided, and what follows for the operands if one holds.

import { type KnownValues, LIMIT } from './known-values.ts'

export const Comparison = { EQUAL: 0, NOT_EQUAL: 1, BELOW: 2, BELOW_OR_EQUAL: 3, LESS: 4, LESS_OR_EQUAL: 5 } as const
/** BELOW is of unsigned order, LESS of signed. */
export type Comparison = (typeof Comparison)[keyof typeof Comparison]

/** 1: it holds; 0: it doesn't; -1: who knows. Also of slots that are empty, where anything goes. */
export function decide(known: KnownValues, comparison: Comparison, a: number, b: number): 1 | 0 | -1 {
  const { bits, bounds } = known
  const x = a * 4
  const y = b * 4
  switch (comparison) {
    case Comparison.EQUAL:
    case Comparison.NOT_EQUAL: {
      const equal = comparison === Comparison.EQUAL ? 1 : 0
      if (bounds[x + 1]! < bounds[y]! || bounds[y + 1]! < bounds[x]!) return equal ? 0 : 1
      if (bounds[x + 3]! < bounds[y + 2]! || bounds[y + 3]! < bounds[x + 2]!) return equal ? 0 : 1
      const different =
        ((bits[x]! ^ bits[y]!) & ~bits[x + 2]! & ~bits[y + 2]!) |
        ((bits[x + 1]! ^ bits[y + 1]!) & ~bits[x + 3]! & ~bits[y + 3]!)
      if (different !== 0) return equal ? 0 : 1
      if ((bits[x + 2]! | bits[x + 3]! | bits[y + 2]! | bits[y + 3]!) === 0) return equal ? 1 : 0
      return -1
    }
    case Comparison.BELOW:
      return bounds[x + 1]! < bounds[y]! ? 1 : bounds[x]! >= bounds[y + 1]! ? 0 : -1
    case Comparison.BELOW_OR_EQUAL:
      return bounds[x + 1]! <= bounds[y]! ? 1 : bounds[x]! > bounds[y + 1]! ? 0 : -1
    case Comparison.LESS:
      return bounds[x + 3]! < bounds[y + 2]! ? 1 : bounds[x + 2]! >= bounds[y + 3]! ? 0 : -1
    case Comparison.LESS_OR_EQUAL:
      return bounds[x + 3]! <= bounds[y + 2]! ? 1 : bounds[x + 2]! > bounds[y + 3]! ? 0 : -1
  }
}

/** What follows for both operands if the comparison holds. */
export function refine(known: KnownValues, comparison: Comparison, a: number, b: number, wide: boolean): void {
  if (known.isEmpty(a) || known.isEmpty(b)) return
  switch (comparison) {
    case Comparison.EQUAL:
      known.meet(a, b, wide)
      if (known.isEmpty(a)) known.setEmpty(b)
      else known.copy(b, a)
      return
    case Comparison.NOT_EQUAL:
      exclude(known, a, b, wide)
      if (!known.isEmpty(a)) exclude(known, b, a, wide)
      return
    case Comparison.BELOW:
      return order(known, a, b, 0, 1, wide)
    case Comparison.BELOW_OR_EQUAL:
      return order(known, a, b, 0, 0, wide)
    case Comparison.LESS:
      return order(known, a, b, 2, 1, wide)
    case Comparison.LESS_OR_EQUAL:
      return order(known, a, b, 2, 0, wide)
  }
}

/** a + gap <= b, by the bounds at `at`: 0 are the unsigned ones, 2 the signed. Bounds that are not exact say nothing more. */
function order(known: KnownValues, a: number, b: number, at: number, gap: number, wide: boolean): void {
  const { bounds } = known
  const least = bounds[a * 4 + at]! + gap
  const greatest = bounds[b * 4 + at + 1]! - gap
  if (Math.abs(greatest) < LIMIT && greatest < bounds[a * 4 + at + 1]!) {
    bounds[a * 4 + at + 1] = greatest
    known.settle(a, wide)
  }
  if (Math.abs(least) < LIMIT && least > bounds[b * 4 + at]!) {
    bounds[b * 4 + at] = least
    known.settle(b, wide)
  }
}

/** `a` is not the value that `b` is, if that is only one: bounds that are it move. */
function exclude(known: KnownValues, a: number, b: number, wide: boolean): void {
  const { bounds } = known
  const x = a * 4
  const y = b * 4
  let changed = false
  for (let at = 0; at < 4; at += 2) {
    const value = bounds[y + at]!
    if (value !== bounds[y + at + 1] || Math.abs(value) >= LIMIT) continue
    if (bounds[x + at] === value) {
      bounds[x + at]! += 1
      changed = true
    }
    if (bounds[x + at + 1] === value) {
      bounds[x + at + 1]! -= 1
      changed = true
    }
  }
  if (changed) known.settle(a, wide)
}
