// The tables of helpers that --helpers names: loaded when it is given.

import { InputError, linuxHelperNames, linuxHelpers, parseHelperHeader, riotHelpers } from '../index.ts'
import type { HelperTable } from '../index.ts'
import { readBytes } from './input.ts'

/** What `--helpers` chose. */
export interface HelperChoice {
  readonly table: HelperTable
  /** For messages: all names that are known. */
  readonly names: ReadonlyMap<number, string>
}

/** `linux`, `riot`, or the path of a C header. Throws InputError with the header's path and line, and Node's errors. */
export async function readChoice(text: string): Promise<HelperChoice> {
  if (text === 'linux') return { table: linuxHelpers, names: linuxHelperNames }
  const table = text === 'riot' ? riotHelpers : await readHeader(text)
  return { table, names: new Map([...table].map(([number, { name }]) => [number, name])) }
}

async function readHeader(path: string): Promise<HelperTable> {
  const text = new TextDecoder().decode(readBytes(path))
  try {
    return parseHelperHeader(text)
  } catch (error) {
    if (error instanceof InputError) throw new InputError(`${path}:${error.line ?? 1}: ${error.message}`)
    throw error
  }
}
