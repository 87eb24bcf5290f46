// Position-independent output: no relocation in the code, the same results as placed code, at any address.

import { expect, it } from 'vitest'
import { readProgram } from '../../src/bpf/read.ts'
import { compile } from '../../src/compile.ts'
import { instantiate } from '../../src/machine/instance.ts'
import { Simulator } from '../../src/machine/sim/simulator.ts'
import { compareRuns, makeContext } from '../support/differential.ts'
import {
  compileForBpf,
  expectedResults,
  objectInputs,
  objectPrograms,
  objectTools,
  variantsOf,
} from '../support/objects.ts'
import { CONTEXT_BYTES, HELPERS, randomProgram } from '../support/random-program.ts'
import { describeWith } from '../support/tools.ts'

it('random programs with helpers and calls do what the interpreter does', async () => {
  const machine = new Simulator()
  for (let seed = 1; seed <= 60; seed++) {
    const { text } = randomProgram(seed, 30, 2)
    const image = compile(text, { helpers: new Set(HELPERS), positionIndependent: true })
    expect(image.relocations).toEqual([])
    const { equal } = await compareRuns(text, makeContext(CONTEXT_BYTES, seed), machine, { positionIndependent: true })
    expect(equal, `seed ${seed}`).toBe(true)
  }
})

describeWith(objectTools, "data, pointers and strings from env's table", () => {
  for (const name of objectPrograms.slice(0, 20)) {
    it(name, async () => {
      const program = readProgram(compileForBpf(name, variantsOf(name)[0]!), { entry: 'entry' })
      const image = compile(program, { positionIndependent: true, check: true })
      expect(image.relocations.filter((relocation) => relocation.section < 0)).toEqual([])
      const expected = expectedResults(name)
      for (const [index, input] of objectInputs.entries()) {
        const instance = await instantiate(image, new Simulator())
        const { outcome } = await instance.call({
          ctx: input.ctx.slice(),
          len: input.len,
          limits: { instructions: 5_000_000 },
        })
        expect(outcome).toEqual({ kind: 'returned', r0: expected[index]!.r0 })
      }
    })
  }
})
