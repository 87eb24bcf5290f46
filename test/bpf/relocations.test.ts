// Addresses in objects: data, functions and maps by relocation, written by hand; kinds, order and alignment of sections; what of it
// is refused.

import { describe, expect, it } from 'vitest'
import { InputError, RejectedError } from '../../src/base/errors.ts'
import { assemble } from '../../src/bpf/asm.ts'
import { disassemble } from '../../src/bpf/disasm.ts'
import { DEFAULT_MAP_BASE, interpret } from '../../src/bpf/interpret.ts'
import { placeOracleMaps } from '../../src/bpf/map-oracle.ts'
import type { Program } from '../../src/bpf/program.ts'
import { readProgram } from '../../src/bpf/read.ts'
import { COMMON, writeElf, type TestSection, type TestSymbol } from './support.ts'

const OBJECT = 1
const SECTION = 3
const LOCAL = 0

function words(...values: number[]): Uint8Array {
  return new Uint8Array(Uint32Array.from(values).buffer)
}

/** An object of one function and these sections, relocations of the text by symbol number (1 is the function). */
function object(
  code: string,
  relocations: readonly [slot: number, symbol: number, type?: number][],
  sections: readonly TestSection[],
  symbols: readonly TestSymbol[],
): Uint8Array {
  return writeElf(
    [
      {
        name: 'prog',
        bytes: assemble(code),
        relocations: relocations.map(([slot, symbol, type]) => ({ offset: slot * 8, type: type ?? 1, symbol })),
      },
      ...sections,
    ],
    [{ name: 'entry', section: 0 }, ...symbols],
  )
}

function run(program: Program): bigint | string {
  const { outcome } = interpret(program)
  return outcome.kind === 'returned' ? outcome.r0 : outcome.message
}

describe('addresses of data', () => {
  it('come from section symbols with an addend, from named ones, and from COMMON', () => {
    const program = readProgram(
      object(
        `lddw %r1, 4
         ldxw %r0, [%r1]
         lddw %r2, 0
         ldxw %r3, [%r2]
         add %r0, %r3
         lddw %r4, 0
         stxw [%r4+4], %r0
         ldxw %r0, [%r4+4]
         exit`,
        [
          [0, 2],
          [3, 3],
          [7, 4],
        ],
        [{ name: '.data', bytes: words(1, 20, 300), executable: false, align: 4 }],
        [
          { name: '', section: 1, type: SECTION, binding: LOCAL },
          { name: 'third', section: 1, value: 8, size: 4, type: OBJECT },
          { name: 'shared', section: COMMON, value: 8, size: 16, type: OBJECT },
        ],
      ),
    )
    expect(run(program)).toBe(320n)
    expect(program.data.map(({ name, kind, size, align }) => ({ name, kind, size, align }))).toEqual([
      { name: '.data', kind: 'data', size: 12, align: 4 },
      { name: 'shared', kind: 'bss', size: 16, align: 8 },
    ])
    expect(disassemble(program).filter((line) => line.endsWith(' ll'))).toEqual([
      '  r1 = .data+4 ll',
      '  r2 = .data+8 ll',
      '  r4 = shared ll',
    ])
    expect(program.instructions[0]).toMatchObject({
      imm: 0,
      immHigh: 0,
      reference: { kind: 'data', section: 0, offset: 4 },
    })
  })

  it('may lie before and behind their section', () => {
    const program = readProgram(
      object(
        'lddw %r1, -8\nldxw %r0, [%r1+8]\nexit',
        [[0, 2]],
        [{ name: '.data', bytes: words(7), executable: false }],
        [{ name: '', section: 1, type: SECTION, binding: LOCAL }],
      ),
    )
    expect(program.instructions[0]!.reference).toEqual({ kind: 'data', section: 0, offset: -8 })
    expect(run(program)).toBe(7n)
  })

  it('reach other sections and functions through pointers; what they do not reach is left out', () => {
    const sections: TestSection[] = [
      { name: '.rodata', bytes: words(5), executable: false },
      { name: '.data.unused', bytes: words(0, 0), executable: false, relocations: [{ offset: 0, type: 2, symbol: 6 }] },
      {
        name: '.data',
        bytes: words(0, 0, 0, 8, 0),
        executable: false,
        align: 4,
        relocations: [
          { offset: 12, type: 2, symbol: 7 },
          { offset: 0, type: 2, symbol: 2 },
          { offset: 8, type: 3, symbol: 3 },
        ],
      },
      { name: 'more', bytes: assemble('r0 = 1\nr0 += 1\nexit\nr0 = r1\nr0 += 30\nexit') },
    ]
    const program = readProgram(
      object(
        `lddw %r6, 0
         ldxdw %r7, [%r6]
         ldxw %r1, [%r7]
         ldxw %r2, [%r6+8]
         callx %r2
         r6 = *(u32 *)(r6 + 16)
         r0 += r6
         exit`,
        [[0, 5]],
        sections,
        [
          { name: 'five', section: 1, type: OBJECT },
          { name: 'plus_thirty', section: 4, value: 24, size: 24 },
          { name: 'unused', section: 4, size: 24 },
          { name: 'table', section: 3, type: OBJECT },
          { name: 'missing', section: -1, type: 0 },
          { name: '', section: 3, type: SECTION, binding: LOCAL },
        ],
      ),
    )
    expect(program.data.map(({ name }) => name)).toEqual(['.rodata', '.data'])
    expect(program.functions.map(({ name }) => name)).toEqual(['entry', 'plus_thirty'])
    expect(program.data[1]!.pointers).toEqual([
      { offset: 0, width: 8, target: { kind: 'data', section: 0, offset: 0 } },
      { offset: 8, width: 4, target: { kind: 'function', index: 1 } },
      { offset: 12, width: 8, target: { kind: 'data', section: 1, offset: 8 } },
    ])
    expect(run(program)).toBe(35n)
    expect(interpret(program, { functionAddresses: [0x101, 0x7001] }).outcome).toMatchObject({ r0: 35n })
  })

  it('can be chosen, and the bytes be kept', () => {
    const program = readProgram(
      object(
        'lddw %r1, 0\nldxw %r0, [%r1]\nadd %r0, 1\nstxw [%r1], %r0\nexit',
        [[0, 2]],
        [{ name: '.data', bytes: words(7), executable: false }],
        [{ name: 'counter', section: 1, type: OBJECT }],
      ),
    )
    const bytes = words(41)
    expect(interpret(program, { dataAddresses: [0x4000], data: [bytes] }).outcome).toMatchObject({ r0: 42n })
    expect(bytes).toEqual(words(42))
    expect(interpret(program, { data: 'memory' }).outcome.kind).toBe('trapped')
  })

  it.each([
    ['are not written where they are constants', '.rodata', 'memory access outside of every region'],
    ['are written elsewhere', '.data', 1n],
  ])('%s', (_, name, result) => {
    const program = readProgram(
      object(
        'lddw %r1, 0\nstw [%r1], 3\nmov %r0, 1\nexit',
        [[0, 2]],
        [{ name, bytes: words(7), executable: false }],
        [{ name: 'it', section: 1, type: OBJECT }],
      ),
    )
    expect(run(program)).toBe(result)
  })
})

