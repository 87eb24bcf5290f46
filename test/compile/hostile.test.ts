// Programs and objects that ask for trouble: endless recursion, callx and tail calls with odd values, objects that are cut off or
// changed, and sections of 40,000 instructions. Whatever it is, it ends in an outcome or in a sentence.

import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { InputError, RejectedError } from '../../src/base/errors.ts'
import { TrapCode } from '../../src/base/outcome.ts'
import { assemble } from '../../src/bpf/asm.ts'
import { interpret } from '../../src/bpf/interpret.ts'
import { MapType } from '../../src/bpf/maps.ts'
import type { MapDefinition, Program } from '../../src/bpf/program.ts'
import { RegionMemory } from '../../src/bpf/memory.ts'
import { readProgram } from '../../src/bpf/read.ts'
import { compile } from '../../src/compile.ts'
import { instantiate } from '../../src/machine/instance.ts'
import { Simulator } from '../../src/machine/sim/simulator.ts'
import { Twins } from '../support/differential.ts'
import { compileForBpf } from '../support/objects.ts'
import { describeWith, tool } from '../support/tools.ts'

describe('recursion without end', () => {
  it('is a trap of the interpreter, and a stack that overflows on the machine, at the same instruction', async () => {
    const program = readProgram(
      assemble('r1 = 1\ncall f\nexit\nf: *(u64 *)(r10 - 8) = r1\nr1 += 1\ncall f\nr0 = *(u64 *)(r10 - 8)\nexit'),
    )
    expect(interpret(program).outcome).toMatchObject({ kind: 'trapped', code: TrapCode.CALL_DEPTH, slot: 5 })
    for (const optimize of [0, 2] as const) {
      const instance = await instantiate(compile(program, { optimize, check: true }), new Simulator())
      for (let run = 0; run < 2; run++) {
        const { outcome } = await instance.call()
        expect(outcome).toMatchObject({ kind: 'faulted', fault: 'STKOF' })
        expect(outcome.kind === 'faulted' && outcome.slot).toBeGreaterThanOrEqual(3)
      }
    }
  })
})

describe('odd values', () => {
  const map: MapDefinition = {
    name: 'm',
    type: MapType.PROGRAM_ARRAY,
    keySize: 4,
    valueSize: 4,
    maxEntries: 2,
    flags: 0,
  }
  /** A program that loads the map's address first, and is the map's element 1 itself. */
  const jumping = (text: string): Program => {
    const read = readProgram(assemble(`r2 = 0 ll\n${text}`))
    const [first, ...rest] = read.instructions
    const own = { ...map, programs: [{ index: 1, function: 0 }] }
    return { ...read, instructions: [{ ...first!, reference: { kind: 'map', index: 0 } }, ...rest], maps: [own] }
  }
  it.each([
    ['0', 0n],
    ['2', 2n],
    ['0xffffffff', 0xffff_ffffn],
    ['0x80000001', 0x8000_0001n],
    ['0x40000001, which is 4 times too much for a word', 0x4000_0001n],
    ['1 below bits that do not count', 0xabcd_0000_0001n],
  ])('as the index of a tail call: %s', async (_, index) => {
    // Each time it is entered a byte of the context counts, and a second time it ends.
    const program = jumping(`r4 = *(u8 *)(r1 + 0)\nr4 += 1\n*(u8 *)(r1 + 0) = r4\nr0 = 77\nif r4 > 1 goto out
      r3 = ${index} ll\ncall 12\nout: exit`)
    for (const optimize of [0, 2] as const) {
      const twins = await Twins.create(new Map([['p', program]]), new Simulator(), { optimize })
      const { equal, machine } = await twins.call('p', new Uint8Array(8), 8)
      expect(equal).toBe(true)
      const goes = (index & 0xffff_ffffn) === 1n
      expect(machine).toMatchObject({ outcome: { kind: 'returned', r0: goes ? 77n : 0xffff_ffff_ffff_fffen } })
      expect(machine.ctx[0]).toBe(goes ? 2 : 1)
      twins.free()
    }
  })
  it.each(['0', '6', '255', '256', '0x100000005', '-1', '0x8000000000000000', '0x7fffffff'])(
    'in callx: %s',
    async (value) => {
      const program = readProgram(assemble(`r3 = ${value} ll\ncallx r3\nr0 = 1\nexit`))
      const fn = (): bigint => 9n
      const trapped = { kind: 'trapped', code: TrapCode.UNKNOWN_HELPER, slot: 2 }
      expect(interpret(program, { helpers: { helpers: new Map([[5, { name: 'five', fn }]]) } }).outcome).toMatchObject(
        trapped,
      )
      for (const optimize of [0, 2] as const) {
        const image = compile(program, { helpers: new Set([5]), optimize, check: true })
        const instance = await instantiate(image, new Simulator(), { helpers: new Map([[5, fn]]) })
        expect((await instance.call()).outcome).toMatchObject(trapped)
      }
    },
  )
})

