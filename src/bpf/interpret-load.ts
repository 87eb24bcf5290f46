// The programs of one interpreted run: where each one's parts are, the memory that they bring along, and the helpers that they may
// call. Those with maps are granted what compile.ts grants them.

import { InputError, RejectedError } from '../base/errors.ts'
import { type Addresses, initialData, placeData } from './data.ts'
import type { Helper, HelperSet } from './helpers.ts'
import { mapHelpers, type OracleMap, placeOracleMaps } from './map-oracle.ts'
import { checkMaps, mapPrototypes, MapType } from './maps.ts'
import type { MemoryRegion } from './memory.ts'
import type { MapDefinition, Program } from './program.ts'

/** Where the program's data begins unless the caller says otherwise. */
export const DEFAULT_DATA_BASE = 0x2018_0000
/** Where its maps do. */
export const DEFAULT_MAP_BASE = 0x3000_0000
const DEFAULT_FUNCTION_BASE = 0x1000_0001
const FUNCTION_DISTANCE = 8

/** What belongs to one program of a run. */
export interface ProgramParts {
  /** Address of each of `Program.data`; one after the other from DEFAULT_DATA_BASE if not given. */
  readonly dataAddresses?: readonly number[]
  /** Address of each of `Program.functions`, bit 0 set: what callx takes. */
  readonly functionAddresses?: readonly number[]
  /**
   * The bytes of each of `Program.data`, to be read and written from outside too; `memory` if they lie in the caller's memory at
   * `dataAddresses`, as `initialData` makes them. Default: new ones, for this run alone.
   */
  readonly data?: readonly Uint8Array[] | 'memory'
  /** Each of `Program.maps`. Default: new ones, for this run alone, from DEFAULT_MAP_BASE on. */
  readonly maps?: readonly OracleMap[]
}

/** A program that tail calls may go to. */
export interface TailTarget extends ProgramParts {
  readonly program: Program
}

/** A program in its place. */
export interface LoadedProgram {
  readonly program: Program
  readonly addresses: Addresses
  /** Index in `Program.instructions` by the address of a function. */
  readonly functionStarts: ReadonlyMap<bigint, number>
  /** What it may call. */
  readonly helpers: ReadonlyMap<number, Helper>
  /** It has a program array: helper 12 is bpf_tail_call. */
  readonly tailCalls: boolean
}

export interface LoadedPrograms {
  readonly main: LoadedProgram
  /** By the number that program arrays have for them. */
  readonly targets: ReadonlyMap<number, LoadedProgram>
  /** Those that declare program arrays which the object fills. */
  readonly owners: ReadonlyMap<MapDefinition, LoadedProgram>
  /** Data of all of them, and the values of their maps. */
  readonly regions: readonly MemoryRegion[]
  readonly mapAt: ReadonlyMap<number, OracleMap>
}

/**
 * Places a program and the targets of its tail calls. A Program is there once: a target that is the main program, or another target's,
 * shares its parts, and its own are ignored. Throws InputError for maps that there can't be.
 */
export function loadPrograms(
  program: Program,
  parts: ProgramParts,
  targets: ReadonlyMap<number, TailTarget>,
  granted: HelperSet,
): LoadedPrograms {
  const loader = new Loader()
  const placed = new Map([[program, loader.place(program, parts)]])
  for (const target of targets.values()) {
    if (!placed.has(target.program)) placed.set(target.program, loader.place(target.program, target))
  }
  // Any program may be handed any map's address.
  const withMaps = new Map<number, Helper>(mapHelpers([...loader.mapAt.values()]))
  for (const [number, helper] of granted.helpers) {
    const prototype = mapPrototypes.get(number)
    withMaps.set(number, prototype === undefined ? helper : { ...helper, prototype })
  }
  const loaded = new Map<Program, LoadedProgram>()
  for (const [one, addresses] of placed) {
    loaded.set(one, {
      program: one,
      addresses,
      functionStarts: new Map(one.functions.map(({ start }, index) => [BigInt(addresses.functions[index]!), start])),
      helpers: one.maps.length > 0 ? withMaps : granted.helpers,
      tailCalls: one.maps.some(({ type }) => type === MapType.PROGRAM_ARRAY),
    })
  }
  const owners = new Map<MapDefinition, LoadedProgram>()
  for (const one of loaded.values()) for (const map of one.program.maps) if (map.programs) owners.set(map, one)
  return {
    main: loaded.get(program)!,
    owners,
    targets: new Map([...targets].map(([number, target]) => [number, loaded.get(target.program)!])),
    regions: loader.regions,
    mapAt: loader.mapAt,
  }
}

/** Default places are one behind the other. */
class Loader {
  readonly regions: MemoryRegion[] = []
  readonly mapAt = new Map<number, OracleMap>()
  private nextData = DEFAULT_DATA_BASE
  private nextMap = DEFAULT_MAP_BASE
  private nextFunction = DEFAULT_FUNCTION_BASE

  place(program: Program, parts: ProgramParts): Addresses {
    const addresses = {
      data: parts.dataAddresses ?? this.placeData(program),
      maps: this.placeMaps(program, parts.maps).map(({ address }) => address),
      functions: parts.functionAddresses ?? program.functions.map(() => this.functionAddress()),
    }
    const data = parts.data ?? initialData(program, addresses)
    if (data !== 'memory') {
      for (const [index, { kind }] of program.data.entries()) {
        this.regions.push({ base: addresses.data[index]!, bytes: data[index]!, readOnly: kind === 'rodata' })
      }
    }
    return addresses
  }

  private placeData({ data }: Program): number[] {
    const addresses = placeData(data, this.nextData)
    for (const [index, { size }] of data.entries()) this.nextData = addresses[index]! + size
    return addresses
  }

  private placeMaps({ maps }: Program, given: readonly OracleMap[] | undefined): readonly OracleMap[] {
    if (given !== undefined && given.length !== maps.length) {
      throw new InputError(`the program has ${maps.length} maps, ${given.length} are given`)
    }
    const rejections = checkMaps(maps)
    if (rejections.length > 0) throw new RejectedError(rejections)
    const placed = given ?? placeOracleMaps(maps, this.nextMap)
    if (given === undefined) this.nextMap = placed.at(-1)?.end ?? this.nextMap
    this.nextMap = Math.ceil(this.nextMap / 8) * 8
    for (const map of placed) {
      const other = this.mapAt.get(map.address)
      if (other === map) continue
      if (other !== undefined) {
        throw new InputError(`maps '${other.definition.name}' and '${map.definition.name}' have the same address`)
      }
      this.mapAt.set(map.address, map)
      this.regions.push(map.region)
    }
    return placed
  }

  private functionAddress(): number {
    const address = this.nextFunction
    this.nextFunction += FUNCTION_DISTANCE
    return address
  }
}
