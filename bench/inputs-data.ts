// Inputs of the kernels that search, sort, pack and encode.

import type { KernelInput } from './kernel-input.ts'
import { Random } from './random.ts'
import { Writer } from './writer.ts'

const letters = 'abcdefghijklmnopqrstuvwxyz'
const TEXT =
  'The valve opens at 40 degrees and closes at 38; the pump runs while the valve is open. ' +
  'If the pump runs for more than ten minutes while the tank is not full, the pump stops and the lamp blinks. '

/** An LZ4 block of `bytes`: greedy matches, found by looking. The last five bytes are literals, as its format asks. */
function packLz4(bytes: Uint8Array): Uint8Array {
  const writer = new Writer()
  const extended = (length: number): void => {
    for (; length >= 255; length -= 255) writer.u8(255)
    writer.u8(length)
  }
  const sequence = (from: number, to: number, distance: number, match: number): void => {
    const literals = to - from
    const more = match - 4
    writer.u8((Math.min(literals, 15) << 4) | (distance === 0 ? 0 : Math.min(more, 15)))
    if (literals >= 15) extended(literals - 15)
    writer.bytes(bytes.subarray(from, to))
    if (distance === 0) return
    writer.u16(distance)
    if (more >= 15) extended(more - 15)
  }
  let start = 0
  let at = 0
  while (at < bytes.length - 12) {
    let best = 0
    let distance = 0
    for (let from = 0; from < at; from++) {
      let length = 0
      while (at + length < bytes.length - 5 && bytes[from + length] === bytes[at + length]) length++
      if (length > best) [best, distance] = [length, at - from]
    }
    if (best < 4) {
      at++
    } else {
      sequence(start, at, distance, best)
      at += best
      start = at
    }
  }
  sequence(start, bytes.length, 0, 0)
  return writer.done()
}

/** Lengths of the codes of 40 symbols, ascending: a complete canonical code. */
const codeLengths = [2, 3, 3, 4, 4, 4, 5, 5, 5, 6, 6, 6, 6, 7, 7, 7, 7, 8, 8, 8, 8, 9, 9, 9, 9, 10, 10, 10, 10]

export const dataInputs: Readonly<Record<string, () => KernelInput>> = {
  base64: () => {
    const writer = new Writer().text(`${letters.toUpperCase()}${letters}0123456789+/`).random(new Random(64), 290)
    return { ctx: writer.zeros(400).done(), len: 290 }
  },
  bits64: () => {
    const random = new Random(46)
    const writer = new Writer()
    for (let index = 0; index < 32; index++) {
      // Often full from below, as sets of used places are.
      const used = (1n << BigInt(random.below(60))) - 1n
      writer.u64((BigInt(random.word()) << 32n) | BigInt(random.word()) | used)
    }
    return { ctx: writer.done(), len: 32 }
  },
  bsearch: () => {
    const random = new Random(201)
    const keys: number[] = []
    for (let key = 5; keys.length < 201; key += random.between(1, 1 << 24)) keys.push(key)
    const writer = new Writer().u32(keys.length, ...keys)
    for (let index = 0; index < 64; index++) writer.u32(random.below(2) === 0 ? random.pick(keys) : random.word())
    return { ctx: writer.done(), len: 64 }
  },
  cobs: () => {
    const random = new Random(55)
    const writer = new Writer()
    for (let index = 0; index < 600; index++)
      writer.u8(index > 280 && random.below(6) === 0 ? 0 : random.between(1, 256))
    return { ctx: writer.zeros(610 + 600).done(), len: 600 }
  },
  distance: () => {
    const random = new Random(24)
    const writer = new Writer()
    const word = (text: string): void =>
      void writer
        .u8(text.length)
        .text(text)
        .zeros(23 - text.length)
    word('thermostat')
    for (const text of ['thermometer', 'barostat', 'theremin', 'hemostat', 'rheostat', 'thermistor']) word(text)
    for (let index = 0; index < 6; index++) {
      word(Array.from({ length: random.between(1, 20) }, () => letters.charAt(random.below(letters.length))).join(''))
    }
    return { ctx: writer.done(), len: 12 }
  },
  heapsort: () => {
    const random = new Random(80)
    const writer = new Writer()
    for (let index = 0; index < 80; index++) writer.u32(random.word()).u16(random.below(65_536), index)
    return { ctx: writer.done(), len: 80 }
  },
  huffman: () => {
    const random = new Random(29)
    const writer = new Writer()
    const codes: number[] = []
    let code = 0
    codeLengths.forEach((length, index) => {
      if (index > 0) code = (code + 1) << (length - codeLengths[index - 1]!)
      codes.push(code)
    })
    for (let length = 0; length < 16; length++) writer.u16(codeLengths.filter((other) => other === length).length)
    writer.bytes(codes.map((_, index) => (index * 7 + 13) & 255)).pad(32 + 256 + 512)
    let buffer = 0
    let held = 0
    for (let index = 0; index < 300; index++) {
      // Short codes are frequent ones.
      const symbol = Math.min(random.below(29), random.below(29), random.below(29))
      buffer = (buffer << codeLengths[symbol]!) | codes[symbol]!
      held += codeLengths[symbol]!
      for (; held >= 8; held -= 8) writer.u8(buffer >> (held - 8))
      buffer &= (1 << held) - 1
    }
    writer.u8(buffer << (8 - held)).zeros(4)
    return { ctx: writer.done(), len: 300 }
  },
  isort: () => ({ ctx: new Writer().random(new Random(48), 192).done(), len: 48 }),
  search: () => {
    const writer = new Writer()
    const text = TEXT.repeat(3)
    writer.u32(text.length)
    for (const word of ['valve', 'pump', 'the lamp blinks', 'minutes', 'is', 'tanks', 'degrees and', 'x']) {
      writer
        .u8(word.length)
        .text(word)
        .zeros(15 - word.length)
        .u32(0, 0)
    }
    return { ctx: writer.text(text).done(), len: 8 }
  },
  unpack: () => {
    const packed = packLz4(new TextEncoder().encode(TEXT.repeat(5)))
    return { ctx: new Writer().zeros(2048).bytes(packed).done(), len: packed.length }
  },
  utf8: () => {
    const text = 'Wärme: 21,5 °C — außen −3 °C; 湿度 40 %, ветер слабый. 🌡 ok, '.repeat(5)
    const bytes = new TextEncoder().encode(text)
    return { ctx: bytes, len: bytes.length }
  },
}
