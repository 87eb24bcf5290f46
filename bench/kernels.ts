// Runs the kernels in every build on the simulator, and the BPF builds on the interpreter too: cycles, instructions and bytes, and
// whether all of them give the same r0 and leave the same context.

import { type CompileOptions, interpret, readProgram, RegionMemory, Simulator } from '../src/index.ts'
import { callFunction } from '../src/machine/call.ts'
import { type Build, builds, buildNames, type BuiltKernels } from './builds.ts'
import { kernelInputs } from './inputs.ts'
import type { KernelInput } from './kernel-input.ts'
import { CONTEXT, type PlacedKernel, placeKernel } from './placed.ts'

export interface Figures {
  readonly cycles: number
  readonly instructions: number
  /** Of code and of its constants; without libgcc's. */
  readonly bytes: number
}

export interface KernelReport {
  readonly name: string
  readonly figures: Readonly<Record<Build, Figures>>
}

/** What a run gives, to be compared. */
export interface Answer {
  readonly r0: bigint
  readonly ctx: Uint8Array
}

const STACK_TOP = 0x2010_0000
const RETURN = 0x1000
const BKPT = 0xbe00

/** A simulator that `runKernel` can use. */
export function kernelSimulator(): Simulator {
  const machine = new Simulator()
  machine.writeSync(RETURN, Uint8Array.of(BKPT & 255, BKPT >> 8))
  return machine
}

/** Throws, with all that differ, if builds of a kernel do not agree. `names` are of `kernelInputs`. */
export async function benchKernels(
  built: BuiltKernels,
  names: readonly string[],
  options: CompileOptions = {},
): Promise<KernelReport[]> {
  const machine = kernelSimulator()
  const reports: KernelReport[] = []
  const wrong: string[] = []
  for (const name of names) {
    const input = kernelInputs.get(name)!()
    const answers = new Map<string, Answer>()
    const figures: Partial<Record<Build, Figures>> = {}
    for (const build of buildNames) {
      try {
        const placed = placeKernel(built, name, build, input, options)
        const ran = await runKernel(machine, placed, input)
        answers.set(build, ran)
        if (!builds[build].native)
          answers.set(`${build} interpreted`, interpretKernel(built.object(name, build), input))
        figures[build] = { cycles: ran.cycles, instructions: ran.instructions, bytes: placed.bytes }
      } catch (error) {
        throw new Error(`${name}: ${build}: ${(error as Error).message}`, { cause: error })
      }
    }
    wrong.push(...disagreements(name, answers))
    reports.push({ name, figures: figures as Record<Build, Figures> })
  }
  if (wrong.length > 0) throw new Error(wrong.join('\n'))
  return reports
}

/** One line for each answer that is not the first's. */
function disagreements(name: string, answers: ReadonlyMap<string, Answer>): string[] {
  const [[first, expected]] = [...answers] as [[string, Answer]]
  const lines: string[] = []
  for (const [build, { r0, ctx }] of answers) {
    const at = ctx.findIndex((byte, index) => byte !== expected.ctx[index])
    if (r0 !== expected.r0)
      lines.push(`${name}: ${build} gives 0x${r0.toString(16)}, ${first} 0x${expected.r0.toString(16)}`)
    else if (at >= 0) lines.push(`${name}: ${build} and ${first} leave different contexts from byte ${at} on`)
  }
  return lines
}

/** Throws if the call does not return. */
export async function runKernel(
  machine: Simulator,
  { pieces, entry, args }: PlacedKernel,
  { ctx }: KernelInput,
): Promise<Answer & { readonly cycles: number; readonly instructions: number }> {
  for (const { address, bytes } of [...pieces, { address: CONTEXT, bytes: ctx }]) machine.writeSync(address, bytes)
  const result = await callFunction(machine, {
    address: entry,
    args,
    stackTop: STACK_TOP,
    returnAddress: RETURN,
    limits: { instructions: 10_000_000 },
  })
  if (result.kind !== 'returned') throw new Error(`does not return: ${JSON.stringify(result.stop)}`)
  const { cycles, instructions } = machine.counters
  const r0 = (BigInt(result.high) << 32n) | BigInt(result.low)
  return { r0, ctx: machine.readSync(CONTEXT, ctx.length), cycles: cycles!, instructions }
}

function interpretKernel(object: Uint8Array, { ctx, len }: KernelInput): Answer {
  const after = ctx.slice()
  const memory = new RegionMemory([{ base: CONTEXT, bytes: after }])
  const { outcome } = interpret(readProgram(object), { memory, r1: CONTEXT, r2: len })
  if (outcome.kind !== 'returned') throw new Error(`interpreted: ${outcome.message}`)
  return { r0: outcome.r0, ctx: after }
}
