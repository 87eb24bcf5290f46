// The interpreter: what RFC 9669 leaves to us, traps and limits; its arithmetic against a second definition; the kernels of
// ../shared as clang builds them.

import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { TrapCode } from '../../src/base/outcome.ts'
import { assemble } from '../../src/bpf/asm.ts'
import type { HelperSet, HostHelper } from '../../src/bpf/helpers.ts'
import { interpret, type Interpretation, type InterpretOptions } from '../../src/bpf/interpret.ts'
import { RegionMemory } from '../../src/bpf/memory.ts'
import { readProgram } from '../../src/bpf/read.ts'
import { describeWith, tool } from '../support/tools.ts'
import { anyProgram } from './support.ts'

const run = (source: string, options?: InterpretOptions): Interpretation =>
  interpret(readProgram(assemble(source)), options)
/** R0, or the trap's code or the limit. */
function result(source: string, options?: InterpretOptions): bigint | number | string {
  const { outcome } = run(source, options)
  if (outcome.kind === 'returned') return outcome.r0
  return outcome.kind === 'trapped' ? outcome.code : outcome.kind
}

const BASE = 0x2000_0000
const sum: HostHelper = (a, b, c, d, e) => a + b + c + d + e
/** Memory with bytes 1, 2, 3, ... at BASE, as the context. */
function context(length: number): { options: InterpretOptions; bytes: Uint8Array } {
  const bytes = Uint8Array.from({ length }, (_, index) => index + 1)
  return { bytes, options: { memory: new RegionMemory([{ base: BASE, bytes }]), r1: BASE, r2: length } }
}

describe('registers', () => {
  it('start as 0 but for R1, R2 and R10', () => {
    for (const register of [0, 3, 4, 5, 6, 7, 8, 9])
      expect(result(`r0 = r${register}\nexit`, { r1: 1, r2: 2 })).toBe(0n)
    expect(result('r0 = r1\nexit', { r1: -1 })).toBe(0xffff_ffffn)
    expect(result('r0 = r2\nexit', { r2: 7 })).toBe(7n)
    expect(result('r0 = r10\nexit', { stackBase: 0x1000, maximumDepth: 2 })).toBe(0x1400n)
  })

  it('are kept, cleared and restored by local calls', () => {
    const caller = 'r0 = 1\nr3 = 3\nr6 = 6\nr9 = 9\nr7 = r10\ncall f\n'
    const f = '\nexit\nf: r8 = 5\n'
    const probe = (after: string, callee: string): bigint | number | string =>
      result(`${caller}${after}${f}${callee}\nexit`)
    expect(probe('', 'r0 = r3')).toBe(3n)
    expect(probe('', 'r0 = r6')).toBe(0n)
    expect(probe('', '')).toBe(0n) // R0 in the callee
    expect(probe('r0 = r3', '')).toBe(0n)
    expect(probe('r0 = r8', '')).toBe(0n)
    expect(probe('r0 = r9', '')).toBe(9n)
    expect(probe('r7 -= r0\nr0 = r7', 'r0 = r10')).toBe(512n)
    expect(probe('r7 -= r10\nr0 = r7', '')).toBe(0n)
  })

  it('R1 to R5 are 0 after a helper', () => {
    const helpers: HelperSet = {
      helpers: new Map([
        [1, { name: 'sum', fn: sum }],
        [2, { name: 'none', fn: () => undefined }],
      ]),
    }
    const args = 'r1 = -1\nr2 = 2\nr3 = 3\nr4 = 4\nr5 = 5\n'
    expect(result(`${args}call 1\nexit`, { helpers })).toBe(13n)
    for (const register of [1, 2, 3, 4, 5])
      expect(result(`${args}call 1\nr0 = r${register}\nexit`, { helpers })).toBe(0n)
    expect(result('r0 = 5\ncall 2\nexit', { helpers })).toBe(0n)
  })
})

