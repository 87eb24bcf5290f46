// ELF objects of clang -> what a Program is made of: the functions that the entry reaches by calls and by addresses, placed one
// after the other; the data sections and maps that they reach, through pointers too; and the C lines of the instructions.
// Calls are recomputed and addresses become References. What is not reached may be anything, and debug information is not looked at.

import { RejectedError, type Rejection } from '../base/errors.ts'
import { Btf } from './btf.ts'
import { type BtfExt, readBtfExt, recordsWithin } from './btf-ext.ts'
import { maximumSlots } from './decode.ts'
import { ElfFile } from './elf.ts'
import { chooseEntry, type ObjectFunction, readFunctions } from './functions.ts'
import { placeOf } from './lines.ts'
import type { DataSection, MapDefinition, Reference, SourceLine } from './program.ts'
import {
  type AddressLoad,
  type Area,
  type Call,
  type NamedCall,
  type ObjectMap,
  type Pointer,
  type ReportProblem,
  Scanner,
  type Target,
} from './relocate.ts'

export { isElf } from './elf.ts'

/** Where a function lies in a text: the slots [start, end). */
export interface FunctionLayout {
  readonly name: string
  readonly start: number
  readonly end: number
  readonly global: boolean
  readonly section: string
}

/** What a file becomes: instructions to decode, and what belongs to them. */
export interface ProgramText {
  readonly text: Uint8Array
  /** In order of `start`, without gaps. */
  readonly functions: readonly FunctionLayout[]
  /** Index of the entry in `functions`. */
  readonly entry: number
  /** By slot: LDDWs that load an address; their immediates are 0. */
  readonly references: ReadonlyMap<number, Reference>
  readonly data: readonly DataSection[]
  readonly maps: readonly MapDefinition[]
  /** In order of slots. */
  readonly lines: readonly SourceLine[]
}

interface Problem {
  readonly code: string
  readonly from: ObjectFunction | Area
  readonly offset: number
  readonly message: string
}

/** Everything that the entry reaches. */
interface Reached {
  readonly functions: Set<ObjectFunction>
  readonly areas: Map<Area, Pointer[]>
  readonly maps: Set<ObjectMap>
  readonly calls: Call[]
  readonly named: NamedCall[]
  readonly loads: AddressLoad[]
}

const maximumProblems = 50

/** What CO-RE asks about a kernel's types, by its kind; the number of the program's own type (6) needs no kernel. */
const coreKinds = [
  'the offset of a member',
  'the size of a member',
  'whether a member exists',
  'the signedness of a member',
  'the place of a bit field',
  'the place of a bit field',
  '',
  'the number of a type',
  'whether a type exists',
  'the size of a type',
  'whether an enumerator exists',
  'the value of an enumerator',
  'whether a type matches',
]
const LOCAL_TYPE = 6

/**
 * Reads an object and chooses its entry. `helpers` are numbers by the names that undefined functions may have. Throws InputError, and RejectedError for what can't be served, with codes `relocation`,
 * `call-into-function`, `address-into-function`, `undefined-function`, `undefined-symbol`, `kernel-function`, `kernel-symbol`,
 * `kernel-config`, `map-definition` and `core-relocation`.
 */
export function readObject(
  bytes: Uint8Array,
  entryName?: string,
  helpers: ReadonlyMap<string, number> = new Map(),
): ProgramText {
  const file = new ElfFile(bytes)
  const functions = readFunctions(file)
  const entry = chooseEntry([...functions.values()].flat(), entryName)
  const btf = readBtf(file)
  const extension = readExtension(file, btf)
  const problems: Problem[] = []
  const report: ReportProblem = (code, from, offset, message) => {
    problems.push({ code, from, offset, message })
  }
  const scanner = new Scanner(file, functions, btf, report, helpers)
  const reached = reach(scanner, entry)
  for (const one of reached.functions) problems.push(...coreProblems(one, extension, btf))

  const placed = [...reached.functions].toSorted((a, b) => a.section.index - b.section.index || a.start - b.start)
  const slotOf = new Map<ObjectFunction, number>()
  let slots = 0
  for (const one of placed) {
    slotOf.set(one, slots)
    slots += (one.end - one.start) / 8
  }
  if (slots > maximumSlots) {
    const message = `the program has ${slots} instructions, at most ${maximumSlots} are allowed`
    throw new RejectedError([{ code: 'program-too-long', place: {}, message }])
  }
  const slotAt = (from: ObjectFunction, offset: number): number => slotOf.get(from)! + ((offset - from.start) >> 3)
  const lines = placed.flatMap((one) => linesOf(one, slotOf.get(one)!, extension))
  if (problems.length > 0) {
    throw new RejectedError(
      problems.slice(0, maximumProblems).map(({ code, from, offset, message }): Rejection => {
        const slot = 'order' in from ? undefined : slotAt(from, offset)
        return { code, place: placeOf(from.name, slot, lines), message }
      }),
    )
  }

  const text = new Uint8Array(slots * 8)
  for (const one of placed) text.set(file.contents(one.section).subarray(one.start, one.end), slotOf.get(one)! * 8)
  const view = new DataView(text.buffer)
  for (const { from, offset, to } of reached.calls) {
    const slot = slotAt(from, offset)
    view.setInt32(slot * 8 + 4, slotOf.get(to)! - slot - 1, true)
  }

  for (const { from, offset, helper } of reached.named) {
    const at = slotAt(from, offset) * 8
    text[at + 1] = 0
    view.setInt32(at + 4, helper, true)
  }

  const areas = [...reached.areas.keys()].toSorted((a, b) => a.order - b.order)
  const maps = [...reached.maps].toSorted((a, b) => a.order - b.order)
  const referenceTo = numbered(placed, areas, maps)
  const references = new Map<number, Reference>()
  for (const { from, offset, target } of reached.loads) {
    const slot = slotAt(from, offset)
    view.setInt32(slot * 8 + 4, 0, true)
    if (slot + 1 < slots) view.setInt32(slot * 8 + 12, 0, true)
    references.set(slot, referenceTo(target))
  }
  return {
    text,
    functions: placed.map((one) => ({
      name: one.name,
      start: slotOf.get(one)!,
      end: slotOf.get(one)! + (one.end - one.start) / 8,
      global: one.global,
      section: one.section.name,
    })),
    entry: placed.indexOf(entry),
    references,
    data: areas.map((area) => dataSection(file, area, reached.areas.get(area)!, referenceTo)),
    maps: maps.map(({ definition, programs }) =>
      programs.length === 0
        ? definition
        : { ...definition, programs: programs.map(({ index, to }) => ({ index, function: placed.indexOf(to) })) },
    ),
    lines,
  }
}

