// `thumbpf compile`: writes the compiled program to a file.

import { compile as compileModule, type Image, InputError, writeImage } from '../index.ts'
import { type CompileFlags, compileOptions } from './compile-options.ts'
import { grantsFor } from './helper-choice.ts'
import { loadProgram, writeOutput } from './input.ts'
import { type Io, paint } from './io.ts'

interface CompileCommandOptions extends CompileFlags {
  readonly output: string
  readonly format: 'bin' | 'image'
  readonly entry?: string
  readonly dump?: boolean
}

/** Writes the file and says what is in it, on standard error where the file goes to standard output. */
export async function compile(file: string, options: CompileCommandOptions, io: Io): Promise<number> {
  const { program } = await loadProgram(file, options.entry, io)
  const say = options.output === '-' ? io.stderr : io.stdout
  const dump = (stage: string, text: string): void => {
    const colour = options.output === '-' ? io.colour.stderr : io.colour.stdout
    say(`${paint(colour, 'bold', `; ${stage}`)}\n${text.trimEnd()}\n\n`)
  }
  const module = compileModule(program, {
    ...compileOptions(options),
    ...(await grantsFor(program, options.helpers)),
    ...(options.dump === true ? { dump } : {}),
  })
  const { image } = module
  const bytes = options.format === 'image' ? writeImage(image) : binary(image)
  await writeOutput(options.output, bytes, io)
  if (options.output !== '-') {
    const entry = image.symbols[image.entry]!
    say(
      `${options.output}: ${bytes.length} bytes from ${image.bpfInstructions} BPF instructions, ` +
        `entry '${entry.name}' at offset ${entry.offset}\n${options.format === 'bin' ? tableOf(image) : ''}`,
    )
  }
  return 0
}

/** The code alone. It runs wherever it is put, at a multiple of 4: calls within it are relative. */
function binary(image: Image): Uint8Array {
  const missing = (what: string): never => {
    throw new InputError(`${what}, which needs a linker: plain bytes (--format bin) are code alone`)
  }
  if (image.sections.length > 0) {
    missing(`the program has data (${image.sections.map((section) => section.name).join(', ')})`)
  }
  for (const { symbol } of image.relocations) {
    const { kind, name } = image.symbols[symbol]!
    if (kind === 'import') missing(`the program calls ${name}`)
    if (kind === 'map') missing(`the program uses map '${name}'`)
    if (kind === 'function') missing(`the program takes the address of ${name}`)
  }
  return image.code
}

/** What whoever places position-independent code puts into the table that env leads to. */
function tableOf(image: Image): string {
  const names = image.table.map((index) => image.symbols[index]!.name)
  return names.length === 0 ? '' : `table of addresses for env: ${names.join(', ')}\n`
}
