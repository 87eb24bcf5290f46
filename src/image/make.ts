// Emitted code and its symbols -> Image.

import type { Image, ImageSymbol, LineEntry, Relocation } from './image.ts'

/** What the emitter gives. */
export interface Emitted {
  readonly code: Uint8Array
  /** By function: byte offset and size in the code. */
  readonly functions: readonly { readonly offset: number; readonly size: number }[]
  readonly relocations: readonly Relocation[]
  readonly lines: readonly LineEntry[]
  readonly data: readonly (readonly [number, number])[]
}

/** What is known of a symbol before it has a place. Functions come first, in the order of `Emitted.functions`. */
export type SymbolFacts = Pick<ImageSymbol, 'name' | 'kind' | 'helper' | 'global'>

export type ImageFacts = Pick<Image, 'needsEnv' | 'bpfInstructions' | 'stackBytes'>

export function makeImage(emitted: Emitted, symbols: readonly SymbolFacts[], facts: ImageFacts): Image {
  const { code, relocations, lines, data, functions } = emitted
  return {
    code,
    relocations,
    lines,
    data,
    symbols: symbols.map((symbol, index) => ({
      ...symbol,
      ...place(functions[index]),
    })),
    entry: 0,
    ...facts,
  }
}

function place(fn: Emitted['functions'][number] | undefined): { offset: number; size: number } {
  return fn === undefined ? { offset: -1, size: 0 } : { offset: fn.offset, size: fn.size }
}
