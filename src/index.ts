// The public surface, every export by name. Close to the shape of the WebAssembly JS API: `compile` bytes to a Module,
// `instantiate` it on a machine with helpers, `call` the Instance. Runs in browsers as it is; node.ts has what needs Node.

import type { Rejection } from './base/errors.ts'
import { checkHelpers } from './bpf/check.ts'
import type { Grants } from './bpf/helpers.ts'
import { checkMaps } from './bpf/maps.ts'
import type { Program } from './bpf/program.ts'
import { compile as compileImage, type CompileOptions, granted } from './compile.ts'
import type { Image } from './image/image.ts'
import { type HelperBinding, instantiate as instantiateImage, type Instance } from './machine/instance.ts'
import type { Machine } from './machine/machine.ts'
import type { PlacedMap } from './machine/maps.ts'

export { formatRejection, InputError, type Place, RejectedError, type Rejection } from './base/errors.ts'
export {
  type Faulted,
  formatOutcome,
  type Limited,
  type Outcome,
  type Returned,
  TrapCode,
  type Trapped,
} from './base/outcome.ts'
export type { Remark } from './base/remark.ts'
export { formatPrototype, type Parameter, type Prototype, type ResultType, type ValueType } from './base/prototype.ts'
export { assemble } from './bpf/asm.ts'
export { type ConformanceTest, expectsError, parseConformance } from './bpf/conformance.ts'
export { disassemble, formatInstruction, labelsOf } from './bpf/disasm.ts'
export {
  type Grants,
  type Helper,
  HelperFault,
  type HelperMemory,
  type HelperSet,
  type HelperTable,
  type HostHelper,
  noHelpers,
} from './bpf/helpers.ts'
export {
  DEFAULT_MAP_BASE,
  interpret,
  interpretAsync,
  type Interpretation,
  type InterpretOptions,
  type ProgramParts,
  type TailTarget,
} from './bpf/interpret.ts'
export { lineAt } from './bpf/lines.ts'
export { OracleMap, placeOracleMaps } from './bpf/map-oracle.ts'
export { MapError, MapType, MapUpdate } from './bpf/maps.ts'
export { type InterpreterMemory, type MemoryRegion, RegionMemory } from './bpf/memory.ts'
export { suggestion } from './bpf/names.ts'
export type {
  BpfFunction,
  DataSection,
  Instruction,
  MapDefinition,
  Program,
  Reference,
  SourceLine,
} from './bpf/program.ts'
export { helperTable, parseHelperHeader, parsePrototype } from './bpf/prototypes.ts'
export { readProgram, type ReadOptions } from './bpf/read.ts'
export { linuxHelperNames, linuxHelpers } from './bpf/tables/linux.ts'
export { riotHelpers } from './bpf/tables/riot.ts'
export type { CompileOptions } from './compile.ts'
export { writeImage } from './image/file.ts'
export { type ElfOptions, formatElf } from './image/format-elf.ts'
export { type Flat, type FlatOptions, type FlatPiece, formatFlat, formatMap } from './image/format-flat.ts'
export { formatC, formatRust, identifier } from './image/format-source.ts'
export {
  type Image,
  type ImageMap,
  type ImageSection,
  type ImageSymbol,
  type LineEntry,
  Reloc,
  type Relocation,
  slotAt,
} from './image/image.ts'
export { type Linked, link, type Placement } from './image/link.ts'
export { readImage } from './image/read-file.ts'
export { listing, type ListingLine } from './image/listing.ts'
export { type CallOptions, type HelperBinding, type Instance, type Result } from './machine/instance.ts'
export { type MapEntry, PlacedMap, placeMap } from './machine/maps.ts'
export type { HeapStats } from './machine/code-heap.ts'
export { type LoadOptions, type ProgramInfo, Programs, type ProgramsOptions } from './machine/programs.ts'
export type { Counters, Limits, Machine, Region, Stop } from './machine/machine.ts'
export { GdbMachine, type GdbOptions } from './machine/gdb/machine.ts'
export { MachineError, type Transport } from './machine/gdb/transport.ts'
export { type AgentCall, type AgentOptions, type AgentProgram, SerialAgent } from './machine/serial/agent.ts'
export { type AgentRun, runOnAgent } from './machine/serial/run.ts'
export { codeInRam, defaultRegions, Simulator, type SimulatorOptions } from './machine/sim/simulator.ts'

/**
 * What of a program's helpers and maps is refused, as `compile` would: calls of helpers that are not granted and definitions of maps
 * that there can't be. For those who interpret a program. `names` gives the names of helpers that are known.
 */
export function checkProgram(program: Program, helpers: Grants, names?: ReadonlyMap<number, string>): Rejection[] {
  return [...checkMaps(program.maps), ...checkHelpers(program, granted(program, helpers), names)]
}

/** A compiled program, not yet on any machine. One module can be instantiated any number of times. */
export class Module {
  readonly image: Image

  /** Made by `compile`. */
  constructor(image: Image) {
    this.image = image
  }

  /** Names of the functions that are global, the entry among them. */
  exports(): string[] {
    return this.image.symbols
      .filter((symbol) => symbol.kind === 'function' && symbol.global)
      .map((symbol) => symbol.name)
  }

  /** Numbers of the helpers that it needs, ascending. */
  imports(): number[] {
    const imports = this.image.symbols.filter((symbol) => symbol.kind === 'import')
    return imports.map((symbol) => symbol.helper).toSorted((a, b) => a - b)
  }
}

/** What a module is given when it is placed on a machine. */
export interface InstantiateOptions {
  /** By helper number: a function of the host, or the address of one on the machine. */
  readonly helpers?: ReadonlyMap<number, HelperBinding> | Readonly<Record<number, HelperBinding>>
  /** Maps by name that programs share (placeMap, or another instance's); the others are the instance's own. */
  readonly maps?: ReadonlyMap<string, PlacedMap>
}

/**
 * Compiles an ELF object or raw BPF instructions, or a program that was read already. Throws InputError for bytes that can't be
 * read and RejectedError for a program that is malformed or calls helpers that the options do not grant.
 */
export function compile(source: Uint8Array | Program, options: CompileOptions = {}): Module {
  return new Module(compileImage(source, options))
}

/** Places a module in a machine's memory. Throws InputError if a helper is missing or there is no room for the code. */
export function instantiate(module: Module, machine: Machine, options: InstantiateOptions = {}): Promise<Instance> {
  const helpers = options.helpers ?? {}
  const entries = helpers instanceof Map ? helpers : Object.entries(helpers as Record<number, HelperBinding>)
  const bindings = new Map<number, HelperBinding>()
  for (const [number, helper] of entries) bindings.set(Number(number), helper)
  return instantiateImage(module.image, machine, { helpers: bindings, maps: options.maps })
}
