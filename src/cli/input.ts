// FILE as every command takes it: `-` or a path; an ELF object, assembly or raw bytes, told apart by content.

import { readFileSync, writeFileSync } from 'node:fs'

import { type HelperTable, InputError, type Program, readProgram } from '../index.ts'
import { type ProgramSource, programSource } from '../node.ts'
import { type Io, UsageError } from './io.ts'

/**
 * The bytes of a file, read at once: a command does nothing meanwhile, and Node's threads would have to start. Throws Node's errors,
 * always with the path.
 */
export function readBytes(file: string): Uint8Array {
  try {
    return readFileSync(file)
  } catch (error) {
    // Reading a folder fails after opening it, where Node has forgotten the path.
    throw Object.assign(error as NodeJS.ErrnoException, { path: file })
  }
}

/** The bytes of `file`, or of standard input where it is `-`. */
export async function readInput(file: string, io: Io): Promise<Uint8Array> {
  return file === '-' ? io.stdin() : readBytes(file)
}

/** Writes `bytes` to `file`, or to standard output where it is `-`. */
export function writeOutput(file: string, bytes: Uint8Array, io: Io): void {
  if (file === '-') io.stdout(bytes)
  else writeFileSync(file, bytes)
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
