// A file with an image (file.ts) -> Image. It refuses what the runtime would refuse of any image, with the byte at fault.

import { crc32 } from '../base/crc32.ts'
import { InputError } from '../base/errors.ts'
import type { Parameter, Prototype, ResultType } from '../base/prototype.ts'
import { CODE, FILE_ALIGN, ImageFile, MOST_ALIGN, sectionKinds, symbolKinds } from './file.ts'
import { type Image, type ImageSection, type ImageSymbol, type LineEntry, Reloc, type Relocation } from './image.ts'

/** Bytes of the records. */
const Size = { symbol: 20, relocation: 12, section: 12, map: 24, program: 12, word: 4 } as const
const types = ['bool', 'u8', 'u16', 'u32', 'u64', 's8', 's16', 's32', 's64', 'pointer', 'map'] as const
const PROGRAM_ARRAY = 3

function parseSignature(text: string, name: string): Prototype | undefined {
  const match = /^(\w+)\((.*)\)$/.exec(text)
  if (match === null) return undefined
  const list = match[2] === '' ? [] : match[2]!.split(',')
  const known = (type: string): boolean => types.some((one) => one === type)
  if (list.length > 5 || !list.every(known) || !(match[1] === 'void' || known(match[1]!))) return undefined
  return { name, result: match[1] as ResultType, parameters: list.map((type) => ({ type }) as Parameter) }
}

function pad(length: number, log2: number): number {
  const align = 2 ** log2
  return Math.ceil(length / align) * align
}

/** The bytes with a place in them; every read is inside. */
class Reader {
  readonly bytes: Uint8Array
  readonly #view: DataView
  at: number
  end: number
  constructor(bytes: Uint8Array) {
    this.bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.at = 0
    this.end = bytes.length
  }
  /** An error about the bytes `back` before the place. */
  wrong(message: string, back = 0): InputError {
    return new InputError(`image: ${message}`, { offset: Math.max(this.at - back, 0) })
  }
  need(bytes: number, what: string): void {
    if (bytes > this.end - this.at) throw this.wrong(`${what} of ${bytes} bytes, ${this.end - this.at} are left`)
  }
  word(): number {
    this.at += 4
    return this.#view.getUint32(this.at - 4, true)
  }
  half(): number {
    this.at += 2
    return this.#view.getUint16(this.at - 2, true)
  }
  byte(): number {
    return this.bytes[this.at++]!
  }
  unsigned(end: number): number {
    let value = 0
    for (let shift = 0; shift < 35; shift += 7) {
      if (this.at >= end) throw this.wrong('the line table ends within a number')
      const byte = this.byte()
      value += (byte & 127) * 2 ** shift
      if (byte < 128 && value < 2 ** 32) return value
      if (byte < 128) break
    }
    throw this.wrong('a number of the line table has more than 32 bits', 1)
  }
  signed(end: number): number {
    const value = this.unsigned(end)
    return (value >>> 1) ^ -(value & 1)
  }
  zeros(end: number): void {
    while (this.at < end) if (this.byte() !== 0) throw this.wrong('padding is not 0', 1)
  }
}

/** Counts and sizes of the header, in its order. */
interface Header {
  readonly flags: number
  readonly codeBytes: number
  readonly entry: number
  readonly stackBytes: number
  readonly bpfInstructions: number
  readonly symbols: number
  readonly relocations: number
  readonly sections: number
  readonly maps: number
  readonly programs: number
  readonly table: number
  readonly lines: number
  readonly data: number
  readonly lineBytes: number
  readonly stringBytes: number
}

/**
 * What writeImage has written; names of parameters are not in the file. Bytes behind the image are left alone. Throws InputError with an
 * offset for everything that does not hold.
 */
