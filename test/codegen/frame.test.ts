import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Base, Code, CodeBlock, CodeFunction, P, isPseudo } from '../../src/codegen/code.ts'
import { layoutFrame } from '../../src/codegen/frame.ts'
import { printCode } from '../../src/codegen/print.ts'
import { F, formNames } from '../../src/thumb/forms.ts'
import { Index } from '../../src/thumb/instruction.ts'
import { LR, PC, SP } from '../../src/thumb/registers.ts'

interface Shape {
  readonly written: number
  readonly calls: boolean
  readonly savesAll: boolean
  readonly frameBytes: number
  readonly spillWords: number
  readonly outgoingWords: number
}

function build(shape: Shape, body: readonly Code[]): CodeFunction {
  const fn = new CodeFunction('f')
  Object.assign(fn, shape)
  const block = new CodeBlock(0)
  const end = new Code(P.RETURN)
  block.code = [...body, end]
  fn.blocks = [block]
  return fn
}

function code(form: number, fields: Partial<Code> = {}): Code {
  return Object.assign(new Code(form), fields)
}

const ENTRY_SP = 0x10000

/** Runs laid-out code, byte memory by word address; every register holds 0x1000 + its number at the entry. */
function run(
  fn: CodeFunction,
  memory: Map<number, number>,
): { registers: number[]; accesses: string[]; lowest: number } {
  const registers = Array.from({ length: 16 }, (_, r) => 0x1000 + r)
  registers[SP] = ENTRY_SP
  const accesses: string[] = []
  let lowest = ENTRY_SP
  const load = (address: number): number => memory.get(address) ?? 0
  for (const each of fn.blocks[0]!.code) {
    const { form, d, n, m, imm } = each
    if (isPseudo(form)) throw new Error(`left over: ${form}`)
    const address = n < 0 ? 0 : registers[n]! + (each.index === Index.POST ? 0 : imm)
    switch (form) {
      case F.STMDB: {
        const list = [...Array(16).keys()].filter((r) => (imm >> r) & 1)
        let at = (registers[SP] -= 4 * list.length)
        for (const r of list) {
          memory.set(at, registers[r]!)
          at += 4
        }
        break
      }
      case F.LDM:
        for (let r = 0; r < 16; r++) {
          if (((imm >> r) & 1) === 0) continue
          registers[r] = load(registers[SP])
          registers[SP] += 4
        }
        break
      case F.ADD_i:
        registers[d] = registers[n]! + imm
        break
      case F.SUB_i:
        registers[d] = registers[n]! - imm
        break
      case F.ADD_r:
        registers[d] = registers[n]! + registers[m]!
        break
      case F.MOV_i:
        registers[d] = imm
        break
      case F.MOVT:
        registers[d] = (registers[d]! & 0xffff) | (imm << 16) | 0
        break
      case F.BX:
        registers[PC] = registers[m]!
        break
      case F.LDRD_i:
        expect(Math.abs(imm)).toBeLessThanOrEqual(1020)
        registers[d] = load(address)
        registers[each.a] = load(address + 4)
        accesses.push(`${formNames[form]} ${address}`)
        break
      case F.STRD_i:
        expect(Math.abs(imm)).toBeLessThanOrEqual(1020)
        memory.set(address, registers[d]!)
        memory.set(address + 4, registers[each.a]!)
        accesses.push(`${formNames[form]} ${address}`)
        break
      default:
        expect(imm).toBeLessThanOrEqual(4095)
        if (form === F.LDR_i) registers[d] = load(address)
        else if (form === F.STR_i) memory.set(address, registers[d]!)
        else throw new Error(`unknown ${formNames[form]}`)
        if (each.index !== Index.OFFSET) registers[n]! += each.index === Index.PRE ? imm : imm
        accesses.push(`${formNames[form]} ${address}`)
    }
    expect(registers[SP] % 4).toBe(0)
    lowest = Math.min(lowest, registers[SP])
  }
  return { registers, accesses, lowest }
}

const shapes: fc.Arbitrary<Shape> = fc.record({
  written: fc.integer({ min: 0, max: 0x5fff }).map((mask) => mask & ~(1 << SP)),
  calls: fc.boolean(),
  savesAll: fc.boolean(),
  frameBytes: fc.integer({ min: 0, max: 64 }).map((n) => 8 * n),
  spillWords: fc.oneof(fc.integer({ min: 0, max: 20 }), fc.integer({ min: 0, max: 3000 })),
  outgoingWords: fc.integer({ min: 0, max: 6 }),
})

