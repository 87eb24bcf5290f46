// An image as an ELF object for ARM, for GNU ld, lld and Zephyr's LLEXT: a section a function, helpers and maps as undefined
// symbols, and a DWARF line table. Its relocations are R_ARM_ABS32 and R_ARM_THM_CALL alone.
// Sources: AAELF32 (mapping symbols, relocations), ABI addenda (.ARM.attributes).

import { unreachable } from '../base/errors.ts'
import { decode, isWide } from '../thumb/decode.ts'
import { F } from '../thumb/forms.ts'
import {
  DEBUG_ABBREV,
  DEBUG_LINE,
  DEBUG_RANGES,
  debugInfo,
  debugLine,
  debugRanges,
  type DebugSection,
  type LineRow,
} from './dwarf.ts'
import {
  type ElfRelocation,
  type ElfSection,
  type ElfSymbol,
  SectionFlag,
  SectionType,
  SymbolType,
  writeElf,
} from './elf-file.ts'
import { type Image, type ImageSymbol, Reloc } from './image.ts'

export interface ElfOptions {
  /** What the entry's symbol is called; its own name if not given. */
  readonly name?: string | undefined
  /** Name of the compilation unit. */
  readonly unit?: string | undefined
  /** The source line of a BPF instruction, where one is known. */
  readonly lineOf?: ((slot: number) => { readonly file: string; readonly line: number } | undefined) | undefined
}

const { ALLOC, EXECINSTR, WRITE } = SectionFlag
const NO_RELOCATIONS: readonly ElfRelocation[] = []

/** The object file. */
export function formatElf(image: Image, options: ElfOptions = {}): Uint8Array {
  const functions = functionsOf(image)
  const sections: ElfSection[] = []
  const symbols: ElfSymbol[] = []
  // The image's symbols first, by their numbers; then what ELF wants besides.
  const entryName = options.name ?? image.symbols[image.entry]!.name
  for (const [index, symbol] of image.symbols.entries()) {
    const name = index === image.entry ? entryName : symbol.name
    symbols.push(
      elfSymbol(
        symbol,
        name,
        functions.length,
        functions.findIndex(({ symbol }) => symbol === index),
      ),
    )
  }
  const relocations = [...image.relocations, ...internalCalls(image, functions)]
  for (const [index, { start, end, symbol }] of functions.entries()) {
    sections.push({
      name: `.text.${symbols[symbol]!.name}`,
      type: SectionType.PROGBITS,
      flags: ALLOC | EXECINSTR,
      align: 4,
      bytes: withoutCalls(image, start, end, relocations),
      relocations: relocations
        .filter(({ section, offset }) => section < 0 && offset >= start && offset < end)
        .map(({ offset, type, symbol }) => ({ offset: offset - start, type, symbol })),
    })
    for (const [at, data] of mapping(image, start, end)) {
      symbols.push({
        name: data ? '$d' : '$t',
        section: index,
        value: at - start,
        size: 0,
        type: SymbolType.NOTYPE,
        global: false,
      })
    }
  }
  for (const [index, { name, kind, align, size, bytes }] of image.sections.entries()) {
    sections.push({
      name: kind === 'rodata' || name.startsWith(`.${kind}`) ? name : `.${kind}.${name}`,
      type: kind === 'bss' ? SectionType.NOBITS : SectionType.PROGBITS,
      flags: kind === 'rodata' ? ALLOC : ALLOC | WRITE,
      align,
      bytes,
      ...(kind === 'bss' ? { size } : {}),
      relocations: relocations
        .filter(({ section }) => section === index)
        .map(({ offset, type, symbol }) => ({ offset, type, symbol })),
    })
  }
  addLines(image, functions, sections, symbols, options, entryName)
  sections.push({
    name: '.ARM.attributes',
    type: SectionType.ARM_ATTRIBUTES,
    flags: 0,
    align: 1,
    bytes: attributes(),
    relocations: NO_RELOCATIONS,
  })
  return writeElf(sections, symbols)
}

interface FunctionRange {
  readonly symbol: number
  readonly start: number
  readonly end: number
}

/** The functions by offset; literal pools belong to theirs. */
function functionsOf({ symbols }: Image): FunctionRange[] {
  return symbols
    .flatMap(({ kind, offset, size }, symbol) =>
      kind === 'function' ? [{ symbol, start: offset, end: offset + size }] : [],
    )
    .toSorted((a, b) => a.start - b.start)
}

function elfSymbol(symbol: ImageSymbol, name: string, functions: number, section: number): ElfSymbol {
  const { kind, index, size, global } = symbol
  if (kind === 'function') return { name, section, value: 1, size, type: SymbolType.FUNC, global }
  if (kind === 'section') {
    return { name: '', section: functions + index, value: 0, size: 0, type: SymbolType.SECTION, global: false }
  }
  return { name, section: -1, value: 0, size: 0, type: SymbolType.NOTYPE, global: true }
}

/** Ranges of the code that are instructions or data: where each begins, in a function. */
function mapping({ data }: Image, start: number, end: number): [at: number, data: boolean][] {
  const marks: [number, boolean][] = [[start, false]]
  for (const [from, to] of data) {
    if (from < start || from >= end) continue
    if (marks.at(-1)![0] === from) marks.pop()
    marks.push([from, true])
    if (to < end) marks.push([to, false])
  }
  return marks
}

