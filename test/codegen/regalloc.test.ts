import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { checkAllocation, snapshot } from '../../src/codegen/check.ts'
import { P } from '../../src/codegen/code.ts'
import { printCode } from '../../src/codegen/print.ts'
import { allocate } from '../../src/codegen/regalloc.ts'
import { evaluate } from './evaluate-code.ts'
import { type Shape, copyFunction, randomFunction } from './random-code.ts'

const shapes: fc.Arbitrary<Shape> = fc.record({
  seed: fc.integer(),
  blocks: fc.integer({ min: 1, max: 12 }),
  length: fc.integer({ min: 0, max: 14 }),
  variables: fc.integer({ min: 0, max: 24 }),
  calls: fc.integer({ min: 0, max: 25 }),
})

describe('allocate', () => {
  it('gives random functions places that the checker accepts, and the same meaning', () => {
    fc.assert(
      fc.property(shapes, fc.boolean(), (shape, fullPrologue) => {
        const fn = randomFunction(shape)
        const original = copyFunction(fn)
        const before = snapshot(fn)
        allocate(fn, { fullPrologue })
        const faults = checkAllocation(before, fn)
        if (faults.length > 0) throw new Error(`${faults.join('\n')}\n${printCode(original)}\n${printCode(fn)}`)
        expect(evaluate(fn, 400)).toEqual(evaluate(original, 400))
        for (const block of fn.blocks) for (const code of block.code) expect(code.form).not.toBe(P.PARALLEL_MOVE)
      }),
      { numRuns: Number(process.env['THUMBPF_RUNS'] ?? 1000) },
    )
  })
})