describe('memory', () => {
  it('takes any alignment and the low word of base + offset', () => {
    const { options } = context(16)
    expect(result('r0 = *(u64 *)(r1 + 3)\nexit', options)).toBe(0x0b0a_0908_0706_0504n)
    expect(result('r3 = 0xabcd00000000 ll\nr1 += r3\nr0 = *(u16 *)(r1 + 1)\nexit', options)).toBe(0x302n)
    expect(result('w1 += 16\nr0 = *(u8 *)(r1 - 1)\nexit', options)).toBe(16n)
  })

  it('traps outside of every region, and an access must lie in one', () => {
    const { options } = context(16)
    for (const source of [
      'r0 = *(u8 *)(r1 + 16)',
      'r0 = *(u64 *)(r1 + 9)',
      'r0 = *(u8 *)(r1 - 1)',
      '*(u32 *)(r1 + 13) = 0',
      'r0 = *(u8 *)(r10 + 0)',
      'r3 = -1\nr0 = *(u16 *)(r3 + 0)',
    ]) {
      expect([source, result(`${source}\nexit`, options)]).toEqual([source, TrapCode.BAD_ACCESS])
    }
    const readOnly = { memory: new RegionMemory([{ base: BASE, bytes: new Uint8Array(8), readOnly: true }]), r1: BASE }
    expect(result('r0 = *(u64 *)(r1 + 0)\nexit', readOnly)).toBe(0n)
    expect(result('*(u8 *)(r1 + 0) = 1\nexit', readOnly)).toBe(TrapCode.BAD_ACCESS)
    expect(run('r0 = 1\nr0 = *(u8 *)(r0 + 0)\nexit').outcome).toMatchObject({ kind: 'trapped', slot: 1 })
  })

  it('traps misaligned atomics before anything else', () => {
    const { options, bytes } = context(16)
    expect(result('lock *(u64 *)(r1 + 4) += r2\nexit', options)).toBe(TrapCode.MISALIGNED_ATOMIC)
    expect(result('lock *(u32 *)(r1 + 2) += w2\nexit', options)).toBe(TrapCode.MISALIGNED_ATOMIC)
    expect(result('lock *(u32 *)(r1 + 4) += w2\nexit', options)).toBe(0n)
    expect(bytes[4]).toBe(21)
    expect(result('r1 = 1\nlock *(u32 *)(r1 + 0) += w2\nexit')).toBe(TrapCode.MISALIGNED_ATOMIC)
    expect(result('lock *(u32 *)(r1 + 16) += w2\nexit', options)).toBe(TrapCode.BAD_ACCESS)
  })

  it('gives the old value zero-extended from 32-bit atomics', () => {
    const setup = '*(u64 *)(r10 - 8) = -2\nr0 = -1 ll\nr1 = -1 ll\n'
    expect(result(`${setup}w1 = atomic_fetch_add((u32 *)(r10 - 8), w1)\nr0 = r1\nexit`)).toBe(0xffff_fffen)
    expect(result(`${setup}w1 = xchg32_32(r10 - 8, w1)\nr0 = r1\nexit`)).toBe(0xffff_fffen)
    expect(result(`${setup}w0 = cmpxchg32_32(r10 - 8, w0, w1)\nexit`)).toBe(0xffff_fffen)
    expect(result(`${setup}w1 = xchg32_32(r10 - 8, w1)\nr0 = *(u64 *)(r10 - 8)\nexit`)).toBe(2n ** 64n - 1n)
  })
})

describe('packet loads', () => {
  const { options } = context(8)
  it.each([
    ['r0 = *(u8 *)skb[7]', 8n],
    ['r0 = *(u16 *)skb[1]', 0x203n],
    ['r0 = *(u32 *)skb[4]', 0x5060708n],
    ['r6 = 1\nr1 = 0\nr2 = 0\nr0 = *(u8 *)skb[0]', 1n],
    ['r3 = 2\nr0 = *(u16 *)skb[r3 + 1]', 0x405n],
    ['r3 = 0xf00000002 ll\nr0 = *(u8 *)skb[r3 - 1]', 2n],
    ['r3 = 5\nr0 = *(u8 *)skb[0]\nr0 = r3', 5n],
    ['r0 = 9\nr0 = *(u8 *)skb[8]\nr0 = 1', 0n],
    ['r0 = 9\nr0 = *(u32 *)skb[5]\nr0 = 1', 0n],
    ['r0 = 9\nr0 = *(u8 *)skb[-1]\nr0 = 1', 0n],
    ['call f\nr0 = 1\nexit\nf: r0 = *(u8 *)skb[8]\nr0 = 2', 0n],
    ['call f\nexit\nf: r1 = 0\nr0 = *(u8 *)skb[1]', 2n],
  ])('%s', (source, expected) => expect(result(`${source}\nexit`, options)).toBe(expected))
})

describe('the ways to end', () => {
  const helpers: HelperSet = { helpers: new Map([[5, { name: 'unwind', fn: (r1) => r1 }]]), unwind: 5 }
  it('unwinds from any depth when the helper returns 0', () => {
    expect(result('call f\nr0 = 1\nexit\nf: r1 = 0\ncall 5\nr0 = 2\nexit', { helpers })).toBe(0n)
    expect(result('call f\nexit\nf: r1 = 3\ncall 5\nexit', { helpers })).toBe(3n)
  })
  it('traps unknown helpers, by number in all 64 bits of the register', () => {
    expect(result('r2 = 5\nr1 = 4\ncallx r2\nexit', { helpers })).toBe(4n)
    expect(result('r2 = 6\ncallx r2\nexit', { helpers })).toBe(TrapCode.UNKNOWN_HELPER)
    expect(result('r2 = 0x100000005 ll\ncallx r2\nexit', { helpers })).toBe(TrapCode.UNKNOWN_HELPER)
  })
  it('traps calls that are too deep', () => {
    expect(run('f: call f\nexit', { maximumDepth: 3 })).toMatchObject({
      outcome: { kind: 'trapped', code: TrapCode.CALL_DEPTH },
      instructions: 3,
    })
    expect(result('call a\nexit\na: call b\nexit\nb: r0 = 1\nexit', { maximumDepth: 3 })).toBe(1n)
  })
  it('stops at the limit on instructions', () => {
    expect(run('a: ja a', { maximumInstructions: 100 })).toMatchObject({
      outcome: { kind: 'limited', limit: 'instructions', slot: 0 },
      instructions: 100,
    })
    expect(run('r0 = 1\nexit', { maximumInstructions: 2 })).toMatchObject({
      outcome: { kind: 'returned' },
      instructions: 2,
    })
  })
})

