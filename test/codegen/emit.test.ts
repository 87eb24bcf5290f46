// The emitter: branches of every reach, pools, IT blocks, tables, flags; the bytes are read back by our decoder (which
// the encodings' tests hold to GNU objdump) and followed.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Code, CodeBlock, CodeFunction, P } from '../../src/codegen/code.ts'
import { type EmittedModule, emit } from '../../src/codegen/emit.ts'
import { decode, isWide, itConditions } from '../../src/thumb/decode.ts'
import { F, type FormName } from '../../src/thumb/forms.ts'
import { Cond, Flags, Index, type Instruction } from '../../src/thumb/instruction.ts'
import { print } from '../../src/thumb/print.ts'

type Fields = Partial<Code>

function code(form: number, fields: Fields = {}): Code {
  return Object.assign(new Code(form), fields)
}
const any = (name: FormName, fields: Fields): Code => code(F[name], { s: Flags.ANY, ...fields })
const branch = (target: number, cond: number = Cond.AL): Code => code(F.B, { target, cond })
const constant = (d: number, imm: number): Code => code(P.CONSTANT, { d, imm })
const compare = (n: number, imm: number): Code => code(F.CMP_i, { n, imm, s: Flags.SET })
const leave = (): Code => code(F.BX, { m: 14 })
/** Instructions of 4 bytes that nothing changes. */
const filler = (count: number): Code[] => Array.from({ length: count }, () => code(F.UDIV, { d: 0, n: 1, m: 2 }))

function build(...blocks: Code[][]): CodeFunction {
  const func = new CodeFunction('f')
  func.blocks = blocks.map((list, index) => {
    const block = new CodeBlock(index)
    block.code = list
    return block
  })
  return func
}

const one = (...blocks: Code[][]): EmittedModule => emit([build(...blocks)], () => -1)

interface Line {
  offset: number
  x: Instruction
}

/** All instructions, those of IT blocks with their conditions. Fails on bytes that are none. */
function read(module: EmittedModule): Line[] {
  const view = new DataView(module.code.buffer, module.code.byteOffset, module.code.byteLength)
  const lines: Line[] = []
  let conditions: number[] = []
  for (let at = 0; at < module.code.length;) {
    const data = module.data.find(([start, end]) => start <= at && at < end)
    if (data !== undefined) {
      at = data[1]
      continue
    }
    const first = view.getUint16(at, true)
    const x = decode(first, isWide(first) ? view.getUint16(at + 2, true) : 0, conditions.length > 0)
    if (x === undefined) throw new Error(`no instruction at ${at}: ${first.toString(16)}`)
    if (conditions.length > 0) x.cond = conditions.shift()!
    if (x.form === F.IT) conditions = itConditions(x)
    lines.push({ offset: at, x })
    at += x.size
  }
  return lines
}

const texts = (module: EmittedModule): string[] =>
  read(module).map(({ offset, x }) => `${offset.toString(16)}: ${print(x, offset)}`)
const plain = (module: EmittedModule): string[] => read(module).map(({ offset, x }) => print(x, offset))
const word = (module: EmittedModule, at: number): number =>
  new DataView(module.code.buffer, module.code.byteOffset).getUint32(at, true)

describe('flags', () => {
  it('takes 16-bit encodings where flags are dead and not where they live', () => {
    const add = (): Code => any('ADD_i', { d: 0, n: 0, imm: 1 })
    expect(plain(one([add(), compare(1, 5), add(), branch(2, Cond.LT)], [add()], [leave()]))).toEqual([
      'adds r0, r0, #1',
      'cmp r1, #5',
      'add.w r0, r0, #1',
      'blt 0xc',
      'adds r0, r0, #1',
      'bx lr',
      'nop',
    ])
  })
  it('keeps carries and drops comparisons that nobody reads', () => {
    const list = [
      code(F.ADD_r, { d: 0, n: 0, m: 2, s: Flags.SET }),
      any('ADC_r', { d: 1, n: 1, m: 3 }),
      compare(1, 9),
      leave(),
    ]
    expect(plain(one(list))).toEqual(['adds r0, r0, r2', 'adcs r1, r1, r3', 'bx lr', 'nop'])
  })
  it('sets them by the instruction before a comparison with 0', () => {
    const loop = [any('SUB_i', { d: 0, n: 0, imm: 1 }), compare(0, 0), branch(0, Cond.NE)]
    expect(plain(one(loop, [leave()]))).toEqual(['subs r0, r0, #1', 'bne 0x0', 'bx lr', 'nop'])
  })
  it('subtracts where that is shorter', () => {
    const list = [code(F.ADD_i, { d: 0, n: 0, imm: -1, s: Flags.SET }), any('ADC_i', { d: 1, n: 1, imm: -1 }), leave()]
    expect(plain(one(list))).toEqual(['subs r0, r0, #1', 'adc r1, r1, #-1', 'bx lr'])
  })
  it('refuses flags that live into a block', () => {
    expect(() => one([branch(1, Cond.EQ)], [leave()])).not.toThrow()
    expect(() => one([branch(2, Cond.EQ)], [any('ADD_i', { d: 0, n: 0, imm: 1 })], [leave()])).toThrow('flags are live')
  })
})

