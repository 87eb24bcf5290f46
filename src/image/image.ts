// A compiled program before it has addresses: what a linker would want. Relocations are ELF's own (AAELF32), so that
// GNU ld, Zephyr's LLEXT and our own linker all do the same with them.

import type { Prototype } from '../base/prototype.ts'

export { Env } from '../base/abi.ts'

/** Relocation types used, with their ELF numbers. */
export const Reloc = {
  R_ARM_ABS32: 2,
  R_ARM_THM_CALL: 10,
} as const

export interface Relocation {
  /** Index in `Image.sections`, -1 for the code. */
  readonly section: number
  /** Byte offset in the section. */
  readonly offset: number
  readonly type: number
  /** Index in `Image.symbols`. */
  readonly symbol: number
}

export interface ImageSymbol {
  readonly name: string
  /** Byte offset in the code, without bit 0; 0 for the start of a section of data; -1 for what is elsewhere. */
  readonly offset: number
  readonly size: number
  /** A function of the code, a helper, the start of a section of data, or a map. */
  readonly kind: 'function' | 'import' | 'section' | 'map'
  /** Section or map: index in `Image.sections` or `Image.maps`. Else -1. */
  readonly index: number
  /** Import: the number of the helper that it stands for. */
  readonly helper: number
  /** Import: its signature; without one it is u64 f(u64, u64, u64, u64, u64). */
  readonly prototype?: Prototype | undefined
  readonly global: boolean
}

/** From byte `offset` of the code on (up to the next entry) code serves BPF instruction `slot` (-1: none in particular). */
export interface LineEntry {
  readonly offset: number
  readonly slot: number
}

/** A section of data. Pointers in it are relocations. */
export interface ImageSection {
  readonly name: string
  /** rodata may stand beside the code, data and bss are in RAM. */
  readonly kind: 'rodata' | 'data' | 'bss'
  /** A power of two. */
  readonly align: number
  readonly size: number
  /** Empty for bss, which is zeroed. */
  readonly bytes: Uint8Array
}

/** A map that the program uses: see bpf/program.ts for its fields. */
export interface ImageMap {
  readonly name: string
  readonly type: number
  readonly keySize: number
  readonly valueSize: number
  readonly maxEntries: number
  readonly flags: number
}

/** Element `index` of program array `map` (of `Image.maps`) is the address of function `symbol` when the map is made. */
export interface ImageProgram {
  readonly map: number
  readonly index: number
  readonly symbol: number
}

export interface Image {
  readonly code: Uint8Array
  readonly sections: readonly ImageSection[]
  readonly maps: readonly ImageMap[]
  /** What the object puts into its program arrays. */
  readonly programs: readonly ImageProgram[]
  /** Position-independent code: the symbols whose addresses env's table holds, a word each. Else empty. */
  readonly table: readonly number[]
  readonly symbols: readonly ImageSymbol[]
  readonly relocations: readonly Relocation[]
  /** Sorted by offset. */
  readonly lines: readonly LineEntry[]
  /** Byte ranges [start, end) of the code that are data (literal pools, tables), sorted. */
  readonly data: readonly (readonly [number, number])[]
  /** Index in `symbols` of the entry. */
  readonly entry: number
  /** The entry reads r2 = struct thumbpf_env *. An image without this ignores r2. */
  readonly needsEnv: boolean
  /** Static BPF instructions that it was made from; LDDW is one. */
  readonly bpfInstructions: number
  /** Greatest stack use in bytes of entry and what it calls, helpers not counted; -1 if calls recurse. */
  readonly stackBytes: number
}

/** BPF instruction that the code at byte `offset` serves, -1 if none. Binary search in the line table. */
export function slotAt(image: Image, offset: number): number {
  let low = 0
  let high = image.lines.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (image.lines[middle]!.offset <= offset) low = middle + 1
    else high = middle
  }
  return low === 0 ? -1 : image.lines[low - 1]!.slot
}
