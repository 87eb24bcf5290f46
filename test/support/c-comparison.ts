// Random C programs, compiled for BPF by clang and run on the interpreter and, compiled by us at every level, on the simulator, against what
// the same C gives natively: results and contexts.

import { execFileSync, type ExecFileSyncOptionsWithStringEncoding } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { formatOutcome, type Outcome } from '../../src/base/outcome.ts'
import { interpret } from '../../src/bpf/interpret.ts'
import { RegionMemory } from '../../src/bpf/memory.ts'
import type { Program } from '../../src/bpf/program.ts'
import { readProgram } from '../../src/bpf/read.ts'
import { compile } from '../../src/compile.ts'
import { instantiate } from '../../src/machine/instance.ts'
import { Simulator } from '../../src/machine/sim/simulator.ts'
import { DIALECT, POINTED_BYTES, PRELUDE, randomC } from './random-c.ts'

/** The programs that a comparison needs: clang links natively with what belongs to gcc. */
export const cTools = ['clang-19', 'gcc'] as const

interface Variant {
  readonly cpu: 'v2' | 'v3' | 'v4'
  readonly level: '-O0' | '-O1' | '-O2' | '-Os'
}

const CPUS = ['v2', 'v3', 'v4'] as const
const LEVELS = ['-O1', '-O2', '-Os', '-O0'] as const

/** How clang compiles a seed's program: for each CPU at one level; four seeds in a row have them all. */
const variantsOf = (seed: number): Variant[] =>
  CPUS.map((cpu, index) => ({ cpu, level: LEVELS[(seed + index) % LEVELS.length]! }))

const INPUTS = [
  { ctx: new Uint8Array(POINTED_BYTES), len: 0 },
  { ctx: Uint8Array.from({ length: POINTED_BYTES }, (_, index) => index * 37 + 11), len: 17 },
  { ctx: Uint8Array.from({ length: POINTED_BYTES }, (_, index) => index * index * 13 + 200 + index), len: 64 },
] as const

/** What a run must give: r0 and the context, in hexadecimal. */
interface Expected {
  readonly r0: bigint
  readonly ctx: string
}

/** Runs of more than that are left out: the interpreter takes about a microsecond for each instruction. */
const MAXIMUM_INSTRUCTIONS = 300_000
/** clang takes too long for a few programs, which are left out as well. */
const MILLISECONDS = 20_000
/** What clang may say of C that BPF cannot do: frames that are too large, and atomic operations that v2 has not (of one that adds 0 it makes another). */
const REFUSALS = /BPF stack limit|unsupported atomic operation/

export interface Counts {
  programs: number
  /** Calls of compiled programs that were compared. */
  runs: number
  /** Variants that clang refused for BPF. */
  refused: number
  /** Inputs with which a program takes too long. */
  long: number
}

/** Prints a line for each program and input; each run has a process, and so data, of its own. */
const main = (names: readonly string[]): string => `
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <sys/wait.h>
int main(void) {
  static u8 inputs[][${POINTED_BYTES}] = {${INPUTS.map(({ ctx }) => `{${[...ctx].join(',')}}`).join(',')}};
  static u64 lengths[] = {${INPUTS.map(({ len }) => len).join(',')}};
  static u64 (*volatile entries[])(u8 *, u64) = {${names.join(',')}};
  static u8 ctx[${POINTED_BYTES}] __attribute__((aligned(16)));
  for (int program = 0; program < ${names.length}; program++) for (int input = 0; input < ${INPUTS.length}; input++) {
    int status;
    if (fork() == 0) {
      alarm(2);
      memcpy(ctx, inputs[input], ${POINTED_BYTES});
      printf("%llx ", entries[program](ctx, lengths[input]));
      for (int at = 0; at < ${POINTED_BYTES}; at++) printf("%02x", ctx[at]);
      puts("");
      fflush(stdout);
      _exit(0);
    }
    wait(&status);
    if (status == SIGALRM) puts("long");
    else if (status != 0) printf("status %d\\n", status);
    fflush(stdout);
  }
}
`

export class CComparison {
  readonly counts: Counts = { programs: 0, runs: 0, refused: 0, long: 0 }
  readonly #folder: string
  readonly #keep: string
  readonly #forBpf: (text: string) => string

  /** `folder` is for what is compiled; C files of programs that differ go to `keep`. `forBpf` changes what is compiled for BPF. */
  constructor(folder: string, keep: string, forBpf: (text: string) => string = (text) => text) {
    this.#folder = folder
    this.#keep = keep
    this.#forBpf = forBpf
  }

