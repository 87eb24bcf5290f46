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
}
