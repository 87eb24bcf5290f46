// The public surface for Node: files. Everything that runs in a browser too is in index.ts.

import { readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { extname, join } from 'node:path'

import { assemble } from './index.ts'

export { connectTcp } from './machine/node/tcp.ts'
export { openSerial } from './machine/node/serial.ts'
export { type QemuOptions, startQemu } from './machine/node/qemu.ts'

/** A program as bytes that `compile` and `readProgram` take, and what they were found to be. */
export interface ProgramSource {
  readonly kind: 'elf' | 'assembly' | 'raw'
  /** The object, or raw instructions; assembly is assembled already. */
  readonly bytes: Uint8Array
}

const assemblyExtensions = new Set(['.s', '.asm'])

/** The bytes of a file. Throws Node's errors (ENOENT, EISDIR, ...), always with their path. */
export async function readBytes(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path)
  } catch (error) {
    // Reading a folder fails after opening it, where Node has forgotten the path.
    throw Object.assign(error as NodeJS.ErrnoException, { path })
  }
}

/** Writes a file anew. Throws Node's errors. */
export function writeBytes(path: string, bytes: Uint8Array): Promise<void> {
  return writeFile(path, bytes)
}

/** `path` itself if it is a file; if it is a folder, the files in it and below whose names end in `ending`, sorted. */
export async function listFiles(path: string, ending: string): Promise<string[]> {
  if (!(await stat(path)).isDirectory()) return [path]
  const names = await readdir(path, { recursive: true })
  return names
    .filter((name) => name.endsWith(ending))
    .toSorted()
    .map((name) => join(path, name))
}

/**
 * Tells an ELF object, assembly text and raw instructions apart by their content; an `.s` or `.asm` at the end of `name` makes it
 * assembly whatever it holds. Throws InputError for text that does not assemble.
 */
export function programSource(bytes: Uint8Array, name = ''): ProgramSource {
  if (bytes.length >= 4 && bytes[0] === 0x7f && bytes[1] === 0x45 && bytes[2] === 0x4c && bytes[3] === 0x46) {
    return { kind: 'elf', bytes }
  }
  const text = assemblyExtensions.has(extname(name)) ? new TextDecoder().decode(bytes) : printable(bytes)
  if (text === undefined) return { kind: 'raw', bytes }
  return { kind: 'assembly', bytes: assemble(text) }
}

/** Reads a program from a file. Throws Node's errors and what `programSource` throws. */
export async function readProgramFile(path: string): Promise<ProgramSource> {
  return programSource(await readBytes(path), path)
}

/** `bytes` as text, if they are printable UTF-8 and not empty. Raw instructions have zero bytes in all but odd cases. */
function printable(bytes: Uint8Array): string | undefined {
  const control = bytes.some((byte) => byte < 9 || (byte > 13 && byte < 32) || byte === 127)
  if (bytes.length === 0 || control) return undefined
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return undefined
  }
}
