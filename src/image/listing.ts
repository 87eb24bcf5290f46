// The code of an Image as text, one line for each instruction or datum, with the BPF instruction that it serves.

import { decode, isWide, itConditions } from '../thumb/decode.ts'
import { F } from '../thumb/forms.ts'
import { print } from '../thumb/print.ts'
import { type Image, slotAt } from './image.ts'

export interface ListingLine {
  /** Byte offset in the code. */
  readonly offset: number
  /** Bytes: 1, 2 or 4. */
  readonly size: number
  /** The bytes as halfwords in hex, as objdump shows them; a datum as one number. */
  readonly encoding: string
  readonly text: string
  /** BPF instruction that it serves, -1 for none in particular. */
  readonly slot: number
}

/** All of the code, by offset. Branches name the function that they lead to, or its offset in hex. */
export function listing(image: Image): ListingLine[] {
  const { code } = image
  const view = new DataView(code.buffer, code.byteOffset, code.byteLength)
  const functions = new Map(image.symbols.filter((one) => one.kind === 'function').map((one) => [one.offset, one.name]))
  const relocated = new Map(
    image.relocations.filter((one) => one.section < 0).map((one) => [one.offset, image.symbols[one.symbol]!.name]),
  )
  const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, '0')
  const lines: ListingLine[] = []
  const add = (offset: number, size: number, encoding: string, text: string): void => {
    const symbol = relocated.get(offset)
    lines.push({
      offset,
      size,
      encoding,
      text: symbol === undefined ? text : `${text}  ; ${symbol}`,
      slot: slotAt(image, offset),
    })
  }

  const listData = (start: number, end: number): void => {
    for (let at = start; at < end;) {
      const size = at % 4 === 0 && at + 4 <= end ? 4 : at % 2 === 0 && at + 2 <= end ? 2 : 1
      const value = size === 4 ? view.getUint32(at, true) : size === 2 ? view.getUint16(at, true) : view.getUint8(at)
      const directive = size === 4 ? '.word' : size === 2 ? '.short' : '.byte'
      add(at, size, hex(value, 2 * size), `${directive} 0x${hex(value, 2 * size)}`)
      at += size
    }
  }

  const listCode = (start: number, end: number): void => {
    // Conditions that an IT has set for the instructions after it.
    let conditions: number[] = []
    for (let at = start; at + 2 <= end;) {
      const first = view.getUint16(at, true)
      const wide = isWide(first) && at + 4 <= end
      const second = wide ? view.getUint16(at + 2, true) : 0
      const encoding = wide ? `${hex(first, 4)} ${hex(second, 4)}` : hex(first, 4)
      const instruction = decode(first, second, conditions.length > 0)
      if (instruction === undefined) {
        add(at, wide ? 4 : 2, encoding, `.inst 0x${encoding.replace(' ', '')}`)
        conditions = []
      } else {
        if (conditions.length > 0) instruction.cond = conditions.shift()!
        const text = print(instruction, at, (address) => functions.get(address) ?? `0x${hex(address, 4)}`)
        if (instruction.form === F.IT) conditions = itConditions(instruction)
        add(at, wide ? 4 : 2, encoding, text)
      }
      at += wide ? 4 : 2
    }
  }

  let at = 0
  for (const [start, end] of image.data) {
    listCode(at, start)
    listData(start, end)
    at = end
  }
  listCode(at, code.length)
  return lines
}