describe('addresses of functions', () => {
  const table = (target: string): Program =>
    readProgram(
      object(
        `${target}\ncallx %r1\nexit`,
        [[0, 2]],
        [{ name: 'more', bytes: assemble('r0 = 77\nexit') }],
        [{ name: 'seventy_seven', section: 1 }],
      ),
    )
  it('are called', () => {
    const program = table('lddw %r1, 0')
    expect(run(program)).toBe(77n)
    expect(disassemble(program)[1]).toBe('  r1 = seventy_seven ll')
  })
  it('count with all 64 bits, and with bit 0', () => {
    expect(run(table('lddw %r1, 0\nlddw %r2, 0x100000000\nadd %r1, %r2'))).toBe('call of a helper that was not granted')
    expect(run(table('lddw %r1, 0\nsub %r1, 1'))).toBe('call of a helper that was not granted')
  })
  it('of less than 256 are helpers', () => {
    const fn = (): bigint => 5n
    const helpers = {
      helpers: new Map([
        [255, { name: 'five', fn }],
        [256, { name: 'never', fn }],
      ]),
    }
    const called = (number: number): string =>
      interpret(readProgram(assemble(`r1 = ${number}\ncallx r1\nexit`)), { helpers }).outcome.kind
    expect([called(255), called(256), called(254)]).toEqual(['returned', 'trapped', 'trapped'])
  })
  it('are counted among the calls that nest', () => {
    const deep = readProgram(object('lddw %r1, 0\ncallx %r1\nexit', [[0, 1]], [], []))
    expect(run(deep)).toBe('calls nested too deep')
  })
})