/** Calls between functions, which the code has resolved: a linker may place each function for itself. */
function internalCalls(
  image: Image,
  functions: readonly FunctionRange[],
): { section: number; offset: number; type: number; symbol: number }[] {
  const { code, relocations } = image
  const view = new DataView(code.buffer, code.byteOffset, code.byteLength)
  const relocated = new Set(relocations.filter(({ section }) => section < 0).map(({ offset }) => offset))
  const starts = new Map(functions.map(({ start, symbol }) => [start, symbol]))
  const calls: { section: number; offset: number; type: number; symbol: number }[] = []
  for (const { start, end } of functions) {
    const marks = mapping(image, start, end)
    for (const [index, [from, data]] of marks.entries()) {
      const to = marks[index + 1]?.[0] ?? end
      for (let at = from; !data && at < to;) {
        const first = view.getUint16(at, true)
        const wide = isWide(first)
        const instruction = decode(first, wide ? view.getUint16(at + 2, true) : 0, false)
        if (instruction?.form === F.BL && !relocated.has(at)) {
          const symbol = starts.get(at + 4 + instruction.imm)
          if (symbol === undefined) unreachable(`the call at ${at} leads to no function`)
          calls.push({ section: -1, offset: at, type: Reloc.R_ARM_THM_CALL, symbol })
        }
        at += wide ? 4 : 2
      }
    }
  }
  return calls
}

/** A function's bytes, its calls with the addend of a call that is not resolved: -4. */
function withoutCalls(
  { code }: Image,
  start: number,
  end: number,
  relocations: readonly { section: number; offset: number; type: number }[],
): Uint8Array {
  const bytes = code.slice(start, end)
  const view = new DataView(bytes.buffer)
  for (const { section, offset, type } of relocations) {
    if (section >= 0 || offset < start || offset >= end || type !== Reloc.R_ARM_THM_CALL) continue
    view.setUint16(offset - start, 0xf7ff, true)
    view.setUint16(offset - start + 2, 0xfffe, true)
  }
  return bytes
}

function addLines(
  image: Image,
  functions: readonly FunctionRange[],
  sections: ElfSection[],
  symbols: ElfSymbol[],
  { lineOf, unit }: ElfOptions,
  entryName: string,
): void {
  if (lineOf === undefined) return
  const files = new Map<string, number>()
  const sequences = functions.map(({ start, end }) => {
    const rows: LineRow[] = []
    // The entry of the line table that is in force at the start may stand before it.
    const first = Math.max(
      image.lines.findLastIndex(({ offset }) => offset <= start),
      0,
    )
    for (const { offset, slot } of image.lines.slice(first)) {
      if (offset >= end) break
      const source = slot < 0 ? undefined : lineOf(slot)
      if (source === undefined) continue
      if (!files.has(source.file)) files.set(source.file, files.size)
      const row = { offset: Math.max(offset, start) - start, file: files.get(source.file)!, line: source.line }
      const last = rows.at(-1)
      if (last === undefined || last.file !== row.file || last.line !== row.line) rows.push(row)
    }
    // What comes before the first line is of it.
    const [head] = rows
    if (head !== undefined && head.offset > 0) rows.unshift({ ...head, offset: 0 })
    return { rows, end: end - start }
  })
  if (files.size === 0) return
  const { abbrev, info } = debugInfo(unit ?? entryName, 'thumbpf')
  const line = debugLine([...files.keys()], sequences)
  const first = sections.length
  const anchor = (section: number): number =>
    symbols.push({ name: '', section, value: 0, size: 0, type: SymbolType.SECTION, global: false }) - 1
  const codeAnchors = functions.map((_, index) => anchor(index))
  const anchors: Record<number, number> = {
    [DEBUG_LINE]: anchor(first),
    [DEBUG_ABBREV]: anchor(first + 1),
    [DEBUG_RANGES]: anchor(first + 2),
  }
  const add = (name: string, { bytes, addresses }: DebugSection): void => {
    const relocations = addresses.map(({ offset, sequence }) => ({
      offset,
      type: Reloc.R_ARM_ABS32,
      symbol: sequence >= 0 ? codeAnchors[sequence]! : anchors[sequence]!,
    }))
    sections.push({ name, type: SectionType.PROGBITS, flags: 0, align: 1, bytes, relocations })
  }
  add('.debug_line', line)
  add('.debug_abbrev', abbrev)
  add('.debug_ranges', debugRanges(sequences))
  add('.debug_info', info)
}

/** Build attributes: for ARMv7E-M, M profile, Thumb-2, 8-byte alignment kept. Of enumerations and wide characters we have none. */
function attributes(): Uint8Array {
  const text = (value: string): number[] => [...new TextEncoder().encode(value), 0]
  const word = (value: number): number[] => [value & 0xff, (value >>> 8) & 0xff, (value >>> 16) & 0xff, value >>> 24]
  // Tag, value: CPU_name; CPU_arch v7E-M, profile M, THUMB_ISA_use 2, align_needed 8, align_preserved 8, unaligned_access.
  const tags = [5, ...text('Cortex-M4'), 6, 13, 7, 0x4d, 9, 2, 24, 1, 25, 1, 34, 1]
  const file = [1, ...word(tags.length + 5), ...tags]
  const vendor = text('aeabi')
  return Uint8Array.of(0x41, ...word(4 + vendor.length + file.length), ...vendor, ...file)
}
