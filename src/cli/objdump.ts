// `thumbpf objdump`: each BPF instruction with the Thumb instructions that it became and what was done to it, or one side alone.

import {
  compile,
  formatInstruction,
  formatPrototype,
  type Image,
  labelsOf,
  lineAt,
  listing,
  type ListingLine,
  type Program,
  type Remark,
} from '../index.ts'
import { type CompileFlags, compileOptions } from './compile-options.ts'
import { grantsFor, helperChoice } from './helper-choice.ts'
import { loadProgram } from './input.ts'
import { type Io, paint } from './io.ts'
import { mapTypeName } from './values.ts'

interface ObjdumpOptions extends CompileFlags {
  readonly bpf?: boolean
  readonly thumb?: boolean
  readonly json?: boolean
  readonly entry?: string
}

/** Prints the listing. */
export async function objdump(file: string, options: ObjdumpOptions, io: Io): Promise<number> {
  const choice = await helperChoice(options.helpers)
  const { program } = await loadProgram(file, options.entry, io, choice?.table)
  const remarks = new Map<number, Remark>()
  const compiled = (): Image => {
    const remark = (one: Remark): void => void remarks.set(one.slot, one)
    return compile(program, { ...compileOptions(options), ...grantsFor(program, choice), remark }).image
  }
  if (options.json === true) {
    const image = options.bpf === true ? undefined : compiled()
    io.stdout(`${JSON.stringify(asJson(program, image, remarks, options), null, 2)}\n`)
    return 0
  }
  const heading = (text: string): string => paint(io.colour.stdout, 'bold', text)
  const bpf = (text: string): string => paint(io.colour.stdout, 'cyan', text)
  const comment = (text: string): string => paint(io.colour.stdout, 'dim', text)
  const formats = { label: heading, line: comment, instruction: bpf } as const
  const out = summaryOf(program).map(comment)
  if (options.bpf === true) {
    for (const { kind, text } of bpfParts(program)) out.push(formats[kind](text))
  } else {
    const image = compiled()
    out.push(...importsOf(image).map(comment))
    if (options.thumb === true) {
      const names = functionNames(image)
      for (const line of listing(image)) {
        const name = names.get(line.offset)
        if (name !== undefined) out.push(heading(`${name}:`))
        out.push(thumb(line))
      }
    } else {
      const { bySlot, prologues, others } = arrange(image, program)
      const thumbOf = { label: prologues, line: undefined, instruction: bySlot } as const
      const parts = bpfParts(program)
      const column = Math.min(REMARK_COLUMN, Math.max(...parts.map((part) => widthOf(part))) + 2)
      for (const part of parts) {
        const { kind, text, slot } = part
        const remark = kind === 'instruction' ? remarks.get(slot) : undefined
        const said = remark === undefined ? '' : `${' '.repeat(Math.max(column - text.length, 2))}; ${remark.text}`
        out.push(formats[kind](text) + comment(said))
        for (const line of thumbOf[kind]?.get(slot) ?? []) out.push(thumb(line))
      }
      if (others.length > 0) out.push(heading('; of no single BPF instruction:'), ...others.map(thumb))
    }
  }
  io.stdout(`${out.join('\n')}\n`)
  return 0
}

/** Where remarks begin at the latest, unless an instruction is longer. */
const REMARK_COLUMN = 40

function widthOf({ kind, text }: BpfPart): number {
  return kind === 'instruction' ? text.length : 0
}

/** What the listing says, for other programs: both sides, which are joined by `slot`. */
function asJson(
  program: Program,
  image: Image | undefined,
  remarks: ReadonlyMap<number, Remark>,
  { thumb: thumbAlone }: ObjdumpOptions,
): object {
  const labels = labelsOf(program)
  const bpf = program.instructions.map((instruction, index) => {
    const { slot, target } = instruction
    const line = lineAt(program, slot)
    const remark = remarks.get(slot)
    return {
      slot,
      label: labels.get(index),
      text: formatInstruction(instruction, target < 0 ? undefined : labels.get(target), program),
      line: line && { file: line.file, line: line.line },
      remark: remark && { text: remark.text, stage: remark.stage },
    }
  })
  if (image === undefined) return { bpf }
  const names = functionNames(image)
  const thumb = listing(image).map(({ offset, size, encoding, text, slot }) => {
    return { offset, size, encoding, text, slot, function: names.get(offset) }
  })
  return thumbAlone === true ? { thumb } : { bpf, thumb }
}

