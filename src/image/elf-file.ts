// Writes ELF32 relocatable files for ARM (EABI version 5): sections, symbols and REL relocations in, bytes out. Knows
// nothing of programs. Sources: the ELF specification (gABI), ELF for the Arm Architecture (AAELF32).

/** Section types and flags that are used here. */
export const SectionType = {
  PROGBITS: 1,
  SYMTAB: 2,
  STRTAB: 3,
  NOBITS: 8,
  REL: 9,
  ARM_ATTRIBUTES: 0x7000_0003,
} as const
export const SectionFlag = { WRITE: 1, ALLOC: 2, EXECINSTR: 4 } as const
export const SymbolType = { NOTYPE: 0, OBJECT: 1, FUNC: 2, SECTION: 3 } as const

const HEADER_BYTES = 52
const SECTION_HEADER_BYTES = 40
const SYMBOL_BYTES = 16
const RELOCATION_BYTES = 8
const EM_ARM = 40
/** EF_ARM_EABI_VER5. */
const FLAGS = 0x0500_0000
const INFO_LINK = 0x40

export interface ElfSection {
  readonly name: string
  readonly type: number
  readonly flags: number
  readonly align: number
  /** Empty where type is NOBITS. */
  readonly bytes: Uint8Array
  /** Of NOBITS; else the bytes count. */
  readonly size?: number
  readonly relocations: readonly ElfRelocation[]
}

export interface ElfRelocation {
  readonly offset: number
  readonly type: number
  /** Index in the symbols. */
  readonly symbol: number
}

export interface ElfSymbol {
  readonly name: string
  /** Index in the sections, -1 if it is not defined here. */
  readonly section: number
  /** Offset in the section; a Thumb function's has bit 0 set. */
  readonly value: number
  readonly size: number
  readonly type: number
  readonly global: boolean
}

class Strings {
  readonly #parts: string[] = ['']
  #length = 1
  readonly #known = new Map<string, number>([['', 0]])
  add(text: string): number {
    const known = this.#known.get(text)
    if (known !== undefined) return known
    const at = this.#length
    this.#known.set(text, at)
    this.#parts.push(text)
    this.#length += new TextEncoder().encode(text).length + 1
    return at
  }
  bytes(): Uint8Array {
    return new TextEncoder().encode(`${this.#parts.join('\0')}\0`)
  }
}

interface Row {
  readonly name: number
  readonly type: number
  readonly flags: number
  readonly bytes: Uint8Array
  readonly size: number
  readonly link: number
  readonly info: number
  readonly align: number
  readonly entry: number
}

/** The file. Relocations name symbols by their index in `symbols`; local ones are put before global ones, as ELF wants it. */
export function writeElf(sections: readonly ElfSection[], symbols: readonly ElfSymbol[]): Uint8Array {
  const names = new Strings()
  const strings = new Strings()
  const order = [...symbols.keys()].toSorted((a, b) => Number(symbols[a]!.global) - Number(symbols[b]!.global) || a - b)
  const place = new Map(order.map((symbol, index) => [symbol, index + 1]))
  const locals = symbols.filter(({ global }) => !global).length + 1

  const table = new DataView(new ArrayBuffer(SYMBOL_BYTES * (symbols.length + 1)))
  for (const [index, at] of order.entries()) {
    const { name, section, value, size, type, global } = symbols[at]!
    const offset = SYMBOL_BYTES * (index + 1)
    table.setUint32(offset, strings.add(name), true)
    table.setUint32(offset + 4, value, true)
    table.setUint32(offset + 8, size, true)
    table.setUint8(offset + 12, (Number(global) << 4) | type)
    table.setUint16(offset + 14, section + 1, true)
  }

  const related = sections.filter(({ relocations }) => relocations.length > 0)
  const symtab = 1 + sections.length + related.length
  const rows: Row[] = []
  const add = (row: Omit<Row, 'size'> & { size?: number }): void => void rows.push({ size: row.bytes.length, ...row })
  for (const { name, type, flags, align, bytes, size } of sections) {
    const data = { name: names.add(name), type, flags, bytes, link: 0, info: 0, align, entry: 0 }
    add(size === undefined ? data : { ...data, size })
  }
  for (const section of related) {
    const view = new DataView(new ArrayBuffer(RELOCATION_BYTES * section.relocations.length))
    for (const [index, { offset, type, symbol }] of section.relocations.entries()) {
      view.setUint32(RELOCATION_BYTES * index, offset, true)
      view.setUint32(RELOCATION_BYTES * index + 4, (place.get(symbol)! << 8) | type, true)
    }
    add({
      name: names.add(`.rel${section.name}`),
      type: SectionType.REL,
      flags: INFO_LINK,
      bytes: new Uint8Array(view.buffer),
      link: symtab,
      info: sections.indexOf(section) + 1,
      align: 4,
      entry: RELOCATION_BYTES,
    })
  }
  add({
    name: names.add('.symtab'),
    type: SectionType.SYMTAB,
    flags: 0,
    bytes: new Uint8Array(table.buffer),
    link: symtab + 1,
    info: locals,
    align: 4,
    entry: SYMBOL_BYTES,
  })
  const plain = { type: SectionType.STRTAB, flags: 0, link: 0, info: 0, align: 1, entry: 0 }
  add({ ...plain, name: names.add('.strtab'), bytes: strings.bytes() })
  const shstrtab = names.add('.shstrtab')
  add({ ...plain, name: shstrtab, bytes: names.bytes() })
  return assemble(rows)
}

/** Header, contents, section headers. The last row is .shstrtab. */
function assemble(rows: readonly Row[]): Uint8Array {
  let end = HEADER_BYTES
  const offsets = rows.map(({ bytes, align }) => {
    const at = (end + align - 1) & -align
    end = at + bytes.length
    return at
  })
  const headers = (end + 3) & ~3
  const file = new Uint8Array(headers + SECTION_HEADER_BYTES * (rows.length + 1))
  const view = new DataView(file.buffer)
  file.set([0x7f, 0x45, 0x4c, 0x46, 1, 1, 1])
  view.setUint16(16, 1, true) // ET_REL
  view.setUint16(18, EM_ARM, true)
  view.setUint32(20, 1, true)
  view.setUint32(32, headers, true)
  view.setUint32(36, FLAGS, true)
  view.setUint16(40, HEADER_BYTES, true)
  view.setUint16(46, SECTION_HEADER_BYTES, true)
  view.setUint16(48, rows.length + 1, true)
  view.setUint16(50, rows.length, true)
  for (const [index, row] of rows.entries()) {
    file.set(row.bytes, offsets[index])
    const fields = [
      row.name,
      row.type,
      row.flags,
      0,
      offsets[index]!,
      row.size,
      row.link,
      row.info,
      row.align,
      row.entry,
    ]
    const at = headers + SECTION_HEADER_BYTES * (index + 1)
    for (const [field, value] of fields.entries()) view.setUint32(at + 4 * field, value, true)
  }
  return file
}