describeWith(['clang-19'], 'objects that are broken', () => {
  /** Reads and compiles; only errors with a sentence are let through. */
  const attempt = (bytes: Uint8Array): void => {
    try {
      compile(readProgram(bytes, { entry: 'entry' }))
    } catch (error) {
      if (!(error instanceof InputError || error instanceof RejectedError)) throw error
      expect(error.message).not.toBe('')
    }
  }
  it('by being cut off', () => {
    const object = compileForBpf('tail-calls/filled', { cpu: 'v3', level: '-O2', debug: true })
    for (let length = 0; length < object.length; length += length < 256 ? 1 : 61) attempt(object.subarray(0, length))
  })
  it('by other bytes in headers, symbols, relocations and types', () => {
    const object = compileForBpf('tail-calls/filled', { cpu: 'v3', level: '-O2', debug: true })
    let x = 77
    const below = (count: number): number => {
      x = (Math.imul(x, 1103515245) + 12345) & 0x7fffffff
      return (x >>> 8) % count
    }
    for (let count = 0; count < 1500; count++) {
      const bytes = object.slice()
      for (let change = 0; change <= below(4); change++) {
        bytes[below(bytes.length)] = [0, 1, 0xff, 0x80, below(256)][below(5)]!
      }
      attempt(bytes)
    }
  })
})

/** C of about `statements` * 11 BPF instructions at -O0, most of them in one function: functions in several sections, data, strings, an array map (storage natively). */
function largeProgram(functions: number, statements: number): string {
  let x = 4711
  const random = (): number => {
    x = (Math.imul(x, 1664525) + 1013904223) | 0
    return x >>> 4
  }
  const pick = <T>(list: readonly T[]): T => list[random() % list.length]!
  const lines = [
    `typedef unsigned char u8; typedef unsigned u32; typedef unsigned long long u64; typedef long long s64;
    #ifdef __bpf__
    struct { int (*type)[2]; int (*max_entries)[64]; u32 *key; u64 *value; } cells __attribute__((section(".maps")));
    static void *(*const lookup)(void *, const void *) = (void *)1;
    static __attribute__((noinline)) u64 *cell(u32 index) { index &= 63; return lookup(&cells, &index); }
    #else
    static u64 cells[64];
    static u64 *cell(u32 index) { return &cells[index & 63]; }
    #endif
    static u64 table[64] = { ${Array.from({ length: 64 }, () => `${random()}ull * 77777`).join(', ')} };
    static const u32 constants[256] = { ${Array.from({ length: 256 }, () => random()).join(', ')} };
    static u64 zero[128]; static const char *strings[] = { ${Array.from({ length: 32 }, () => `"text ${random()}"`).join(', ')} };`,
  ]
  const wide = ['a', 'b', 'c', 'd']
  const narrow = ['x', 'y']
  const statement = (callees: number): string => {
    const [v, w, z, n] = [pick(wide), pick(wide), pick(narrow), random()]
    switch (random() % 13) {
      case 0:
        return `${v} += ${w} * ${n}ull;`
      case 1:
        return `${v} ^= ${w} >> (${z} & 63);`
      case 2:
        return `if (${v} > ${w} + 1) ${z} += ${n & 0xffff}; else ${v} -= ${z};`
      case 3:
        return `${z} = ${z} * ${n & 0xffff} + (u32)${w};`
      case 4:
        return `${v} += table[${z} & 63]; table[(${w} + ${n}) & 63] ^= ${v};`
      case 5:
        return `${v} ^= constants[(u8)${w}];`
      case 6:
        return `p[${n & 63}] += ${z};`
      case 7:
        return `${v} = (${v} << ${(n % 63) + 1}) | (${v} >> ${63 - (n % 63)});`
      case 8:
        return `${v} += (u8)strings[${z} & 31][${n & 7}];`
      case 9:
        return `zero[${n & 127}] += ${v}; ${w} -= zero[${z} & 127];`
      case 10:
        return `${v} = (s64)${v} >> ${n % 63}; ${z} ^= ${v};`
      case 11:
        return `for (i = 0; i < (${z} & 3); i++) ${v} = ${v} * 3 + i + p[i];`
      default:
        return random() % 8 !== 0 || callees === 0
          ? `${v} = ${w} / ((${z} & 255) + 1) + ${v} % ${(n % 1000) + 1};`
          : `at = cell(${z}); if (at) *at += ${v}; ${v} += f${random() % callees}(${w}, *cell(${n & 63}), p);`
    }
  }
  for (let index = 0; index < functions; index++) {
    const place = index % 4 === 3 ? `__attribute__((section("more${index}")))` : ''
    lines.push(
      `${place} __attribute__((noinline)) u64 f${index}(u64 a, u64 b, u8 *p) { u64 c = a ^ b, d = a + 3; u32 i, x = (u32)a, y = (u32)b; u64 *at;`,
      // The first is most of it.
      ...Array.from({ length: index === 0 ? statements : statements >> 5 }, () => statement(index === 0 ? 0 : 1)),
      'return a ^ b ^ c ^ d ^ x ^ ((u64)y << 32); }',
    )
  }
  const calls = Array.from({ length: functions }, (_, index) => `sum = sum * 31 + f${index}(sum, len + ${index}, ctx);`)
  return [...lines, `u64 entry(u8 *ctx, u64 len) { u64 sum = len; ${calls.join(' ')} return sum; }`].join('\n')
}