describe('maps of section maps', () => {
  const legacy = (bytes: Uint8Array, addend = 0, size = bytes.length): Uint8Array =>
    object(
      `lddw %r0, ${addend}\nexit`,
      [[0, 2]],
      [{ name: 'maps', bytes, executable: false }],
      [{ name: 'counts', section: 1, type: OBJECT, size }],
    )
  it('are five numbers, and zeros', () => {
    const program = readProgram(legacy(words(1, 4, 8, 100, 1, 0, 0)))
    expect(program.maps).toEqual([{ name: 'counts', type: 1, keySize: 4, valueSize: 8, maxEntries: 100, flags: 1 }])
    expect(program.instructions[0]!.reference).toEqual({ kind: 'map', index: 0 })
    expect(disassemble(program)[1]).toBe('  r0 = map[counts] ll')
    expect(interpret(program).outcome).toMatchObject({ r0: BigInt(DEFAULT_MAP_BASE) })
    const maps = placeOracleMaps(program.maps, 0x1238)
    expect(interpret(program, { maps }).outcome).toMatchObject({ r0: 0x1238n })
    expect(() => interpret(program, { maps: [] })).toThrow('the program has 1 maps, 0 are given')
  })
  it('may have no size', () => expect(readProgram(legacy(words(1, 4, 8, 100, 1), 0, 0)).maps).toHaveLength(1))
  it.each([
    ['too short', legacy(words(1, 4, 8, 100)), 'has 16 bytes in section maps, must have 20 to 256'],
    [
      'more than that',
      legacy(words(1, 4, 8, 100, 0, 0, 9)),
      'bytes other than 0 after the 20 of struct bpf_map_def, at byte 24',
    ],
    ['not at its start', legacy(words(1, 4, 8, 100, 1), 4), 'byte 4 of section maps is not the start of a map'],
  ])('are refused: %s', (_, bytes, message) => {
    expect(() => readProgram(bytes)).toThrow(RejectedError)
    expect(() => readProgram(bytes)).toThrow(message)
  })
})

describe('large objects', () => {
  it('of 40,000 instructions, half of them addresses, are read in little time', () => {
    const line = 'lddw %r1, 4\nldxw %r0, [%r1]\n'
    const bytes = assemble(`${line}exit`)
    const count = 20_000
    const text = new Uint8Array(count * 24 + 8)
    for (let index = 0; index < count; index++) text.set(bytes.subarray(0, 24), index * 24)
    text.set(bytes.subarray(24), count * 24)
    const relocations = Array.from({ length: count }, (_, index) => ({ offset: index * 24, type: 1, symbol: 2 }))
    const whole = writeElf(
      [
        { name: 'prog', bytes: text, relocations },
        { name: '.data', bytes: words(1, 2), executable: false },
      ],
      [
        { name: 'entry', section: 0 },
        { name: '', section: 1, type: SECTION, binding: LOCAL },
      ],
    )
    const start = performance.now()
    const program = readProgram(whole)
    expect(performance.now() - start).toBeLessThan(2000)
    expect(program.instructions.length).toBe(40_001)
    expect(run(program)).toBe(2n)
  })
})

describe('data that makes no sense', () => {
  const related = (section: Partial<TestSection>, symbol: Partial<TestSymbol> = {}): Uint8Array =>
    object(
      'lddw %r1, 0\nexit',
      [[0, 2]],
      [{ name: '.data', bytes: new Uint8Array(16), executable: false, ...section }],
      [
        { name: 'it', section: 1, type: OBJECT, ...symbol },
        { name: 'missing', section: -1, type: 0 },
      ],
    )
  const pointer = (offset: number, type = 2, symbol = 2): { offset: number; type: number; symbol: number } => ({
    offset,
    type,
    symbol,
  })
  it.each([
    ['a pointer past the end', related({ relocations: [pointer(12)] }), 'a pointer at byte 12 of section .data'],
    ['pointers that overlap', related({ relocations: [pointer(0), pointer(4)] }), 'a pointer at byte 4'],
    ['an odd alignment', related({ align: 12 }), 'aligned to 12 bytes, must be a power of two up to 4096'],
    ['a section that is not there', related({}, { section: 50 }), "symbol 'it' is in section 51, there are"],
    [
      'COMMON without end',
      related({}, { section: COMMON, value: 1, size: 0x7fff_ffff }),
      'at most 16777216 are allowed',
    ],
  ])('%s', (_, bytes, message) => {
    expect(() => readProgram(bytes)).toThrow(InputError)
    expect(() => readProgram(bytes)).toThrow(message)
  })
  it.each([
    ['a pointer to nothing', related({ relocations: [pointer(8, 2, 3)] }), /^\.data: byte 8 is a pointer to 'missing'/],
    ['a call in data', related({ relocations: [pointer(8, 10)] }), "R_BPF_64_32 of 'it' is not supported in data"],
    ['no data', related({ allocated: false }), "'it' in section .data, which holds no data"],
    ['no section', related({}, { section: 0xfff0 }), "'it', which lies in no section"],
  ])('%s', (_, bytes, message) => {
    expect(() => readProgram(bytes)).toThrow(RejectedError)
    expect(() => readProgram(bytes)).toThrow(message)
  })
  it('inside of a function', () => {
    const bytes = object('lddw %r1, 8\nexit', [[0, 1]], [], [])
    expect(() => readProgram(bytes)).toThrow(
      'byte 8 of prog, which is not the start of a function [address-into-function]',
    )
  })
})
