// `thumbpf asm`: BPF assembly to raw bytes.

import { assemble, InputError } from '../index.ts'
import { readInput, writeOutput } from './input.ts'
import type { Io } from './io.ts'

interface AsmOptions {
  readonly output: string
}

/** Writes the instructions. What they do is not checked: a test of a checker needs wrong programs too. */
export async function asm(file: string, options: AsmOptions, io: Io): Promise<number> {
  const bytes = await readInput(file, io)
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw new InputError('assembly is UTF-8 text; this is not')
  }
  const code = assemble(text)
  writeOutput(options.output, code, io)
  if (options.output !== '-') io.stdout(`${options.output}: ${code.length} bytes, ${code.length / 8} slots\n`)
  return 0
}
