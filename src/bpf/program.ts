// A BPF program as everything after the reader sees it: decoded instructions, functions, imports. No bytes any more.

import type { Row } from './isa.ts'

/** One decoded instruction. LDDW is one instruction that takes two slots. */
export interface Instruction {
  /** Its row of the table. */
  readonly row: Row
  /** Slot index from the start of the program's text: what jumps and places count in. */
  readonly slot: number
  readonly dst: number
  readonly src: number
  /** Signed 16 bits. */
  readonly offset: number
  /** Signed 32 bits. For LDDW the low word. */
  readonly imm: number
  /** LDDW: the high word, signed 32 bits. Else 0. */
  readonly immHigh: number
  /** Jumps (also gotol) and local calls: index in `Program.instructions` of the target; else -1. */
  readonly target: number
  /** LDDW: the address that it loads instead of a constant (imm and immHigh are 0 then); else null. */
  readonly reference: Reference | null
}

/** Something whose address is known only when the program is placed. */
export type Reference =
  /** Byte `offset` (may be negative or beyond the end, as C pointers are) of `Program.data[section]`. */
  | { readonly kind: 'data'; readonly section: number; readonly offset: number }
  /** A function: `Program.functions[index]`. Its address is a value that callx takes, and nothing else. */
  | { readonly kind: 'function'; readonly index: number }
  /** A map: `Program.maps[index]`. */
  | { readonly kind: 'map'; readonly index: number }

/** A section of data of the object that the program refers to. */
export interface DataSection {
  readonly name: string
  readonly kind: 'data' | 'rodata' | 'bss'
  /** A power of two. */
  readonly align: number
  /** In bytes; bss has no `bytes`. */
  readonly size: number
  readonly bytes: Uint8Array
  /** Pointers in it: at `offset`, `width` bytes (a pointer of 8 has a high word of 0), to be set to the target's address. */
  readonly pointers: readonly { readonly offset: number; readonly width: 4 | 8; readonly target: Reference }[]
}

/** A map that the program declares. `type` is Linux's number (1 hash, 2 array, 3 program array, 27 ring buffer, ...). */
export interface MapDefinition {
  readonly name: string
  readonly type: number
  readonly keySize: number
  readonly valueSize: number
  readonly maxEntries: number
  readonly flags: number
  /** A program array that the object fills: entry `index` is `Program.functions[function]`, entered as a program. By index. */
  readonly programs?: readonly { readonly index: number; readonly function: number }[]
}

/** From instruction slot `slot` on (up to the next entry) the program stands in this C line. */
export interface SourceLine {
  readonly slot: number
  readonly file: string
  readonly line: number
  readonly column: number
  /** The line's text, empty if the object does not carry it. */
  readonly text: string
}

/** A function: the instructions [start, end) of `Program.instructions`. No jump leaves it and it can't fall off its end. */
export interface BpfFunction {
  readonly name: string
  readonly start: number
  readonly end: number
  /** ELF binding is global, so that it is an entry one can name. Raw bytes have one global function, `entry`. */
  readonly global: boolean
  /** Section that it came from, for messages. */
  readonly section: string
}

/** A checked program: what the frontend and the interpreter may rely on is said at check.ts. */
export interface Program {
  readonly instructions: readonly Instruction[]
  /** In order of `start`, without overlap. */
  readonly functions: readonly BpfFunction[]
  /** Index in `functions` of the entry. */
  readonly entry: number
  /** Sections of data that something refers to; none for raw bytes. */
  readonly data: readonly DataSection[]
  readonly maps: readonly MapDefinition[]
  /** Sorted by slot; empty without line information. */
  readonly lines: readonly SourceLine[]
}
