// Random C, as clang compiles it for BPF at any of its levels: interpreter and compiled code give what the C gives natively.
// `npm run fuzz -- --c` runs more of it.

import { mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'

import { CComparison, cTools } from '../support/c-comparison.ts'
import { randomC } from '../support/random-c.ts'
import { describeWith } from '../support/tools.ts'

describeWith(cTools, 'random C', () => {
  const folder = mkdtempSync(join(tmpdir(), 'thumbpf-c-'))
  const keep = join(folder, 'kept')

  it('gives natively, interpreted and compiled the same', { timeout: 120_000 }, async () => {
    const comparison = new CComparison(folder, keep)
    expect(await comparison.compare([1, 2, 3, 4])).toEqual([])
    const { programs, runs } = comparison.counts
    expect(programs).toBe(4)
    expect(runs, 'most of 4 programs x 3 variants x 3 levels x 3 inputs').toBeGreaterThan(80)
  })

  it('is told about and kept where it differs', { timeout: 120_000 }, async () => {
    const comparison = new CComparison(folder, keep, (text) => text.replace(/return h;\n\}\n$/, 'return h ^ 1;\n}\n'))
    const problems = await comparison.compare([1])
    expect(problems).toHaveLength(3)
    expect(problems[0]).toContain(`seed 1: input 0, native `)
    expect(problems[0]).toContain(`${keep}/1.c`)
    expect(readFileSync(join(keep, '1.c'), 'utf8')).toContain('return h ^ 1;')
  })

  it('is the same for the same seed, but for its names', () => {
    expect(randomC(7, 'first')).toBe(randomC(7, 'first'))
    expect(randomC(7, 'first').replaceAll('first', 'other')).toBe(randomC(7, 'other').replaceAll('first', 'other'))
    expect(randomC(8, 'first')).not.toBe(randomC(7, 'first'))
  })
})
