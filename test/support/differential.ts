// One program on the interpreter and compiled on the simulator, with the same context at the same address.

import { initialData, placeData } from '../../src/bpf/data.ts'
import { interpret, type TailTarget } from '../../src/bpf/interpret.ts'
import { OracleMap } from '../../src/bpf/map-oracle.ts'
import { RegionMemory } from '../../src/bpf/memory.ts'
import type { Program } from '../../src/bpf/program.ts'
import { readProgram } from '../../src/bpf/read.ts'
import type { HostHelper } from '../../src/bpf/helpers.ts'
import { type CompileOptions, compile } from '../../src/compile.ts'
import { type Instance, instantiate } from '../../src/machine/instance.ts'
import type { Machine } from '../../src/machine/machine.ts'
import type { PlacedMap } from '../../src/machine/maps.ts'
import type { Outcome } from '../../src/base/outcome.ts'

const u64 = (value: bigint): bigint => BigInt.asUintN(64, value)

/** Helpers whose results depend on all 64 bits of each argument. */
export const testHelpers: ReadonlyMap<number, HostHelper> = new Map<number, HostHelper>([
  [1, (a, b, c, d, e) => u64(a * 3n + b * 5n + c * 7n + d * 11n + e * 13n)],
  [2, (a) => u64(~a)],
  [3, (a, b, c, d, e) => u64((a ^ (b << 1n) ^ (c << 2n)) + (d - e))],
])

export interface Run {
  readonly outcome: Outcome
  readonly ctx: Uint8Array
}

export interface Difference {
  readonly interpreter: Run
  readonly machine: Run
  readonly equal: boolean
}

/** A context of `length` bytes that follows from a seed. */
export function makeContext(length: number, seed: number): Uint8Array {
  let x = seed | 1
  return Uint8Array.from({ length }, () => {
    x = (Math.imul(x, 1664525) + 1013904223) | 0
    return x >>> 24
  })
}

/** The same end: all 64 bits of a result, or code and place of a trap. */
export function sameOutcome(a: Outcome, b: Outcome): boolean {
  if (a.kind === 'returned' && b.kind === 'returned') return a.r0 === b.r0
  if (a.kind === 'trapped' && b.kind === 'trapped') return a.code === b.code && a.slot === b.slot
  return a.kind === b.kind
}

/** Runs both and compares result and context. */
export async function compareRuns(
  text: Uint8Array,
  ctx: Uint8Array,
  machine: Machine,
  options: CompileOptions = {},
): Promise<Difference> {
  const program = readProgram(text)
  const image = compile(program, { helpers: new Set(testHelpers.keys()), check: true, ...options })
  const instance = await instantiate(image, machine, { helpers: testHelpers })
  const result = await instance.call({ ctx, limits: { instructions: 5_000_000 } })
  const bytes = ctx.slice()
  const helpers = new Map([...testHelpers].map(([number, fn]) => [number, { name: `helper_${number}`, fn }]))
  const expected = interpret(program, {
    memory: new RegionMemory([{ base: instance.ctxAddress, bytes }]),
    r1: instance.ctxAddress,
    r2: ctx.length,
    helpers: { helpers },
    maximumInstructions: 1_000_000,
  })
  instance.free()
  const interpreter = { outcome: expected.outcome, ctx: bytes }
  const equalContext = bytes.every((byte, index) => result.ctx[index] === byte)
  return {
    interpreter,
    machine: { outcome: result.outcome, ctx: result.ctx },
    equal: sameOutcome(expected.outcome, result.outcome) && equalContext,
  }
}

/** What a map holds, in an order of its own: `key:value` in hexadecimal, or a ring buffer's records, which are consumed. */
export interface Contents {
  readonly map: string
  readonly interpreter: readonly string[]
  readonly machine: readonly string[]
}

/** Programs that share maps by name and live on in both worlds from call to call, with their data. */
export class Twins {
  readonly #instances = new Map<string, Instance>()
  readonly #placed = new Map<string, PlacedMap>()
  readonly #oracles = new Map<string, OracleMap>()
  readonly #targets = new Map<string, TailTarget>()

  static async create(
    programs: ReadonlyMap<string, Program>,
    machine: Machine,
    options: CompileOptions = {},
  ): Promise<Twins> {
    const twins = new Twins()
    let base = 0x3000_0000
    for (const [name, program] of programs) {
      for (const definition of program.maps) {
        if (twins.#oracles.has(definition.name)) continue
        twins.#oracles.set(definition.name, new OracleMap(definition, base))
        base += 0x10_0000
      }
      const maps = program.maps.map((definition) => twins.#oracles.get(definition.name)!)
      const dataAddresses = placeData(program.data, base)
      const functionAddresses = program.functions.map((_, index) => base + 0x8_0001 + 8 * index)
      const addresses = { data: dataAddresses, maps: maps.map(({ address }) => address), functions: functionAddresses }
      twins.#targets.set(name, {
        program,
        maps,
        dataAddresses,
        functionAddresses,
        data: initialData(program, addresses),
      })
      base += 0x10_0000
      const image = compile(program, { check: true, ...options })
      const instance = await instantiate(image, machine, { maps: twins.#placed })
      twins.#instances.set(name, instance)
      for (const [map, placed] of instance.maps) twins.#placed.set(map, placed)
    }
    return twins
  }

  /** Puts a program into a program array. */
  async setProgram(map: string, index: number, program: string): Promise<void> {
    this.#oracles.get(map)!.setProgram(index, this.#number(program))
    await this.#placed.get(map)!.setProgram(index, this.#instances.get(program)!.address)
  }

  async call(name: string, ctx: Uint8Array, len: number): Promise<Difference> {
    const instance = this.#instances.get(name)!
    const { program, ...parts } = this.#targets.get(name)!
    const bytes = ctx.slice()
    const expected = interpret(program, {
      ...parts,
      memory: new RegionMemory([{ base: instance.ctxAddress, bytes }]),
      r1: instance.ctxAddress,
      r2: len,
      programs: new Map([...this.#targets].map(([target, one]) => [this.#number(target), one])),
      maximumInstructions: 1_000_000,
    })
    const result = await instance.call({ ctx, len, limits: { instructions: 5_000_000 } })
    return {
      interpreter: { outcome: expected.outcome, ctx: bytes },
      machine: { outcome: result.outcome, ctx: result.ctx },
      equal: sameOutcome(expected.outcome, result.outcome) && hex(bytes) === hex(result.ctx),
    }
  }

  /** Of every map but program arrays, whose numbers differ. */
  async contents(): Promise<Contents[]> {
    const all: Contents[] = []
    for (const [map, oracle] of this.#oracles) {
      const placed = this.#placed.get(map)!
      if (placed.shape.kind === 'programs') continue
      if (placed.shape.kind === 'ring') {
        all.push({ map, interpreter: oracle.consume().map(hex), machine: (await placed.consume()).map(hex) })
        continue
      }
      const line = ({ key, value }: { readonly key: Uint8Array; readonly value: Uint8Array }): string =>
        `${hex(key)}:${hex(value)}`
      const interpreter = oracle.entries().map(line).toSorted()
      all.push({ map, interpreter, machine: (await placed.entries()).map(line).toSorted() })
    }
    return all
  }

  free(): void {
    for (const instance of [...this.#instances.values()].toReversed()) instance.free()
  }

  #number(name: string): number {
    return [...this.#targets.keys()].indexOf(name) + 1
  }
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')
}
