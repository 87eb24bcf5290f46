// Emitted code and its symbols -> Image.

import { type Image, type ImageSection, type ImageSymbol, type LineEntry, Reloc, type Relocation } from './image.ts'

/** What the emitter gives. */
export interface Emitted {
  readonly code: Uint8Array
  /** By function: byte offset and size in the code. */
  readonly functions: readonly { readonly offset: number; readonly size: number }[]
  readonly relocations: readonly Omit<Relocation, 'section'>[]
  readonly lines: readonly LineEntry[]
  readonly data: readonly (readonly [number, number])[]
}

/** What is known of a symbol before it has a place. Functions come first, in the order of `Emitted.functions`. */
export type SymbolFacts = Pick<ImageSymbol, 'name' | 'kind' | 'helper' | 'prototype' | 'index' | 'global'>

/** A section with its pointers: at byte `offset`, the address of a symbol plus what stands there. */
export interface SectionFacts extends ImageSection {
  readonly pointers: readonly { readonly offset: number; readonly symbol: number }[]
}

export type ImageFacts = Pick<Image, 'needsEnv' | 'bpfInstructions' | 'stackBytes' | 'maps' | 'programs' | 'table'>

const ELSEWHERE = { offset: -1, size: 0 } as const

export function makeImage(
  emitted: Emitted,
  symbols: readonly SymbolFacts[],
  sections: readonly SectionFacts[],
  facts: ImageFacts,
): Image {
  const { code, lines, data, functions } = emitted
  const relocations: Relocation[] = emitted.relocations.map(({ offset, type, symbol }) => {
    return { section: -1, offset, type, symbol }
  })
  for (const [section, { pointers }] of sections.entries()) {
    for (const { offset, symbol } of pointers) relocations.push({ section, offset, type: Reloc.R_ARM_ABS32, symbol })
  }
  return {
    code,
    sections: sections.map(({ name, kind, align, size, bytes }) => ({ name, kind, align, size, bytes })),
    relocations,
    lines,
    data,
    symbols: symbols.map((symbol, at) => {
      const { name, kind, helper, prototype, index, global } = symbol
      const place = kind === 'section' ? { offset: 0, size: sections[index]!.size } : (functions[at] ?? ELSEWHERE)
      // Field by field: copies of whole objects are slow.
      return { name, kind, helper, prototype, index, global, offset: place.offset, size: place.size }
    }),
    entry: 0,
    ...facts,
  }
}
