// What --helpers asks for: a table of helper numbers with prototypes, ours or a C header.

import type { Grants, HelperSet, Program } from '../index.ts'
import type { HelperChoice } from './helper-tables.ts'

/** What the option says, if it is given. Throws InputError with a header's path and line, and Node's errors. */
export async function helperChoice(option: string | undefined): Promise<HelperChoice | undefined> {
  if (option === undefined) return undefined
  const { readChoice } = await import('./helper-tables.ts')
  return readChoice(option)
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
