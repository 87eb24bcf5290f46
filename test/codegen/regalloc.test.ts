import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { checkAllocation, snapshot } from '../../src/codegen/check.ts'
import { Code, CodeBlock, CodeFunction, FIRST_VIRTUAL, P } from '../../src/codegen/code.ts'
import { printCode } from '../../src/codegen/print.ts'
import { allocate } from '../../src/codegen/regalloc.ts'
import { F } from '../../src/thumb/forms.ts'
import { Cond, Flags } from '../../src/thumb/instruction.ts'
import { CALLEE_SAVED, CALLER_SAVED, LR } from '../../src/thumb/registers.ts'
import { evaluate } from './evaluate-code.ts'
import { type Shape, copyFunction, randomFunction } from './random-code.ts'

const shapes: fc.Arbitrary<Shape> = fc.record({
  seed: fc.integer(),
  blocks: fc.integer({ min: 1, max: 12 }),
  length: fc.integer({ min: 0, max: 14 }),
  variables: fc.integer({ min: 0, max: 24 }),
  calls: fc.integer({ min: 0, max: 25 }),
})

/** A function written by hand: v(n) is its nth register, blocks are joined by hand. */
class Builder {
  readonly fn = new CodeFunction('f')
  block = this.start()

  start(depth = 0): CodeBlock {
    const block = new CodeBlock(this.fn.blocks.length)
    block.loopDepth = depth
    this.fn.blocks.push(block)
    this.block = block
    return block
  }
  put(form: number, fields: Partial<Code> = {}): Code {
    const code = Object.assign(new Code(form), fields)
    for (const v of [code.d, code.n, code.m, code.a, ...code.defs, ...code.fixedDefs.map((fixed) => fixed.vreg)]) {
      if (v >= this.fn.nextVirtual) this.fn.nextVirtual = v + 1
    }
    this.block.code.push(code)
    return code
  }
  entry(...registers: number[]): void {
    this.put(P.ENTRY, { fixedDefs: registers.map((vreg, register) => ({ vreg, register })) })
  }
  join(from: CodeBlock, to: CodeBlock): void {
    from.successors.push(to.index)
    to.predecessors.push(from.index)
  }
  /** Allocates and checks. */
  done(): CodeFunction {
    const before = snapshot(this.fn)
    allocate(this.fn)
    const faults = checkAllocation(before, this.fn)
    if (faults.length > 0) throw new Error(faults.join('\n'))
    return this.fn
  }
}

const v = (n: number): number => FIRST_VIRTUAL + n

function count(fn: CodeFunction, form: number, block?: number): number {
  const blocks = block === undefined ? fn.blocks : [fn.blocks[block]!]
  return blocks.flatMap((each) => each.code).filter((code) => code.form === form).length
}

