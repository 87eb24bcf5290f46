import { describe, expect, it } from 'vitest'
import { checkAllocation, snapshot } from '../../src/codegen/check.ts'
import { type Code, type CodeFunction, P } from '../../src/codegen/code.ts'
import { allocate } from '../../src/codegen/regalloc.ts'
import { F, FIELD, writes } from '../../src/thumb/forms.ts'
import { randomFrom, randomFunction } from './random-code.ts'

/** One random change that breaks an allocation; false if there is nothing to break in that way. */
function spoil(fn: CodeFunction, random: (n: number) => number): boolean {
  const blocks = fn.blocks.filter((block) => block.code.length > 0)
  const block = blocks[random(blocks.length)]!
  const at = random(block.code.length)
  const code: Code = block.code[at]!
  switch (random(3)) {
    case 0:
      // A lost move.
      if (code.form !== F.MOV_r && code.form !== P.SPILL_LOAD && code.form !== P.SPILL_STORE) return false
      block.code.splice(at, 1)
      return true
    case 1:
      // Another register is read.
      if (code.n < 0 || code.n === 13 || code.form >= 1000) return false
      code.n = (code.n + 1 + random(11)) % 13
      return true
    default:
      // Another register is written.
      if (code.form >= 1000 || code.d < 0 || (writes[code.form]! & FIELD.d) === 0) return false
      code.d = (code.d + 1 + random(11)) % 13
      return true
  }
}

describe('checkAllocation', () => {
  it('finds most of what breaks an allocation', () => {
    const random = randomFrom(4711)
    let spoilt = 0
    let found = 0
    for (let seed = 1; seed < 1500; seed++) {
      const fn = randomFunction({ seed, blocks: 5, length: 8, variables: 14, calls: 10 })
      const before = snapshot(fn)
      allocate(fn)
      expect(checkAllocation(before, fn)).toEqual([])
      if (!spoil(fn, random)) continue
      spoilt++
      if (checkAllocation(before, fn).length > 0) found++
    }
    expect(spoilt).toBeGreaterThan(300)
    // Results that nobody reads, and blocks that nothing reaches, may be anywhere.
    expect(found / spoilt).toBeGreaterThan(0.6)
  })

  it('refuses insertions that change flags', () => {
    const fn = randomFunction({ seed: 3, blocks: 3, length: 8, variables: 24, calls: 0 })
    const before = snapshot(fn)
    allocate(fn)
    const inserted = fn.blocks.flatMap((block) => block.code).find((code) => code.form === P.SPILL_LOAD)!
    inserted.s = 1
    expect(checkAllocation(before, fn).join()).toContain('changes flags')
  })
})
