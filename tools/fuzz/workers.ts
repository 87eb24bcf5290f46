// What a process of `npm run fuzz` does: every `workers`-th program, or batch of them, from its own on.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

import { startQemu } from '../../src/machine/node/qemu.ts'
import { Simulator } from '../../src/machine/sim/simulator.ts'
import { CComparison, type Counts } from '../../test/support/c-comparison.ts'
import { compareRuns, makeContext } from '../../test/support/differential.ts'
import { BatchComparison, caseOf, nameOf } from '../../test/support/differential-batch.ts'
import { CONTEXT_BYTES, randomProgram } from '../../test/support/random-program.ts'

/** The share of one of `workers` processes: seeds from `from` to `from + count - 1`, beginning at `offset`. */
export interface Share {
  readonly from: number
  readonly count: number
  readonly workers: number
  readonly offset: number
}

/** What a worker tells: programs done since it told last, a sentence on one that differs, and what it has counted in all. */
export interface Message {
  readonly done?: number
  readonly problem?: string
  readonly counts?: Counts
}

type Tell = (message: Message) => void

/** Programs that QEMU runs in one go. */
const QEMU_BATCH = 250
/** C programs that are one program natively. */
const C_BATCH = 8
/** build/, in which this file is compiled to build/tools/fuzz/. */
const build = join(dirname(fileURLToPath(import.meta.url)), '../..')

/** Bytecode on the simulator. */
export async function work({ from, count, workers, offset }: Share, tell: Tell): Promise<void> {
  let simulator = new Simulator({ cycles: false })
  let done = 0
  for (let seed = from + offset; seed < from + count; seed += workers) {
    const one = caseOf(seed)
    // The simulator keeps what it has decoded; now and then it may forget.
    if (done % 2000 === 0) simulator = new Simulator({ cycles: false })
    let problem = ''
    try {
      const { text } = randomProgram(seed, one.length, one.functions)
      const { equal } = await compareRuns(text, makeContext(CONTEXT_BYTES, seed), simulator, {
        optimize: one.level,
        check: false,
      })
      if (!equal) problem = 'differs'
    } catch (error) {
      problem = String(error)
    }
    if (problem !== '') tell({ problem: `${nameOf(one)}: ${problem}` })
    if (++done % 500 === 0) tell({ done: 500 })
  }
  tell({ done: done % 500 })
}

/** Seeds in batches of `size`, from the worker's own on. */
function* batches({ from, count, workers, offset }: Share, size: number): Generator<number[]> {
  for (let start = from + offset * size; start < from + count; start += workers * size) {
    yield Array.from({ length: Math.min(size, from + count - start) }, (_, index) => start + index)
  }
}

/** Bytecode on the simulator and on QEMU. */
export async function workWithQemu(share: Share, tell: Tell): Promise<void> {
  const qemu = await startQemu()
  const sources = join(build, '../test/support')
  for (const seeds of batches(share, QEMU_BATCH)) {
    const comparison = await BatchComparison.open([new Simulator({ cycles: false }), qemu], sources, QEMU_BATCH)
    for (const problem of await comparison.compare(seeds.map(caseOf))) tell({ problem })
    comparison.free()
    tell({ done: seeds.length })
  }
  await qemu.close()
}

/** C on the simulator; programs that differ stay in build/fuzz/. */
export async function workOnC(share: Share, tell: Tell): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'thumbpf-fuzz-'))
  const comparison = new CComparison(folder, relative('', join(build, 'fuzz')))
  try {
    for (const seeds of batches(share, C_BATCH)) {
      try {
        for (const problem of await comparison.compare(seeds)) tell({ problem })
      } catch (error) {
        tell({ problem: `seeds ${seeds[0]} to ${seeds.at(-1)}: ${String(error)}` })
      }
      tell({ done: seeds.length })
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
  tell({ counts: comparison.counts })
}
