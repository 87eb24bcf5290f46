// The three kinds of error, never mixed: a rejected program is data (Rejection), bad input bytes throw InputError,
// and a fault of our own throws through `unreachable`.

/** Where in a program something is: every field that is known. */
export interface Place {
  /** Function or section name. */
  readonly function?: string
  /** Index of the BPF instruction slot (8 bytes each; LDDW takes two) from the start of the program's text. */
  readonly slot?: number
  /** Line of an assembly text, from 1. */
  readonly line?: number
  /** C source line (`file:line`), when the object carries line information. */
  readonly source?: string
}

/** Why a program is not accepted: a stable code, a place, and a sentence with the actual and the allowed value. */
export interface Rejection {
  readonly code: string
  readonly place: Place
  readonly message: string
}

/** Input bytes or text that can't be read. `offset` is in bytes from the start of the input, `line` counts from 1. */
export class InputError extends Error {
  override readonly name = 'InputError'
  readonly offset: number | undefined
  readonly line: number | undefined
  constructor(message: string, where: { offset?: number; line?: number } = {}) {
    super(message)
    this.offset = where.offset
    this.line = where.line
  }
}

/** A well-read program that is refused. Thrown by the library's entries; `rejections` has at least one element. */
export class RejectedError extends Error {
  override readonly name = 'RejectedError'
  readonly rejections: readonly Rejection[]
  constructor(rejections: readonly Rejection[]) {
    super(rejections.map(formatRejection).join('\n'))
    this.rejections = rejections
  }
}

/** One line: `place: message [code]`. */
export function formatRejection(rejection: Rejection): string {
  const { place } = rejection
  const where: string[] = []
  if (place.source !== undefined) where.push(place.source)
  if (place.function !== undefined) where.push(place.function)
  if (place.line !== undefined) where.push(`line ${place.line}`)
  if (place.slot !== undefined) where.push(`instruction ${place.slot}`)
  const prefix = where.length > 0 ? `${where.join(', ')}: ` : ''
  return `${prefix}${rejection.message} [${rejection.code}]`
}

/** Our own fault: a case that can't be. With a `never` argument the compiler proves that a switch is complete. */
export function unreachable(what: string): never {
  throw new Error(`thumbpf internal error: ${what}`)
}
