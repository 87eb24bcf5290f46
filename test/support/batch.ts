// Many programs on a machine in one call of it: code and contexts are written at once, batch.c calls one program after the other, and
// the results are read at once. A machine behind a debugger runs hundreds a second so. Contexts have any alignment.

import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { readElf32 } from '../../bench/elf32.ts'
import { Env } from '../../src/base/abi.ts'
import { unreachable } from '../../src/base/errors.ts'
import { type Outcome, trapMessage } from '../../src/base/outcome.ts'
import { type Image, slotAt } from '../../src/image/image.ts'
import { link } from '../../src/image/link.ts'
import { callFunction, wordBytes } from '../../src/machine/call.ts'
import type { Limits, Machine, Stop } from '../../src/machine/machine.ts'
import { Workspace } from '../../src/machine/workspace.ts'
import type { Run } from './differential.ts'

/** Outside programs that a batch needs, besides those of its machine. */
export const batchTools = ['arm-none-eabi-gcc'] as const

/** One program and its context. Images have no data and no maps. */
export interface Job {
  readonly image: Image
  readonly ctx: Uint8Array
  /** 0 to 15: the context's address modulo 16. */
  readonly alignment: number
}

export interface BatchRun extends Run {
  /** What is wrong whatever the result: a register that was not kept. */
  readonly problem: string | undefined
}

/** A job on the machine: where its code is, and its number. */
interface Placed extends Job {
  readonly code: number
  readonly index: number
}

/** Bytes of struct job, of it with the env behind it, and its fields. */
const JOB = 56
const ENTRY = JOB + Env.size
const LOW = 16
const KEPT_AT = 24
const KEPT = 0xca11_ee04

export class Batch {
  readonly #machine: Machine
  readonly #workspace: Workspace
  readonly #run: number
  readonly #helpers: readonly number[]
  readonly #begun: number
  readonly #jobs: number
  readonly #contexts: number
  readonly #stride: number
  readonly #limits: Limits
  #free: () => void

  /** Room for `size` jobs with contexts of up to `contextBytes`. `sources` has batch.c. `limits` hold for a batch as a whole. */
  static async open(
    machine: Machine,
    sources: string,
    size: number,
    contextBytes: number,
    limits: Limits,
  ): Promise<Batch> {
    const workspace = await Workspace.of(machine)
    const { text, symbols } = build(sources)
    const code = workspace.code.allocate(text.length)
    await workspace.code.write(code, text)
    const stride = (contextBytes + 31) & ~15
    const data = workspace.data.allocate(size * (ENTRY + stride) + 32)
    return new Batch(machine, workspace, { code, symbols, data, size, stride, limits })
  }

