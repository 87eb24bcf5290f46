// One call of a program, on the interpreter or compiled and on a machine: what run, test and plugin have in common.

import {
  compile,
  type CompileOptions,
  type HelperSet,
  instantiate,
  interpretAsync,
  noHelpers,
  type Outcome,
  type Program,
  RegionMemory,
  RejectedError,
  checkHelpers,
  Simulator,
} from '../index.ts'

export type MachineName = 'sim' | 'interp'

/** Instructions after which a run is stopped unless the user says otherwise: about a second's worth at most. */
const defaultLimit: Readonly<Record<MachineName, number>> = { sim: 50_000_000, interp: 10_000_000 }

export interface ExecuteOptions {
  readonly machine: MachineName
  /** Bytes that R1 points at; without any R1 is 0. */
  readonly ctx?: Uint8Array | undefined
  /** R2; the length of the context if undefined. */
  readonly len?: number | undefined
  readonly maxInstructions?: number | undefined
  readonly helpers?: HelperSet
  /** Names of helpers by number, for the message about one that is not granted. */
  readonly helperNames?: ReadonlyMap<number, string>
  readonly compile?: CompileOptions
}

export interface Execution {
  readonly outcome: Outcome
  /** Executed: BPF instructions on the interpreter, else those of the machine. */
  readonly instructions: number
  readonly cycles: number | null
  /** Bytes of compiled code; null on the interpreter, which makes none. */
  readonly codeBytes: number | null
  /** Static. */
  readonly bpfInstructions: number
  /** The context after the call; empty without one. */
  readonly ctx: Uint8Array
}

/** Calls the program's entry. Throws RejectedError for a program that calls helpers which are not granted. */
export async function execute(program: Program, options: ExecuteOptions): Promise<Execution> {
  return options.machine === 'interp' ? executeInterpreted(program, options) : executeCompiled(program, options)
}

async function executeInterpreted(program: Program, options: ExecuteOptions): Promise<Execution> {
  const helpers = options.helpers ?? noHelpers
  const rejections = checkHelpers(program, new Set(helpers.helpers.keys()), options.helperNames)
  if (rejections.length > 0) throw new RejectedError(rejections)
  const ctx = (options.ctx ?? new Uint8Array()).slice()
  const base = 0x2000_0000
  const { outcome, instructions } = await interpretAsync(program, {
    memory: new RegionMemory([{ base, bytes: ctx }]),
    r1: hasBytes(ctx) ? base : 0,
    r2: options.len ?? ctx.length,
    helpers,
    maximumInstructions: options.maxInstructions ?? defaultLimit.interp,
  })
  return { outcome, instructions, cycles: null, codeBytes: null, bpfInstructions: program.instructions.length, ctx }
}

async function executeCompiled(program: Program, options: ExecuteOptions): Promise<Execution> {
  const { helpers, unwind } = options.helpers ?? noHelpers
  const module = compile(program, {
    ...options.compile,
    helpers: new Map([...helpers].map(([number, helper]) => [number, helper.prototype])),
    helperNames: options.helperNames,
    ...(unwind === undefined ? {} : { unwindHelper: unwind }),
  })
  const instance = await instantiate(module, new Simulator(), {
    helpers: new Map([...helpers].map(([number, helper]) => [number, helper.fn])),
  })
  const { outcome, instructions, cycles, ctx } = await instance.call({
    ...(hasBytes(options.ctx) ? { ctx: options.ctx } : {}),
    len: options.len ?? options.ctx?.length ?? 0,
    limits: { instructions: options.maxInstructions ?? defaultLimit.sim },
  })
  const { code, bpfInstructions } = module.image
  return { outcome, instructions, cycles, codeBytes: code.length, bpfInstructions, ctx }
}

/** A context of no bytes is none: there is nothing that R1 could point at. */
function hasBytes(ctx: Uint8Array | undefined): ctx is Uint8Array {
  return ctx !== undefined && ctx.length > 0
}