export function readImage(bytes: Uint8Array): Image {
  const reader = new Reader(bytes)
  const header = readHeader(reader)
  const { codeBytes } = header
  const stringsAt = checkParts(reader, header)
  const string = (what: string): string => {
    const at = reader.word()
    if (at >= header.stringBytes) throw reader.wrong(`name ${at} of ${what} is beyond the strings`, 4)
    const start = stringsAt + at
    return new TextDecoder().decode(bytes.subarray(start, bytes.indexOf(0, start)))
  }
  const code = bytes.slice(reader.at, (reader.at += codeBytes))
  const symbols = times(header.symbols, () => readSymbol(reader, header, string))
  const function_ = (index: number, what: string): number => {
    if (symbols[index]?.kind !== 'function') throw reader.wrong(`symbol ${index} of ${what} is no function`, 4)
    return index
  }
  const relocationsAt = reader.at
  reader.at += header.relocations * Size.relocation
  const infos = times(header.sections, () => readSection(reader, string))
  const mapsAt = reader.at
  const maps = times(header.maps, () => ({
    name: string('a map'),
    type: reader.word(),
    keySize: reader.word(),
    valueSize: reader.word(),
    maxEntries: reader.word(),
    flags: reader.word(),
  }))
  const programs = times(header.programs, () => {
    const map = reader.word()
    if (maps[map]?.type !== PROGRAM_ARRAY) throw reader.wrong(`map ${map} is no program array`, 4)
    const index = reader.word()
    if (index >= maps[map].maxEntries) throw reader.wrong(`index ${index} is beyond the program array`, 4)
    return { map, index, symbol: function_(reader.word(), 'a program array') }
  })
  const table = times(header.table, () => {
    const symbol = reader.word()
    if (symbol >= symbols.length) throw reader.wrong(`there is no symbol ${symbol}`, 4)
    return symbol
  })
  const { lines, data } = readLines(reader, header)
  reader.at = stringsAt + header.stringBytes
  const sections = infos.map((info) => {
    if (info.kind === 'bss') return { ...info, bytes: new Uint8Array(0) }
    reader.zeros(Math.min(pad(reader.at, Math.min(Math.log2(info.align), FILE_ALIGN)), reader.end))
    reader.need(info.size, `section ${info.name}`)
    return { ...info, bytes: bytes.slice(reader.at, (reader.at += info.size)) }
  })
  reader.zeros(Math.min(pad(reader.at, 2), reader.end))
  if (reader.at !== reader.end) throw reader.wrong(`${reader.end - reader.at} bytes behind the sections`)
  reader.at = 20 + 4
  function_(header.entry, 'the entry')
  reader.at = relocationsAt
  const relocations = readRelocations(reader, header, symbols, sections, code)
  reader.at = mapsAt
  return {
    code,
    sections,
    maps,
    programs,
    table,
    symbols,
    relocations,
    lines,
    data,
    entry: header.entry,
    needsEnv: (header.flags & ImageFile.NEEDS_ENV) !== 0,
    bpfInstructions: header.bpfInstructions,
    stackBytes: header.stackBytes | 0,
  }
}

function times<T>(count: number, make: () => T): T[] {
  return Array.from({ length: count }, make)
}

function readHeader(reader: Reader): Header {
  const { bytes } = reader
  reader.need(ImageFile.HEADER_BYTES + 4, 'an image')
  const expect = (value: number, wanted: number, what: string, size: number): void => {
    if (value !== wanted) throw reader.wrong(`${what} is ${value}, must be ${wanted}`, size)
  }
  if (reader.word() !== ImageFile.MAGIC) throw reader.wrong('does not begin with TBPF', 4)
  expect(reader.half(), ImageFile.VERSION, 'the version', 2)
  expect(reader.half(), ImageFile.HEADER_BYTES, 'the size of the header', 2)
  const total = reader.word()
  if (total > bytes.length) throw reader.wrong(`has ${total} bytes, ${bytes.length} are there`, 4)
  if (total < ImageFile.HEADER_BYTES + 4 || total % 4 !== 0) throw reader.wrong(`a length of ${total} bytes`, 4)
  reader.end = total - 4
  const sum = new DataView(bytes.buffer, bytes.byteOffset).getUint32(total - 4, true)
  if (crc32(bytes.subarray(0, total - 4)) !== sum) {
    throw new InputError('image: the checksum is not that of its bytes', { offset: total - 4 })
  }
  expect(reader.half(), ImageFile.ABI, 'the version of the binary interface', 2)
  const flags = reader.half()
  if (flags > 3) throw reader.wrong(`flags ${flags} are not known`, 2)
  const words = times(15, () => reader.word())
  if (words[14] !== 0 || reader.word() !== 0) throw reader.wrong('reserved words are not 0', 4)
  const [codeBytes, entry, stackBytes, bpfInstructions, symbols, relocations, sections, maps, ...rest] = words
  const [programs, table, lines, data, lineBytes, stringBytes] = rest
  return {
    flags,
    codeBytes: codeBytes!,
    entry: entry!,
    stackBytes: stackBytes!,
    bpfInstructions: bpfInstructions!,
    symbols: symbols!,
    relocations: relocations!,
    sections: sections!,
    maps: maps!,
    programs: programs!,
    table: table!,
    lines: lines!,
    data: data!,
    lineBytes: lineBytes!,
    stringBytes: stringBytes!,
  }
}

/** All parts but the sections' bytes are inside, and strings end; gives the place of the strings. */
function checkParts(reader: Reader, header: Header): number {
  const { codeBytes, lineBytes, stringBytes } = header
  const start = reader.at
  if (codeBytes % 4 !== 0 || lineBytes % 4 !== 0 || stringBytes % 4 !== 0 || stringBytes === 0) {
    throw reader.wrong(`parts of ${codeBytes}, ${lineBytes} and ${stringBytes} bytes must be multiples of 4`)
  }
  const parts: readonly (readonly [string, number])[] = [
    ['code', codeBytes],
    ['symbols', header.symbols * Size.symbol],
    ['relocations', header.relocations * Size.relocation],
    ['sections', header.sections * Size.section],
    ['maps', header.maps * Size.map],
    ['programs', header.programs * Size.program],
    ['table', header.table * Size.word],
    ['lines', lineBytes],
    ['strings', stringBytes],
  ]
  for (const [what, size] of parts) {
    reader.need(size, what)
    reader.at += size
  }
  const stringsAt = reader.at - stringBytes
  if (reader.bytes[stringsAt] !== 0 || reader.bytes[reader.at - 1] !== 0) {
    throw reader.wrong('the strings do not begin and end with 0', stringBytes)
  }
  reader.at = start
  return stringsAt
}

