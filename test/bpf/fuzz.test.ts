// Bad input: random changes to objects, raw bytes and assembly end in a program that runs, or in InputError or RejectedError.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { InputError, RejectedError } from '../../src/base/errors.ts'
import { assemble } from '../../src/bpf/asm.ts'
import { disassemble } from '../../src/bpf/disasm.ts'
import { parseConformance } from '../../src/bpf/conformance.ts'
import { interpret } from '../../src/bpf/interpret.ts'
import { readProgram } from '../../src/bpf/read.ts'
import { compileForBpf, objectPrograms } from '../support/objects.ts'
import { describeWith } from '../support/tools.ts'
import { clangObject } from './clang.ts'
import { writeElf } from './support.ts'

const source = `
  entry: r6 = r1
  lddw %r3, 0x123456789a
  if r2 > 8 goto out
  call local twice
  r0 = *(u16 *)skb[1]
  lock add [%r10-8], %r1
  r1 = be16 r1
  call 5
  out: r0 += 1
  exit
  twice: stxdw [%r10-8], %r1
  ldxsw %r0, [%r10-8]
  w0 <<= 1
  exit
`
const raw = assemble(source)
const text = raw.slice(0, 88)
text.fill(0xff, 36, 40) // the call's distance comes from its relocation
const object = writeElf(
  [
    { name: '.text', bytes: text, relocations: [{ offset: 32, type: 10, symbol: 2 }] },
    { name: 'other', bytes: raw.subarray(88) },
  ],
  [
    { name: 'entry', section: 0, size: 88 },
    { name: 'twice', section: 1, size: 32, binding: 0 },
    { name: '', section: 1, type: 3, binding: 0 },
  ],
)

const change = fc.record({
  at: fc.nat(),
  byte: fc.oneof(fc.constantFrom(0, 1, 0x7f, 0x80, 0xff), fc.nat(255)),
  how: fc.constantFrom('set', 'set', 'set', 'flip', 'cut', 'insert', 'erase'),
})
const changes = fc.array(change, { minLength: 1, maxLength: 6 })
type Change = { at: number; byte: number; how: string }

function mutate(bytes: Uint8Array, list: readonly Change[]): Uint8Array {
  const result = [...bytes]
  for (const { at, byte, how } of list) {
    const index = at % (result.length + 1)
    if (how === 'set') result[Math.min(index, Math.max(0, result.length - 1))] = byte
    else if (how === 'flip') result[index] = (result[index] ?? 0) ^ (1 << (byte & 7))
    else if (how === 'cut') result.length = index
    else if (how === 'insert') result.splice(index, 0, byte)
    else result.splice(index, byte & 15)
  }
  return Uint8Array.from(result)
}

/** Anything but the two kinds of error is thrown on; a program that is accepted runs to some end and is printed and read again. */
function survives(read: () => Uint8Array): boolean {
  try {
    const program = readProgram(read())
    interpret(program, { r2: 4, maximumInstructions: 1000 })
    if (assemble(disassemble(program).join('\n')).length === 0) return false
  } catch (error) {
    if (!(error instanceof InputError) && !(error instanceof RejectedError)) throw error
    if (error.message === '') return false
  }
  return true
}

/** undefined, or why the property does not hold, with the seed. */
function failure<T>(input: fc.Arbitrary<T>, read: (value: T) => Uint8Array, numRuns: number): string | undefined {
  const details = fc.check(
    fc.property(input, (value) => survives(() => read(value))),
    { numRuns },
  )
  return details.failed ? fc.defaultReportMessage(details) : undefined
}

const encode = (text: string): Uint8Array => new TextEncoder().encode(text)
const decode = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)

describe('mutations', () => {
  it('start from what is read without error', () => {
    for (const bytes of [raw, object]) expect(readProgram(bytes).functions).toHaveLength(2)
  })
  it('of objects', () => {
    expect(failure(changes, (list) => mutate(object, list), 4000)).toBeUndefined()
  })
  it('of raw bytes', () => {
    expect(failure(changes, (list) => mutate(raw, list), 3000)).toBeUndefined()
  })
  it('of assembly', () => {
    expect(failure(changes, (list) => assemble(decode(mutate(encode(source), list))), 3000)).toBeUndefined()
  })
  it('of conformance files', () => {
    const file = encode(`-- asm\n${source}\n-- mem\n00 11 22\n-- result\n0x12`)
    expect(failure(changes, (list) => parseConformance(decode(mutate(file, list))).program, 1000)).toBeUndefined()
  })
  it('are also any bytes or text at all', () => {
    const bytes = fc.uint8Array({ maxLength: 200 })
    expect(failure(bytes, (value) => value, 500)).toBeUndefined()
    expect(failure(bytes, (value) => Uint8Array.from([0x7f, 0x45, 0x4c, 0x46, 2, 1, ...value]), 500)).toBeUndefined()
    expect(failure(fc.string({ maxLength: 60 }), (value) => assemble(value), 1000)).toBeUndefined()
  })
})

describeWith(['clang-19'], 'random changes of objects of clang', () => {
  const source = `
    struct { int (*type)[1]; unsigned *key; long *value; int (*max_entries)[64]; } counts __attribute__((section(".maps")));
    struct { int type, key, value, entries, flags; } old __attribute__((section("maps"))) = {2, 4, 8, 5, 0};
    static void *(*const lookup)(void *, const void *) = (void *)1;
    static int one(int a) { return a + 1; }
    static int two(int a) { return a + 2; }
    static int (*const functions[2])(int) = {one, two};
    static const char *names[] = {"first", "second"};
    static long counter;
    unsigned long long entry(unsigned char *ctx, unsigned long long len) {
      int key = ctx[0];
      long *value = lookup(&counts, &key), *other = lookup(&old, &key);
      if (value && other) *value += *other;
      return functions[len & 1](len) + names[len & 1][ctx[1] & 3] + counter++;
    }`
  it('with maps, functions, strings and lines', () => {
    const whole = clangObject(source, ['-O2', '-g'])
    expect(readProgram(whole).maps).toHaveLength(2)
    expect(failure(changes, (list) => mutate(whole, list), 2000)).toBeUndefined()
    // Debug information is the most of the file: change the headers and the start, and what is before it, more often.
    const near = fc.array(fc.record({ at: fc.nat(1500), byte: fc.nat(255), how: fc.constantFrom('set', 'flip') }), {
      minLength: 1,
      maxLength: 4,
    })
    expect(failure(near, (list) => mutate(whole, list), 1500)).toBeUndefined()
    const headers = near.map((list) => list.map((one) => ({ ...one, at: whole.length - 1 - one.at })))
    expect(failure(headers, (list) => mutate(whole, list), 1500)).toBeUndefined()
  })
  it('of sizes: a map may be too large for any machine', () => {
    // Found by the test above (seed -1753350982): 33,554,496 entries took the interpreter two seconds to make.
    const huge = clangObject(source.replace('[64]', '[33554496]'), ['-O2', '-g'])
    expect(() => interpret(readProgram(huge))).toThrow("map 'counts': with it the program's maps take")
  })
  it('of several programs', () => {
    const choice = fc.tuple(fc.constantFrom(...objectPrograms.slice(0, 8)), changes)
    const read = ([name, list]: [string, Change[]]): Uint8Array =>
      mutate(compileForBpf(name, { cpu: 'v3', level: '-O2', debug: true }), list)
    expect(failure(choice, read, 1000)).toBeUndefined()
  })
})
