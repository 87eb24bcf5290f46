// Objects of clang with strings, globals, tables of functions, several functions and sections: compiled, they give on the simulator
// what the same C gives on the host.

import { expect, it } from 'vitest'
import { readProgram } from '../../src/bpf/read.ts'
import { compile } from '../../src/compile.ts'
import { instantiate } from '../../src/machine/instance.ts'
import { Simulator } from '../../src/machine/sim/simulator.ts'
import {
  compileForBpf,
  expectedResults,
  objectInputs,
  objectPrograms,
  objectTools,
  variantsOf,
} from '../support/objects.ts'
import { describeWith } from '../support/tools.ts'

describeWith(objectTools, 'C programs, compiled', () => {
  const machine = new Simulator()
  it.each(objectPrograms)('%s', async (name) => {
    const expected = expectedResults(name)
    for (const variant of variantsOf(name)) {
      const program = readProgram(compileForBpf(name, variant), { entry: 'entry' })
      for (const optimize of [0, 2] as const) {
        const image = compile(program, { optimize, check: true })
        for (const [index, { ctx, len }] of objectInputs.entries()) {
          const instance = await instantiate(image, machine)
          const result = await instance.call({ ctx, len, limits: { instructions: 5_000_000 } })
          instance.free()
          const what = `${JSON.stringify(variant)}, optimize ${optimize}, input ${index}`
          expect(result.outcome, what).toEqual({ kind: 'returned', r0: expected[index]!.r0 })
          expect(result.ctx, what).toEqual(expected[index]!.ctx)
        }
      }
    }
  })
})