describe('arithmetic', () => {
  // A second definition: JavaScript's own 32-bit operators and typed arrays for the low words.
  const word = fc.oneof(fc.constantFrom(0, 1, -1, 0x7fff_ffff, -0x8000_0000, 31, 32), fc.integer())
  const operations: { readonly [op: string]: (a: number, b: number) => number } = {
    '+=': (a, b) => a + b,
    '-=': (a, b) => a - b,
    '*=': (a, b) => Math.imul(a, b),
    '/=': (a, b) => (b === 0 ? 0 : Math.floor((a >>> 0) / (b >>> 0))),
    '%=': (a, b) => (b === 0 ? a : (a >>> 0) % (b >>> 0)),
    's/=': (a, b) => (b === 0 ? 0 : Math.trunc(a / b)),
    's%=': (a, b) => (b === 0 ? a : a % b),
    '|=': (a, b) => a | b,
    '&=': (a, b) => a & b,
    '^=': (a, b) => a ^ b,
    '<<=': (a, b) => a << b,
    '>>=': (a, b) => a >>> b,
    's>>=': (a, b) => a >> b,
  }
  it.each(Object.entries(operations))('32-bit %s', (operator, define) => {
    fc.assert(
      fc.property(word, word, (a, b) => {
        const expected = BigInt(define(a, b) >>> 0)
        expect(result(`r0 = ${a}\nr1 = ${b}\nw0 ${operator} w1\nexit`)).toBe(expected)
        expect(result(`r0 = ${a}\nw0 ${operator} ${b}\nexit`)).toBe(expected)
      }),
      { numRuns: 100 },
    )
  })

  it('64-bit division undoes multiplication and addition', () => {
    const wide = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })
    fc.assert(
      fc.property(wide, wide, (a, b) => {
        for (const s of ['', 's']) {
          const source = `r1 = ${a} ll\nr2 = ${b} ll\nr3 = r1\nr3 ${s}/= r2\nr3 *= r2\nr4 = r1\nr4 ${s}%= r2\nr3 += r4\nr3 -= r1\nr0 = r3\nexit`
          expect(result(source)).toBe(0n)
        }
      }),
      { numRuns: 100 },
    )
  })
})

describe('random programs', () => {
  it('end the same way each time, within their limits', () => {
    fc.assert(
      fc.property(anyProgram, (program) => {
        const once = (): Interpretation => interpret(program, { ...context(64).options, maximumInstructions: 500 })
        const first = once()
        expect(once()).toEqual(first)
        expect(first.instructions).toBeLessThanOrEqual(500)
      }),
      { numRuns: 500 },
    )
  })
})

const kernels = fileURLToPath(new URL('../../../shared/kernels/', import.meta.url))
interface Kernel {
  readonly len: number
  readonly r0: string
  readonly ctx_fnv1a: string
  readonly ebpf: { readonly [cpu: string]: { readonly insns: number; readonly executed: number } }
}

function fnv1a(bytes: Uint8Array): string {
  let hash = 0x811c_9dc5
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x0100_0193)
  return `0x${(hash >>> 0).toString(16).padStart(8, '0')}`
}

describe.skipIf(!existsSync(kernels))('kernels of ../shared', () => {
  const expected: { [name: string]: Kernel } = existsSync(kernels)
    ? JSON.parse(readFileSync(`${kernels}expected.json`, 'utf8'))
    : {}
  describeWith(['clang-19'], 'built by clang', () => {
    let folder = ''
    beforeAll(() => {
      folder = mkdtempSync(join(tmpdir(), 'thumbpf-'))
    })
    afterAll(() => rmSync(folder, { recursive: true }))

    it.each(Object.keys(expected).flatMap((name) => ['v2', 'v3', 'v4'].map((cpu) => [name, cpu] as const)))(
      '%s for CPU %s',
      (name, cpu) => {
        const object = join(folder, `${name}.${cpu}.o`)
        const flags = [
          '-target',
          'bpf',
          `-mcpu=${cpu}`,
          '-O2',
          '-ffreestanding',
          '-fno-builtin',
          '-c',
          `${kernels}${name}.c`,
          '-o',
          object,
        ]
        execFileSync(tool('clang-19') ?? 'clang-19', flags)
        const program = readProgram(readFileSync(object))
        const kernel = expected[name]!
        const bytes = new Uint8Array(readFileSync(`${kernels}ctx/${name}.bin`))
        const { outcome, instructions } = interpret(program, {
          memory: new RegionMemory([{ base: BASE, bytes }]),
          r1: BASE,
          r2: kernel.len,
        })
        expect(outcome).toEqual({ kind: 'returned', r0: BigInt(kernel.r0) })
        expect(fnv1a(bytes)).toBe(kernel.ctx_fnv1a)
        expect({ insns: program.instructions.length, executed: instructions }).toEqual(kernel.ebpf[cpu])
      },
    )
  })
})