interface Arranged {
  /** Lines that serve a BPF instruction, by its slot. */
  readonly bySlot: ReadonlyMap<number, readonly ListingLine[]>
  /** What a function begins with before it serves any instruction, by the slot of the function's first one. */
  readonly prologues: ReadonlyMap<number, readonly ListingLine[]>
  readonly others: readonly ListingLine[]
}

function arrange(image: Image, program: Program): Arranged {
  const starts = functionNames(image)
  const bySlot = new Map<number, ListingLine[]>()
  const prologues = new Map<number, ListingLine[]>()
  const others: ListingLine[] = []
  // Lines since the beginning of a function whose owner is not known yet.
  let beginning: ListingLine[] | undefined
  for (const line of listing(image)) {
    if (starts.has(line.offset)) {
      others.push(...(beginning ?? []))
      beginning = []
    }
    if (line.slot < 0) {
      ;(beginning ?? others).push(line)
      continue
    }
    if (beginning !== undefined && beginning.length > 0) {
      const start = startOfFunction(program, line.slot)
      prologues.set(start, [...(prologues.get(start) ?? []), ...beginning])
    }
    beginning = undefined
    const same = bySlot.get(line.slot)
    if (same === undefined) bySlot.set(line.slot, [line])
    else same.push(line)
  }
  others.push(...(beginning ?? []))
  return { bySlot, prologues, others }
}

/** Slot of the first instruction of the function that `slot` is in. */
function startOfFunction(program: Program, slot: number): number {
  const starts = program.functions.map((one) => program.instructions[one.start]!.slot)
  return Math.max(...starts.filter((start) => start <= slot))
}

function functionNames(image: Image): Map<number, string> {
  return new Map(image.symbols.filter((one) => one.kind === 'function').map((one) => [one.offset, one.name]))
}

function thumb({ offset, encoding, text }: ListingLine): string {
  return `      ${offset.toString(16).padStart(4, '0')}:  ${encoding.padEnd(9)}  ${text}`
}

/** Comments on what the program has beside code: sections of data and maps. */
function summaryOf({ data, maps }: Program): string[] {
  return [
    ...data.map(({ name, kind, size, align }) => `; ${name}: ${kind}, ${size} bytes, aligned to ${align}`),
    ...maps.map(({ name, type, keySize, valueSize, maxEntries }) => {
      const elements =
        keySize > 0 ? `${maxEntries} entries, keys of ${keySize} bytes, values of ${valueSize}` : `${maxEntries} bytes`
      return `; map '${name}': ${mapTypeName(type)}, ${elements}`
    }),
  ]
}

/** Comments on the helpers that the code calls. */
function importsOf({ symbols }: Image): string[] {
  return symbols
    .filter(({ kind }) => kind === 'import')
    .map(({ name, helper, prototype }) => {
      return `; helper ${helper}: ${prototype === undefined ? `${name}, without a prototype` : formatPrototype(prototype)}`
    })
}

/** A line of the BPF listing: the instruction at a slot, or the label or C line before it. */
interface BpfPart {
  readonly kind: 'label' | 'line' | 'instruction'
  readonly text: string
  readonly slot: number
}

function bpfParts(program: Program): BpfPart[] {
  const labels = labelsOf(program)
  const width = String(program.instructions.at(-1)!.slot).length
  const parts: BpfPart[] = []
  let shown = ''
  for (const [index, instruction] of program.instructions.entries()) {
    const { slot, target } = instruction
    const label = labels.get(index)
    if (label !== undefined) parts.push({ kind: 'label', text: `${label}:`, slot })
    const line = lineAt(program, slot)
    const comment = line === undefined ? '' : `; ${line.file}:${line.line}: ${line.text.trim()}`.replace(/: $/, '')
    if (comment !== shown && comment !== '') parts.push({ kind: 'line', text: comment, slot })
    shown = comment
    const text = formatInstruction(instruction, target < 0 ? undefined : labels.get(target), program)
    parts.push({ kind: 'instruction', text: `${String(slot).padStart(width + 1)}: ${text}`, slot })
  }
  return parts
}