function readBtf(file: ElfFile): Btf | undefined {
  const section = file.sectionNamed('.BTF')
  return section && new Btf(file.contents(section))
}

function readExtension(file: ElfFile, btf: Btf | undefined): BtfExt | undefined {
  const section = file.sectionNamed('.BTF.ext')
  return section && btf && readBtfExt(file.contents(section), btf)
}

function reach(scanner: Scanner, entry: ObjectFunction): Reached {
  const reached: Reached = {
    functions: new Set([entry]),
    areas: new Map(),
    maps: new Set(),
    calls: [],
    named: [],
    loads: [],
  }
  const pending: Area[] = []
  const add = (target: Target): void => {
    if (target.kind === 'function') reached.functions.add(target.to)
    else if (target.kind === 'map') {
      reached.maps.add(target.to)
      for (const { to } of target.to.programs) reached.functions.add(to)
    } else if (!reached.areas.has(target.to)) {
      reached.areas.set(target.to, [])
      pending.push(target.to)
    }
  }
  // The set grows while it is walked; areas are looked at as soon as they are known.
  for (const one of reached.functions) {
    const { calls, named, loads } = scanner.code(one)
    reached.named.push(...named)
    for (const call of calls) {
      reached.calls.push(call)
      reached.functions.add(call.to)
    }
    for (const load of loads) {
      reached.loads.push(load)
      add(load.target)
    }
    for (let area = pending.pop(); area !== undefined; area = pending.pop()) {
      const pointers = scanner.data(area)
      reached.areas.set(area, pointers)
      for (const { target } of pointers) add(target)
    }
  }
  return reached
}

function coreProblems(from: ObjectFunction, extension: BtfExt | undefined, btf: Btf | undefined): Problem[] {
  const records = extension?.core.get(from.section.name) ?? []
  return recordsWithin(records, from.start, from.end)
    .filter(({ kind }) => kind !== LOCAL_TYPE)
    .map(({ offset, type, access, kind }) => {
      const what = coreKinds[kind] ?? `kind ${kind}`
      const message = `depends on ${what} (${btf?.typeName(type) ?? 'a type'}, ${access}) of a running Linux kernel (CO-RE), which the target has not`
      return { code: 'core-relocation', from, offset, message }
    })
}

function linesOf(from: ObjectFunction, slot: number, extension: BtfExt | undefined): SourceLine[] {
  const records = extension?.lines.get(from.section.name) ?? []
  return recordsWithin(records, from.start, from.end).map(({ offset, file, line, column, text }) => ({
    slot: slot + ((offset - from.start) >> 3),
    file,
    line,
    column,
    text,
  }))
}

function numbered(
  functions: readonly ObjectFunction[],
  areas: readonly Area[],
  maps: readonly ObjectMap[],
): (target: Target) => Reference {
  const indices = new Map<ObjectFunction | Area | ObjectMap, number>()
  for (const list of [functions, areas, maps]) for (const [index, one] of list.entries()) indices.set(one, index)
  return (target) => {
    const index = indices.get(target.to)!
    if (target.kind === 'data') return { kind: 'data', section: index, offset: target.offset }
    return { kind: target.kind, index }
  }
}

function dataSection(
  file: ElfFile,
  { name, kind, align, size, section }: Area,
  pointers: readonly Pointer[],
  referenceTo: (target: Target) => Reference,
): DataSection {
  const bytes = section === undefined || kind === 'bss' ? new Uint8Array() : file.contents(section).slice()
  for (const { offset, width } of pointers) bytes.fill(0, offset, offset + width)
  return {
    name,
    kind,
    align,
    size,
    bytes,
    pointers: pointers.map(({ offset, width, target }) => ({ offset, width, target: referenceTo(target) })),
  }
}
