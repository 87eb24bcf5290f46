// An image at fixed addresses, as bytes for a programmer or a loader that knows nothing: code, then read-only data, then the
// first values of data, which the firmware copies to RAM; and the map that says what is where.

import { InputError } from '../base/errors.ts'
import { type Image, type ImageSymbol } from './image.ts'
import { link } from './link.ts'

export interface FlatOptions {
  /** Address of the first byte, a multiple of 8. */
  readonly at: number
  /** Address of the program's data in RAM, a multiple of 8. Needed where it has any. */
  readonly ram?: number | undefined
  /** Addresses of helpers and maps by name. */
  readonly defined: ReadonlyMap<string, number>
}

/** A piece of memory of a program with addresses. */
export interface FlatPiece {
  readonly name: string
  readonly address: number
  readonly size: number
  /** data: where its first values are in the flat bytes. bss has none and is zeroed. */
  readonly load?: number
}

export interface Flat {
  readonly bytes: Uint8Array
  /** Address of the entry, bit 0 set. */
  readonly entry: number
  readonly pieces: readonly FlatPiece[]
}

const align = (value: number, to: number): number => Math.ceil(value / to) * to

/** Links an image there. Throws InputError where a symbol has no address, or data no RAM. */
export function formatFlat(image: Image, { at, ram, defined }: FlatOptions): Flat {
  for (const [name, address] of [
    ['--at', at],
    ['--ram', ram ?? 0],
  ] as const) {
    if (address % 8 !== 0) throw new InputError(`${name} is 0x${address.toString(16)}, must be a multiple of 8`)
  }
  const pieces: FlatPiece[] = [{ name: '.text', address: at, size: image.code.length }]
  const addresses: number[] = []
  let end = at + image.code.length
  let free = ram
  for (const { name, kind, align: to, size } of image.sections) {
    if (kind === 'rodata') {
      const address = align(end, to)
      end = address + size
      addresses.push(address)
      pieces.push({ name, address, size })
      continue
    }
    if (free === undefined) {
      throw new InputError(
        `the program has data in RAM (${name}): say where with --ram, or use the format elf or image`,
      )
    }
    const address = align(free, to)
    free = address + size
    addresses.push(address)
    pieces.push({ name, address, size })
  }
  const missing: string[] = []
  const addressOf = (symbol: ImageSymbol): number => {
    const address = defined.get(symbol.name)
    if (address === undefined) missing.push(symbol.name)
    return address ?? 0
  }
  const linked = link(image, { code: at, sections: addresses }, addressOf)
  const tableAddresses = image.table.map((index) => {
    const symbol = image.symbols[index]!
    if (symbol.kind === 'function') return (at + symbol.offset) | 1
    return symbol.kind === 'section' ? addresses[symbol.index]! : addressOf(symbol)
  })
  if (missing.length > 0) {
    const names = [...new Set(missing)]
    throw new InputError(`the program uses ${names.join(', ')}: say where with --define ${names[0]}=ADDRESS`)
  }
  const parts: { readonly at: number; readonly bytes: Uint8Array }[] = [{ at, bytes: linked.code }]
  for (const [index, { kind }] of image.sections.entries()) {
    const bytes = linked.sections[index]!
    if (kind === 'rodata') parts.push({ at: addresses[index]!, bytes })
    if (kind !== 'data') continue
    end = align(end, 8)
    pieces[index + 1] = { ...pieces[index + 1]!, load: end }
    parts.push({ at: end, bytes })
    end += bytes.length
  }
  if (tableAddresses.length > 0) {
    end = align(end, 4)
    pieces.push({ name: 'table', address: end, size: 4 * tableAddresses.length })
    parts.push({ at: end, bytes: new Uint8Array(Uint32Array.from(tableAddresses).buffer) })
    end += 4 * tableAddresses.length
  }
  const bytes = new Uint8Array(end - at)
  for (const part of parts) bytes.set(part.bytes, part.at - at)
  return { bytes, entry: (at + image.symbols[image.entry]!.offset) | 1, pieces }
}

/** What is where, a line each: address, size, name; functions with bit 0 set. */
export function formatMap(image: Image, flat: Flat): string {
  const hex = (value: number): string => `0x${value.toString(16).padStart(8, '0')}`
  const line = (address: number, size: number, what: string): string =>
    `${hex(address)} ${String(size).padStart(7)}  ${what}`
  const [code, ...others] = flat.pieces
  const functions = image.symbols
    .filter(({ kind }) => kind === 'function')
    .toSorted((a, b) => a.offset - b.offset)
    .map(({ name, offset, size }) => line((code!.address + offset) | 1, size, `  ${name}`))
  const lines = [
    line(code!.address, code!.size, code!.name),
    ...functions,
    ...others.map(({ address, size, name, load }) =>
      line(address, size, load === undefined ? name : `${name}  first values at ${hex(load)}`),
    ),
    `entry ${hex(flat.entry)}`,
  ]
  return `${lines.join('\n')}\n`
}
