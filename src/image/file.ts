// An image as a file, for runtime/load.c and whoever else loads it: docs/image.md is the specification. read-file.ts is the
// way back.

import { crc32 } from '../base/crc32.ts'
import { InputError } from '../base/errors.ts'
import type { Prototype } from '../base/prototype.ts'
import type { Image } from './image.ts'

/** Numbers of the format; runtime/thumbpf.h has them too. */
export const ImageFile = {
  /** TBPF */
  MAGIC: 0x4650_4254,
  VERSION: 1,
  /** Of docs/abi.md: what code and callers agree on. */
  ABI: 1,
  HEADER_BYTES: 80,
  NEEDS_ENV: 1,
  IN_PLACE: 2,
} as const

/** By their numbers in the file. */
export const symbolKinds = ['function', 'import', 'section', 'map'] as const
export const sectionKinds = ['rodata', 'data', 'bss'] as const
/** The section of relocations in code. */
export const CODE = 0xffff
/** Log2 of the greatest alignment of a section. */
export const MOST_ALIGN = 16
/** And of a section's bytes in the file. */
export const FILE_ALIGN = 4

/** A prototype without names, as imports carry it: `s32(map,pointer,pointer,u64)`. Empty for none. */
export function signature(prototype: Prototype | undefined): string {
  if (prototype === undefined) return ''
  return `${prototype.result}(${prototype.parameters.map((one) => one.type).join(',')})`
}

/** Bytes in growing order. */
class Writer {
  readonly #bytes: number[] = []
  get length(): number {
    return this.#bytes.length
  }
  word(value: number): void {
    this.#bytes.push(value & 255, (value >>> 8) & 255, (value >>> 16) & 255, value >>> 24)
  }
  half(value: number): void {
    this.#bytes.push(value & 255, (value >>> 8) & 255)
  }
  byte(value: number): void {
    this.#bytes.push(value & 255)
  }
  raw(bytes: Uint8Array): void {
    for (const byte of bytes) this.#bytes.push(byte)
  }
  /** DWARF's LEB128, unsigned. */
  unsigned(value: number): void {
    for (; value > 127; value >>>= 7) this.byte((value & 127) | 128)
    this.byte(value)
  }
  /** Zigzag: 0, -1, 1, -2, ... as an unsigned one. */
  signed(value: number): void {
    this.unsigned(((value << 1) ^ (value >> 31)) >>> 0)
  }
  align(log2: number): void {
    while (this.length % 2 ** log2 !== 0) this.byte(0)
  }
  done(): Uint8Array {
    return Uint8Array.from(this.#bytes)
  }
}

/** Strings, each once, ended by 0; the empty one is at 0. */
class Strings {
  readonly bytes: number[] = [0]
  readonly #at = new Map<string, number>([['', 0]])
  add(text: string): number {
    let at = this.#at.get(text)
    if (at === undefined) {
      at = this.bytes.length
      this.#at.set(text, at)
      this.bytes.push(...new TextEncoder().encode(text.replaceAll('\0', ' ')), 0)
    }
    return at
  }
}

/** The image as a file. The same image gives the same bytes. Throws InputError for alignments that the format has not. */
export function writeImage(image: Image): Uint8Array {
  const { code, sections, symbols, maps, programs, table, lines, data } = image
  const relocations = image.relocations.toSorted((a, b) => a.section - b.section || a.offset - b.offset)
  const strings = new Strings()
  const body = new Writer()
  body.raw(code)
  for (const symbol of symbols) {
    body.byte(symbolKinds.indexOf(symbol.kind))
    body.byte(symbol.global ? 1 : 0)
    body.half(0)
    body.word(symbol.kind === 'function' ? symbol.offset : symbol.kind === 'import' ? symbol.helper : symbol.index)
    body.word(symbol.size)
    body.word(strings.add(symbol.name))
    body.word(strings.add(signature(symbol.prototype)))
  }
  for (const { section, offset, type, symbol } of relocations) {
    body.word(offset)
    body.half(section < 0 ? CODE : section)
    body.half(type)
    body.word(symbol)
  }
  for (const { name, kind, align, size } of sections) {
    const log2 = Math.log2(align)
    if (!Number.isInteger(log2) || log2 > MOST_ALIGN) {
      throw new InputError(`section ${name} is aligned to ${align}, at most ${2 ** MOST_ALIGN} is possible in an image`)
    }
    body.word(strings.add(name))
    body.word(size)
    body.byte(sectionKinds.indexOf(kind))
    body.byte(log2)
    body.half(0)
  }
  for (const { name, type, keySize, valueSize, maxEntries, flags } of maps) {
    for (const word of [strings.add(name), type, keySize, valueSize, maxEntries, flags]) body.word(word)
  }
  for (const { map, index, symbol } of programs) for (const word of [map, index, symbol]) body.word(word)
  for (const symbol of table) body.word(symbol)
  const linesAt = body.length
  writeLines(body, lines, data)
  const stringsAt = body.length
  body.raw(Uint8Array.from(strings.bytes))
  body.align(2)
  const contentsAt = body.length
  // The header's length is a multiple of the greatest alignment here, so that the body's own offsets will do.
  for (const { kind, align, bytes } of sections) {
    if (kind === 'bss') continue
    body.align(Math.min(Math.log2(align), FILE_ALIGN))
    body.raw(bytes)
  }
  body.align(2)

  const file = new Writer()
  const inPlace = relocations.every(({ section }) => section >= 0)
  file.word(ImageFile.MAGIC)
  file.half(ImageFile.VERSION)
  file.half(ImageFile.HEADER_BYTES)
  file.word(ImageFile.HEADER_BYTES + body.length + 4)
  file.half(ImageFile.ABI)
  file.half((image.needsEnv ? ImageFile.NEEDS_ENV : 0) | (inPlace ? ImageFile.IN_PLACE : 0))
  for (const word of [code.length, image.entry, image.stackBytes, image.bpfInstructions]) file.word(word)
  for (const list of [symbols, relocations, sections, maps, programs, table, lines, data]) file.word(list.length)
  for (const word of [stringsAt - linesAt, contentsAt - stringsAt, 0, 0]) file.word(word)
  file.raw(body.done())
  file.word(crc32(file.done()))
  return file.done()
}

function writeLines(body: Writer, lines: Image['lines'], data: Image['data']): void {
  let offset = 0
  let slot = 0
  for (const line of lines) {
    body.unsigned(line.offset - offset)
    body.signed(line.slot - slot)
    ;({ offset, slot } = line)
  }
  let at = 0
  for (const [start, end] of data) {
    body.unsigned(start - at)
    body.unsigned(end - start)
    at = end
  }
  body.align(2)
}
