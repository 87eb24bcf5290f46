import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Code, CodeBlock, CodeFunction, P } from '../../src/codegen/code.ts'
import { arrangeBlocks } from '../../src/codegen/layout.ts'
import { straighten } from '../../src/codegen/straighten.ts'
import { F } from '../../src/thumb/forms.ts'
import { Cond } from '../../src/thumb/instruction.ts'
import { randomFunction } from './random-code.ts'

/** Origins of the instructions that a run executes, branches left out; how conditions turn out depends on those before. */
function walk(fn: CodeFunction, seed: number): number[] {
  const trace: number[] = []
  let block = 0
  let index = 0
  for (let steps = 0; steps < 400 && trace.length < 60; steps++) {
    const code = fn.blocks[block]!.code[index++]
    if (code === undefined) {
      block++
      index = 0
      continue
    }
    const hash = Math.imul(trace.length * 31 + (trace.at(-1) ?? 7) + seed, 0x85ebca6b) >>> 8
    const holds = hash % 2 === 0
    let taken = -1
    if (code.form === F.B) taken = code.cond === Cond.AL || ((code.cond & 1) === 0) === holds ? code.target : -1
    else if (code.form === F.CBZ || code.form === F.CBNZ) taken = (code.form === F.CBZ) === holds ? code.target : -1
    else trace.push(code.origin)
    if (code.form === P.TABLE_BRANCH) taken = code.targets[hash % code.targets.length]!
    if (code.form === P.RETURN || code.form === P.UNREACHABLE) break
    if (taken < 0) continue
    block = taken
    index = 0
  }
  return trace
}

function number(fn: CodeFunction): CodeFunction {
  let origin = 0
  for (const block of fn.blocks) for (const code of block.code) code.origin = origin++
  return fn
}

describe('the order of blocks', () => {
  it('changes nothing that runs', () => {
    const shapes = fc.record({
      seed: fc.integer(),
      blocks: fc.integer({ min: 1, max: 14 }),
      length: fc.integer({ min: 0, max: 3 }),
      variables: fc.constant(3),
      calls: fc.constant(5),
    })
    fc.assert(
      fc.property(shapes, (shape) => {
        const before = number(randomFunction(shape))
        const after = number(randomFunction(shape))
        straighten(after)
        arrangeBlocks(after)
        for (let seed = 0; seed < 8; seed++) expect(walk(after, seed)).toEqual(walk(before, seed))
      }),
      { numRuns: 500 },
    )
  })

  it('tests a loop at its bottom, entered in the middle, with the way out behind it', () => {
    const fn = new CodeFunction('f')
    const block = (loopDepth: number, ...codes: [form: number, target?: number, cond?: number][]): void => {
      const made = new CodeBlock(fn.blocks.length)
      made.loopDepth = loopDepth
      made.code = codes.map(([form, target, cond]) =>
        Object.assign(new Code(form), { target: target ?? -1, cond: cond ?? Cond.AL }),
      )
      fn.blocks.push(made)
    }
    block(0, [F.NOP], [F.B, 1])
    block(1, [F.CMP_i], [F.B, 3, Cond.EQ], [F.B, 2])
    block(1, [F.LDR_i], [F.B, 1])
    block(0, [P.RETURN])
    arrangeBlocks(fn)
    expect(fn.blocks.map((each) => each.code[0]!.form)).toEqual([F.NOP, F.LDR_i, F.CMP_i, P.RETURN])
  })
})
