// What `thumbpf compile` can write: a name, what it is for, and how an image becomes its bytes.

import {
  disassemble,
  type Flat,
  formatC,
  formatElf,
  formatFlat,
  formatMap,
  formatRust,
  identifier,
  type Image,
  InputError,
  lineAt,
  type Program,
  suggestion,
  writeImage,
} from '../index.ts'
import type { FormatName } from './format-names.ts'
import { UsageError } from './io.ts'

export interface FormatOptions {
  /** The symbol or function that the entry becomes. */
  readonly name: string
  /** Name of the input, for a debugger. */
  readonly unit: string
  readonly at?: number | undefined
  readonly ram?: number | undefined
  readonly defined: ReadonlyMap<string, number>
  /** UF2: the family of the board, by name or number. */
  readonly family?: string | undefined
}

/** What to write: the file itself, and what the map says where the program has addresses. */
export interface Output {
  readonly bytes: Uint8Array
  readonly map?: string
  /** A file to be written beside it, that line numbers refer to. */
  readonly listing?: { readonly name: string; readonly text: string }
}

type Format = (image: Image, program: Program, options: FormatOptions) => Output | Promise<Output>

const encoder = new TextEncoder()
/** Bytes of a UF2 block's payload that every bootloader takes. */
const UF2_PAYLOAD = 256
/** Intel HEX: bytes a line. */
const HEX_LINE = 32

export const formats: Readonly<Record<FormatName, Format>> = {
  elf,
  image: (image) => ({ bytes: writeImage(image) }),
  bin,
  hex,
  uf2,
  c: (image, _, { name }) => text(formatC(image, name)),
  rust: (image, _, { name }) => text(formatRust(image, name)),
}

/** The symbol for an entry that the user has not named: its own name, made an identifier. */
export function defaultName(image: Image): string {
  return identifier(image.symbols[image.entry]!.name)
}

function text(source: string): Output {
  return { bytes: encoder.encode(source) }
}

/** With C lines where the object has them; else with the lines of a listing of the BPF instructions. */
function elf(image: Image, program: Program, { name, unit }: FormatOptions): Output {
  if (program.lines.length > 0) {
    return { bytes: formatElf(image, { name, unit, lineOf: (slot) => lineAt(program, slot) }) }
  }
  const file = `${unit.replace(/^.*[/\\]/, '')}.bpf.s`
  const lines = disassemble(program)
  // A line for each instruction: slots count LDDW twice.
  const lineOfSlot = new Map<number, number>()
  let slot = 0
  let index = 0
  for (const [at, line] of lines.entries()) {
    if (!/^\s/.test(line)) continue
    lineOfSlot.set(slot, at + 1)
    const instruction = program.instructions[index++]
    slot = index < program.instructions.length ? program.instructions[index]!.slot : slot + 1
    if (instruction === undefined) break
  }
  const lineOf = (of: number): { file: string; line: number } | undefined => {
    const line = lineOfSlot.get(of)
    return line === undefined ? undefined : { file, line }
  }
  return { bytes: formatElf(image, { name, unit, lineOf }), listing: { name: file, text: `${lines.join('\n')}\n` } }
}

function bin(image: Image, _program: Program, options: FormatOptions): Output {
  if (options.at !== undefined) {
    const flat = placed(image, options)
    return { bytes: flat.bytes, map: formatMap(image, flat) }
  }
  const missing = (what: string): never => {
    throw new InputError(
      `${what}, which needs addresses: give them by --at, or write another format (elf, image, c, rust)`,
    )
  }
  if (image.sections.length > 0) missing(`the program has data (${image.sections.map(({ name }) => name).join(', ')})`)
  for (const { symbol } of image.relocations) {
    const { kind, name } = image.symbols[symbol]!
    if (kind === 'import') missing(`the program calls ${name}`)
    if (kind === 'map') missing(`the program uses map '${name}'`)
    if (kind === 'function') missing(`the program takes the address of ${name}`)
  }
  return { bytes: image.code }
}

function placed(image: Image, { at, ram, defined }: FormatOptions): Flat {
  if (at === undefined) throw new UsageError('this format is for an address: give it by --at, such as --at 0x08010000')
  return formatFlat(image, { at, ram, defined })
}

async function hex(image: Image, _program: Program, options: FormatOptions): Promise<Output> {
  const { default: MemoryMap } = await import('nrf-intel-hex')
  // The package's types are those of its ES module, which Node does not load.
  const HexFile = MemoryMap as unknown as typeof MemoryMap.default
  const flat = placed(image, options)
  const file = new HexFile(new Map([[options.at!, flat.bytes]])).asHexString(HEX_LINE)
  return { bytes: encoder.encode(`${file}\n`), map: formatMap(image, flat) }
}

async function uf2(image: Image, _program: Program, options: FormatOptions): Promise<Output> {
  const { encodeBlock, uf2Families, UF2Flags } = await import('uf2')
  const { at, family } = options
  const flat = placed(image, options)
  if (at! % UF2_PAYLOAD !== 0) throw new UsageError(`--at is 0x${at!.toString(16)}, must be a multiple of 256 for UF2`)
  const known = uf2Families.find(({ shortName }) => shortName === family?.toUpperCase())
  const boardFamily = family === undefined ? 0 : (known?.id ?? Number(family))
  if (!Number.isInteger(boardFamily))
    throw new UsageError(
      `--family: there is no family '${family}'${suggestion(
        family!.toUpperCase(),
        uf2Families.map(({ shortName }) => shortName),
      )}; a number such as 0x57755a57 will do`,
    )
  const totalBlocks = Math.ceil(flat.bytes.length / UF2_PAYLOAD)
  const bytes = new Uint8Array(512 * totalBlocks)
  for (let blockNumber = 0; blockNumber < totalBlocks; blockNumber++) {
    const payload = new Uint8Array(UF2_PAYLOAD)
    payload.set(flat.bytes.subarray(UF2_PAYLOAD * blockNumber, UF2_PAYLOAD * (blockNumber + 1)))
    const flashAddress = at! + UF2_PAYLOAD * blockNumber
    const flags = family === undefined ? 0 : UF2Flags.familyIDPresent
    encodeBlock({ flags, flashAddress, payload, blockNumber, totalBlocks, boardFamily }, bytes, 512 * blockNumber)
  }
  return { bytes, map: formatMap(image, flat) }
}
