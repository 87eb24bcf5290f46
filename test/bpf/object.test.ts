// Objects: entries, calls between functions and sections, what is refused by name; written by hand, and by clang.

import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { InputError, RejectedError } from '../../src/base/errors.ts'
import { assemble } from '../../src/bpf/asm.ts'
import { interpret } from '../../src/bpf/interpret.ts'
import type { Program } from '../../src/bpf/program.ts'
import { readProgram } from '../../src/bpf/read.ts'
import { describeWith, tool } from '../support/tools.ts'
import { writeElf } from './support.ts'

const LOCAL = 0
const SECTION = 3
const run = (program: Program): bigint | string => {
  const { outcome } = interpret(program)
  return outcome.kind === 'returned' ? outcome.r0 : outcome.message
}
const two = assemble('r0 = 1\nexit\nr0 = 2\nexit')

/** An object whose functions have these names; the first returns 1, the second 2. */
function object(...names: string[]): Uint8Array {
  return writeElf(
    [{ name: '.text', bytes: two }],
    names.map((name, index) => ({ name, section: 0, value: index * 16, size: 16 })),
  )
}

/** An object with one relocation at its first instruction. */
function related(type: number, symbol: number, code = 'call local -1\nexit'): Uint8Array {
  return writeElf(
    [
      { name: '.text', bytes: assemble(code), relocations: [{ offset: 0, type, symbol }] },
      { name: '.data', bytes: new Uint8Array(8), executable: false },
    ],
    [
      { name: 'entry', section: 0 },
      { name: 'missing', section: -1, type: 0 },
      { name: 'counter', section: 1, type: 1 },
    ],
  )
}

describe('the entry', () => {
  it('is the only global function', () => expect(run(readProgram(object('first')))).toBe(1n))
  it('is the one that is asked for', () => {
    expect(run(readProgram(object('first', 'second'), { entry: 'second' }))).toBe(2n)
    expect(readProgram(object('first', 'second'), { entry: 'second' }).functions).toHaveLength(1)
  })
  it('is called entry or main', () => {
    expect(run(readProgram(object('first', 'entry')))).toBe(2n)
    expect(run(readProgram(object('first', 'main')))).toBe(2n)
  })
  it('is the only one in a named section', () => {
    const sections = [
      { name: '.text', bytes: two },
      { name: 'sensor', bytes: assemble('r0 = 3\nexit') },
    ]
    const symbols = [
      { name: 'main', section: 0, size: 16 },
      { name: 'b', section: 0, value: 16, size: 16 },
      { name: 'read', section: 1, size: 16 },
    ]
    const program = readProgram(writeElf(sections, symbols))
    expect(run(program)).toBe(3n)
    expect(program.functions[program.entry]).toMatchObject({ name: 'read', section: 'sensor', global: true })
  })
  it('is refused with the names that there are', () => {
    expect(() => readProgram(object('first', 'second'))).toThrow(
      '2 global functions; name the entry (--entry NAME, the option entry): there are: first, second',
    )
    expect(() => readProgram(object('first', 'second'), { entry: 'secnod' })).toThrow(
      "no global function 'secnod'; there are: first, second; did you mean 'second'?",
    )
    expect(() => readProgram(object())).toThrow('no global function')
    expect(() => readProgram(two, { entry: 'main' })).toThrow("the one entry 'entry'")
  })
  it('may be a label without a size', () => {
    const symbols = [
      { name: 'a', section: 0, type: 0 },
      { name: 'b', section: 0, value: 16, type: 0 },
    ]
    expect(run(readProgram(writeElf([{ name: '.text', bytes: two }], symbols), { entry: 'b' }))).toBe(2n)
  })
})

