// Of a 32-bit little-endian ELF file what running and measuring it needs: its sections that are loaded, and its symbols.
// Trusts the file: our own tools have just written it.

export interface LoadedSection {
  readonly name: string
  readonly address: number
  readonly bytes: Uint8Array
}

export interface ElfFile {
  /** Sections that occupy memory when the program runs, unwinding tables apart. */
  readonly sections: readonly LoadedSection[]
  /** Values of the symbols that have a name. */
  readonly symbols: ReadonlyMap<string, number>
}

const SHT_SYMTAB = 2
const SHT_NOBITS = 8
const SHT_ARM_EXIDX = 0x7000_0001
const SHF_ALLOC = 2

export function readElf32(file: Uint8Array): ElfFile {
  const view = new DataView(file.buffer, file.byteOffset, file.length)
  const word = (at: number): number => view.getUint32(at, true)
  const start = word(32)
  const header = (index: number): number => start + 40 * index
  const count = view.getUint16(48, true)
  const textAt = (table: number, offset: number): string => {
    const begin = word(header(table) + 16) + offset
    return new TextDecoder().decode(file.subarray(begin, file.indexOf(0, begin)))
  }

  const names = view.getUint16(50, true)
  const sections: LoadedSection[] = []
  const symbols = new Map<string, number>()
  for (let index = 0; index < count; index++) {
    const at = header(index)
    const [name, type, flags, address, offset, size] = [0, 4, 8, 12, 16, 20].map((field) => word(at + field))
    if (type === SHT_SYMTAB) {
      for (let symbol = offset!; symbol < offset! + size!; symbol += 16) {
        const text = textAt(word(at + 24), word(symbol))
        if (text !== '') symbols.set(text, word(symbol + 4))
      }
    } else if ((flags! & SHF_ALLOC) !== 0 && type !== SHT_ARM_EXIDX && size! > 0) {
      const bytes = type === SHT_NOBITS ? new Uint8Array(size!) : file.slice(offset, offset! + size!)
      sections.push({ name: textAt(names, name!), address: address!, bytes })
    }
  }
  return { sections, symbols }
}
