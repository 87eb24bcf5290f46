// What inlining takes in and what it leaves: seen from the calls that are left, and the functions.

import { describe, expect, it } from 'vitest'
import { assemble } from '../../src/bpf/asm.ts'
import { readProgram } from '../../src/bpf/read.ts'
import { buildSsa } from '../../src/frontend/build.ts'
import { check } from '../../src/ir/check.ts'
import type { Module } from '../../src/ir/module.ts'
import { print } from '../../src/ir/print.ts'
import { inlineCalls } from '../../src/passes/inline.ts'

function inlined(text: string, small = false): { module: Module; entry: string } {
  const module = buildSsa(readProgram(assemble(text)), { helpers: new Set() })
  inlineCalls(module, small, check)
  return { module, entry: print(module.entry) }
}

const calls = (text: string): number => [...text.matchAll(/ = call func/g)].length
const many = (count: number): string => Array.from({ length: count }, (_, at) => `r0 ^= ${at}\nr0 *= r1\n`).join('')

describe('inlineCalls', () => {
  it('takes in what is called once, however big, and drops it', () => {
    const { module, entry } = inlined(`call big\nexit\nbig:\nr0 = r1\n${many(100)}exit\n`)
    expect(calls(entry)).toBe(0)
    expect(module.functions.every((func) => func === null)).toBe(true)
  })

  it('copies small functions, and keeps big ones that are called twice', () => {
    expect(calls(inlined(`call it\ncall it\nexit\nit:\nr0 = r1\n${many(3)}exit\n`).entry)).toBe(0)
    const { module, entry } = inlined(`call it\ncall it\nexit\nit:\nr0 = r1\n${many(60)}exit\n`)
    expect(calls(entry)).toBe(2)
    expect(module.functions.some((func) => func !== null)).toBe(true)
  })

  it('copies only the smallest where bytes count', () => {
    expect(calls(inlined(`call it\ncall it\nexit\nit:\nr0 = r1\n${many(3)}exit\n`, true).entry)).toBe(2)
    expect(calls(inlined(`call it\nexit\nit:\nr0 = r1\n${many(3)}exit\n`, true).entry)).toBe(0)
  })

  it('leaves what is recursive, over others too', () => {
    const { entry, module } = inlined(
      'call a\nexit\na:\ncall b\nexit\nb:\nif r1 == 0 goto out\ncall a\nout:\nr0 = 1\nexit\n',
    )
    expect(calls(entry)).toBe(1)
    expect(module.functions.filter((func) => func !== null)).toHaveLength(2)
  })

  it('keeps the program from growing by more than half, however many calls', () => {
    const text = `${'call it\n'.repeat(400)}exit\nit:\nr0 = r1\n${many(15)}exit\n`
    const { entry } = inlined(text)
    expect(calls(entry)).toBeGreaterThan(350)
    expect(calls(entry)).toBeLessThan(400)
  })

  it('goes on behind the place of the call with a phi of what the body returns', () => {
    const { entry } = inlined('call it\nr0 += 1\nexit\nit:\nif r1 == 0 goto out\nr0 = 5\nexit\nout:\nr0 = 7\nexit\n')
    expect(entry).toMatch(/phi 5L, 7L|phi 7L, 5L/)
  })
})
