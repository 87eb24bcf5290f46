// One call of a program, on the interpreter or compiled and on a machine: what run, test and plugin have in common.

import {
  checkProgram,
  compile,
  type CompileOptions,
  DEFAULT_MAP_BASE,
  type HelperSet,
  instantiate,
  interpretAsync,
  lineAt,
  type Machine,
  type MapDefinition,
  type MapEntry,
  MapType,
  type Module,
  noHelpers,
  type Outcome,
  placeOracleMaps,
  type Program,
  RegionMemory,
  RejectedError,
} from '../index.ts'
import { UsageError } from './io.ts'
import type { Target } from './target.ts'

/** Instructions after which a run is stopped unless the user says otherwise: about a second's worth at most. */
const defaultLimit = { machine: 50_000_000, interpreter: 10_000_000 } as const

export interface ExecuteOptions {
  readonly target: Target
  /** Bytes that R1 points at; without any R1 is 0. */
  readonly ctx?: Uint8Array | undefined
  /** R2; the length of the context if undefined. */
  readonly len?: number | undefined
  readonly maxInstructions?: number | undefined
  readonly helpers?: HelperSet
  /** Read the maps after the call? */
  readonly maps?: boolean
  /** Names of helpers by number, for the message about one that is not granted. */
  readonly helperNames?: ReadonlyMap<number, string>
  readonly compile?: CompileOptions
}

/** A map after the call. */
export interface MapContents {
  readonly definition: MapDefinition
  /** By key; of an array those that are not zero. */
  readonly entries: readonly MapEntry[]
  /** Of a program array, which the object fills: names of functions by index; it has no other entries. */
  readonly programs: readonly { readonly index: number; readonly name: string }[]
  /** What a ring buffer's consumer finds. */
  readonly records: readonly Uint8Array[]
}

export interface Execution {
  readonly outcome: Outcome
  /** Executed: BPF instructions on the interpreter, else those of the machine; null where it does not count them. */
  readonly instructions: number | null
  readonly cycles: number | null
  /** Bytes of compiled code; null on the interpreter, which makes none. */
  readonly codeBytes: number | null
  /** Static. */
  readonly bpfInstructions: number
  /** The context after the call; empty without one. */
  readonly ctx: Uint8Array
  /** C line (`file:line`) where the program failed, if the object has lines. */
  readonly source: string | undefined
  /** Empty unless they were asked for. */
  readonly maps: readonly MapContents[]
}

/** Calls the program's entry. Throws RejectedError for a program that calls helpers which are not granted. */
export async function execute(program: Program, options: ExecuteOptions): Promise<Execution> {
  if (options.target.runImage !== undefined) return executeThere(program, options.target.runImage, options)
  const machine = options.target.machine()
  return machine === null ? executeInterpreted(program, options) : executeCompiled(program, machine, options)
}

async function executeInterpreted(program: Program, options: ExecuteOptions): Promise<Execution> {
  const helpers = options.helpers ?? noHelpers
  const rejections = checkProgram(program, new Set(helpers.helpers.keys()), options.helperNames)
  if (rejections.length > 0) throw new RejectedError(rejections)
  const ctx = (options.ctx ?? new Uint8Array()).slice()
  const base = 0x2000_0000
  const maps = placeOracleMaps(program.maps, DEFAULT_MAP_BASE)
  const { outcome, instructions } = await interpretAsync(program, {
    memory: new RegionMemory([{ base, bytes: ctx }]),
    r1: hasBytes(ctx) ? base : 0,
    r2: options.len ?? ctx.length,
    helpers,
    maps,
    maximumInstructions: options.maxInstructions ?? defaultLimit.interpreter,
  })
  return {
    outcome,
    instructions,
    cycles: null,
    codeBytes: null,
    bpfInstructions: program.instructions.length,
    ctx,
    source: sourceOf(program, outcome),
    maps: options.maps === true ? await Promise.all(maps.map((map) => contents(map, program))) : [],
  }
}

