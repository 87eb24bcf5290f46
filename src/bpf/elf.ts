// ELF64 little-endian relocatable objects for BPF (System V gABI; e_machine 247): headers, sections, symbols, relocations.
// Nothing of the file is trusted: every offset and size is held against the file's length, and what can't be read is an
// InputError with its offset. What the sections mean is relocate.ts and object.ts.

import { InputError } from '../base/errors.ts'

export const SectionType = { PROGBITS: 1, SYMTAB: 2, RELA: 4, NOBITS: 8, REL: 9 } as const
export const SymbolType = { NOTYPE: 0, OBJECT: 1, FUNC: 2, SECTION: 3 } as const
export const SymbolBinding = { LOCAL: 0, GLOBAL: 1, WEAK: 2 } as const
/** sh_flags: the section is written, is a part of the running program, holds instructions. */
export const SectionFlag = { WRITE: 1, ALLOC: 2, EXECUTABLE: 4 } as const
/** Numbers from here on in `Symbol.section` are not sections; COMMON is a variable that still has no place. */
export const FIRST_RESERVED_SECTION = 0xff00
export const COMMON_SECTION = 0xfff2

const HEADER_SIZE = 64
const SECTION_HEADER_SIZE = 64
const SYMBOL_SIZE = 24
const RELOCATION_SIZE = 16
const EM_BPF = 247
const ET_REL = 1
const MAXIMUM_NAME = 4096

export interface Section {
  readonly index: number
  readonly name: string
  readonly type: number
  readonly flags: number
  /** Bytes from the start of the file, and how many: held against the file's length by `contents`. */
  readonly offset: number
  readonly size: number
  /** sh_addralign as it is in the file. */
  readonly align: number
  readonly link: number
  readonly info: number
}

export interface Symbol {
  /** Offset of the name in the string table: see `ElfFile.symbolName`. */
  readonly nameOffset: number
  readonly type: number
  readonly binding: number
  /** Section that it is in; 0 if undefined, 0xff00 and more are not sections. */
  readonly section: number
  /** Byte offset in its section; the alignment of a COMMON symbol. */
  readonly value: number
  readonly size: number
}

export interface Relocation {
  /** Byte offset in the section that it changes. */
  readonly offset: number
  readonly type: number
  readonly symbol: number
}

/** Whether the bytes start as an ELF file does. */
export function isElf(bytes: Uint8Array): boolean {
  return bytes.length >= 4 && bytes[0] === 0x7f && bytes[1] === 0x45 && bytes[2] === 0x4c && bytes[3] === 0x46
}