describe('branches', () => {
  it('disappear where they lead to what follows', () => {
    expect(
      plain(
        one(
          [compare(0, 3), branch(1, Cond.LT), branch(2)],
          [any('ADD_i', { d: 0, n: 0, imm: 1 }), branch(2)],
          [leave()],
        ),
      ),
    ).toEqual(['cmp r0, #3', 'bge 0x6', 'adds r0, r0, #1', 'bx lr'])
  })
  it('go where branches lead, return where returns are, and leave no dead blocks', () => {
    const module = one(
      [compare(0, 3), branch(3, Cond.LT), branch(1)],
      [any('ADD_i', { d: 0, n: 0, imm: 1 }), branch(2)],
      [branch(4)],
      [branch(4)],
      [leave()],
      [any('ADD_i', { d: 0, n: 0, imm: 9 }), branch(2)],
    )
    expect(plain(module)).toEqual(['cmp r0, #3', 'blt 0x6', 'adds r0, r0, #1', 'bx lr'])
  })
  it('are CBZ where that reaches', () => {
    const test = (count: number): string[] => plain(one([compare(0, 0), branch(2, Cond.EQ)], filler(count), [leave()]))
    expect(test(31)[0]).toBe('cbz r0, 0x7e')
    expect(test(32)[0]).toBe('cbz r0, 0x82')
    expect(test(33).slice(0, 2)).toEqual(['cmp r0, #0', 'beq 0x88'])
  })
  it.each([
    [62, 2, 2],
    [64, 2, 4],
    [65, 4, 4],
    [1000, 4, 4],
    [262_140, 4, 4],
    [262_145, 6, 6],
  ])('with conditions over %i instructions of 4 bytes take %i bytes, backward %i', (count, forward, back) => {
    for (const backward of [false, true]) {
      const func = backward
        ? build(filler(count), [compare(9, 1), branch(0, Cond.LT)], [leave()])
        : build([compare(9, 1), branch(2, Cond.LT)], filler(count), [leave()])
      const lines = read(emit([func], () => -1))
      const at = lines.findIndex(({ x }) => x.form === F.B)
      const taken = lines.slice(at).filter(({ x }) => x.form === F.B)
      expect(taken.reduce((sum, { x }) => sum + x.size, 0)).toBe(backward ? back : forward)
      const last = taken.at(-1)!
      expect(last.offset + 4 + last.x.imm).toBe(backward ? 0 : lines.find(({ x }) => x.form === F.BX)!.offset)
      if (forward === 6) expect(taken[0]!.x.cond).toBe(Cond.GE)
    }
  })
  it('without conditions take 2 or 4 bytes', () => {
    for (const [count, size] of [
      [511, 2],
      [512, 4],
    ] as const) {
      const lines = read(one([branch(2)], [...filler(count), leave()], [code(F.UDIV, { d: 3, n: 3, m: 3 }), branch(1)]))
      expect(lines[0]!.x.size).toBe(size)
    }
  })
})

/** Blocks that are known by MOVT r11, #block, and the ways out of them. */
interface Way {
  /** Bytes / 4 of filler. */
  readonly size: number
  readonly marked: boolean
  /** Out of the block: 0 falls, 1 jumps, 2 and 3 branch on r1 or r9 being 0 and fall, 4 and 5 branch and jump. */
  readonly out: number
  readonly first: number
  readonly second: number
  readonly literal: boolean
}