  private constructor(
    machine: Machine,
    workspace: Workspace,
    place: {
      readonly code: number
      readonly symbols: ReadonlyMap<string, number>
      readonly data: number
      readonly size: number
      readonly stride: number
      readonly limits: Limits
    },
  ) {
    this.#machine = machine
    this.#workspace = workspace
    const addressOf = (name: string): number => (place.code + place.symbols.get(name)!) | 1
    this.#run = addressOf('batch')
    this.#helpers = [0, 1, 2, 3].map((number) => (number === 0 ? 0 : addressOf(`helper_${number}`)))
    this.#begun = place.data
    this.#jobs = place.data + 16
    this.#contexts = (this.#jobs + place.size * ENTRY + 15) & ~15
    this.#stride = place.stride
    this.#limits = place.limits
    this.#free = () => {
      workspace.code.free(place.code)
      workspace.data.free(place.data)
    }
  }

  /** Where job `index` has its context. */
  contextAddress(index: number, alignment: number): number {
    return this.#contexts + index * this.#stride + alignment
  }

  /** Runs all; the machine's instructions for all of them together, null where it does not count or a program did not return. */
  async run(jobs: readonly Job[]): Promise<{ readonly runs: BatchRun[]; readonly instructions: number | null }> {
    const workspace = this.#workspace
    const offsets: number[] = []
    let length = 4
    for (const { image } of jobs) {
      offsets.push(length)
      length = (length + image.code.length + 3) & ~3
    }
    const code = workspace.code.allocate(length)
    const placed = jobs.map((job, index): Placed => ({ ...job, code: code + offsets[index]!, index }))
    const bytes = new Uint8Array(length)
    for (const { image, code: at } of placed) {
      bytes.set(link(image, { code: at }, ({ helper }) => this.#helpers[helper]!).code, at - code)
    }
    await workspace.code.write(code, bytes)
    await this.#machine.write(this.#jobs, wordBytes(placed.flatMap((job) => this.#words(job))))
    const contexts = new Uint8Array(jobs.length * this.#stride)
    for (const { ctx, alignment, index } of placed) contexts.set(ctx, index * this.#stride + alignment)
    await this.#machine.write(this.#contexts, contexts)
    const stops = new Map<number, Outcome>()
    const instructions = await this.#callAll(placed, stops)
    const results = await this.#machine.read(this.#jobs, ENTRY * jobs.length)
    const after = await this.#machine.read(this.#contexts, contexts.length)
    workspace.code.free(code)
    return { runs: placed.map((job) => this.#result(job, results, after, stops.get(job.index))), instructions }
  }

  /** struct job and the env behind it. */
  #words({ image, ctx, alignment, code, index }: Placed): number[] {
    const words = Array.from({ length: ENTRY / 4 }, () => 0)
    const address = this.contextAddress(index, alignment)
    words[0] = (code + image.symbols[image.entry]!.offset) | 1
    words[1] = address
    words[2] = ctx.length
    words[3] = this.#jobs + ENTRY * index + JOB
    words[(JOB + Env.ctx) / 4] = address
    words[(JOB + Env.len) / 4] = ctx.length
    return words
  }

  /** Calls them all, behind one that did not return the rest again: how those end stands in `stops`. */
  async #callAll(placed: readonly Placed[], stops: Map<number, Outcome>): Promise<number | null> {
    const { returnAddress, stackTop, code } = this.#workspace
    for (let from = 0; from < placed.length;) {
      const result = await callFunction(this.#machine, {
        address: this.#run,
        args: [this.#jobs + ENTRY * from, placed.length - from, this.#begun],
        stackTop,
        returnAddress,
        limits: this.#limits,
        run: (limits) => code.run(limits),
      })
      if (result.kind === 'returned') break
      const begun = await this.#machine.read(this.#begun, 4)
      from += new DataView(begun.buffer, begun.byteOffset).getUint32(0, true)
      stops.set(from - 1, stopped(result.stop, placed[from - 1]!))
    }
    return stops.size > 0 ? null : this.#machine.counters.instructions
  }

  #result(job: Placed, results: Uint8Array, contexts: Uint8Array, stop: Outcome | undefined): BatchRun {
    const { image, code, index } = job
    const start = index * this.#stride + job.alignment
    const ctx = contexts.slice(start, start + job.ctx.length)
    if (stop !== undefined) return { outcome: stop, ctx, problem: undefined }
    const view = new DataView(results.buffer, results.byteOffset + ENTRY * index)
    let problem: string | undefined
    for (let r = 0; r < 8; r++) {
      const kept = view.getUint32(KEPT_AT + 4 * r, true)
      if (kept !== KEPT + r) problem = `r${4 + r} was not kept: 0x${kept.toString(16)}`
    }
    const trap = view.getUint32(JOB + Env.outcome, true)
    const pc = view.getUint32(JOB + Env.pc, true) & ~1
    const outcome: Outcome =
      trap === 0
        ? { kind: 'returned', r0: view.getBigUint64(LOW, true) }
        : { kind: 'trapped', code: trap, slot: slotAt(image, pc - 1 - code), message: trapMessage(trap) }
    return { outcome, ctx, problem }
  }

  /** Gives its memory back. */
  free(): void {
    this.#free()
    this.#free = () => unreachable('a batch that was freed')
  }
}

function stopped(stop: Stop, { image, code }: Placed): Outcome {
  const place = { pc: stop.pc, slot: slotAt(image, stop.pc - code) }
  if (stop.kind === 'limit') return { kind: 'limited', limit: stop.limit, ...place, message: `limit on ${stop.limit}` }
  if (stop.kind === 'breakpoint')
    return { kind: 'faulted', fault: 'DEBUGEVT', address: undefined, ...place, message: `breakpoint ${stop.number}` }
  return { ...stop, kind: 'faulted', ...place }
}

const options = '-mcpu=cortex-m4 -mthumb -O1 -ffreestanding -fno-builtin -nostdlib -Wl,--build-id=none,-Ttext=0,-e,0'

/** batch.c, linked at 0. */
function build(sources: string): { readonly text: Uint8Array; readonly symbols: ReadonlyMap<string, number> } {
  const folder = mkdtempSync(join(tmpdir(), 'thumbpf-batch-'))
  try {
    const elf = join(folder, 'batch.elf')
    execFileSync(batchTools[0], [...options.split(' '), join(sources, 'batch.c'), '-o', elf])
    const { sections, symbols } = readElf32(readFileSync(elf))
    return { text: sections[0]!.bytes, symbols }
  } finally {
    rmSync(folder, { recursive: true })
  }
}
