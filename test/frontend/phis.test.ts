// Phis stand where definitions of a live register meet, and nowhere else.

import { describe, expect, it } from 'vitest'

import { assemble } from '../../src/bpf/asm.ts'
import { readProgram } from '../../src/bpf/read.ts'
import { buildSsa } from '../../src/frontend/build.ts'
import { check } from '../../src/ir/check.ts'
import { Op } from '../../src/ir/op.ts'
import { randomProgram } from '../support/random-program.ts'

/** Numbers of phis by block that has any, in the order of blocks. */
function phisOf(text: Uint8Array): number[] {
  const { entry } = buildSsa(readProgram(text), { helpers: new Set([1, 2, 3]) })
  const counts = entry.blocks.map(({ values }) => values.filter(({ op }) => op === Op.phi).length)
  return counts.filter((count) => count > 0)
}

describe('phis', () => {
  it('are of registers that one way writes', () => {
    expect(phisOf(assemble('r0 = 1\nr3 = 2\nif r1 == 0 goto +1\nr0 = 2\nr0 += r3\nexit'))).toEqual([1])
  })

  it('are not of registers that a loop leaves alone', () => {
    const loop = 'r0 = 0\nr3 = 5\nr4 = 7\nr0 += r4\nr3 += -1\nif r3 != 0 goto -3\nr0 += r4\nexit'
    expect(phisOf(assemble(loop))).toEqual([2])
  })

  it('are of what an outer loop writes only at its own head', () => {
    const nested =
      'r0 = 0\nr3 = 5\nr4 = 7\nr5 = 3\nr0 += r4\nr5 += -1\nif r5 != 0 goto -3\nr4 += 1\nr3 += -1\nif r3 != 0 goto -7\nexit'
    // r0, r3 and r4 at the outer head; r0 and r5 at the inner.
    expect(phisOf(assemble(nested))).toEqual([3, 2])
  })

  it('leave functions in SSA form, whatever the graph', () => {
    for (let seed = 1; seed <= 60; seed++) {
      const { text } = randomProgram(seed, 1 + (seed % 80), seed % 3)
      const { entry, functions } = buildSsa(readProgram(text), { helpers: new Set([1, 2, 3]) })
      for (const func of [entry, ...functions]) if (func !== null) check(func)
    }
  })
})
