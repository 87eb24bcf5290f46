// Runs the kernels in every build on the simulator, and the BPF builds on the interpreter too: cycles, instructions and bytes, and
// whether all of them give the same r0 and leave the same context.

import {
  compile,
  type CompileOptions,
  instantiate,
  interpret,
  readProgram,
  RegionMemory,
  Simulator,
} from '../src/index.ts'
import { callFunction } from '../src/machine/call.ts'
import { type Build, builds, buildNames, type BuiltKernels } from './builds.ts'
import { readElf32 } from './elf32.ts'
import { type KernelInput, kernelInputs } from './inputs.ts'

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
interface Answer {
  readonly r0: bigint
  readonly ctx: Uint8Array
}

const CONTEXT = 0x2001_0000
const STACK_TOP = 0x2010_0000
const RETURN = 0x1000
const BKPT = 0xbe00

/** Throws, with all that differ, if builds of a kernel do not agree. `names` are of `kernelInputs`. */
export async function benchKernels(
  built: BuiltKernels,
  names: readonly string[],
  options: CompileOptions = {},
): Promise<KernelReport[]> {
  const machine = new Simulator()
  const native = new Simulator()
  native.writeSync(RETURN, Uint8Array.of(BKPT & 255, BKPT >> 8))
  const reports: KernelReport[] = []
  const wrong: string[] = []
  for (const name of names) {
    const input = kernelInputs.get(name)!()
    const answers = new Map<string, Answer>()
    const figures: Partial<Record<Build, Figures>> = {}
    const answer = async (build: Build): Promise<void> => {
      if (builds[build].native) {
        const ran = await runNative(native, built.linked(name, build), input)
        answers.set(build, ran)
        figures[build] = {
          cycles: ran.cycles,
          instructions: ran.instructions,
          bytes: nativeBytes(built.object(name, build)),
        }
      } else {
        const object = built.object(name, build)
        answers.set(`${build} interpreted`, runInterpreted(object, input))
        const ran = await runCompiled(machine, object, input, options)
        answers.set(build, ran)
        figures[build] = { cycles: ran.cycles, instructions: ran.instructions, bytes: ran.bytes }
      }
    }
    for (const build of buildNames) {
      try {
        await answer(build)
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

async function runCompiled(
  machine: Simulator,
  object: Uint8Array,
  { ctx, len }: KernelInput,
  options: CompileOptions,
): Promise<Answer & Figures> {
  const module = compile(object, options)
  const { code, sections } = module.image
  const instance = await instantiate(module, machine)
  const { outcome, ctx: after, cycles, instructions } = await instance.call({ ctx, len })
  instance.free()
  if (outcome.kind !== 'returned') throw new Error(outcome.message)
  const bytes = code.length + sections.reduce((sum, section) => sum + section.size, 0)
  return { r0: outcome.r0, ctx: after, cycles: cycles!, instructions, bytes }
}

function runInterpreted(object: Uint8Array, { ctx, len }: KernelInput): Answer {
  const after = ctx.slice()
  const memory = new RegionMemory([{ base: CONTEXT, bytes: after }])
  const { outcome } = interpret(readProgram(object), { memory, r1: CONTEXT, r2: len })
  if (outcome.kind !== 'returned') throw new Error(outcome.message)
  return { r0: outcome.r0, ctx: after }
}

async function runNative(
  machine: Simulator,
  linked: Uint8Array,
  { ctx, len }: KernelInput,
): Promise<Answer & Omit<Figures, 'bytes'>> {
  const { sections, symbols } = readElf32(linked)
  for (const { address, bytes } of sections) machine.writeSync(address, bytes)
  machine.writeSync(CONTEXT, ctx)
  const result = await callFunction(machine, {
    address: symbols.get('entry')! | 1,
    args: [CONTEXT, 0, len, 0],
    stackTop: STACK_TOP,
    returnAddress: RETURN,
    limits: { instructions: 10_000_000 },
  })
  if (result.kind !== 'returned') throw new Error(`native code: ${JSON.stringify(result.stop)}`)
  const { cycles, instructions } = machine.counters
  const r0 = (BigInt(result.high) << 32n) | BigInt(result.low)
  return { r0, ctx: machine.readSync(CONTEXT, ctx.length), cycles: cycles!, instructions }
}

function nativeBytes(object: Uint8Array): number {
  return readElf32(object).sections.reduce((sum, { bytes }) => sum + bytes.length, 0)
}
