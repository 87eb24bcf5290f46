// `thumbpf compile`: writes the compiled program to a file.

import { writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

import { compile as compileModule, type Image } from '../index.ts'
import { type CompileFlags, compileOptions } from './compile-options.ts'
import type { FormatName } from './format-names.ts'
import { defaultName, formats } from './formats.ts'
import { grantsFor, helperChoice } from './helper-choice.ts'
import { loadProgram, writeOutput } from './input.ts'
import { type Io, paint, UsageError } from './io.ts'

interface CompileCommandOptions extends CompileFlags {
  readonly output: string
  readonly format: FormatName
  readonly entry?: string
  readonly dump?: boolean
  readonly name?: string
  readonly at?: number
  readonly ram?: number
  readonly define?: ReadonlyMap<string, number>
  readonly map?: string
  readonly family?: string
}

/** Writes the file and says what is in it, on standard error where the file goes to standard output. */
export async function compile(file: string, options: CompileCommandOptions, io: Io): Promise<number> {
  const choice = await helperChoice(options.helpers)
  const { program } = await loadProgram(file, options.entry, io, choice?.table)
  const say = options.output === '-' ? io.stderr : io.stdout
  const dump = (stage: string, text: string): void => {
    const colour = options.output === '-' ? io.colour.stderr : io.colour.stdout
    say(`${paint(colour, 'bold', `; ${stage}`)}\n${text.trimEnd()}\n\n`)
  }
  const { image } = compileModule(program, {
    ...compileOptions(options),
    ...grantsFor(program, choice),
    ...(options.dump === true ? { dump } : {}),
  })
  const { bytes, map, listing } = await formats[options.format](image, program, {
    name: options.name ?? defaultName(image),
    unit: file,
    at: options.at,
    ram: options.ram,
    defined: options.define ?? new Map(),
    family: options.family,
  })
  if (options.map !== undefined && map === undefined)
    throw new UsageError('--map is for programs at an address: bin, hex and uf2 with --at')
  writeOutput(options.output, bytes, io)
  if (options.map !== undefined) writeFileSync(options.map, new TextEncoder().encode(map))
  if (options.output === '-') return 0
  if (listing !== undefined) {
    writeFileSync(join(dirname(options.output), listing.name), new TextEncoder().encode(listing.text))
  }
  const entry = image.symbols[image.entry]!
  const also = listing === undefined ? '' : `, with the lines of ${listing.name}`
  say(
    `${options.output}: ${bytes.length} bytes from ${image.bpfInstructions} BPF instructions, ` +
      `entry '${entry.name}' at offset ${entry.offset}${also}\n${tableOf(image)}${options.map === undefined ? (map ?? '') : ''}`,
  )
  return 0
}

/** What whoever places position-independent code puts into the table that env leads to. */
function tableOf(image: Image): string {
  const names = image.table.map((index) => image.symbols[index]!.name)
  return names.length === 0 ? '' : `table of addresses for env: ${names.join(', ')}\n`
}
