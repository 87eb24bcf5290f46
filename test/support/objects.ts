// C programs with data, strings, tables and functions (test/objects/*.c): compiled for BPF by clang-19, and for the host by gcc, which
// says what they must return. Every program has `unsigned long long entry(void *ctx, unsigned long long len)`.
// A file's first line is its title. Compiled files lie in a temporary folder until all tests have ended (temporary.ts).

import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { tool } from './tools.ts'

/** The programs that the tests with these objects need. */
export const objectTools = ['clang-19', 'gcc'] as const

const folder = fileURLToPath(new URL('../objects/', import.meta.url))

/** Names of the programs: files of test/objects without `.c`. */
export const objectPrograms: readonly string[] = readdirSync(folder)
  .filter((file) => file.endsWith('.c'))
  .map((file) => file.slice(0, -2))
  .toSorted()

export interface ObjectVariant {
  readonly cpu: 'v2' | 'v3' | 'v4'
  readonly level: '-O0' | '-O1' | '-O2' | '-Os'
  /** With -g: BTF and lines. */
  readonly debug: boolean
}

const allVariants: readonly ObjectVariant[] = [
  { cpu: 'v3', level: '-O2', debug: true },
  { cpu: 'v4', level: '-O2', debug: false },
  { cpu: 'v2', level: '-O2', debug: true },
  { cpu: 'v3', level: '-O0', debug: true },
  { cpu: 'v4', level: '-O0', debug: false },
  { cpu: 'v2', level: '-O1', debug: false },
  { cpu: 'v4', level: '-Os', debug: true },
]

/** Two ways to compile a program: -O2 for one CPU, and another that depends on its place in the list. */
export function variantsOf(program: string): readonly ObjectVariant[] {
  const index = objectPrograms.indexOf(program)
  return [allVariants[index % 3]!, allVariants[3 + (index % (allVariants.length - 3))]!]
}

/** One call of an entry: 64 bytes at ctx, all of which may be used, and len. */
export interface ObjectInput {
  readonly ctx: Uint8Array
  readonly len: number
}

export const objectInputs: readonly ObjectInput[] = [
  { ctx: new Uint8Array(64), len: 0 },
  { ctx: Uint8Array.from({ length: 64 }, (_, index) => (index * 37 + 11) & 255), len: 17 },
  { ctx: Uint8Array.from({ length: 64 }, (_, index) => (index * index * 13 + 200) & 255), len: 64 },
]

export interface ObjectResult {
  readonly r0: bigint
  /** The 64 bytes after the call. */
  readonly ctx: Uint8Array
}

let temporary: string | undefined
function temporaryFolder(): string {
  temporary ??= mkdtempSync(join(tmpdir(), 'thumbpf-objects-'))
  return temporary
}

const compiled = new Map<string, Uint8Array>()

/** The object of a program. */
export function compileForBpf(program: string, { cpu, level, debug }: ObjectVariant): Uint8Array {
  const key = `${program} ${cpu} ${level} ${debug}`
  let bytes = compiled.get(key)
  if (bytes === undefined) {
    const output = join(temporaryFolder(), 'program.o')
    const flags = [
      '-target',
      'bpfel',
      `-mcpu=${cpu}`,
      level,
      '-Wall',
      '-Werror',
      '-mllvm',
      '-bpf-stack-size=2048',
      ...commonFlags,
      ...(debug ? ['-g'] : []),
    ]
    execFileSync(tool('clang-19') ?? 'clang-19', [...flags, '-c', `${program}.c`, '-o', output], { cwd: folder })
    bytes = readFileSync(output)
    compiled.set(key, bytes)
  }
  return bytes
}

const commonFlags = ['-fcommon', '-fno-builtin', '-fwrapv', '-fno-strict-aliasing', '-fno-stack-protector']

/** Calls the entry once with the bytes and the number of its arguments; prints r0 and the bytes. */
const main = `
#include <stdio.h>
#include <stdlib.h>
unsigned long long entry(void *ctx, unsigned long long len);
int main(int count, char **arguments) {
  static unsigned char ctx[64] __attribute__((aligned(8)));
  for (int i = 0; i < 64; i++) { unsigned byte; sscanf(arguments[1] + 2 * i, "%2x", &byte); ctx[i] = byte; }
  printf("%llx ", entry(ctx, strtoull(arguments[2], 0, 10)));
  for (int i = 0; i < 64; i++) printf("%02x", ctx[i]);
  return count - 3;
}
`
const expected = new Map<string, readonly ObjectResult[]>()

/** What the program gives natively, for each of `objectInputs`. */
export function expectedResults(program: string): readonly ObjectResult[] {
  let results = expected.get(program)
  if (results === undefined) {
    const file = join(temporaryFolder(), 'native')
    // What a program does not use may refer to what is not there.
    const linking = ['-Wl,--unresolved-symbols=ignore-all', '-no-pie', '-w']
    const flags = ['-O1', ...commonFlags, `${program}.c`, '-x', 'c', '-', '-o', file]
    execFileSync(tool('gcc') ?? 'gcc', [...linking, ...flags], { cwd: folder, input: main })
    results = objectInputs.map(({ ctx, len }) => {
      const output = execFileSync(file, [Buffer.from(ctx).toString('hex'), String(len)], { encoding: 'utf8' })
      const [r0, bytes] = output.split(' ')
      return { r0: BigInt(`0x${r0}`), ctx: new Uint8Array(Buffer.from(bytes!, 'hex')) }
    })
    expected.set(program, results)
  }
  return results
}
