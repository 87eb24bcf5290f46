// Which operands must be low for 16 bits, against the encoder with registers put in.

import { describe, expect, it } from 'vitest'
import { Code, P } from '../../src/codegen/code.ts'
import { narrowOperands } from '../../src/codegen/narrow-operands.ts'
import { sizeOf } from '../../src/thumb/encode.ts'
import { F, FIELD } from '../../src/thumb/forms.ts'
import { Cond, Flags, Index } from '../../src/thumb/instruction.ts'

function code(form: number, fields: Partial<Code>): Code {
  return Object.assign(new Code(form), { d: 16, n: 17, m: 18, s: Flags.ANY }, fields)
}

describe('operands that must be low', () => {
  const { d, n, m } = FIELD
  const cases: readonly (readonly [string, Code, number])[] = [
    ['ldr d, [n, #124]', code(F.LDR_i, { m: -1, imm: 124, s: 0 }), d | n],
    ['ldr d, [n, #128]', code(F.LDR_i, { m: -1, imm: 128, s: 0 }), 0],
    ['ldr d, [n], #4', code(F.LDR_i, { m: -1, imm: 4, s: 0, index: Index.POST }), 0],
    ['ldr d, [sp, #1020]', code(F.LDR_i, { n: 13, m: -1, imm: 1020, s: 0 }), d],
    ['ands d, d, m', code(F.AND_r, {}), d | n | m],
    ['and d, n, m, lsl #1', code(F.AND_r, { amount: 1 }), 0],
    // Any registers will do for the two-operand form.
    ['add d, d, m', code(F.ADD_r, {}), n],
    ['adds d, d, #255', code(F.ADD_i, { m: -1, imm: 255 }), d | n],
    ['subs d, d, #255, as an addition', code(F.ADD_i, { m: -1, imm: -255 }), d | n],
    ['add d, n, #256', code(F.ADD_i, { m: -1, imm: 256 }), 0],
    ['and with flags kept', code(F.AND_r, { s: Flags.KEEP }), 0],
    ['and in an IT block', code(F.AND_r, { s: Flags.KEEP, cond: Cond.EQ }), d | n | m],
    ['cmp n, m', code(F.CMP_r, { d: -1, s: Flags.SET }), 0],
    ['cmp n, #9', code(F.CMP_i, { d: -1, m: -1, imm: 9, s: Flags.SET }), n],
    ['mov d, m', code(F.MOV_r, { n: -1 }), 0],
    ['ubfx', code(F.UBFX, { m: -1, imm: 3, amount: 4 }), 0],
    ['a small constant', code(P.CONSTANT, { n: -1, m: -1, imm: 255 }), d],
    ['one for MOVW', code(P.CONSTANT, { n: -1, m: -1, imm: 0x1234 }), 0],
    ['one from the literal pool', code(P.CONSTANT, { n: -1, m: -1, imm: 0x12345678 }), d],
  ]
  it.each(cases)('%s', (_text, each, wanted) => {
    expect(narrowOperands(each)).toBe(wanted)
  })

  it('are those that the encoder wants low', () => {
    for (const [, each, wanted] of cases) {
      if (wanted === 0 || each.form >= P.PARALLEL_MOVE) continue
      const size = (high: number): number => {
        const real = Object.assign(new Code(each.form), each)
        if (real.d >= 16) real.d = high === d ? 8 : 0
        if (real.n >= 16) real.n = high === n ? 8 : 0
        if (real.m >= 16) real.m = high === m ? 8 : 1
        if (real.form === F.ADD_i && real.imm < 0) real.form = F.SUB_i
        real.imm = Math.abs(real.imm)
        return sizeOf(real, real.cond !== Cond.AL)
      }
      expect(size(0)).toBe(2)
      for (const field of [d, n, m]) if ((wanted & field) !== 0) expect(size(field)).toBe(4)
    }
  })
})