/** A loop over `sums` accumulators: b0 enters, b1 is the loop, b2 goes back, b3 leaves. */
function loop(sums: number, across: number): Builder {
  const builder = new Builder()
  const enter = builder.block
  const bystanders = Array.from({ length: across }, (_, i) => v(50 + i))
  builder.entry(v(0))
  for (const each of bystanders) builder.put(F.LDR_i, { d: each, n: v(0), imm: 4 * each })
  const phis = Array.from({ length: sums }, (_, i) => v(10 + i))
  const next = phis.map((phi) => phi + 20)
  const first = phis.map((_, i) => v(2 + i))
  for (const each of first) builder.put(F.MOV_i, { d: each, imm: 1 })
  builder.put(P.PARALLEL_MOVE, { defs: phis, uses: first })
  const body = builder.start(1)
  phis.forEach((phi, i) => builder.put(F.ADD_r, { d: next[i]!, n: phi, m: v(0) }))
  builder.put(F.CMP_r, { n: next[0]!, m: v(0), s: Flags.SET })
  builder.put(F.B, { cond: Cond.NE, target: 2 })
  builder.put(F.B, { target: 3 })
  const back = builder.start(1)
  builder.put(P.PARALLEL_MOVE, { defs: phis, uses: next })
  builder.put(F.B, { target: 1 })
  const leave = builder.start()
  for (const each of bystanders) builder.put(F.STR_i, { d: each, n: v(0), imm: each })
  for (const each of next) builder.put(F.STR_i, { d: each, n: v(0) })
  builder.put(P.RETURN, { fixedUses: [{ vreg: next[0]!, register: 0 }] })
  builder.join(enter, body)
  builder.join(body, back)
  builder.join(body, leave)
  builder.join(back, body)
  return builder
}

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
      { numRuns: Number(process.env['THUMBPF_RUNS'] ?? 600) },
    )
  })

  it('gives the same output for the same input', () => {
    for (let seed = 0; seed < 20; seed++) {
      const one = randomFunction({ seed, blocks: 10, length: 12, variables: 20, calls: 10 })
      const other = copyFunction(one)
      allocate(one)
      allocate(other)
      expect(printCode(other)).toBe(printCode(one))
    }
  })

  it('coalesces the phis of a loop: no move, no memory', () => {
    const fn = loop(4, 0).done()
    for (const block of [1, 2]) {
      for (const form of [F.MOV_r, P.SPILL_LOAD, P.SPILL_STORE]) expect(count(fn, form, block)).toBe(0)
    }
  })

  it('stores what only lives through a loop, and not what the loop uses', () => {
    const fn = loop(10, 8).done()
    for (const block of [1, 2]) {
      for (const form of [F.MOV_r, P.SPILL_LOAD, P.SPILL_STORE]) expect(count(fn, form, block)).toBe(0)
    }
    expect(count(fn, P.SPILL_STORE)).toBeGreaterThan(0)
    expect(count(fn, P.SPILL_STORE)).toBeLessThanOrEqual(8)
  })

  it('uses no callee-saved register where others do', () => {
    const builder = new Builder()
    builder.entry(v(0), v(1))
    builder.put(F.ADD_r, { d: v(2), n: v(0), m: v(1) })
    builder.put(F.MUL, { d: v(3), n: v(2), m: v(1) })
    builder.put(P.RETURN, { fixedUses: [{ vreg: v(3), register: 0 }] })
    const fn = builder.done()
    expect(fn.written & (CALLEE_SAVED | (1 << LR))).toBe(0)
    expect(fn.calls).toBe(false)
    expect(printCode(fn)).toContain('MUL d=r0')
    expect(count(fn, F.MOV_r)).toBe(0)
  })

  it('keeps what lives over a call in a callee-saved register, and makes constants again', () => {
    const builder = new Builder()
    builder.entry(v(0))
    builder.put(P.CONSTANT, { d: v(1), imm: 100 })
    builder.put(F.STR_i, { d: v(1), n: v(0) })
    builder.put(P.CALL, {
      fixedUses: [
        { vreg: v(1), register: 0 },
        { vreg: v(0), register: 1 },
      ],
      fixedDefs: [{ vreg: v(2), register: 0 }],
      clobbers: CALLER_SAVED,
    })
    builder.put(F.STR_i, { d: v(2), n: v(0) })
    builder.put(P.RETURN, { fixedUses: [{ vreg: v(1), register: 0 }] })
    const fn = builder.done()
    expect(fn.calls).toBe(true)
    expect(fn.spillWords).toBe(0)
    expect(fn.written & CALLEE_SAVED).toBe(1 << 4)
    expect(count(fn, P.CONSTANT)).toBe(3)
  })

  it('moves nothing between a branch that reads a register and its targets', () => {
    const builder = new Builder()
    const enter = builder.block
    builder.entry(v(0), v(1), v(2), v(3))
    for (let i = 4; i < 20; i++) builder.put(F.LDR_i, { d: v(i), n: v(0), imm: 4 * i })
    builder.put(F.CBZ, { n: v(4), target: 2 })
    const one = builder.start()
    builder.put(P.UNREACHABLE)
    const two = builder.start()
    for (let i = 0; i < 20; i++) builder.put(F.STR_i, { d: v(i), n: v(0) })
    builder.put(P.RETURN)
    builder.join(enter, one)
    builder.join(enter, two)
    const fn = builder.done()
    expect(fn.blocks[0]!.code.at(-1)!.form).toBe(F.CBZ)
    expect(fn.spillWords).toBeGreaterThan(0)
  })
})
