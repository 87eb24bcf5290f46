// The maps that an object declares: in section `.maps` as types (BTF), in `maps` as a struct bpf_map_def each (legacy).
// A definition is read when code refers to it; what is wrong with it is a sentence for a Rejection.

import { BtfKind, type Btf } from './btf.ts'
import { type ElfFile, SymbolType, type Section } from './elf.ts'
import type { MapDefinition } from './program.ts'

/** type, key_size, value_size, max_entries and map_flags, each 32 bits. */
const LEGACY_SIZE = 20
const MAXIMUM_LEGACY_SIZE = 256
const maximumSize = 0xffff_ffff
/** What a map of programs or maps has as a value: a number of 32 bits. */
const POINTER_VALUE_SIZE = 4

/** Members of a definition that say only how a loader treats the map. */
const ignoredMembers = new Set(['pinning', 'numa_node', 'map_extra'])

/** A map as an object declares it. */
export interface DeclaredMap {
  readonly definition: MapDefinition
  /** Bytes [start, end) of its section. */
  readonly start: number
  readonly end: number
  /** Byte of its section where the pointers of its member `values` begin, -1 without one. */
  readonly values: number
}

/** Whether a section holds definitions of maps and not data. */
export function isMapSection(section: Section): boolean {
  return section.name === '.maps' || section.name === 'maps' || section.name.startsWith('maps/')
}

/** The map at byte `offset` of its section, or why there is none. `btf` is undefined for an object without. */
export function readMap(
  file: ElfFile,
  section: Section,
  offset: number,
  btf: Btf | undefined,
): DeclaredMap | { readonly problem: string } {
  const symbols = file.symbols.filter(
    (symbol) => symbol.section === section.index && symbol.type !== SymbolType.SECTION && symbol.value <= offset,
  )
  const symbol = symbols.find((one) => one.value === offset)
  if (symbol === undefined) return { problem: `byte ${offset} of section ${section.name} is not the start of a map` }
  const name = file.symbolName(symbol)
  if (section.name !== '.maps') return legacyMap(file, section, name, offset, symbol.size)
  if (btf === undefined) return { problem: `map '${name}' has no type information; compile with -g` }
  const type = btf.sectionMembers('.maps').get(name)
  if (type === undefined) return { problem: `map '${name}' is not in the type information of .maps; compile with -g` }
  return typedMap(btf, name, type, offset, offset + symbol.size)
}

function typedMap(
  btf: Btf,
  name: string,
  number: number,
  start: number,
  end: number,
): DeclaredMap | { readonly problem: string } {
  const type = btf.plain(number)
  if (type?.kind !== BtfKind.STRUCT) return { problem: `map '${name}' is ${btf.typeName(number)}, must be a struct` }
  const numbers = new Map<string, number>()
  let values = -1
  for (const member of btf.membersOf(type)) {
    const pointer = btf.plain(member.type)
    const pointed = pointer?.kind === BtfKind.PTR ? btf.plain(pointer.sizeOrType) : undefined
    switch (member.name) {
      case 'type':
      case 'key_size':
      case 'value_size':
      case 'max_entries':
      case 'map_flags':
        if (pointed?.kind !== BtfKind.ARRAY) return { problem: `map '${name}': ${member.name} is not made by __uint` }
        numbers.set(member.name, btf.arrayOf(pointed).count)
        break
      case 'key':
      case 'value': {
        const size = pointer?.kind === BtfKind.PTR ? btf.sizeOf(pointer.sizeOrType) : undefined
        if (size === undefined || size > maximumSize)
          return { problem: `map '${name}': the type of ${member.name} has no size` }
        numbers.set(`${member.name}_size`, size)
        break
      }
      case 'values':
        values = start + (member.bit >>> 3)
        // As libbpf has it: such a definition may leave the size of values out.
        if (!numbers.has('value_size')) numbers.set('value_size', POINTER_VALUE_SIZE)
        break
      default:
        if (!ignoredMembers.has(member.name)) return { problem: `map '${name}' has an unknown member '${member.name}'` }
    }
  }
  if (!numbers.has('type')) return { problem: `map '${name}' has no member 'type'` }
  const definition = {
    name,
    type: numbers.get('type')!,
    keySize: numbers.get('key_size') ?? 0,
    valueSize: numbers.get('value_size') ?? 0,
    maxEntries: numbers.get('max_entries') ?? 0,
    flags: numbers.get('map_flags') ?? 0,
  }
  return { definition, start, end, values }
}

function legacyMap(
  file: ElfFile,
  section: Section,
  name: string,
  offset: number,
  symbolSize: number,
): DeclaredMap | { readonly problem: string } {
  const next = file.symbols
    .filter((one) => one.section === section.index && one.value > offset)
    .reduce((least, one) => Math.min(least, one.value), section.size)
  const size = symbolSize > 0 ? symbolSize : next - offset
  if (size < LEGACY_SIZE || size > MAXIMUM_LEGACY_SIZE || offset + size > section.size) {
    return {
      problem: `map '${name}' has ${size} bytes in section ${section.name}, must have ${LEGACY_SIZE} to ${MAXIMUM_LEGACY_SIZE} (struct bpf_map_def)`,
    }
  }
  const bytes = file.contents(section).subarray(offset, offset + size)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const extra = bytes.findIndex((byte, at) => at >= LEGACY_SIZE && byte !== 0)
  if (extra >= 0) {
    return {
      problem: `map '${name}' has bytes other than 0 after the ${LEGACY_SIZE} of struct bpf_map_def, at byte ${extra}`,
    }
  }
  const definition = {
    name,
    type: view.getUint32(0, true),
    keySize: view.getUint32(4, true),
    valueSize: view.getUint32(8, true),
    maxEntries: view.getUint32(12, true),
    flags: view.getUint32(16, true),
  }
  return { definition, start: offset, end: offset + size, values: -1 }
}
