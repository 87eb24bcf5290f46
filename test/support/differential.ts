// One program on the interpreter and compiled on the simulator, with the same context at the same address.

import { RegionMemory } from '../../src/bpf/memory.ts'
import { interpret } from '../../src/bpf/interpret.ts'
import { readProgram } from '../../src/bpf/read.ts'
import type { HostHelper } from '../../src/bpf/helpers.ts'
import { type CompileOptions, compile } from '../../src/compile.ts'
import { instantiate } from '../../src/machine/instance.ts'
import type { Machine } from '../../src/machine/machine.ts'
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

function sameOutcome(a: Outcome, b: Outcome): boolean {
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