  /** A sentence for each seed and variant on which they do not agree. */
  async compare(seeds: readonly number[]): Promise<string[]> {
    const problems: string[] = []
    const texts = seeds.map((seed) => randomC(seed, `p${seed}`))
    const lines = this.#native(seeds, texts)
    // The simulator keeps what it has decoded.
    const machine = new Simulator({ cycles: false })
    for (const [index, seed] of seeds.entries()) {
      const expected = lines.slice(index * INPUTS.length, (index + 1) * INPUTS.length)
      const file = join(this.#folder, `${seed}.c`)
      const text = this.#forBpf(PRELUDE + texts[index])
      writeFileSync(file, text)
      for (const variant of variantsOf(seed)) {
        const problem = await this.#variant(seed, file, variant, expected, machine)
        if (problem === undefined) continue
        mkdirSync(this.#keep, { recursive: true })
        const kept = join(this.#keep, `${seed}.c`)
        writeFileSync(kept, text)
        problems.push(`seed ${seed}: ${problem}; clang-19 ${bpfFlags(variant).join(' ')} ${kept}`)
      }
      this.counts.programs++
    }
    return problems
  }

  /** A line for each program and input. */
  #native(seeds: readonly number[], texts: readonly string[]): string[] {
    const file = join(this.#folder, 'native')
    const text = PRELUDE + texts.join('') + main(seeds.map((seed) => `p${seed}`))
    execFileSync('clang-19', ['-O1', ...DIALECT, '-o', file, '-x', 'c', '-'], { input: text })
    return execFileSync(file, { encoding: 'utf8' }).split('\n')
  }

  async #variant(
    seed: number,
    file: string,
    variant: Variant,
    lines: readonly string[],
    machine: Simulator,
  ): Promise<string | undefined> {
    const object = join(this.#folder, 'program.o')
    const options: ExecFileSyncOptionsWithStringEncoding = { encoding: 'utf8', stdio: 'pipe', timeout: MILLISECONDS }
    try {
      execFileSync('clang-19', [...bpfFlags(variant), file, '-o', object], options)
    } catch (error) {
      const { stderr, code } = error as { readonly stderr: string; readonly code?: string }
      if (code !== 'ETIMEDOUT' && !REFUSALS.test(stderr)) return `clang: ${stderr.split('\n')[0]}`
      this.counts.refused++
      return undefined
    }
    try {
      const program = readProgram(readFileSync(object), { entry: `p${seed}` })
      for (const optimize of [2, 0, 's'] as const) {
        const problem = await this.#level(program, optimize, lines, machine)
        if (problem !== undefined) return problem
      }
    } catch (error) {
      return String(error)
    }
    return undefined
  }

  /** Runs a program that was compiled at a level, and at the first of them the interpreter as well. */
  async #level(
    program: Program,
    optimize: 0 | 2 | 's',
    lines: readonly string[],
    machine: Simulator,
  ): Promise<string | undefined> {
    // The checks take as long as all the rest of a compile.
    const image = compile(program, { optimize, check: optimize === 2 })
    for (const [index, { ctx, len }] of INPUTS.entries()) {
      const expected = parseLine(lines[index]!)
      // Data begins anew with each instance.
      const instance = await instantiate(image, machine)
      const result = await instance.call({ ctx, len, limits: { instructions: 20 * MAXIMUM_INSTRUCTIONS } })
      instance.free()
      const ended = result.outcome.kind !== 'limited'
      if (expected === undefined) {
        this.counts.long++
        continue
      }
      const compiled = problemOf(result.outcome, result.ctx, expected)
      if (ended) this.counts.runs++
      if (compiled === undefined && optimize !== 2) continue
      const bytes = ctx.slice()
      const base = instance.ctxAddress
      const memory = new RegionMemory([{ base, bytes }])
      const { outcome } = interpret(program, { memory, r1: base, r2: len, maximumInstructions: MAXIMUM_INSTRUCTIONS })
      const interpreted = outcome.kind === 'limited' ? undefined : problemOf(outcome, bytes, expected)
      if (!ended && outcome.kind === 'limited') {
        this.counts.long++
        continue
      }
      if (compiled === undefined && interpreted === undefined) continue
      const said = [`input ${index}`, `native ${expected.r0.toString(16)}`]
      said.push(`interpreter ${interpreted ?? (outcome.kind === 'limited' ? 'takes too long' : 'the same')}`)
      said.push(`compiled at -O${optimize} ${compiled ?? 'the same'}`)
      return said.join(', ')
    }
    return undefined
  }
}

function bpfFlags({ cpu, level }: Variant): string[] {
  return ['--target=bpfel', `-mcpu=${cpu}`, level, ...DIALECT, '-mllvm', '-bpf-stack-size=2048', '-c']
}

function parseLine(line: string): Expected | undefined {
  if (line === 'long') return undefined
  const [r0, ctx] = line.split(' ')
  if (r0 === undefined || ctx === undefined || r0 === 'status') throw new Error(`natively: ${line}`)
  return { r0: BigInt(`0x${r0}`), ctx }
}

/** What differs. */
function problemOf(outcome: Outcome, bytes: Uint8Array, { r0, ctx }: Expected): string | undefined {
  if (outcome.kind !== 'returned') return formatOutcome(outcome)
  if (outcome.r0 !== r0) return outcome.r0.toString(16)
  const found = Buffer.from(bytes).toString('hex')
  return found === ctx ? undefined : `context ${found} and not ${ctx}`
}
