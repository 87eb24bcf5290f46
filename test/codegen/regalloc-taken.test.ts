// Words of positions beside the plainest way to keep the same: an owner for each register and position.

import fc from 'fast-check'
import { expect, it } from 'vitest'

import { Taken } from '../../src/codegen/regalloc-taken.ts'

const POSITIONS = 100
const REGISTERS = 15
const range = fc.tuple(fc.nat(POSITIONS - 1), fc.integer({ min: 1, max: 60 })).map(([from, length]) => {
  return { from, to: Math.min(from + length, POSITIONS) }
})

it('tells what is taken, and by whom', () => {
  const step = fc.record({ range, register: fc.nat(REGISTERS - 1), release: fc.boolean() })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), fc.array(range, { maxLength: 5 }), (steps, questions) => {
      const taken = new Taken(POSITIONS)
      const owners = Array.from({ length: REGISTERS }, () => Array.from({ length: POSITIONS }, () => 0))
      const ranges: { from: number; to: number; register: number }[] = []
      for (const [index, { range: wanted, register, release }] of steps.entries()) {
        const gone = release ? ranges.pop() : undefined
        if (gone !== undefined) {
          taken.release(gone.register, gone.from, gone.to)
          owners[gone.register]!.fill(0, gone.from, gone.to)
        }
        const { from, to } = wanted
        if (owners[register]!.slice(from, to).some((owner) => owner !== 0)) continue
        taken.take(register, from, to, index + 1)
        owners[register]!.fill(index + 1, from, to)
        ranges.push({ from, to, register })
      }
      const masks = Array.from({ length: POSITIONS }, (_each, at) =>
        owners.reduce((mask, list, register) => mask | (list[at] === 0 ? 0 : 1 << register), 0),
      )
      for (let at = 0; at < POSITIONS; at++) {
        expect(taken.at(at)).toBe(masks[at])
        for (let register = 0; register < REGISTERS; register++)
          if (((masks[at]! >> register) & 1) === 1) expect(taken.owner(register, at)).toBe(owners[register]![at])
      }
      for (const { from, to } of questions) {
        const within = masks.slice(from, to)
        expect(taken.within(from, to)).toBe(within.reduce((mask, each) => mask | each, 0))
        for (let register = 0; register < REGISTERS; register++) {
          const first = within.findIndex((mask) => ((mask >> register) & 1) === 1)
          expect(taken.next(register, from, to)).toBe(first < 0 ? to : from + first)
        }
      }
    }),
    { numRuns: 100 },
  )
})
