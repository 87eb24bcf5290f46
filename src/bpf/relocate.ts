// What functions and data of an object refer to: calls between functions, and addresses of functions, data and maps, by relocation
// (psABI of BPF: R_BPF_64_64 at LDDW, R_BPF_64_ABS64, ABS32 and NODYLD32 in data, R_BPF_64_32 at calls; addends lie in place).
// What can't be served is told to `report` with its code; what makes no sense in the file is an InputError.

import { InputError } from '../base/errors.ts'
import type { Btf } from './btf.ts'
import {
  COMMON_SECTION,
  type ElfFile,
  FIRST_RESERVED_SECTION,
  SectionFlag,
  SectionType,
  SymbolBinding,
  type Relocation,
  type Section,
} from './elf.ts'
import { isCode, type ObjectFunction } from './functions.ts'
import { type DeclaredMap, isMapSection, readMap } from './map-definitions.ts'
import { MapType } from './maps.ts'
import type { DataSection, MapDefinition } from './program.ts'

export const RelocationType = { LDDW: 1, ABS64: 2, ABS32: 3, NODYLD32: 4, CALL: 10 } as const
const relocationNames: { readonly [type: number]: string } = {
  1: 'R_BPF_64_64',
  2: 'R_BPF_64_ABS64',
  3: 'R_BPF_64_ABS32',
  4: 'R_BPF_64_NODYLD32',
  10: 'R_BPF_64_32',
}

/** A data section of the object, or one COMMON variable. */
export interface Area {
  readonly name: string
  readonly kind: DataSection['kind']
  readonly align: number
  readonly size: number
  /** undefined for a COMMON variable. */
  readonly section: Section | undefined
  /** Place in the order of the file. */
  readonly order: number
}
/** A map, the programs that the object puts in it, and its place in the order of the file. */
export interface ObjectMap {
  readonly definition: MapDefinition
  readonly programs: readonly { readonly index: number; readonly to: ObjectFunction }[]
  readonly order: number
}
export type Target =
  | { readonly kind: 'function'; readonly to: ObjectFunction }
  | { readonly kind: 'data'; readonly to: Area; readonly offset: number }
  | { readonly kind: 'map'; readonly to: ObjectMap }

/** A call at byte `offset` of the section of `from`. */
export interface Call {
  readonly from: ObjectFunction
  readonly offset: number
  readonly to: ObjectFunction
}
/** A call at byte `offset` of the section of `from`, of a function that is not in the object: the helper of that name. */
export interface NamedCall {
  readonly from: ObjectFunction
  readonly offset: number
  readonly helper: number
}
/** An LDDW at byte `offset` of the section of `from`. */
export interface AddressLoad {
  readonly from: ObjectFunction
  readonly offset: number
  readonly target: Target
}
export interface Pointer {
  readonly offset: number
  readonly width: 4 | 8
  readonly target: Target
}

/** Takes what can't be served: at byte `offset` of a function's section or of an area. */
export type ReportProblem = (code: string, from: ObjectFunction | Area, offset: number, message: string) => void
interface Problem {
  readonly code: string
  readonly problem: string
}

/** Bytes of data that a program may have in all. */
const maximumData = 16 * 1024 * 1024
const maximumAlign = 4096

/** Scans the parts of one object. */
export class Scanner {
  private readonly file: ElfFile
  private readonly btf: Btf | undefined
  private readonly report: ReportProblem
  private readonly helpers: ReadonlyMap<string, number>
  private readonly starts = new Map<number, Map<number, ObjectFunction>>()
  private readonly relocations = new Map<number, readonly Relocation[]>()
  private readonly areas = new Map<number, Area>()
  private readonly maps = new Map<number, ObjectMap | Problem>()
  private externs: { readonly kconfig: ReadonlySet<string>; readonly ksyms: ReadonlySet<string> } | undefined
  private dataSize = 0

