// Objects of clang with strings, globals, tables of functions, several functions and sections: the interpreter gives what the same
// C gives on the host.

import { expect, it } from 'vitest'
import { interpret } from '../../src/bpf/interpret.ts'
import { RegionMemory } from '../../src/bpf/memory.ts'
import { readProgram } from '../../src/bpf/read.ts'
import {
  compileForBpf,
  expectedResults,
  objectInputs,
  objectPrograms,
  objectTools,
  variantsOf,
} from '../support/objects.ts'
import { describeWith } from '../support/tools.ts'

const BASE = 0x2000_0000

describeWith(objectTools, 'C programs', () => {
  it('are at least 40', () => expect(objectPrograms.length).toBeGreaterThanOrEqual(40))
  it.each(objectPrograms)('%s', (name) => {
    const expected = expectedResults(name)
    for (const variant of variantsOf(name)) {
      const program = readProgram(compileForBpf(name, variant), { entry: 'entry' })
      expect(program.lines.length > 0).toBe(variant.debug)
      for (const [index, { ctx, len }] of objectInputs.entries()) {
        const bytes = ctx.slice()
        const memory = new RegionMemory([{ base: BASE, bytes }])
        const { outcome } = interpret(program, { memory, r1: BASE, r2: len })
        const what = `${JSON.stringify(variant)}, input ${index}`
        expect(outcome, what).toEqual({ kind: 'returned', r0: expected[index]!.r0 })
        expect(bytes, what).toEqual(expected[index]!.ctx)
      }
    }
  })
})
