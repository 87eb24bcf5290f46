// FILE as every command takes it: `-` or a path; an ELF object, assembly or raw bytes, told apart by content.

import { type HelperTable, InputError, type Program, readProgram } from '../index.ts'
import { type ProgramSource, programSource, readBytes, writeBytes } from '../node.ts'
import { type Io, UsageError } from './io.ts'

/** The bytes of `file`, or of standard input where it is `-`. */
export function readInput(file: string, io: Io): Promise<Uint8Array> {
  return file === '-' ? io.stdin() : readBytes(file)
}

/** Writes `bytes` to `file`, or to standard output where it is `-`. */
export async function writeOutput(file: string, bytes: Uint8Array, io: Io): Promise<void> {
  if (file === '-') io.stdout(bytes)
  else await writeBytes(file, bytes)
}

/** A program and what it was read from. */
export interface Input {
  readonly source: ProgramSource
  readonly program: Program
}

/** Reads and checks the program in `file`, which may call `helpers` by name. An entry that it does not have is misuse. */
export async function loadProgram(
  file: string,
  entry: string | undefined,
  io: Io,
  helpers?: HelperTable,
): Promise<Input> {
  const source = programSource(await readInput(file, io), file)
  if (entry === undefined) return { source, program: readProgram(source.bytes, { helpers }) }
  try {
    return { source, program: readProgram(source.bytes, { entry, helpers }) }
  } catch (error) {
    if (error instanceof InputError && !readable(source, helpers)) throw error
    throw error instanceof InputError ? new UsageError(`--entry: ${error.message}`) : error
  }
}

/** Can the bytes be read when no entry is asked for? */
function readable(source: ProgramSource, helpers: HelperTable | undefined): boolean {
  try {
    readProgram(source.bytes, { helpers })
    return true
  } catch {
    return false
  }
}