describe('flow', () => {
  /** What register n compares as, after so many marks: the same for both walks. */
  const isZero = (marks: number, n: number): boolean => (Math.imul(marks * 31 + n, 0x9e3779b1) >>> 13) % 3 === 0
  const LIMIT = 60

  function walkWays(ways: readonly Way[]): number[] {
    const marks: number[] = []
    for (let at = 0, steps = 0; at < ways.length && marks.length < LIMIT && steps < 2000; steps++) {
      const way = ways[at]!
      if (way.marked) marks.push(at)
      const taken = way.out >= 2 && isZero(marks.length, way.out & 1 ? 9 : 1)
      if (way.out === 1 || taken) at = way.first
      else if (way.out >= 4) at = way.second
      else at++
    }
    return marks
  }

  function walkCode(module: EmittedModule): number[] {
    const lines = new Map(read(module).map(({ offset, x }) => [offset, x]))
    const marks: number[] = []
    let zero = false
    for (let at = 0, steps = 0; marks.length < LIMIT && steps < 300_000; steps++) {
      const x = lines.get(at)
      if (x === undefined) throw new Error(`control at ${at}, where no instruction is`)
      const to = at + 4 + x.imm
      at += x.size
      if (x.form === F.MOVT) marks.push(x.imm)
      else if (x.form === F.CMP_i) zero = isZero(marks.length, x.n)
      else if (x.form === F.CBZ || x.form === F.CBNZ) at = isZero(marks.length, x.n) === (x.form === F.CBZ) ? to : at
      else if (x.form === F.B && (x.cond === Cond.AL || (x.cond === Cond.EQ) === zero)) at = to
      else if (x.form === F.BX) break
    }
    return marks
  }

  it('goes the ways of the blocks, whatever their sizes', () => {
    const ways = fc
      .array(
        fc.record({
          size: fc.oneof(fc.nat(3), fc.nat(40), fc.nat(500), fc.constantFrom(0, 30, 31, 32, 62, 63, 64, 509, 510, 511)),
          marked: fc.boolean(),
          out: fc.nat(5),
          first: fc.nat(1000),
          second: fc.nat(1000),
          literal: fc.boolean(),
        }),
        { minLength: 1, maxLength: 24 },
      )
      .map((list) =>
        list.map((way) => ({ ...way, first: way.first % (list.length + 1), second: way.second % (list.length + 1) })),
      )
    const property = fc.property(ways, (list) => {
      const blocks = list.map((way, index) => {
        const codes: Code[] = []
        if (way.marked) codes.push(code(F.MOVT, { d: 11, imm: index }), ...filler(way.size))
        if (way.marked && way.literal) codes.push(constant(3, index * 0x1010101 + 0x12345))
        if (way.out >= 2) codes.push(compare(way.out & 1 ? 9 : 1, 0), branch(way.first, Cond.EQ))
        if (way.out === 1) codes.push(branch(way.first))
        if (way.out >= 4) codes.push(branch(way.second))
        return codes
      })
      const wanted = walkWays(list)
      const got = walkCode(one(...blocks, [leave()]))
      expect(got).toEqual(wanted)
    })
    fc.assert(property, { numRuns: 250 })
  })
})