/** A read object. The constructor throws InputError. */
export class ElfFile {
  readonly bytes: Uint8Array
  readonly sections: readonly Section[]
  readonly symbols: readonly Symbol[]
  private readonly view: DataView
  private readonly symbolNames: Section | undefined
  /** Relocation sections by the index of the section that they change. */
  private readonly relocationSections = new Map<number, Section[]>()

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.checkHeader()
    this.sections = this.readSections()
    const tables = this.sections.filter((section) => section.type === SectionType.SYMTAB)
    if (tables.length > 1) throw new InputError(`the object has ${tables.length} symbol tables, must have one`)
    const [table] = tables
    this.symbolNames = table && this.sections[table.link]
    this.symbols = table === undefined ? [] : this.readSymbols(table)
    for (const section of this.sections) {
      if (section.type !== SectionType.REL && section.type !== SectionType.RELA) continue
      const list = this.relocationSections.get(section.info)
      if (list === undefined) this.relocationSections.set(section.info, [section])
      else list.push(section)
    }
  }

  private checkHeader(): void {
    const { bytes, view } = this
    if (bytes.length < HEADER_SIZE)
      throw new InputError(`the ELF file is cut off: ${bytes.length} bytes, its header has ${HEADER_SIZE}`)
    if (bytes[4] !== 2)
      throw new InputError(`${bytes[4] === 1 ? 'a 32-bit ELF file' : `ELF class ${bytes[4]}`}, must be ELF64`, {
        offset: 4,
      })
    if (bytes[5] !== 1) {
      throw new InputError(
        `${bytes[5] === 2 ? 'a big-endian ELF file' : `ELF data encoding ${bytes[5]}`}, must be little-endian (clang -target bpfel)`,
        { offset: 5 },
      )
    }
    const machine = view.getUint16(18, true)
    if (machine !== EM_BPF)
      throw new InputError(`the ELF file is for machine ${machine}, must be ${EM_BPF} (BPF)`, { offset: 18 })
    const type = view.getUint16(16, true)
    if (type !== ET_REL)
      throw new InputError(`the ELF file has type ${type}, must be ${ET_REL} (relocatable, as from clang -c)`, {
        offset: 16,
      })
  }

  private readSections(): Section[] {
    const { view } = this
    const start = this.word64(40)
    const entrySize = view.getUint16(58, true)
    const count = view.getUint16(60, true)
    const namesIndex = view.getUint16(62, true)
    if (count === 0) throw new InputError('the ELF file has no sections', { offset: 60 })
    if (entrySize !== SECTION_HEADER_SIZE) {
      throw new InputError(`section headers have ${entrySize} bytes, must have ${SECTION_HEADER_SIZE}`, { offset: 58 })
    }
    this.hold(start, count * SECTION_HEADER_SIZE, 'the table of sections')
    const raw = Array.from({ length: count }, (_, index): Section => {
      const at = start + index * SECTION_HEADER_SIZE
      return {
        index,
        name: '',
        type: view.getUint32(at + 4, true),
        flags: view.getUint32(at + 8, true),
        offset: this.word64(at + 24),
        size: this.word64(at + 32),
        align: this.word64(at + 48),
        link: view.getUint32(at + 40, true),
        info: view.getUint32(at + 44, true),
      }
    })
    const names = raw[namesIndex]
    if (names === undefined)
      throw new InputError(`the section of section names is ${namesIndex}, must be less than ${count}`, { offset: 62 })
    return raw.map((section, index) => ({
      ...section,
      name: this.string(names, view.getUint32(start + index * SECTION_HEADER_SIZE, true)),
    }))
  }

  private readSymbols(table: Section): Symbol[] {
    const { view } = this
    this.holdSection(table)
    return Array.from({ length: Math.floor(table.size / SYMBOL_SIZE) }, (_, index): Symbol => {
      const at = table.offset + index * SYMBOL_SIZE
      const info = view.getUint8(at + 4)
      return {
        nameOffset: view.getUint32(at, true),
        type: info & 15,
        binding: info >> 4,
        section: view.getUint16(at + 6, true),
        value: this.word64(at + 8),
        size: this.word64(at + 16),
      }
    })
  }

  /** All relocations of the section with this index, in the order of the file. */
  relocations(target: number): Relocation[] {
    const found: Relocation[] = []
    for (const section of this.relocationSections.get(target) ?? []) {
      if (section.type === SectionType.RELA) {
        throw new InputError(
          `section ${section.name} holds relocations with addends (SHT_RELA); BPF objects have SHT_REL`,
        )
      }
      this.holdSection(section)
      for (let at = section.offset; at + RELOCATION_SIZE <= section.offset + section.size; at += RELOCATION_SIZE) {
        const symbol = this.view.getUint32(at + 12, true)
        if (symbol >= this.symbols.length) {
          throw new InputError(
            `a relocation in ${section.name} names symbol ${symbol}, there are ${this.symbols.length}`,
            { offset: at },
          )
        }
        found.push({ offset: this.word64(at), type: this.view.getUint32(at + 8, true), symbol })
      }
    }
    return found
  }

  /** The section of this name; the first if there are several, undefined without one. */
  sectionNamed(name: string): Section | undefined {
    return this.sections.find((section) => section.name === name)
  }

  /** The bytes of a section that has some in the file. */
  contents(section: Section): Uint8Array {
    this.holdSection(section)
    return this.bytes.subarray(section.offset, section.offset + section.size)
  }

  /** Name of a symbol; that of its section for a section symbol. */
  symbolName(symbol: Symbol): string {
    if (symbol.type === SymbolType.SECTION) return this.sections[symbol.section]?.name ?? ''
    return this.symbolNames === undefined ? '' : this.string(this.symbolNames, symbol.nameOffset)
  }

  private string(table: Section, offset: number): string {
    this.holdSection(table)
    const start = table.offset + offset
    const limit = table.offset + table.size
    let end = start
    while (end < limit && this.bytes[end] !== 0) {
      if (end - start > MAXIMUM_NAME)
        throw new InputError(`a name is longer than ${MAXIMUM_NAME} bytes`, { offset: start })
      end++
    }
    if (end >= limit)
      throw new InputError('a name runs past the end of its string table', { offset: Math.min(start, limit) })
    return new TextDecoder().decode(this.bytes.subarray(start, end))
  }

  private holdSection(section: Section): void {
    this.hold(
      section.offset,
      section.size,
      `section ${section.index}${section.name === '' ? '' : ` (${section.name})`}`,
    )
  }

  private hold(offset: number, size: number, what: string): void {
    if (offset + size > this.bytes.length) {
      throw new InputError(`${what} ends at byte ${offset + size}, the file has ${this.bytes.length}`, {
        offset: Math.min(offset, this.bytes.length),
      })
    }
  }

  /** 64 bits as a number; exact below 2^53, and far past the end of any file above. */
  private word64(at: number): number {
    return this.view.getUint32(at + 4, true) * 0x1_0000_0000 + this.view.getUint32(at, true)
  }
}
