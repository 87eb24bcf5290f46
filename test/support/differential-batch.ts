// Random programs on the interpreter and, in batches, on machines: results, contexts and the numbers of instructions must agree. Programs
// are compiled at all levels, and their contexts lie at any alignment.

import { formatOutcome } from '../../src/base/outcome.ts'
import { readProgram } from '../../src/bpf/read.ts'
import { interpret } from '../../src/bpf/interpret.ts'
import { RegionMemory } from '../../src/bpf/memory.ts'
import { compile, type CompileOptions } from '../../src/compile.ts'
import type { Machine } from '../../src/machine/machine.ts'
import { Batch, type Job } from './batch.ts'
import { makeContext, type Run, sameOutcome, testHelpers } from './differential.ts'
import { Random } from './random.ts'
import { CONTEXT_BYTES, randomProgram } from './random-program.ts'

export interface Case {
  readonly seed: number
  /** Statements of the entry. */
  readonly length: number
  readonly functions: number
  readonly level: 0 | 2 | 's'
  /** The context's address modulo 16. */
  readonly alignment: number
}

/** What a seed stands for. Most programs are compiled at -O2, and every second context is aligned. */
export function caseOf(seed: number): Case {
  const random = new Random(seed)
  const level = ([2, 2, 2, 's', 's', 0] as const)[random.below(6)]!
  const length = 1 + random.below(80)
  const functions = random.below(4)
  return { seed, length, functions, level, alignment: random.chance(50) ? 0 : random.below(16) }
}

/** As tools/reduce.test.ts takes it. */
export const nameOf = ({ seed, length, functions, level }: Case): string =>
  `SEED=${seed},${length},${functions},${level}`

const granted = { helpers: new Set(testHelpers.keys()) }
const helpers = new Map([...testHelpers].map(([number, fn]) => [number, { name: `helper_${number}`, fn }]))
/** Of a batch as a whole. */
const limits = { instructions: 100_000_000, milliseconds: 20_000 }

export class BatchComparison {
  readonly #batches: readonly { readonly name: string; readonly batch: Batch }[]
  readonly #options: CompileOptions

  private constructor(batches: readonly { readonly name: string; readonly batch: Batch }[], options: CompileOptions) {
    this.#batches = batches
    this.#options = { ...granted, ...options }
  }

  /** For up to `size` programs at once. `sources` is the folder of batch.c. */
  static async open(
    machines: readonly Machine[],
    sources: string,
    size: number,
    options: CompileOptions = {},
  ): Promise<BatchComparison> {
    const batches = []
    for (const machine of machines) {
      batches.push({ name: machine.name, batch: await Batch.open(machine, sources, size, CONTEXT_BYTES, limits) })
    }
    return new BatchComparison(batches, options)
  }

  /** A sentence for each case on which they do not agree. */
  async compare(cases: readonly Case[]): Promise<string[]> {
    const problems: string[] = []
    const jobs: Job[] = []
    const expected: { readonly name: string; readonly run: Run }[] = []
    for (const one of cases) {
      const { seed, length, functions, level: optimize, alignment } = one
      const program = readProgram(randomProgram(seed, length, functions).text)
      const ctx = makeContext(CONTEXT_BYTES, seed)
      const bytes = ctx.slice()
      const base = this.#batches[0]!.batch.contextAddress(jobs.length, alignment)
      try {
        jobs.push({ image: compile(program, { ...this.#options, optimize }), ctx, alignment })
      } catch (error) {
        problems.push(`${nameOf(one)}: ${String(error)}`)
        continue
      }
      const { outcome } = interpret(program, {
        memory: new RegionMemory([{ base, bytes }]),
        r1: base,
        r2: ctx.length,
        helpers: { helpers },
        maximumInstructions: 1_000_000,
      })
      expected.push({ name: nameOf(one), run: { outcome, ctx: bytes } })
    }
    const counts: string[] = []
    for (const { name: machine, batch } of this.#batches) {
      const { runs, instructions } = await batch.run(jobs)
      if (instructions !== null) counts.push(`${instructions} on ${machine}`)
      for (const [index, { name, run }] of expected.entries()) {
        const { outcome, ctx, problem } = runs[index]!
        if (problem !== undefined) problems.push(`${name}: ${problem} on ${machine}`)
        else if (!sameOutcome(run.outcome, outcome)) {
          problems.push(`${name}: ${formatOutcome(outcome)} on ${machine}, must be ${formatOutcome(run.outcome)}`)
        } else if (!run.ctx.every((byte, at) => byte === ctx[at]))
          problems.push(`${name}: the context differs on ${machine}`)
      }
    }
    if (new Set(counts.map((count) => count.split(' ')[0])).size > 1) {
      problems.push(`${expected[0]!.name} and those behind it: instructions differ, ${counts.join(', ')}`)
    }
    return problems
  }

  /** Gives the machines' memory back. */
  free(): void {
    for (const { batch } of this.#batches) batch.free()
  }
}
