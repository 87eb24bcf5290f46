// What the compiler says of instructions that have no code of their own, or other code than one expects.

import { describe, expect, it } from 'vitest'

import type { Remark } from '../../src/base/remark.ts'
import { assemble } from '../../src/bpf/asm.ts'
import { readProgram } from '../../src/bpf/read.ts'
import { compile, type CompileOptions } from '../../src/compile.ts'
import type { Program } from '../../src/bpf/program.ts'
import { caseOf } from '../support/differential-batch.ts'
import { testHelpers } from '../support/differential.ts'
import { randomProgram } from '../support/random-program.ts'

function remarksOf(program: Program | Uint8Array, options: CompileOptions = {}): Map<number, Remark> {
  const remarks = new Map<number, Remark>()
  compile(program, { ...options, remark: (remark) => remarks.set(remark.slot, remark) })
  return remarks
}

/** By slot, in order. */
function texts(source: string, options: CompileOptions = {}): string[] {
  const program = readProgram(assemble(source))
  const remarks = remarksOf(program, options)
  return program.instructions.map(({ slot }) => remarks.get(slot)?.text ?? '')
}

describe('remarks', () => {
  it('name copies, constants, and what nobody needs', () => {
    expect(texts('r0 = 7\nr3 = r2\nr3 *= 9\nr0 += 35\nexit')).toEqual([
      'constant 7',
      'a copy',
      'nobody needs the result',
      'constant 42',
      '',
    ])
  })

  it('name what is the same, and what is part of another', () => {
    // r2 * 3 twice, and a shift that the sum takes in.
    expect(texts('r0 = r2\nr0 *= 3\nr3 = r2\nr3 *= 3\nr0 ^= r3\nr2 &= 255\nr2 <<= 2\nr0 += r2\nexit')).toEqual([
      'a copy',
      '',
      'a copy',
      'the same as insn 1',
      '',
      '',
      'part of insn 7',
      '',
      '',
    ])
    expect(texts('w0 = *(u32 *)(r1 + 0)\nw3 = *(u32 *)(r1 + 4)\nw3 <<= 5\nw0 += w3\nexit')[2]).toBe('part of insn 3')
    expect(texts('r0 = r2\nr3 = r2\nr0 *= 3\nr3 *= 3\n*(u64 *)(r1 + 0) = r3\nexit')[3]).toBe('the same as insn 2')
  })

  it('follow the stack into registers', () => {
    const said = texts('*(u32 *)(r10 - 4) = r2\nr0 = *(u32 *)(r10 - 4)\nexit')
    expect(said.slice(0, 2)).toEqual(['the stack slot is kept in registers', 'the stack slot is kept in registers'])
  })

  it('follow calls into their callers', () => {
    const said = texts('r1 = r2\ncall twice\nr0 += 1\nexit\ntwice: r0 = r1\nr0 += r1\nexit')
    expect(said).toEqual(['a copy', 'what it calls stands in its place', '', '', 'a copy', '', 'no jump is needed'])
  })

  it('say what loops, divisions and branches become', () => {
    const loop = texts('r0 = 0\nr3 = 0\nl: r4 = *(u8 *)(r1 + 0)\nr0 += r4\nr1 += 1\nr3 += 1\nif r3 != 8 goto l\nexit')
    expect(loop[4]).toBe('part of insn 2')
    expect(loop[5]).toBe("part of the loop's countdown")
    expect(texts('w0 = w2\nw0 /= 10\nexit')[1]).toBe('the division is a multiplication')
    expect(texts('r0 = 1\nif r0 == 1 goto e\n*(u8 *)(r1 + 0) = 5\ne: exit').slice(1, 3)).toEqual([
      'it always goes the same way',
      'never reached',
    ])
    expect(texts('r0 = 1\nexit\nr0 = 2\nexit').slice(2)).toEqual(['never reached', 'never reached'])
  })

  it('name as much with every level, for nearly all instructions, and leave the code as it is', () => {
    let without = 0
    let all = 0
    for (let seed = 1; seed <= 8; seed++) {
      const { length, functions } = caseOf(seed)
      const program = readProgram(randomProgram(seed, length, functions).text)
      for (const optimize of [0, 's', 2] as const) {
        const options = { helpers: new Set(testHelpers.keys()), optimize }
        const image = compile(program, options)
        const remarks = new Map<number, Remark>()
        const told = compile(program, { ...options, remark: (remark) => remarks.set(remark.slot, remark) })
        expect(told.code).toEqual(image.code)
        const served = new Set(image.lines.map(({ slot }) => slot))
        for (const { slot } of program.instructions) {
          all++
          if (!served.has(slot) && !remarks.has(slot)) without++
        }
      }
    }
    expect(all).toBeGreaterThan(2000)
    expect(without / all).toBeLessThan(0.002)
  })
})