  constructor(
    file: ElfFile,
    functions: ReadonlyMap<number, readonly ObjectFunction[]>,
    btf: Btf | undefined,
    report: ReportProblem,
    helpers: ReadonlyMap<string, number>,
  ) {
    this.file = file
    this.btf = btf
    this.report = report
    this.helpers = helpers
    for (const [section, list] of functions) this.starts.set(section, new Map(list.map((one) => [one.start, one])))
  }

  /** Calls and loaded addresses of a function. */
  code(from: ObjectFunction): { calls: Call[]; named: NamedCall[]; loads: AddressLoad[] } {
    const { section } = from
    const contents = this.file.contents(section)
    const view = new DataView(contents.buffer, contents.byteOffset, contents.byteLength)
    const pending = new Map(this.relocationsIn(section.index, from.start, from.end).map((one) => [one.offset, one]))
    const calls: Call[] = []
    const named: NamedCall[] = []
    const loads: AddressLoad[] = []
    for (let offset = from.start; offset < from.end; offset += contents[offset] === 0x18 ? 16 : 8) {
      const relocation = pending.get(offset)
      if (contents[offset] === 0x18) {
        if (relocation?.type !== RelocationType.LDDW) continue
        pending.delete(offset)
        const target = this.resolve(relocation, view.getInt32(offset + 4, true))
        if ('problem' in target) this.report(target.code, from, offset, sentence('loads the address of', target))
        else loads.push({ from, offset, target })
      } else if (contents[offset] === 0x85 && contents[offset + 1]! >> 4 === 1) {
        const imm = view.getInt32(offset + 4, true)
        if (relocation === undefined) this.addCall(calls, from, offset, section.index, offset + (imm + 1) * 8)
        else if (relocation.type === RelocationType.CALL) {
          pending.delete(offset)
          const symbol = this.file.symbols[relocation.symbol]!
          const name = this.file.symbolName(symbol)
          const helper = symbol.section === 0 && imm === -1 ? this.helpers.get(name) : undefined
          if (helper !== undefined) named.push({ from, offset, helper })
          else if (symbol.section === 0) this.refuseCall(from, offset, name)
          else this.addCall(calls, from, offset, symbol.section, symbol.value + (imm + 1) * 8)
        }
      }
    }
    for (const relocation of pending.values()) {
      const where = relocation.type === RelocationType.CALL ? 'a call of a function' : 'an lddw'
      const fits = relocation.type === RelocationType.CALL || relocation.type === RelocationType.LDDW
      const why = fits
        ? `is not at ${where}`
        : 'is not supported in code; lddw (R_BPF_64_64) and calls (R_BPF_64_32) are'
      this.report('relocation', from, relocation.offset, `${this.describe(relocation)} ${why}`)
    }
    return { calls, named, loads }
  }

  /** The pointers in an area. */
  data(area: Area): Pointer[] {
    const { section } = area
    if (section === undefined) return []
    const relocations = this.relocationsIn(section.index, 0, Infinity)
    if (relocations.length === 0) return []
    if (area.kind === 'bss') throw new InputError(`section ${section.name} has no bytes, but relocations`)
    const contents = this.file.contents(section)
    const view = new DataView(contents.buffer, contents.byteOffset, contents.byteLength)
    const pointers: Pointer[] = []
    let end = 0
    for (const relocation of relocations) {
      const { offset, type } = relocation
      const wide = type === RelocationType.ABS64 || type === RelocationType.LDDW // clang before 13 wrote LDDW's
      if (!wide && type !== RelocationType.ABS32 && type !== RelocationType.NODYLD32) {
        this.report('relocation', area, offset, `${this.describe(relocation)} is not supported in data`)
        continue
      }
      const width = wide ? 8 : 4
      if (offset < end || offset + width > section.size) {
        throw new InputError(
          `a pointer at byte ${offset} of section ${section.name} overlaps the one before or runs past its end at ${section.size}`,
        )
      }
      end = offset + width
      const target = this.resolve(relocation, view.getInt32(offset, true))
      if ('problem' in target)
        this.report(target.code, area, offset, sentence(`byte ${offset} is a pointer to`, target))
      else pointers.push({ offset, width, target })
    }
    return pointers
  }