describe('constants', () => {
  it('are moves, inverted moves, or words of the pool', () => {
    const module = one([
      constant(0, 7),
      constant(9, 7),
      constant(1, 0x12340000),
      constant(2, -2),
      constant(3, 0xabcd),
      constant(4, 0x12345678),
      leave(),
    ])
    expect(plain(module)).toEqual([
      'movs r0, #7',
      'mov.w r9, #7',
      'ldr r1, [pc, #12]',
      'mvn r2, #1',
      'movw r3, #43981',
      'ldr r4, [pc, #4]',
      'bx lr',
    ])
    expect(module.data).toEqual([[20, 28]])
  })
  it('leave flags alone', () => {
    expect(
      plain(
        one([compare(0, 1), constant(2, 5), branch(2, Cond.EQ)], [any('ADD_i', { d: 1, n: 1, imm: 1 })], [leave()]),
      )[1],
    ).toBe('mov.w r2, #5')
  })
  it('of a high register take MOVW and MOVT unless the word is shared', () => {
    expect(plain(one([constant(8, 0x12345678), leave()]))).toEqual([
      'movw r8, #22136',
      'movt r8, #4660',
      'bx lr',
      'nop',
    ])
    const shared = one([constant(8, 0x12345678), constant(9, 0x12345678), leave()])
    expect(shared.data).toEqual([[12, 16]])
    expect(word(shared, 12)).toBe(0x12345678)
  })
  it('that are addresses have relocations', () => {
    const module = one([
      code(P.CONSTANT, { d: 3, symbol: 5 }),
      code(P.CALL, { m: 3 }),
      code(P.CONSTANT, { d: 3, symbol: 5 }),
      leave(),
    ])
    expect(module.relocations).toEqual([{ offset: 8, type: 2, symbol: 5 }])
    expect(plain(module)[1]).toBe('blx r3')
  })
  it('reach their pools, wherever code is long', () => {
    const property = fc.property(
      fc.array(
        fc.record({ count: fc.nat(900), value: fc.integer({ min: 0, max: 12 }), high: fc.boolean(), ends: fc.nat(3) }),
        { minLength: 1, maxLength: 30 },
      ),
      (parts) => {
        const wanted: { d: number; value: number }[] = []
        const blocks = parts.map(({ count, value, high, ends }, index) => {
          const d = high ? 9 : 4
          wanted.push({ d, value: 0x10203040 + value })
          const list = [
            ...filler(count >> 1),
            constant(d, 0x10203040 + value),
            code(F.STR_i, { d, n: 13 }),
            ...filler(count >> 1),
          ]
          // Its way back keeps the next block alive.
          if (ends === 0) list.push(compare(0, 1), branch(index + 1, Cond.EQ), branch(0))
          return list
        })
        const module = one(...blocks, [leave()])
        const found: { d: number; value: number }[] = []
        let low = 0
        for (const { offset, x } of read(module)) {
          if (x.form === F.LDR_l) {
            const place = ((offset + 4) & ~3) + x.imm
            expect(module.data.some(([start, end]) => start <= place && place < end)).toBe(true)
            found.push({ d: x.d, value: word(module, place) })
          } else if (x.form === F.MOV_i) low = x.imm
          else if (x.form === F.MOVT) found.push({ d: x.d, value: (x.imm << 16) | low })
          else if (x.form === F.B && x.cond === Cond.AL) {
            // Over a pool, or back: never into one.
            const to = offset + 4 + x.imm
            expect(module.data.some(([start, end]) => start <= to && to < end)).toBe(false)
          }
        }
        expect(found).toEqual(wanted)
      },
    )
    fc.assert(property, { numRuns: 40 })
  })
})

describe('IT blocks', () => {
  const move = (d: number, imm: number, cond: number): Code => any('MOV_i', { d, imm, cond })
  it('join up to four instructions under one condition and its inverse', () => {
    const list = [
      compare(0, 1),
      move(1, 1, Cond.EQ),
      move(1, 2, Cond.NE),
      move(2, 3, Cond.NE),
      any('ADD_r', { d: 3, n: 4, m: 5, cond: Cond.EQ }),
      move(5, 1, Cond.EQ),
      move(6, 1, Cond.LT),
      leave(),
    ]
    expect(plain(one(list))).toEqual([
      'cmp r0, #1',
      'iteet eq',
      'moveq r1, #1',
      'movne r1, #2',
      'movne r2, #3',
      'addeq r3, r4, r5',
      'it eq',
      'moveq r5, #1',
      'it lt',
      'movlt r6, #1',
      'bx lr',
      'nop',
    ])
  })
  it('keep flags for later, and may set them', () => {
    const list = [
      compare(0, 1),
      code(F.CMP_i, { n: 1, imm: 2, cond: Cond.EQ, s: Flags.SET }),
      move(2, 1, Cond.EQ),
      leave(),
    ]
    expect(plain(one(list)).slice(0, 4)).toEqual(['cmp r0, #1', 'itt eq', 'cmpeq r1, #2', 'moveq r2, #1'])
  })
})

