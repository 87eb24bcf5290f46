import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Code, CodeBlock, CodeFunction, Memory, P } from '../../src/codegen/code.ts'
import { orderSpills } from '../../src/codegen/order-spills.ts'
import { pairAccesses } from '../../src/codegen/pair-accesses.ts'
import { F } from '../../src/thumb/forms.ts'
import { Cond, Index } from '../../src/thumb/instruction.ts'
import { SP } from '../../src/thumb/registers.ts'

const register = fc.constantFrom(0, 1, 2, 8, 9)
/** Words of memory; registers other than SP hold addresses of the same. */
const WORDS = 8

const code = fc
  .record({
    form: fc.constantFrom(F.LDR_i, F.LDR_i, F.STR_i, F.STR_i, F.ADD_i, F.MOV_r, F.STR_r),
    d: register,
    n: fc.oneof({ weight: 4, arbitrary: fc.constant(SP) }, { weight: 1, arbitrary: register }),
    m: register,
    imm: fc.integer({ min: 0, max: 3 }).map((word) => 4 * word),
    memory: fc.constantFrom(Memory.ANY, Memory.ALIGNED),
    cond: fc.constantFrom(Cond.AL, Cond.AL, Cond.AL, Cond.AL, Cond.EQ),
    post: fc.constantFrom(false, false, false, true),
  })
  .map(({ form, d, n, m, imm, memory, cond, post }) => {
    const made = new Code(form)
    made.d = d
    if (form !== F.MOV_r) made.n = form === F.ADD_i ? m : n
    if (form === F.MOV_r || form === F.STR_r) made.m = m
    if (form !== F.MOV_r && form !== F.STR_r) made.imm = imm
    if ((form === F.LDR_i || form === F.STR_i) && (n === SP || n !== d)) {
      made.memory = memory
      if (post && n !== SP && n !== d) made.index = Index.POST
    }
    made.cond = cond
    return made
  })

/** Registers and memory behind the codes; what is conditional runs if `taken`. */
function run(codes: readonly Code[], taken: boolean): string {
  const registers = Array.from({ length: 16 }, (_each, at) => 4 * at)
  registers[SP] = 0
  const memory = Array.from({ length: WORDS }, (_each, at) => 1000 + 4 * at)
  const word = (address: number): number => (address >> 2) & (WORDS - 1)
  for (const { form, d, n, m, a, imm, index, cond } of codes) {
    if (cond !== Cond.AL && !taken) continue
    const base = registers[n]!
    const address = word(base + (index === Index.POST ? 0 : imm))
    if (form === F.ADD_i) registers[d] = base + imm
    else if (form === F.MOV_r) registers[d] = registers[m]!
    else if (form === F.LDR_i) registers[d] = memory[address]!
    else if (form === F.STR_i) memory[address] = registers[d]!
    else if (form === F.STR_r) memory[word(base + registers[m]!)] = registers[d]!
    else if (form === F.LDRD_i) {
      const high = memory[word(base + imm + 4)]!
      registers[d] = memory[address]!
      registers[a] = high
    } else {
      memory[address] = registers[d]!
      memory[word(base + imm + 4)] = registers[a]!
    }
    if (index === Index.POST) registers[n] = base + imm
  }
  return JSON.stringify([registers, memory])
}

function spill(form: number, d: number, slot: number): Code {
  const made = new Code(form)
  made.d = d
  made.imm = slot
  return made
}

function access(form: number, d: number, imm: number): Code {
  const made = new Code(form)
  made.d = d
  made.n = SP
  made.imm = imm
  return made
}

describe('pairAccesses', () => {
  it('leaves registers and memory as they would be', () => {
    let pairs = 0
    fc.assert(
      fc.property(fc.array(code, { minLength: 2, maxLength: 12 }), fc.boolean(), (codes, small) => {
        const made = codes.slice()
        pairAccesses(made, small)
        pairs += codes.length - made.length
        for (const taken of [false, true]) expect(run(made, taken)).toBe(run(codes, taken))
        for (const { form, d, a } of made) if (form === F.LDRD_i) expect(d).not.toBe(a)
      }),
      { numRuns: 3000 },
    )
    expect(pairs).toBeGreaterThan(100)
  })

  it('takes what is not known to be aligned as it is', () => {
    const codes = [access(F.LDR_i, 8, 0), access(F.LDR_i, 9, 4)]
    for (const each of codes) each.n = 1
    pairAccesses(codes, true)
    expect(codes.map(({ form }) => form)).toEqual([F.LDR_i, F.LDR_i])
    for (const each of codes) each.memory = Memory.ALIGNED
    pairAccesses(codes, true)
    expect(codes.map(({ form }) => form)).toEqual([F.LDRD_i])
  })

  it('loses no cycle at level 2: no stores, no row of three loads', () => {
    const row = [access(F.LDR_i, 8, 0), access(F.LDR_i, 9, 4), access(F.LDR_i, 10, 16)]
    pairAccesses(row, false)
    expect(row.length).toBe(3)
    const stores = [access(F.STR_i, 8, 0), access(F.STR_i, 9, 4)]
    pairAccesses(stores, false)
    expect(stores.length).toBe(2)
    pairAccesses(stores, true)
    expect(stores.length).toBe(1)
  })
})

describe('orderSpills', () => {
  it('puts slots side by side whose accesses are', () => {
    const fn = new CodeFunction('f')
    const block = new CodeBlock(0)
    block.code = [spill(P.SPILL_STORE, 8, 0), spill(P.SPILL_STORE, 0, 1), spill(P.SPILL_STORE, 9, 2)]
    fn.blocks = [block]
    fn.spillWords = 3
    orderSpills(fn, true)
    const slots = block.code.map(({ imm }) => imm)
    expect(slots.toSorted((a, b) => a - b)).toEqual([0, 1, 2])
    expect(Math.trunc(slots[0]! / 2)).toBe(Math.trunc(slots[2]! / 2))
  })
})
