// Objects of clang with maps of every kind: several calls in a row on the interpreter with its own maps, and on the simulator with
// the runtime's; results, contexts and what is in the maps agree.

import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { readProgram } from '../../src/bpf/read.ts'
import { Simulator } from '../../src/machine/sim/simulator.ts'
import { makeContext, Twins } from '../support/differential.ts'
import { compileForBpf, type ObjectVariant } from '../support/objects.ts'
import { describeWith } from '../support/tools.ts'

const programs = readdirSync(fileURLToPath(new URL('../objects/maps/', import.meta.url)))
  .filter((file) => file.endsWith('.c'))
  .map((file) => file.slice(0, -2))
  .toSorted()
const variants: readonly ObjectVariant[] = [
  { cpu: 'v3', level: '-O2', debug: true },
  { cpu: 'v4', level: '-O0', debug: true },
]
const CALLS = 12

describeWith(['clang-19'], 'C programs with maps', () => {
  it('are at least 12', () => expect(programs.length).toBeGreaterThanOrEqual(12))
  it.each(programs)('%s', async (name) => {
    for (const variant of variants) {
      const program = readProgram(compileForBpf(`maps/${name}`, variant), { entry: 'entry' })
      for (const optimize of [0, 2] as const) {
        const twins = await Twins.create(new Map([[name, program]]), new Simulator(), { optimize })
        const outcomes = new Set<string>()
        for (let call = 0; call < CALLS; call++) {
          const what = `${JSON.stringify(variant)}, optimize ${optimize}, call ${call}`
          const { interpreter, machine, equal } = await twins.call(name, makeContext(64, 97 * call), call * 5 + 1)
          expect(machine, what).toEqual(interpreter)
          expect(equal, what).toBe(true)
          expect(machine.outcome.kind, what).toBe('returned')
          outcomes.add(machine.outcome.kind === 'returned' ? String(machine.outcome.r0) : '')
          if (call % 5 !== 4 && call < CALLS - 1) continue
          const contents = await twins.contents()
          expect(contents.length).toBe(program.maps.length)
          for (const { map, interpreter: ours, machine: theirs } of contents) {
            expect(theirs, `${what}, map ${map}`).toEqual(ours)
          }
        }
        // A program that does nothing shows nothing.
        expect(outcomes.size, name).toBeGreaterThan(1)
        twins.free()
      }
    }
  })
})