function compiled(program: Program, options: ExecuteOptions): Module {
  const { helpers, unwind } = options.helpers ?? noHelpers
  return compile(program, {
    ...options.compile,
    helpers: new Map([...helpers].map(([number, helper]) => [number, helper.prototype])),
    helperNames: options.helperNames,
    ...(unwind === undefined ? {} : { unwindHelper: unwind }),
  })
}

/** On a firmware that loads images: of the helpers the prototypes count, the functions are the firmware's. */
async function executeThere(
  program: Program,
  runImage: NonNullable<Target['runImage']>,
  options: ExecuteOptions,
): Promise<Execution> {
  if (options.maps === true) throw new UsageError(`--maps: the maps of ${options.target.name} can't be read`)
  const { image } = compiled(program, options)
  const { outcome, ctx } = await runImage(
    image,
    options.ctx ?? new Uint8Array(),
    options.len ?? options.ctx?.length ?? 0,
  )
  return {
    outcome,
    instructions: null,
    cycles: null,
    codeBytes: image.code.length,
    bpfInstructions: image.bpfInstructions,
    ctx,
    source: sourceOf(program, outcome),
    maps: [],
  }
}

async function executeCompiled(program: Program, machine: Machine, options: ExecuteOptions): Promise<Execution> {
  const { helpers } = options.helpers ?? noHelpers
  const module = compiled(program, options)
  const instance = await instantiate(module, machine, {
    helpers: new Map([...helpers].map(([number, helper]) => [number, helper.fn])),
  })
  const { outcome, instructions, cycles, ctx } = await instance.call({
    ...(hasBytes(options.ctx) ? { ctx: options.ctx } : {}),
    len: options.len ?? options.ctx?.length ?? 0,
    limits: options.target.limitsInstructions ? { instructions: options.maxInstructions ?? defaultLimit.machine } : {},
  })
  const { code, bpfInstructions } = module.image
  const placed = options.maps === true ? [...instance.maps.values()] : []
  const readMaps = await Promise.all(placed.map((map) => contents(map, program)))
  // The machine may run other programs.
  instance.free()
  return {
    outcome,
    instructions,
    cycles,
    codeBytes: code.length,
    bpfInstructions,
    ctx,
    source: sourceOf(program, outcome),
    maps: readMaps,
  }
}

/** The C line in which a program failed. */
function sourceOf(program: Program, outcome: Outcome): string | undefined {
  const line = outcome.kind === 'returned' || outcome.slot < 0 ? undefined : lineAt(program, outcome.slot)
  return line && `${line.file}:${line.line}`
}

/** What a map of the interpreter and one on a machine have in common. */
interface ReadableMap {
  readonly definition: MapDefinition
  entries(): readonly MapEntry[] | Promise<readonly MapEntry[]>
  consume(): readonly Uint8Array[] | Promise<readonly Uint8Array[]>
}

async function contents(map: ReadableMap, program: Program): Promise<MapContents> {
  const { definition } = map
  const none = { definition, entries: [], programs: [], records: [] }
  if (definition.type === MapType.RINGBUF) return { ...none, records: await map.consume() }
  if (definition.type === MapType.PROGRAM_ARRAY) {
    const { programs = [] } = program.maps.find(({ name }) => name === definition.name)!
    return {
      ...none,
      programs: programs.map((one) => ({ index: one.index, name: program.functions[one.function]!.name })),
    }
  }
  const entries = (await map.entries()).filter(({ value }) => !isArray(definition) || value.some((byte) => byte !== 0))
  return { ...none, entries: entries.toSorted((a, b) => compareBytes(a.key, b.key)) }
}

function isArray({ type }: MapDefinition): boolean {
  return type === MapType.ARRAY || type === MapType.PERCPU_ARRAY
}

/** As little-endian numbers, which keys mostly are. */
function compareBytes(a: Uint8Array, b: Uint8Array): number {
  for (let at = a.length - 1; at >= 0; at--) if (a[at] !== b[at]) return a[at]! - b[at]!
  return 0
}

/** A context of no bytes is none: there is nothing that R1 could point at. */
function hasBytes(ctx: Uint8Array | undefined): ctx is Uint8Array {
  return ctx !== undefined && ctx.length > 0
}