describe('tables', () => {
  it('branch near, far and back', () => {
    for (const count of [10, 1000, 40_000]) {
      const blocks = [
        [any('ADD_i', { d: 0, n: 0, imm: 1 })],
        [code(P.TABLE_BRANCH, { n: 3, targets: [2, 3, 0] })],
        [...filler(count), leave()],
        [any('ADD_i', { d: 0, n: 0, imm: 2 }), leave()],
      ]
      const module = one(...blocks)
      const lines = read(module)
      const table = lines.find(({ x }) => x.form === F.TBB || x.form === F.TBH)!
      expect(table.x.form).toBe(count === 1000 ? F.TBH : F.TBB)
      const base = table.offset + 4
      const size = count === 1000 ? 2 : 1
      const places = [0, 1, 2].map((index) => {
        const at = base + index * size
        const entry = size === 1 ? module.code[at]! : module.code[at]! | (module.code[at + 1]! << 8)
        const place = base + entry * 2
        const stub = lines.find(({ offset }) => offset === place)!
        return stub.x.form === F.B ? place + 4 + stub.x.imm : place
      })
      const last = lines.findLastIndex(({ x }) => x.form === F.ADD_i)
      expect(places).toEqual([
        lines[2]!.x.form === F.B ? lines.find(({ x }) => x.form === F.UDIV)!.offset : lines[2]!.offset,
        lines[last]!.offset,
        0,
      ])
    }
  })
})

describe('modules', () => {
  it('resolve calls within, keep those without, align functions and push what they must', () => {
    const first = build([
      code(F.STMDB, { n: 13, imm: 1 << 8, index: Index.PRE }),
      code(P.CALL, { symbol: 7 }),
      code(P.CALL, { symbol: 9 }),
      leave(),
    ])
    const second = build([any('ADD_i', { d: 0, n: 0, imm: 1, origin: 4 }), leave()])
    const module = emit([first, second], (symbol) => (symbol === 7 ? 1 : -1))
    expect(texts(module)).toEqual([
      '0: str.w r8, [sp, #-4]!',
      '4: bl 0x10',
      '8: bl 0x8',
      'c: bx lr',
      'e: nop',
      '10: adds r0, r0, #1',
      '12: bx lr',
    ])
    expect(module.relocations).toEqual([{ offset: 8, type: 10, symbol: 9 }])
    expect(module.functions.map(({ offset, size }) => [offset, size])).toEqual([
      [0, 16],
      [16, 4],
    ])
    expect(module.lines).toEqual([
      { offset: 0, slot: -1 },
      { offset: 16, slot: 4 },
      { offset: 18, slot: -1 },
    ])
  })
  it('align what branches in loops lead to, if it begins with a 32-bit instruction', () => {
    const divide = (): Code => code(F.UDIV, { d: 0, n: 1, m: 2 })
    const loop = (...before: Code[]): string[] => {
      const func = build(before, [divide(), compare(0, 3), branch(1, Cond.LT)], [leave()])
      func.blocks[1]!.loopDepth = 1
      return plain(emit([func], () => -1)).slice(0, before.length + 1)
    }
    // By a wider encoding, or a NOP where there is none.
    expect(loop(any('ADD_i', { d: 0, n: 0, imm: 1 }))).toEqual(['add.w r0, r0, #1', 'udiv r0, r1, r2'])
    expect(loop(compare(3, 0), branch(2, Cond.EQ)).slice(1)).toEqual(['nop', 'udiv r0, r1, r2'])
    const small = build(
      [any('ADD_i', { d: 0, n: 0, imm: 1 })],
      [divide(), compare(0, 3), branch(1, Cond.LT)],
      [leave()],
    )
    small.blocks[1]!.loopDepth = 1
    expect(plain(emit([small], () => -1, false))[0]).toBe('adds r0, r0, #1')
    const inside = build(
      [],
      [divide(), compare(0, 3), branch(3, Cond.LT)],
      [any('ADD_i', { d: 0, n: 0, imm: 1 })],
      [divide(), compare(0, 3), branch(1, Cond.LT)],
      [leave()],
    )
    for (const block of inside.blocks.slice(1, 4)) block.loopDepth = 1
    expect(plain(emit([inside], () => -1)).slice(3, 5)).toEqual(['add.w r0, r0, #1', 'udiv r0, r1, r2'])
  })
  it('stay near-linear', () => {
    const blocks: Code[][] = []
    const count = 40_000
    for (let i = 0; i < count; i++) {
      const list = [
        any('ADD_i', { d: i & 7, n: i & 7, imm: i & 255 }),
        constant(i & 3, Math.imul(i, 0x01234567)),
        compare(2, 0),
      ]
      list.push(branch(Math.min(count, i + ((i * 7919) % 90)), i & 1 ? Cond.EQ : Cond.LT))
      blocks.push(list)
    }
    const func = build(...blocks, [leave()])
    // What grew with the square of the length would exceed the test's time limit.
    const module = emit([func], () => -1)
    expect(read(module).length).toBeGreaterThan(count * 3)
  })
})
