import { describe, expect, it } from 'vitest'
import { Code, P } from '../../src/codegen/code.ts'
import { dropRepeatedCompares } from '../../src/codegen/compares.ts'
import { F } from '../../src/thumb/forms.ts'
import { Cond, Flags } from '../../src/thumb/instruction.ts'

const make = (form: number, fields: Partial<Code>): Code => Object.assign(new Code(form), fields)
const compare = (fields: Partial<Code> = {}): Code => make(F.CMP_r, { n: 1, m: 2, s: Flags.SET, ...fields })

/** Whether a second comparison of r1 and r2 stays behind these. */
function stays(...between: Code[]): boolean {
  const codes = [compare(), ...between, compare()]
  dropRepeatedCompares(codes)
  return codes.length === between.length + 2
}

describe('a comparison made again', () => {
  it('goes while registers and flags are as they were', () => {
    expect(stays()).toBe(false)
    expect(stays(make(F.MOV_r, { d: 3, m: 1, cond: Cond.NE }))).toBe(false)
    expect(stays(make(F.ADD_i, { d: 3, n: 1, imm: 1, s: Flags.ANY }))).toBe(false)
    expect(stays(make(F.STR_i, { d: 1, n: 2 }))).toBe(false)
    expect(stays(make(P.CONSTANT, { d: 3 }))).toBe(false)
  })

  it('stays behind what changes one of them', () => {
    expect(stays(make(F.MOV_r, { d: 1, m: 3, cond: Cond.NE }))).toBe(true)
    expect(stays(make(F.ADD_i, { d: 3, n: 1, imm: 1, s: Flags.SET }))).toBe(true)
    expect(stays(make(F.UMULL, { d: 3, a: 2, n: 4, m: 5 }))).toBe(true)
    expect(stays(make(F.LDR_i, { d: 3, n: 1, imm: 4, index: 2 }))).toBe(true)
    expect(stays(make(P.CONSTANT, { d: 2 }))).toBe(true)
    expect(stays(make(P.SPILL_LOAD, { d: 2 }))).toBe(true)
    expect(stays(make(P.CALL, {}))).toBe(true)
    expect(stays(compare({ m: 3 }))).toBe(true)
    expect(stays(compare({ cond: Cond.EQ }))).toBe(true)
    expect(stays(compare({ amount: 2 }))).toBe(true)
  })
})
