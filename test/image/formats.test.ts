// What `compile` writes for others: objects linked by GNU ld, C source compiled by gcc, bytes at an address. Each is placed in the
// simulator's memory by itself and must give what the program gives natively; helpers are functions of C.

import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'

import { parseHelperHeader } from '../../src/bpf/prototypes.ts'
import { compile } from '../../src/compile.ts'
import { formatElf } from '../../src/image/format-elf.ts'
import { formatFlat, formatMap } from '../../src/image/format-flat.ts'
import { formatC, formatRust, identifier } from '../../src/image/format-source.ts'
import { type Image, Reloc } from '../../src/image/image.ts'
import { callFunction } from '../../src/machine/call.ts'
import { Simulator } from '../../src/machine/sim/simulator.ts'
import { compileForBpf, expectedResults, objectInputs, objectTools } from '../support/objects.ts'
import { describeWith, requireTools, tool } from '../support/tools.ts'

const CODE = 0x1000
const RAM = 0x2000_8000
const CTX = 0x2000_0000
const ENV = 0x2000_0100
const STACK = 0x2000_7000
const RETURN = 0x0800

const folder = mkdtempSync(join(tmpdir(), 'thumbpf-formats-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const hex = (value: number): string => `0x${value.toString(16)}`
const at = (name: string): string => join(folder, name)
const run = (program: string, ...args: string[]): string =>
  execFileSync(`arm-none-eabi-${program}`, args, { encoding: 'utf8' })

/** What stands where in memory. */
type Pieces = { readonly address: number; readonly bytes: Uint8Array }[]

/** What GNU ld makes of objects, and addresses of its symbols. */
function linked(...objects: string[]): { pieces: Pieces; symbols: Map<string, number> } {
  run(
    'ld',
    '-o',
    at('out.elf'),
    `-Ttext=${hex(CODE)}`,
    `-Tdata=${hex(RAM)}`,
    '-e',
    '0',
    '--no-warn-rwx-segments',
    ...objects,
  )
  const pieces: Pieces = []
  for (const [, name, , address, offset, size] of run('readelf', '-SW', at('out.elf')).matchAll(
    /\] (\.\S+)\s+(PROGBITS)\s+([0-9a-f]{8}) ([0-9a-f]{6}) ([0-9a-f]{6}) \w+ +\w*A/g,
  )) {
    const start = Number.parseInt(offset!, 16)
    const bytes = readFileSync(at('out.elf')).subarray(start, start + Number.parseInt(size!, 16))
    expect(name).toMatch(/^\./)
    if (bytes.length === 0) continue
    pieces.push({ address: Number.parseInt(address!, 16), bytes })
  }
  const symbols = [...run('nm', at('out.elf')).matchAll(/^([0-9a-f]{8}) [TtDdRrBb] (\S+)$/gm)]
  return { pieces, symbols: new Map(symbols.map(([, address, name]) => [name!, Number.parseInt(address!, 16)])) }
}

/** Calls an entry at an address with each of the inputs, as firmware would that has just started. */
async function callAll(pieces: Pieces, entry: number) {
  const results = []
  for (const { ctx, len } of objectInputs) {
    const machine = new Simulator()
    machine.writeSync(RETURN, Uint8Array.of(0xff, 0xbe))
    for (const { address, bytes } of pieces) machine.writeSync(address, bytes)
    machine.writeSync(CTX, ctx)
    machine.writeSync(ENV, new Uint8Array(new Uint32Array([0, 0, 0, CTX, len, 0, 0, 0]).buffer))
    const result = await callFunction(machine, {
      address: entry | 1,
      args: [CTX, len, ENV],
      stackTop: STACK,
      returnAddress: RETURN,
      limits: { instructions: 1e6 },
    })
    const r0 = result.kind === 'returned' ? (BigInt(result.high) << 32n) | BigInt(result.low) : result
    results.push({ r0, ctx: machine.readSync(CTX, ctx.length) })
  }
  return results
}

const programs = ['function-table', 'bss-and-data', 'string-compare', 'recursion', 'vtable', 'switch-values']
const imageOf = (program: string, positionIndependent = false): Image =>
  compile(compileForBpf(program, { cpu: 'v3', level: '-O2', debug: true }), { positionIndependent })

describeWith([...objectTools, 'arm-none-eabi-ld'], 'objects for GNU ld', () => {
  for (const program of programs) {
    it(`of ${program} give what C gives`, async () => {
      const image = imageOf(program)
      writeFileSync(
        at('program.o'),
        formatElf(image, { name: 'a_program', lineOf: (slot) => ({ file: 'x.c', line: slot + 1 }) }),
      )
      const { pieces, symbols } = linked(at('program.o'))
      expect(await callAll(pieces, symbols.get('a_program')!)).toEqual(expectedResults(program))
    })
  }
  it('have only relocations that LLEXT handles, and sizes and types', () => {
    for (const program of programs) {
      writeFileSync(at('program.o'), formatElf(imageOf(program)))
      const types = new Set([...run('readelf', '-rW', at('program.o')).matchAll(/R_ARM_\w+/g)].map(([type]) => type))
      for (const type of types) expect(['R_ARM_ABS32', 'R_ARM_THM_CALL']).toContain(type)
      const functions = [
        ...run('readelf', '-sW', at('program.o')).matchAll(/\d+: ([0-9a-f]+)\s+(\d+) FUNC\s+\w+ +DEFAULT +(\d+)/g),
      ]
      expect(functions.length).toBe(imageOf(program).symbols.filter(({ kind }) => kind === 'function').length)
      // A section each, at its start, bit 0 set.
      expect(new Set(functions.map(([, , , section]) => section)).size).toBe(functions.length)
      for (const [, value, size] of functions)
        expect([Number.parseInt(value!, 16), Number(size) > 0]).toEqual([1, true])
      expect(run('readelf', '-A', at('program.o'))).toMatch(/Tag_CPU_arch: v7E-M/)
    }
  })
  it('tell a debugger the C lines', () => {
    writeFileSync(
      at('program.o'),
      formatElf(imageOf('recursion'), {
        lineOf: (slot) => ({ file: slot % 2 === 0 ? 'even.c' : 'odd.c', line: 1000 + slot }),
      }),
    )
    run('ld', '-o', at('out.elf'), `-Ttext=${hex(CODE)}`, '-e', '0', at('program.o'))
    const image = imageOf('recursion')
    const table = run('objdump', '--dwarf=decodedline', at('out.elf'))
    const rows = [...table.matchAll(/^(even|odd)\.c\s+(\d+)\s+0x([0-9a-f]+)/gm)]
    expect(rows.length).toBeGreaterThan(5)
    for (const [, file, line, address] of rows) {
      const slot = Number(line) - 1000
      expect(file).toBe(slot % 2 === 0 ? 'even' : 'odd')
      // ld places the sections in our order, aligned to 4 as they were.
      const offset = Number.parseInt(address!, 16) - CODE
      const begins = image.symbols.some((symbol) => symbol.kind === 'function' && symbol.offset === offset)
      expect(begins || image.lines.some((entry) => entry.slot === slot && entry.offset === offset)).toBe(true)
    }
    expect(run('objdump', '-d', '-l', at('out.elf'))).toMatch(/(even|odd)\.c:10\d\d/)
  })
  it.skipIf(tool('gdb-multiarch') === undefined && !requireTools)('show their lines in GDB', () => {
    writeFileSync(
      at('program.o'),
      formatElf(imageOf('recursion'), { lineOf: (slot) => ({ file: 'lines.c', line: 1000 + slot }) }),
    )
    run('ld', '-o', at('out.elf'), `-Ttext=${hex(CODE)}`, '-e', '0', at('program.o'))
    const image = imageOf('recursion')
    const asked = image.lines.filter(({ slot }) => slot >= 0)
    const commands = asked.flatMap(({ offset }) => ['-ex', `info line *${CODE + offset}`])
    const answers = execFileSync('gdb-multiarch', ['-nx', '-batch', ...commands, at('out.elf')], { encoding: 'utf8' })
    const lines = [...answers.matchAll(/^Line (\d+) of "lines\.c"/gm)].map(([, line]) => Number(line))
    expect(lines).toEqual(asked.map(({ slot }) => 1000 + slot))
  })
  it.skipIf(tool('ld.lld') === undefined && !requireTools)('are linked by lld to the same bytes', () => {
    for (const program of programs) {
      writeFileSync(at('program.o'), formatElf(imageOf(program)))
      const options = ['-e', '0', '-o', at('out.elf'), '-T', at('places.ld'), at('program.o')]
      writeFileSync(
        at('places.ld'),
        `SECTIONS { .text ${CODE} : { *(.text.*) *(.rodata*) } =0 .data ${RAM} : { *(.data*) *(.bss*) } /DISCARD/ : { *(.ARM.*) } }`,
      )
      const bytes = ['arm-none-eabi-ld', 'ld.lld'].map((linker) => {
        execFileSync(linker, options, { stdio: 'pipe' })
        run('objcopy', '-O', 'binary', '-j', '.text', at('out.elf'), at('out.bin'))
        return readFileSync(at('out.bin'))
      })
      expect(bytes[1]!.equals(bytes[0]!)).toBe(true)
    }
  })
  it('call helpers of C by their names', async () => {
    const header =
      'THUMBPF_HELPER(7) unsigned int twice(unsigned int x);\nTHUMBPF_HELPER(9) long long mix(long long a, short b, void *p);'
    const { prototypes } = helpersOf(header)
    const source = `r6 = r1\nr1 = r2\ncall 7\nr7 = r0\nr1 = r7\nr1 <<= 33\nr2 = 0x12345\nr3 = r6\ncall 9\nr0 += r7\nexit`
    const { assemble } = await import('../../src/bpf/asm.ts')
    const image = compile(assemble(source), { helpers: prototypes })
    writeFileSync(at('program.o'), formatElf(image, { name: 'calls' }))
    writeFileSync(
      at('helpers.c'),
      'unsigned twice(unsigned x) { return 2 * x; }\nlong long mix(long long a, short b, unsigned char *p) { p[1] = 99; return a * b; }\n',
    )
    writeFileSync(at('source.c'), formatC(image, 'calls'))
    const gcc = ['-std=c11', '-mcpu=cortex-m4', '-mthumb', '-O2', '-Wall', '-Wextra', '-pedantic', '-Werror', '-c']
    run('gcc', ...gcc, at('helpers.c'), '-o', at('helpers.o'))
    run('gcc', ...gcc, at('source.c'), '-o', at('source.o'))
    for (const object of ['program.o', 'source.o']) {
      const { pieces, symbols } = linked(at(object), at('helpers.o'))
      const results = await callAll(pieces, symbols.get('calls')!)
      for (const [index, { r0, ctx }] of results.entries()) {
        const doubled = BigInt(2 * objectInputs[index]!.len)
        expect(r0).toBe(BigInt.asUintN(64, (doubled << 33n) * 0x2345n + doubled))
        expect(ctx[1]).toBe(99)
      }
    }
    const { pieces, symbols } = linked(at('helpers.o'))
    const defined = new Map([...symbols].filter(([name]) => name === 'twice' || name === 'mix'))
    const flat = formatFlat(image, { at: 0x4000, defined })
    pieces.push({ address: 0x4000, bytes: flat.bytes })
    expect((await callAll(pieces, flat.entry))[2]!.r0).toBe(BigInt.asUintN(64, (128n << 33n) * 0x2345n + 128n))
    expect(() => formatFlat(image, { at: 0x4000, defined: new Map() })).toThrow(
      /uses twice, mix: say where with --define twice=/,
    )
  })
})

function helpersOf(header: string) {
  const table = parseHelperHeader(header)
  return { prototypes: new Map([...table].map(([number, prototype]) => [number, prototype])) }
}

describeWith([...objectTools, 'arm-none-eabi-gcc'], 'C source', () => {
  for (const program of programs) {
    for (const positionIndependent of program === 'vtable' ? [false, true] : [false]) {
      it(`of ${program}${positionIndependent ? ', position-independent,' : ''} gives what C gives, and compiles without a warning`, async () => {
        const image = imageOf(program, positionIndependent)
        writeFileSync(at('source.c'), formatC(image, 'a_program'))
        const flags = ['-std=c11', '-mcpu=cortex-m4', '-mthumb', '-Os', '-Wall', '-Wextra', '-pedantic', '-Werror']
        run('gcc', ...flags, '-c', at('source.c'), '-o', at('source.o'))
        const { pieces, symbols } = linked(at('source.o'))
        if (!positionIndependent) {
          expect(await callAll(pieces, symbols.get('a_program')!)).toEqual(expectedResults(program))
          return
        }
        expect(symbols.get('a_program_table')).toBeGreaterThan(0)
      })
    }
  }
})

describe('bytes at an address', () => {
  it('hold code, constants and the first values of data, and a map says where', async () => {
    const image = withData()
    const flat = formatFlat(image, { at: 0x8000, ram: RAM, defined: new Map() })
    const map = formatMap(image, flat)
    expect(map).toMatch(/^0x00008000 +\d+ {2}\.text$/m)
    const [, load] = /\.data {2}first values at (0x[0-9a-f]+)$/m.exec(map)!
    const data = { address: RAM, bytes: flat.bytes.subarray(Number(load) - 0x8000) }
    const results = await callAll([{ address: 0x8000, bytes: flat.bytes }, data], flat.entry)
    expect(results.map(({ r0 }) => r0)).toEqual([7n, 7n, 7n])
  })
  it('need RAM for data, and alignment', () => {
    expect(() => formatFlat(withData(), { at: 0x8000, defined: new Map() })).toThrow(
      /data in RAM \(\.data\): say where with --ram/,
    )
    expect(() => formatFlat(withData(), { at: 0x8002, ram: RAM, defined: new Map() })).toThrow(
      /--at is 0x8002, must be a multiple of 8/,
    )
  })
})

/** A counter in .data that begins with 7: by hand, for no tool need be there. */
function withData(): Image {
  // ldr r3, [pc, #8]; ldr r0, [r3]; adds r2, r0, #1; str r2, [r3]; movs r1, #0; bx lr; .word counter
  const code = new Uint8Array(new Uint16Array([0x4b02, 0x6818, 0x1c42, 0x601a, 0x2100, 0x4770, 0, 0]).buffer)
  const symbol = { size: 0, helper: -1, index: -1, global: false }
  return {
    code,
    sections: [{ name: '.data', kind: 'data', align: 4, size: 4, bytes: Uint8Array.of(7, 0, 0, 0) }],
    maps: [],
    programs: [],
    table: [],
    symbols: [
      { ...symbol, name: 'count', offset: 0, size: 16, kind: 'function', global: true },
      { ...symbol, name: '.data', offset: 0, size: 4, kind: 'section', index: 0 },
    ],
    relocations: [{ section: -1, offset: 12, type: Reloc.R_ARM_ABS32, symbol: 1 }],
    lines: [],
    data: [[12, 16]],
    entry: 0,
    needsEnv: false,
    bpfInstructions: 4,
    stackBytes: 0,
  }
}

describe('Rust source', () => {
  it('names what it needs, and is formatted by lines', () => {
    const text = formatRust(withData(), 'count')
    expect(text).toContain('static mut COUNT_DATA0: CountData0')
    expect(text).toContain('f1: unsafe { addr_of!(COUNT_DATA0).cast::<u8>() },')
    expect(text).toMatch(/pub unsafe fn count\(ctx: \*mut u8, len: u32, env: \*mut c_void\) -> u64/)
  })
  it('makes identifiers of any name', () => {
    expect(['xdp.prog', '3d', 'ok_1', ''].map(identifier)).toEqual(['xdp_prog', '_3d', 'ok_1', '_'])
  })
  const rustc = tool('rustc')
  if (rustc !== undefined) {
    it('is Rust', () => {
      writeFileSync(at('program.rs'), `#![no_std]\n${formatRust(withData(), 'count')}`)
      execFileSync(
        rustc,
        ['--edition=2021', '--crate-type=lib', '--emit=metadata', '-o', at('program.rmeta'), at('program.rs')],
        {
          stdio: 'pipe',
        },
      )
    })
  }
})
