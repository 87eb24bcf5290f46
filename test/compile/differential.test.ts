// Interpreter against compiled code on random programs. A failing seed is printed; put it into `seeds`. `npm run fuzz` runs more of them.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatOutcome } from '../../src/base/outcome.ts'
import { Simulator } from '../../src/machine/sim/simulator.ts'
import { compareRuns, makeContext } from '../support/differential.ts'
import { CONTEXT_BYTES, randomProgram } from '../support/random-program.ts'

/** Seeds that failed once: seed, length, local functions, level. */
const seeds: readonly (readonly [number, number, number, 0 | 2 | 's'])[] = [
  // Shifts in a row by 64 bits and more.
  [50058, 6, 1, 2],
  [60430, 51, 2, 2],
  // A switch that always goes one way.
  [7002009, 27, 0, 2],
  // A table of branches of which all lead to one block.
  [7000365, 62, 0, 's'],
  // A tree of tests that none of another's values come to.
  [40615244, 11, 0, 's'],
  // Values of 64 bits without a bound, outside of a table.
  [40466176, 30, 2, 2],
  // A block that comes by one way behind threads and a table, with phis.
  [60078914, 4, 1, 2],
  // A table in the place of a block that only branches.
  [61593046, 74, 0, 2],
]

const machine = new Simulator()

async function agrees(seed: number, length: number, functions: number, optimize: 0 | 2 | 's'): Promise<void> {
  const { text } = randomProgram(seed, length, functions)
  const {
    interpreter,
    machine: compiled,
    equal,
  } = await compareRuns(text, makeContext(CONTEXT_BYTES, seed), machine, { optimize })
  if (equal) return
  expect({ r: formatOutcome(compiled.outcome), ctx: [...compiled.ctx] }).toEqual({
    r: formatOutcome(interpreter.outcome),
    ctx: [...interpreter.ctx],
  })
}

const runs = Number(process.env['THUMBPF_FUZZ_RUNS'] ?? 300)
const programs = fc.tuple(fc.integer(), fc.integer({ min: 1, max: 60 }), fc.integer({ min: 0, max: 3 }))

describe('compiled code does what the interpreter does', () => {
  for (const [seed, length, functions, optimize] of seeds) {
    it(`seed ${seed} length ${length} functions ${functions} -O${optimize}`, () =>
      agrees(seed, length, functions, optimize))
  }
  for (const optimize of [2, 's', 0] as const) {
    it(`random programs, -O${optimize}`, { timeout: 600_000 }, async () => {
      await fc.assert(
        fc.asyncProperty(programs, ([seed, length, functions]) => agrees(seed, length, functions, optimize)),
        { numRuns: optimize === 2 ? runs : Math.ceil(runs / 3) },
      )
    })
  }
})