function readSymbol(reader: Reader, header: Header, string: (what: string) => string): ImageSymbol {
  const kind = symbolKinds[reader.byte()]
  if (kind === undefined) throw reader.wrong('a kind of symbol that there is not', 1)
  const global = reader.byte()
  if (global > 1 || reader.half() !== 0) throw reader.wrong("a symbol's flags are not known", 3)
  const value = reader.word()
  const size = reader.word()
  const beyond = {
    function: value % 2 !== 0 || value >= header.codeBytes || size > header.codeBytes - value,
    import: size !== 0,
    section: value >= header.sections,
    map: value >= header.maps || size !== 0,
  }
  if (beyond[kind]) throw reader.wrong(`a ${kind} at ${value} with ${size} bytes, which is not inside`, 8)
  const name = string('a symbol')
  const text = string('a prototype')
  const prototype = text === '' || kind !== 'import' ? undefined : parseSignature(text, name)
  if (text !== '' && prototype === undefined) throw reader.wrong(`'${text}' is no prototype of a helper`, 4)
  return {
    name,
    offset: kind === 'function' ? value : kind === 'section' ? 0 : -1,
    size,
    kind,
    index: kind === 'section' || kind === 'map' ? value : -1,
    helper: kind === 'import' ? value : -1,
    ...(prototype === undefined ? {} : { prototype }),
    global: global === 1,
  }
}

function readSection(reader: Reader, string: (what: string) => string): Omit<ImageSection, 'bytes'> {
  const name = string('a section')
  const size = reader.word()
  const kind = sectionKinds[reader.byte()]
  const log2 = reader.byte()
  if (kind === undefined || log2 > MOST_ALIGN || reader.half() !== 0 || size > 0x7fff_ffff) {
    throw reader.wrong(`section ${name} is of no known kind, alignment or size`, 8)
  }
  return { name, kind, align: 2 ** log2, size }
}

function readLines(reader: Reader, header: Header): Pick<Image, 'lines' | 'data'> {
  const end = reader.at + header.lineBytes
  let offset = 0
  let slot = 0
  if (header.lines > header.lineBytes || header.data > header.lineBytes) {
    throw reader.wrong(`${header.lines} lines and ${header.data} ranges in ${header.lineBytes} bytes`)
  }
  const lines = times(header.lines, (): LineEntry => {
    offset += reader.unsigned(end)
    slot = (slot + reader.signed(end)) | 0
    if (offset > header.codeBytes || slot < -1) throw reader.wrong(`line ${offset}, ${slot} is outside of the code`, 1)
    return { offset, slot }
  })
  let at = 0
  const data = times(header.data, (): [number, number] => {
    const start = at + reader.unsigned(end)
    at = start + reader.unsigned(end)
    if (at > header.codeBytes) throw reader.wrong(`data up to ${at} is outside of the code`, 1)
    return [start, at]
  })
  if (end - reader.at > 3) throw reader.wrong(`${end - reader.at} bytes behind the lines`)
  reader.zeros(end)
  return { lines, data }
}

function readRelocations(
  reader: Reader,
  header: Header,
  symbols: readonly ImageSymbol[],
  sections: readonly ImageSection[],
  code: Uint8Array,
): Relocation[] {
  let last = -1
  let free = 0
  const view = new DataView(code.buffer)
  const relocations = times(header.relocations, (): Relocation => {
    const offset = reader.word()
    const half = reader.half()
    const type = reader.half()
    const symbol = reader.word()
    const wrong = (why: string): InputError => reader.wrong(`relocation at ${offset} ${why}`, Size.relocation)
    const section = half === CODE ? -1 : half
    const size = section < 0 ? code.length : (sections[section]?.bytes.length ?? 0)
    if (section < last || (section === last && offset < free)) throw wrong('is not in order')
    if (offset + 4 > size) throw wrong(`is outside of the ${size} bytes there`)
    const target = symbols[symbol]
    if (target === undefined) throw wrong(`is of symbol ${symbol}, which there is not`)
    const call = type === Reloc.R_ARM_THM_CALL
    if (!call && type !== Reloc.R_ARM_ABS32) throw wrong(`has type ${type}, which is not known`)
    if (section < 0 && offset % (call ? 2 : 4) !== 0) throw wrong('is not aligned')
    if (call) {
      if (target.kind !== 'function' && target.kind !== 'import') throw wrong('calls what is no function')
      const isCall = section < 0 && (view.getUint16(offset, true) & 0xf800) === 0xf000
      if (!isCall || (view.getUint16(offset + 2, true) & 0xd000) !== 0xd000) throw wrong('is not at a BL')
    }
    last = section
    free = offset + 4
    return { section, offset, type, symbol }
  })
  if (((header.flags & ImageFile.IN_PLACE) !== 0) !== relocations.every(({ section }) => section >= 0)) {
    throw reader.wrong('the flag that it runs in place is not what its relocations say')
  }
  return relocations
}