describeWith(['clang-19', 'gcc'], 'an object with a section of 40,000 instructions', () => {
  it('with functions, data, strings and a map gives what the same C gives natively', { timeout: 120_000 }, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'thumbpf-large-'))
    try {
      const run = (program: string, ...args: string[]): void => {
        execFileSync(
          tool(program) ?? program,
          ['-w', '-O0', '-fwrapv', '-fno-strict-aliasing', '-fno-builtin', ...args],
          { cwd: folder },
        )
      }
      writeFileSync(join(folder, 'a.c'), largeProgram(12, 3800))
      writeFileSync(
        join(folder, 'main.c'),
        `#include <stdio.h>
        unsigned long long entry(void *, unsigned long long);
        int main(void) {
          static unsigned char ctx[64];
          for (int i = 0; i < 64; i++) ctx[i] = i * 37 + 11;
          for (int call = 0; call < 3; call++) printf("%llx ", entry(ctx, call * 17));
          for (int i = 0; i < 64; i++) printf("%02x", ctx[i]);
        }`,
      )
      run('clang-19', '-target', 'bpfel', '-mcpu=v3', '-g', '-c', 'a.c')
      run('gcc', 'a.c', 'main.c', '-o', 'native')
      const expected = execFileSync(join(folder, 'native'), { encoding: 'utf8' })
      const program = readProgram(readFileSync(join(folder, 'a.o')), { entry: 'entry' })
      const [large] = program.functions.toSorted((a, b) => b.end - b.start - (a.end - a.start))
      expect(large!.end - large!.start).toBeGreaterThan(40_000)
      const bytes = Uint8Array.from({ length: 64 }, (_, index) => index * 37 + 11)
      const { outcome } = interpret(program, {
        memory: new RegionMemory([{ base: 0x2000_0000, bytes }]),
        r1: 0x2000_0000,
      })
      expect(outcome).toEqual({ kind: 'returned', r0: BigInt(`0x${expected.split(' ')[0]!}`) })
      const instance = await instantiate(compile(program), new Simulator())
      let ctx = Uint8Array.from({ length: 64 }, (_, index) => index * 37 + 11)
      const results: string[] = []
      for (let call = 0; call < 3; call++) {
        const result = await instance.call({ ctx, len: call * 17 })
        results.push(result.outcome.kind === 'returned' ? result.outcome.r0.toString(16) : result.outcome.message)
        ctx = new Uint8Array(result.ctx)
      }
      expect(`${results.join(' ')} ${Buffer.from(ctx).toString('hex')}`).toBe(expected)
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})
