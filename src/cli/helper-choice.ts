// What --helpers asks for: a table of helper numbers with prototypes, ours or a C header.

import {
  type Grants,
  type HelperSet,
  type HelperTable,
  InputError,
  linuxHelperNames,
  linuxHelpers,
  parseHelperHeader,
  type Program,
  riotHelpers,
} from '../index.ts'
import { readBytes } from '../node.ts'

export interface HelperChoice {
  readonly table: HelperTable
  /** For messages: all names that are known. */
  readonly names: ReadonlyMap<number, string>
}

/** `linux`, `riot`, or the path of a C header. Throws InputError with the header's path and line, and Node's errors. */
export async function helperChoice(text: string): Promise<HelperChoice> {
  if (text === 'linux') return { table: linuxHelpers, names: linuxHelperNames }
  const table = text === 'riot' ? riotHelpers : await readHeader(text)
  return { table, names: new Map([...table].map(([number, { name }]) => [number, name])) }
}

async function readHeader(path: string): Promise<HelperTable> {
  const text = new TextDecoder().decode(await readBytes(path))
  try {
    return parseHelperHeader(text)
  } catch (error) {
    if (error instanceof InputError) throw new InputError(`${path}:${error.line ?? 1}: ${error.message}`)
    throw error
  }
}

/** All helpers of a table, for a target that has their functions. */
export function declaredHelpers({ table }: HelperChoice): HelperSet {
  const fn = (): never => {
    throw new Error('a helper of the target was called on the host')
  }
  return {
    helpers: new Map([...table].map(([number, prototype]) => [number, { name: prototype.name, fn, prototype }])),
  }
}

/** What to grant a program that is compiled and not run: the table that was chosen, else whatever it calls, untyped. */
export function grantsFor(
  program: Program,
  choice: HelperChoice | undefined,
): { readonly helpers: Grants; readonly helperNames?: ReadonlyMap<number, string> } {
  if (choice === undefined) return { helpers: calledHelpers(program) }
  return { helpers: choice.table, helperNames: choice.names }
}

/** Helpers that the program calls: to list or write code nobody need grant them. */
function calledHelpers(program: Program): Set<number> {
  const calls = program.instructions.filter(({ row }) => row.kind === 'call' && row.callee === 'helper')
  return new Set(calls.map((instruction) => instruction.imm))
}
