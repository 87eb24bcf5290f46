// Files of the bpf_conformance suite (`.data`): sections that start with `-- name`.
// `asm` or `raw` is the program (raw wins where both are there), `mem` the context, `result` R0, `error` a text that is not compared.

import { InputError } from '../base/errors.ts'
import { assemble } from './asm.ts'

/** What a file asks for. */
export interface ConformanceTest {
  /** Bytes of the program. */
  readonly program: Uint8Array
  /** The context; undefined if there is none, and R1 and R2 are 0. */
  readonly memory: Uint8Array | undefined
  /** R0 that the program must return, unsigned; undefined only in a file that expects an error. */
  readonly result: bigint | undefined
  /** The program must be refused. */
  readonly error: boolean
}

const directives = ['asm', 'raw', 'mem', 'result', 'error', 'c', 'no register offset'] as const
type Directive = (typeof directives)[number]

interface Line {
  readonly text: string
  readonly line: number
}

/**
 * Reads a `.data` file. Throws InputError: for an unknown directive, a file without a program, without result or error, and for
 * assembly or numbers that can't be read (in a file that expects an error that is a pass too: see `expectsError`).
 */
export function parseConformance(source: string): ConformanceTest {
  const sections = split(source)
  const has = (name: Directive): boolean => (sections.get(name)?.length ?? 0) > 0
  const program = has('raw')
    ? parseRaw(sections.get('raw')!)
    : has('asm')
      ? parseAssembly(sections.get('asm')!)
      : undefined
  if (program === undefined || program.length === 0)
    throw new InputError('the file has no program: no lines under -- asm or -- raw')
  const error = sections.has('error')
  if (!error && !has('result')) throw new InputError('the file says neither a result nor an error')
  return {
    program,
    memory: has('mem') ? parseMemory(sections.get('mem')!) : undefined,
    result: has('result') ? parseResult(sections.get('result')!.at(-1)!) : undefined,
    error,
  }
}

/** Whether the file has an `error` section, so that being refused, already by `parseConformance`, is what it asks for. */
export function expectsError(source: string): boolean {
  return /^--\s*error\b/m.test(source)
}

function split(source: string): Map<Directive, Line[]> {
  const sections = new Map<Directive, Line[]>()
  let lines: Line[] | undefined
  for (const [index, whole] of source.split(/\r\n|\n/).entries()) {
    const text = whole.replace(/#.*$/, '').trim()
    if (text.startsWith('--')) {
      const name = text.slice(2).trim()
      const directive = directives.find((known) => known === name)
      if (directive === undefined) {
        throw new InputError(`unknown directive '-- ${name.slice(0, 40)}', must be one of ${directives.join(', ')}`, {
          line: index + 1,
        })
      }
      lines = sections.get(directive) ?? []
      sections.set(directive, lines)
    } else if (text !== '' && lines !== undefined) lines.push({ text, line: index + 1 })
  }
  return sections
}

/** Keeps the lines where they are in the file, so that the assembler's line numbers are the file's. */
function parseAssembly(lines: readonly Line[]): Uint8Array {
  const placed: string[] = []
  for (const { text, line } of lines) placed[line - 1] = text
  return assemble(Array.from(placed, (text) => text ?? '').join('\n'))
}

/** Words with `0x` are one instruction each, as a little-endian number; else there are eight bytes a line. */
function parseRaw(lines: readonly Line[]): Uint8Array {
  const bytes: number[] = []
  for (const { text, line } of lines) {
    const words = text.split(/\s+/)
    if (words.every((word) => /^0x[0-9a-f]{1,16}$/i.test(word))) {
      for (const word of words) {
        const value = BigInt(word)
        for (let shift = 0n; shift < 64n; shift += 8n) bytes.push(Number((value >> shift) & 0xffn))
      }
    } else if (words.length === 8 && words.every((word) => /^[0-9a-f]{2}$/i.test(word))) {
      bytes.push(...words.map((word) => Number.parseInt(word, 16)))
    } else
      throw new InputError(
        `'${text.slice(0, 40)}' must be numbers with 0x of up to 16 digits, or eight bytes of two digits`,
        { line },
      )
  }
  return Uint8Array.from(bytes)
}

function parseMemory(lines: readonly Line[]): Uint8Array {
  const bytes = lines.flatMap(({ text, line }) =>
    text.split(/\s+/).map((word) => {
      if (!/^(?:0x)?[0-9a-f]{1,2}$/i.test(word))
        throw new InputError(`'${word.slice(0, 40)}' must be a byte in hexadecimal`, { line })
      return Number.parseInt(word, 16)
    }),
  )
  return Uint8Array.from(bytes)
}

function parseResult({ text, line }: Line): bigint {
  if (!/^(?:0x[0-9a-f]{1,16}|[0-9]{1,20})$/i.test(text)) {
    throw new InputError(
      `the result '${text.slice(0, 40)}' must be a number of 64 bits, in hexadecimal with 0x or in decimal`,
      { line },
    )
  }
  return BigInt.asUintN(64, BigInt(text))
}
