// A random C program while it is made, and what an expression or a statement of it may name.

import { Random } from '../random.ts'
import type { Type } from './prelude.ts'

/** Bytes at a program's context, and at every pointer that its functions are given; all are at a multiple of 8. */
export const POINTED_BYTES = 64

export interface Variable {
  readonly name: string
  /** Counters of loops are not written, so that loops end. */
  readonly writable: boolean
  /** The value is known to be in 0 to `maximum`. */
  readonly maximum?: number
}

export interface ArrayVariable {
  readonly name: string
  /** A power of two. */
  readonly length: number
}

/** A variable of the program's one type of structures, a pointer to one, or an array of them. */
export interface StructVariable {
  readonly name: string
  readonly pointer: boolean
  /** Elements of an array, a power of two. */
  readonly length?: number
}

export interface Callee {
  readonly name: string
  readonly parameters: readonly (Type | 'pointer')[]
  /** Entries, if it is a table of functions; a power of two. */
  readonly table?: number
}

export interface Scope {
  /** The variable that points to the context or to what a function was given. */
  readonly pointer: string
  readonly variables: Variable[]
  readonly arrays: ArrayVariable[]
  readonly structs: StructVariable[]
  /** Arrays of POINTED_BYTES. */
  readonly buffers: string[]
  readonly callees: readonly Callee[]
  /** Loops around this place. */
  readonly depth: number
  /** The nearest of what `break` leaves. */
  readonly within: 'nothing' | 'loop' | 'switch'
  /** `continue` may stand here. */
  readonly continues: boolean
  /** A label behind the loops. */
  readonly label?: string | undefined
}

/** The text of a statement, with a line's end, or none; `levels` more of blocks may be in it. It may declare variables in `scope`. */
export type Statement = (draft: CDraft, scope: Scope, levels: number) => string

export class CDraft {
  readonly random: Random
  /** Names of the structure's fields. */
  fields: readonly string[] = []
  /** Statements that the function at work may still have. */
  budget = 0
  readonly #prefix: string
  readonly #statement: Statement
  #names = 0

  /** Names outside of functions begin with the prefix, so that several programs fit into one file. */
  constructor(seed: number, prefix: string, statement: Statement) {
    this.random = new Random(seed)
    this.#prefix = prefix
    this.#statement = statement
  }

  global(name: string): string {
    return `${this.#prefix}_${name}`
  }

  /** A new name in a function. */
  name(): string {
    return `v${this.#names++}`
  }

  /** A block in braces. */
  block(scope: Scope, statements: number, levels: number): string {
    const inner = inside(scope)
    let text = ''
    for (let count = 0; count < statements; count++) text += this.statement(inner, levels)
    return `{\n${text}}\n`
  }

  statement(scope: Scope, levels: number): string {
    return this.budget-- <= 0 ? '' : this.#statement(this, scope, levels)
  }
}

/** A scope in a scope: what is declared in it is gone behind it. */
export function inside(scope: Scope, changes: Partial<Scope> = {}): Scope {
  return { ...scope, variables: [...scope.variables], ...changes }
}