describe('layoutFrame', () => {
  it('saves, restores and returns, for every shape', () => {
    fc.assert(
      fc.property(shapes, fc.boolean(), (shape, fullPrologue) => {
        const body = [...Array(13).keys()]
          .filter((r) => (shape.written >> r) & 1)
          .map((r) => code(F.MOV_i, { d: r, imm: 1 }))
        if ((shape.written >> LR) & 1 || shape.calls) body.push(code(F.MOV_i, { d: LR, imm: 1 }))
        const fn = build(shape, body)
        const { stackBytes } = layoutFrame(fn, { fullPrologue })
        const { registers, lowest } = run(fn, new Map())
        expect(registers[SP]).toBe(ENTRY_SP)
        expect(registers[PC]).toBe(0x1000 + LR)
        for (let r = 4; r < 12; r++) expect(registers[r]).toBe(0x1000 + r)
        expect(ENTRY_SP - lowest).toBe(stackBytes)
        if (shape.calls || shape.frameBytes > 0) expect(stackBytes % 8).toBe(0)
        const results = 0b11
        for (const each of fn.blocks[0]!.code) {
          if (each.form === F.LDM && !fullPrologue) expect(each.imm & results).toBe(0)
        }
      }),
      { numRuns: 500 },
    )
  })

  it('keeps slots, BPF stack, arguments and saved registers apart, in frames of any size', () => {
    fc.assert(
      fc.property(shapes, (shape) => {
        fc.pre(shape.frameBytes >= 16 && shape.spillWords >= 2)
        const last = shape.spillWords - 1
        const tops = shape.frameBytes - 8
        const fn = build({ ...shape, outgoingWords: 2, written: 0x0ff0 }, [
          code(P.ARGUMENT_STORE, { d: 4, imm: 0 }),
          code(P.ARGUMENT_STORE, { d: 5, imm: 1 }),
          code(F.STRD_i, { d: 6, a: 7, n: SP, imm: 0, base: Base.FRAME }),
          code(F.STR_i, { d: 8, n: SP, imm: tops, base: Base.FRAME }),
          code(P.SPILL_STORE, { d: 9, imm: 0 }),
          code(P.SPILL_STORE, { d: 0, imm: last }),
          code(P.FRAME_ADDRESS, { d: 11, imm: tops }),
          code(F.LDR_i, { d: 10, n: 11, imm: 0 }),
          code(F.STR_i, { d: 10, n: SP, imm: tops + 4, base: Base.FRAME }),
          code(P.ARGUMENT_LOAD, { d: 2, imm: 1 }),
          code(P.SPILL_LOAD, { d: 3, imm: last }),
          code(P.SPILL_LOAD, { d: 4, imm: 0 }),
          code(F.LDRD_i, { d: 5, a: 6, n: SP, imm: 0, base: Base.FRAME }),
          code(F.LDR_i, { d: 7, n: SP, imm: tops + 4, base: Base.FRAME }),
          // Seen from outside: callee-saved registers come back, so results go to r0-r3 and memory.
          code(F.ADD_r, { d: 12, n: 4, m: 5 }),
          code(F.ADD_r, { d: 12, n: 12, m: 6 }),
          code(F.ADD_r, { d: 12, n: 12, m: 7 }),
        ])
        const memory = new Map([[ENTRY_SP + 4, 99]])
        layoutFrame(fn)
        const { registers } = run(fn, memory)
        expect(registers[2]).toBe(99)
        expect(registers[3]).toBe(0x1000)
        expect(registers[12]).toBe(0x1009 + 0x1006 + 0x1007 + 0x1008)
        expect(registers[SP]).toBe(ENTRY_SP)
        for (let r = 4; r < 12; r++) expect(registers[r]).toBe(0x1000 + r)
      }),
      { numRuns: 300 },
    )
  })

  it('tells env where the saved registers are', () => {
    const shape = { written: 0, calls: true, savesAll: true, frameBytes: 40, spillWords: 3, outgoingWords: 0 }
    const fn = build(shape, [code(P.ENTRY_SP, { d: 1 }), code(F.STR_i, { d: 1, n: 2, imm: 8 })])
    layoutFrame(fn)
    const memory = new Map<number, number>()
    run(fn, memory)
    const saved = memory.get(0x1002 + 8)!
    expect(saved).toBe(ENTRY_SP - 36)
    for (let r = 4; r < 12; r++) expect(memory.get(saved + 4 * (r - 4))).toBe(0x1000 + r)
    expect(memory.get(saved + 32)).toBe(0x1000 + LR)
  })

  it('writes what a person would', () => {
    const shape = { written: 0, calls: false, savesAll: false, frameBytes: 0, spillWords: 0, outgoingWords: 0 }
    const text = (changed: Partial<Shape>, fullPrologue = false): string[] => {
      const fn = build({ ...shape, ...changed }, [])
      layoutFrame(fn, { fullPrologue })
      return printCode(fn)
        .split('\n')
        .slice(2, -1)
        .map((line) => line.trim())
    }
    expect(text({})).toEqual(['BX m=lr'])
    expect(text({ written: 0x3f })).toEqual(['STMDB n=sp, #48, pre', 'LDM n=sp, #48, pre', 'BX m=lr'])
    // A pushed r4 keeps SP a multiple of 8.
    expect(text({ calls: true })).toEqual(['STMDB n=sp, #16400, pre', 'LDM n=sp, #32784, pre'])
    expect(text({ frameBytes: 8 })).toEqual(['SUB_i d=sp, n=sp, #8', 'ADD_i d=sp, n=sp, #8', 'BX m=lr'])
    expect(text({}, true)).toEqual(['STMDB n=sp, #20464, pre', 'LDM n=sp, #36848, pre'])
    expect(text({ written: 1 << 9 })).toEqual(['STR_i d=r9, n=sp, #-4, pre', 'LDR_i d=r9, n=sp, #4, post', 'BX m=lr'])
  })
})