describe('calls', () => {
  it('are placed again over sections, by symbol, section symbol and distance', () => {
    const text = assemble('r0 = 9\nexit\nr0 = 100\nexit\nr0 = 20\nexit')
    const program = assemble(
      'call local -1\nr6 = r0\ncall local +3\nr6 += r0\ncall local +2\nr0 += r6\nexit\nr0 = 3\nexit',
    )
    const symbols = [
      { name: 'unused', section: 0, size: 16 },
      { name: 'hundred', section: 0, value: 16, size: 16 },
      { name: 'twenty', section: 0, value: 32, size: 16, binding: LOCAL },
      { name: '', section: 0, type: SECTION, binding: LOCAL },
      { name: 'go', section: 1, size: 56 },
      { name: 'three', section: 1, value: 56, size: 16, binding: LOCAL },
    ]
    // hundred by its symbol; twenty as .text + 4 * 8; three is resolved already.
    const relocations = [
      { offset: 0, type: 10, symbol: 2 },
      { offset: 16, type: 10, symbol: 4 },
    ]
    const read = readProgram(
      writeElf(
        [
          { name: '.text', bytes: text },
          { name: 'prog', bytes: program, relocations },
        ],
        symbols,
      ),
    )
    expect(run(read)).toBe(123n)
    expect(read.functions.map(({ name }) => name)).toEqual(['hundred', 'twenty', 'go', 'three'])
    expect(read.functions[read.entry]!.name).toBe('go')
  })

  it.each([
    ['undefined functions', related(10, 2), "calls 'missing', which is not defined", 'undefined-function'],
    ['data', related(10, 3), 'calls byte 0 of .data, which is not the start of a function', 'call-into-function'],
    ['an address elsewhere', related(1, 3, 'exit'), "R_BPF_64_64 of 'counter' is not at an lddw", 'relocation'],
    [
      'missing variables',
      related(1, 2, 'lddw %r0, 0\nexit'),
      "the address of 'missing', which is not defined",
      'undefined-symbol',
    ],
    ['other relocations', related(3, 3), "R_BPF_64_ABS32 of 'counter' is not supported in code", 'relocation'],
    ['unknown relocations', related(77, 3), "relocation type 77 of 'counter'", 'relocation'],
    ['a call relocation elsewhere', related(10, 1, 'exit'), "R_BPF_64_32 of 'entry' is not at a call", 'relocation'],
  ])('to %s are refused by name', (_, bytes, message, code) => {
    expect(() => readProgram(bytes)).toThrow(RejectedError)
    expect(() => readProgram(bytes)).toThrow(
      expect.objectContaining({
        rejections: [{ code, place: { function: 'entry', slot: 0 }, message: expect.stringContaining(message) }],
      }),
    )
  })

  it('that are not reached may be anything', () => {
    const sections = [
      {
        name: '.text',
        bytes: assemble('r0 = 1\nexit\nlddw %r0, 0\nexit'),
        relocations: [{ offset: 16, type: 1, symbol: 1 }],
      },
    ]
    const program = readProgram(
      writeElf(sections, [
        { name: 'entry', section: 0, size: 16 },
        { name: 'other', section: 0, value: 16, size: 24 },
      ]),
    )
    expect(program.instructions).toHaveLength(2)
  })
})

describe('files that are no BPF objects', () => {
  const good = writeElf([{ name: '.text', bytes: two }], [{ name: 'f', section: 0 }])
  const changed = (at: number, ...bytes: number[]): Uint8Array => {
    const copy = good.slice()
    copy.set(bytes, at)
    return copy
  }
  it.each([
    ['32-bit', changed(4, 1), 'a 32-bit ELF file'],
    ['big-endian', changed(5, 2), 'a big-endian ELF file'],
    ['for ARM', changed(18, 40), 'for machine 40, must be 247'],
    ['linked', changed(16, 3), 'type 3, must be 1'],
    ['without sections', changed(60, 0, 0), 'no sections'],
    ['with sections past the end', changed(40, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff), 'the file has'],
    ['cut off', good.subarray(0, 40), 'cut off'],
    ['cut off later', good.subarray(0, good.length - 8), 'the table of sections ends at byte'],
  ])('%s', (_, bytes, message) => {
    expect(() => readProgram(bytes)).toThrow(InputError)
    expect(() => readProgram(bytes)).toThrow(message)
  })

  it.each([
    [
      'overlapping functions',
      [
        { name: 'a', section: 0, size: 24 },
        { name: 'b', section: 0, value: 16, size: 16 },
      ],
      'functions a and b of section .text overlap',
    ],
    ['a function past its section', [{ name: 'a', section: 0, size: 40 }], 'function a takes bytes 0 to 40'],
    [
      'a function between instructions',
      [{ name: 'a', section: 0, value: 4, size: 8 }],
      'function a takes bytes 4 to 12',
    ],
  ])('%s', (_, symbols, message) => {
    expect(() => readProgram(writeElf([{ name: '.text', bytes: two }], symbols))).toThrow(message)
  })
})

describeWith(['clang-19'], 'objects of clang', () => {
  const source = `
    static __attribute__((noinline)) int local(int a) { asm volatile(""); return a * 3; }
    __attribute__((noinline)) int global(int a) { asm volatile(""); return a + 1; }
    __attribute__((section("other"), noinline)) long far_away(int a) { asm volatile(""); return local(a) - 2; }
    extern int counter;
    __attribute__((noinline)) long uses_data(void) { return counter++; }
    __attribute__((section("sensor"))) unsigned long sample(char *ctx, unsigned long len) { return local(len) + global(7) + far_away(5); }
    int broken(void) { return uses_data(); }
  `
  it.each(['v2', 'v3', 'v4'])('with calls between sections, for CPU %s', (cpu) => {
    const folder = mkdtempSync(join(tmpdir(), 'thumbpf-'))
    try {
      writeFileSync(join(folder, 'a.c'), source)
      execFileSync(
        tool('clang-19') ?? 'clang-19',
        ['-target', 'bpf', `-mcpu=${cpu}`, '-O2', '-g', '-c', 'a.c', '-o', 'a.o'],
        { cwd: folder },
      )
      const bytes = readFileSync(join(folder, 'a.o'))
      const program = readProgram(bytes, { entry: 'sample' })
      expect(interpret(program, { r2: 10 }).outcome).toEqual({ kind: 'returned', r0: 30n + 8n + 13n })
      expect(() => readProgram(bytes, { entry: 'broken' })).toThrow(
        /a.c:6, uses_data, instruction 0: loads the address of 'counter', which is not defined .*undefined-symbol/,
      )
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})