  /** Relocations with `start` <= offset < `end` of a section, in order. */
  private relocationsIn(index: number, start: number, end: number): Relocation[] {
    let all = this.relocations.get(index)
    if (all === undefined) {
      all = this.file
        .relocations(index)
        .filter(({ type }) => type !== 0)
        .toSorted((a, b) => a.offset - b.offset)
      this.relocations.set(index, all)
    }
    let low = 0
    let high = all.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (all[middle]!.offset < start) low = middle + 1
      else high = middle
    }
    const found: Relocation[] = []
    for (; low < all.length && all[low]!.offset < end; low++) found.push(all[low]!)
    return found
  }

  private describe(relocation: Relocation): string {
    const name = relocationNames[relocation.type] ?? `relocation type ${relocation.type}`
    return `${name} of '${this.file.symbolName(this.file.symbols[relocation.symbol]!)}'`
  }

  private resolve(relocation: Relocation, addend: number): Target | Problem {
    const { file } = this
    const symbol = file.symbols[relocation.symbol]!
    const name = file.symbolName(symbol)
    if (symbol.section === 0) return this.externProblem(name, symbol.binding === SymbolBinding.WEAK)
    if (symbol.section === COMMON_SECTION) {
      const order = FIRST_RESERVED_SECTION + relocation.symbol
      const to = this.area(order, () => ({
        name,
        kind: 'bss',
        align: symbol.value,
        size: symbol.size,
        section: undefined,
      }))
      return { kind: 'data', to, offset: addend }
    }
    if (symbol.section >= FIRST_RESERVED_SECTION)
      return { code: 'relocation', problem: `'${name}', which lies in no section` }
    const section = file.sections[symbol.section]
    if (section === undefined) {
      throw new InputError(`symbol '${name}' is in section ${symbol.section}, there are ${file.sections.length}`)
    }
    const at = symbol.value + addend
    if (isCode(section)) {
      const to = this.starts.get(section.index)?.get(at)
      if (to !== undefined) return { kind: 'function', to }
      const problem = `byte ${at} of ${section.name}, which is not the start of a function`
      return { code: 'address-into-function', problem }
    }
    if (isMapSection(section)) return this.map(section, at)
    const data =
      (section.flags & SectionFlag.ALLOC) !== 0 &&
      (section.type === SectionType.PROGBITS || section.type === SectionType.NOBITS)
    if (!data) return { code: 'relocation', problem: `'${name}' in section ${section.name}, which holds no data` }
    const to = this.area(section.index, () => ({ ...section, kind: dataKind(section), section }))
    return { kind: 'data', to, offset: at }
  }

  private map(section: Section, offset: number): Target | Problem {
    const order = section.index * 0x1_0000_0000 + offset
    let found = this.maps.get(order)
    if (found === undefined) {
      const map = readMap(this.file, section, offset, this.btf)
      const programs = 'problem' in map ? map : this.programs(section, map)
      found =
        'problem' in programs
          ? { code: 'map-definition', problem: programs.problem }
          : { definition: (map as DeclaredMap).definition, programs, order }
      this.maps.set(order, found)
    }
    return 'problem' in found ? found : { kind: 'map', to: found }
  }

  /** What the member `values` of a map's definition names, by index. */
  private programs(section: Section, map: DeclaredMap): ObjectMap['programs'] | { readonly problem: string } {
    const { definition, start, end, values } = map
    const relocations = this.relocationsIn(section.index, start, end)
    if (relocations.length === 0) return []
    const problem = (text: string): { problem: string } => ({ problem: `map '${definition.name}' ${text}` })
    if (definition.type !== MapType.PROGRAM_ARRAY)
      return problem('gets its first values from the object, which only program arrays can')
    const view = this.view(section)
    const found = new Map<number, ObjectFunction>()
    for (const relocation of relocations) {
      const { offset, type } = relocation
      const index = (offset - values) / 8
      const wide = type === RelocationType.ABS64 || type === RelocationType.LDDW
      if (values < 0 || index < 0 || !Number.isInteger(index) || offset + 8 > end || !wide || found.has(index))
        return problem(`has ${this.describe(relocation)} at byte ${offset - start}, which is no element of its values`)
      if (index >= definition.maxEntries)
        return problem(`is given a program at index ${index}, it has ${definition.maxEntries} entries`)
      const target = this.resolve(relocation, view.getInt32(offset, true))
      if ('problem' in target) return problem(`is given at index ${index} ${target.problem}`)
      if (target.kind !== 'function') return problem(`is given at index ${index} what is not a program`)
      found.set(index, target.to)
    }
    return [...found].map(([index, to]) => ({ index, to })).toSorted((a, b) => a.index - b.index)
  }

  private view(section: Section): DataView {
    const contents = this.file.contents(section)
    return new DataView(contents.buffer, contents.byteOffset, contents.byteLength)
  }

  private area(order: number, make: () => Omit<Area, 'order'>): Area {
    const known = this.areas.get(order)
    if (known !== undefined) return known
    const { name, kind, size, section, align } = make()
    const power = align <= 1 ? 1 : align
    if (power > maximumAlign || (power & (power - 1)) !== 0) {
      throw new InputError(`${name} is aligned to ${align} bytes, must be a power of two up to ${maximumAlign}`)
    }
    this.dataSize += size
    if (this.dataSize > maximumData) {
      throw new InputError(
        `the program's data has ${this.dataSize} bytes with ${name}, at most ${maximumData} are allowed`,
      )
    }
    const area = { name, kind, size, section, align: power, order }
    this.areas.set(order, area)
    return area
  }

  private addCall(calls: Call[], from: ObjectFunction, offset: number, section: number, target: number): void {
    const to = this.starts.get(section)?.get(target)
    if (to !== undefined) {
      calls.push({ from, offset, to })
      return
    }
    const name = this.file.sections[section]?.name ?? `section ${section}`
    const message = `calls byte ${target} of ${name}, which is not the start of a function`
    this.report('call-into-function', from, offset, message)
  }

  private refuseCall(from: ObjectFunction, offset: number, name: string): void {
    if (this.externsOfKernel().ksyms.has(name)) {
      const message = `calls '${name}', a function of the Linux kernel (kfunc); the target has none, call a helper instead`
      this.report('kernel-function', from, offset, message)
    } else {
      const message = `calls '${name}', which is not defined in the object and no granted helper; define it or grant a helper of that name`
      this.report('undefined-function', from, offset, message)
    }
  }

  private externProblem(name: string, weak: boolean): Problem {
    const { kconfig, ksyms } = this.externsOfKernel()
    if (kconfig.has(name)) {
      const problem = `'${name}', a setting of a Linux kernel (.kconfig), which the target has not; make it a constant`
      return { code: 'kernel-config', problem }
    }
    if (ksyms.has(name)) {
      const problem = `'${name}', a symbol of the Linux kernel (.ksyms), which the target has not`
      return { code: 'kernel-symbol', problem }
    }
    const problem = `'${name}', which is ${weak ? 'weak and ' : ''}not defined in the object; define it there`
    return { code: 'undefined-symbol', problem }
  }

  private externsOfKernel(): { readonly kconfig: ReadonlySet<string>; readonly ksyms: ReadonlySet<string> } {
    const names = (section: string): Set<string> => new Set(this.btf?.sectionMembers(section).keys())
    this.externs ??= { kconfig: names('.kconfig'), ksyms: names('.ksyms') }
    return this.externs
  }
}

/** A wrong definition of a map is a sentence already; every other problem is what something leads to. */
function sentence(what: string, { code, problem }: Problem): string {
  return code === 'map-definition' ? problem : `${what} ${problem}`
}

function dataKind(section: Section): DataSection['kind'] {
  if (section.type === SectionType.NOBITS) return 'bss'
  const constant =
    (section.flags & SectionFlag.WRITE) === 0 ||
    section.name.startsWith('.rodata') ||
    section.name.startsWith('.data.rel.ro')
  return constant ? 'rodata' : 'data'
}
