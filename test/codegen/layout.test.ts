import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Code, CodeBlock, CodeFunction, P } from '../../src/codegen/code.ts'
import { arrangeBlocks } from '../../src/codegen/layout.ts'
import { straighten } from '../../src/codegen/straighten.ts'
import { F, FIELD, formNames, writes } from '../../src/thumb/forms.ts'
import { Cond } from '../../src/thumb/instruction.ts'
import { randomFunction } from './random-code.ts'

/** Whether it reads its register d. */
function stores(form: number): boolean {
  if (form >= formNames.length) return form === P.SPILL_STORE || form === P.ARGUMENT_STORE
  return (writes[form]! & FIELD.d) === 0
}

/**
 * The instructions that a run executes, as numbers, but for branches and comparisons. How a comparison turns out depends on
 * when its registers were written.
 */
function walk(fn: CodeFunction, seed: number): number[] {
  const trace: number[] = []
  const written = new Map<number, number>()
  const hash = (...parts: number[]): number => {
    let x = seed
    for (const part of parts) x = Math.imul(x ^ part, 0x85ebca6b) ^ (x >>> 13)
    return x >>> 8
  }
  let equal = false
  let block = 0
  let index = 0
  for (let steps = 0; steps < 2000 && trace.length < 40; steps++) {
    const code = fn.blocks[block]!.code[index++]
    if (code === undefined) {
      block++
      index = 0
      continue
    }
    const { form, cond } = code
    const time = (register: number): number => written.get(register) ?? register
    let taken = -1
    if (form === F.CBZ || form === F.CBNZ) {
      if ((hash(time(code.n)) % 2 === 0) === (form === F.CBZ)) taken = code.target
    } else if (cond !== Cond.AL && equal !== (cond === Cond.EQ)) continue
    else if (form === F.B) taken = code.target
    else if (form === F.CMP_r) {
      // Whichever way round the two are compared.
      const times = [time(code.n), time(code.m)]
      equal = hash(Math.min(...times), Math.max(...times)) % 2 === 0
    } else {
      trace.push(hash(code.form, code.imm, code.d, code.n, code.m))
      if (code.d >= 0 && !stores(form)) written.set(code.d, trace.length)
    }
    if (form === P.TABLE_BRANCH) taken = code.targets[hash(trace.length) % code.targets.length]!
    if (form === P.RETURN || form === P.UNREACHABLE) break
    if (taken < 0) continue
    block = taken
    index = 0
  }
  return trace
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
      fc.property(shapes, fc.boolean(), (shape, small) => {
        const before = randomFunction(shape)
        const after = randomFunction(shape)
        straighten(after)
        arrangeBlocks(after, small)
        for (let seed = 0; seed < 8; seed++) expect(walk(after, seed)).toEqual(walk(before, seed))
      }),
      { numRuns: 800 },
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
