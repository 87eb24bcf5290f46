import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Code, P } from '../../src/codegen/code.ts'
import { FIRST_SLOT, MoveResolver, NOWHERE, madeBy } from '../../src/codegen/moves.ts'
import { F } from '../../src/thumb/forms.ts'

const SLOTS = 6
const constants = [7, 8].map((imm) => {
  const code = new Code(P.CONSTANT)
  code.imm = imm
  return code
})

/** Resolves moves and runs the result; locations hold their own number before. Returns the Codes. */
function check(pairs: readonly (readonly [number, number])[], free: number): Code[] {
  const resolver = new MoveResolver(SLOTS, constants)
  for (const [from, to] of pairs) resolver.add(from, to)
  const out: Code[] = []
  resolver.resolve(out, 0x7fff & ~free, free, 5)
  expect(resolver.isEmpty).toBe(true)
  const at = (location: number): number => location
  const state = new Map<number, number>()
  for (let location = 0; location < FIRST_SLOT + SLOTS + 2; location++) state.set(location, at(location))
  for (const code of out) {
    expect(code.s).toBe(0)
    expect(code.origin).toBe(5)
    if (code.form === F.MOV_r) state.set(code.d, state.get(code.m)!)
    else if (code.form === P.SPILL_LOAD) state.set(code.d, state.get(FIRST_SLOT + code.imm)!)
    else if (code.form === P.SPILL_STORE) state.set(FIRST_SLOT + code.imm, state.get(code.d)!)
    else if (code.form === P.CONSTANT) state.set(code.d, 1000 + code.imm)
    else if (code.form === F.EOR_r) state.set(code.d, state.get(code.n)! ^ state.get(code.m)!)
    else throw new Error('unknown')
    if (code.form !== P.SPILL_STORE) expect((resolver.written >> code.d) & 1).toBe(1)
    else expect(code.imm).toBeLessThan(resolver.spillWords)
  }
  const wanted = new Map(pairs.map(([from, to]) => [to, from < NOWHERE ? 1000 + constants[-2 - from]!.imm : at(from)]))
  for (let location = 0; location < FIRST_SLOT + SLOTS; location++) {
    if (location < FIRST_SLOT && (free >> location) & 1) continue
    expect(state.get(location), `location ${location}`).toBe(wanted.get(location) ?? at(location))
  }
  // Nothing is left over for the next time.
  resolver.add(1, 2)
  const again: Code[] = []
  resolver.resolve(again, 0x7fff, 0, 5)
  expect(again.length).toBe(1)
  return out
}

function permutations(items: readonly number[]): number[][] {
  if (items.length === 0) return [[]]
  return items.flatMap((item) => permutations(items.filter((other) => other !== item)).map((rest) => [item, ...rest]))
}

describe('MoveResolver', () => {
  it('does every permutation of five registers, with a free register and without', () => {
    const items = [0, 1, 2, 3, 4]
    for (const order of permutations(items)) {
      const pairs = order.map((from, to) => [from, to] as const)
      check(pairs, 1 << 12)
      check(pairs, 0)
    }
  })

  it('does every permutation of registers and slots', () => {
    const items = [0, 1, FIRST_SLOT, FIRST_SLOT + 1, FIRST_SLOT + 2]
    for (const order of permutations(items)) {
      const pairs = order.map((from, i) => [from, items[i]!] as const)
      check(pairs, 0b11 << 8)
      check(pairs, 1 << 12)
      check(pairs, 0)
    }
  })

  it('does random moves between registers, slots and constants', () => {
    const location = fc.oneof(
      fc.integer({ min: 0, max: 12 }),
      fc.integer({ min: FIRST_SLOT, max: FIRST_SLOT + SLOTS - 1 }),
    )
    const source = fc.oneof(location, fc.integer({ min: 0, max: 1 }).map(madeBy))
    const moves = fc.uniqueArray(fc.tuple(source, location), { selector: ([, to]) => to, maxLength: 19 })
    fc.assert(
      fc.property(moves, fc.integer({ min: 0, max: 0x1fff }), (pairs, mask) => {
        let free = mask
        for (const pair of pairs) for (const each of pair) if (each >= 0 && each < FIRST_SLOT) free &= ~(1 << each)
        check(pairs, free)
      }),
      { numRuns: 2000 },
    )
  })

  it('swaps by EOR without a free register, and by a copy with one', () => {
    const swap = [
      [0, 1],
      [1, 0],
    ] as const
    expect(check(swap, 0).map((code) => code.form)).toEqual([F.EOR_r, F.EOR_r, F.EOR_r])
    expect(check(swap, 1 << 3).map((code) => code.form)).toEqual([F.MOV_r, F.MOV_r, F.MOV_r])
  })

  it('drops moves to the same place', () => {
    expect(check([[3, 3]], 0)).toEqual([])
  })
})
