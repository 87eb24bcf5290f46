import { describe, expect, it } from 'vitest'
import { Code, P } from '../../src/codegen/code.ts'
import { dropRepeatedCompares, reuseFlags } from '../../src/codegen/compares.ts'
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

describe('a comparison of pairs made again', () => {
  const high = (fields: Partial<Code> = {}): Code => make(F.SBC_r, { d: 6, n: 3, m: 4, s: Flags.SET, ...fields })
  const dropped = (first: Code[], between: Code[], again: Code[]): boolean => {
    const codes = [...first, ...between, ...again]
    const length = codes.length
    dropRepeatedCompares(codes)
    return codes.length === length - 2
  }
  const equality = (): Code => make(F.CMP_r, { n: 3, m: 4, s: Flags.SET, cond: Cond.EQ })

  it('goes whole or not at all', () => {
    expect(dropped([compare(), high()], [], [compare(), high({ d: 7 })])).toBe(true)
    expect(dropped([compare(), high()], [make(F.MOV_r, { d: 5, m: 1, cond: Cond.LT })], [compare(), high()])).toBe(true)
    expect(dropped([compare(), equality()], [], [compare(), equality()])).toBe(true)
    expect(dropped([compare(), high()], [], [compare(), high({ m: 5 })])).toBe(false)
    expect(dropped([compare(), high()], [], [compare(), equality()])).toBe(false)
    for (const d of [1, 2, 3, 4]) {
      expect(dropped([compare(), high({ d })], [], [compare(), high()])).toBe(false)
      expect(dropped([compare(), high()], [make(F.MOV_r, { d, m: 5 })], [compare(), high()])).toBe(false)
    }
    const codes = [compare(), high(), compare()]
    dropRepeatedCompares(codes)
    expect(codes.length).toBe(3)
  })
})

describe('a comparison of what was just computed', () => {
  /** Condition of the branch after these and a comparison, and whether that is gone. */
  function reused(cond: number, compared: Partial<Code>, ...before: Code[]): { gone: boolean; cond: number } {
    const form = compared.m === undefined ? F.CMP_i : F.CMP_r
    const branch = make(F.B, { cond, target: 1 })
    const codes = [...before, make(form, { s: Flags.SET, ...compared }), branch, make(F.B, { target: 2 })]
    reuseFlags(codes)
    const gone = codes.length === before.length + 2
    expect(before.some((code) => code.s === Flags.SET && code.n === 20)).toBe(gone)
    return { gone, cond: branch.cond }
  }
  const any = (form: number, fields: Partial<Code>): Code => make(form, { s: Flags.ANY, ...fields })

  it('takes the flags of the same difference, for every condition', () => {
    const other = any(F.ADD_i, { d: 22, n: 23, imm: 1 })
    expect(reused(Cond.HI, { n: 20, m: 21 }, any(F.SUB_r, { d: 24, n: 20, m: 21 }), other).gone).toBe(true)
    expect(reused(Cond.NE, { n: 20, imm: 1 }, any(F.ADD_i, { d: 24, n: 20, imm: -1 }), other).gone).toBe(true)
    expect(reused(Cond.NE, { n: 20, imm: 300 }, any(F.SUB_i, { d: 24, n: 20, imm: 300 })).gone).toBe(true)
    // ADDW and SUBW set no flags.
    expect(reused(Cond.NE, { n: 20, imm: 301 }, any(F.SUB_i, { d: 24, n: 20, imm: 301 })).gone).toBe(false)
    expect(reused(Cond.NE, { n: 20, m: 21 }, any(F.SUB_r, { d: 24, n: 20, m: 21, amount: 2 })).gone).toBe(false)
    expect(reused(Cond.NE, { n: 20, m: 21 }, make(F.SUB_r, { d: 24, n: 20, m: 21 })).gone).toBe(false)
  })

  it('takes sign and zero of a result, and nothing that overflow changes', () => {
    const sum = (): Code => any(F.ADD_r, { d: 24, n: 20, m: 21 })
    expect(reused(Cond.EQ, { n: 24, imm: 0 }, sum())).toEqual({ gone: true, cond: Cond.EQ })
    expect(reused(Cond.LT, { n: 24, imm: 0 }, sum())).toEqual({ gone: true, cond: Cond.MI })
    expect(reused(Cond.GE, { n: 24, imm: 0 }, sum())).toEqual({ gone: true, cond: Cond.PL })
    for (const cond of [Cond.GT, Cond.LE, Cond.HI, Cond.LS, Cond.CS, Cond.CC]) {
      expect(reused(cond, { n: 24, imm: 0 }, sum()).gone).toBe(false)
    }
    expect(reused(Cond.EQ, { n: 24, imm: 0 }, any(F.MUL, { d: 24, n: 20, m: 21 })).gone).toBe(false)
  })

  it('leaves flags that others set or read', () => {
    const sum = (): Code => any(F.ADD_r, { d: 24, n: 20, m: 21 })
    const compared = { n: 24, imm: 0 }
    expect(reused(Cond.EQ, compared, sum(), make(F.ADD_r, { d: 25, n: 26, m: 27, s: Flags.SET })).gone).toBe(false)
    expect(reused(Cond.EQ, compared, sum(), any(F.ADC_r, { d: 25, n: 26, m: 27 })).gone).toBe(false)
    expect(reused(Cond.EQ, compared, sum(), make(F.MOV_r, { d: 25, m: 26, cond: Cond.NE })).gone).toBe(false)
    expect(reused(Cond.EQ, compared, sum(), make(P.CALL, {})).gone).toBe(false)
    expect(
      reused(Cond.NE, { n: 20, m: 21 }, any(F.SUB_r, { d: 24, n: 20, m: 21 }), make(F.MOV_r, { d: 21, m: 25 })).gone,
    ).toBe(false)
  })
})
