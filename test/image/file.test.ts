// Images as files: what was written is read again, and bytes that are no image are refused with an InputError.

import { describe, expect, it } from 'vitest'
import { crc32 } from '../../src/base/crc32.ts'
import { InputError } from '../../src/base/errors.ts'
import { ImageFile, signature, writeImage } from '../../src/image/file.ts'
import type { Image } from '../../src/image/image.ts'
import { readImage } from '../../src/image/read-file.ts'
import { sampleImages } from '../runtime/images.ts'

const images = sampleImages()

/** What a file keeps of an image: relocations in order, parameters without names. */
function kept(image: Image): unknown {
  const symbols = image.symbols.map((symbol) => ({
    ...symbol,
    prototype: symbol.prototype && {
      ...symbol.prototype,
      name: symbol.name,
      parameters: symbol.prototype.parameters.map(({ type }) => ({ type })),
    },
  }))
  const relocations = image.relocations.toSorted((a, b) => a.section - b.section || a.offset - b.offset)
  return { ...image, code: [...image.code], relocations, symbols, data: image.data.map((range) => [...range]) }
}

/** With the checksum that fits. */
function resealed(bytes: Uint8Array): Uint8Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  view.setUint32(bytes.length - 4, crc32(bytes.subarray(0, -4)), true)
  return bytes
}

describe('an image file', () => {
  it('has the known CRC-32', () => {
    expect(crc32(new TextEncoder().encode('123456789'))).toBe(0xcbf4_3926)
  })

  it('gives the image back', () => {
    for (const [name, image] of images) {
      const bytes = writeImage(image)
      const again = readImage(bytes)
      expect([name, kept(again)]).toEqual([name, kept(image)])
      expect([...writeImage(again)]).toEqual([...bytes])
    }
    expect(images.size).toBeGreaterThan(15)
  })

  it('keeps constants at their alignment from its beginning', () => {
    const section = { name: 'c', kind: 'rodata', align: 16, size: 3, bytes: Uint8Array.of(7, 8, 9) } as const
    const image = { ...images.get('gcd')!, ...[...images.values()][0]!, sections: [section, { ...section, align: 4 }] }
    const bytes = writeImage({
      ...image,
      relocations: [],
      symbols: image.symbols.slice(0, 1),
      programs: [],
      table: [],
      maps: [],
    })
    const at = bytes.indexOf(7, bytes.length - 28)
    expect(at % 16).toBe(0)
    expect([...bytes.subarray(at, at + 8)]).toEqual([7, 8, 9, 0, 7, 8, 9, 0])
  })

  it('leaves bytes behind it alone', () => {
    const bytes = writeImage([...images.values()][0]!)
    expect(kept(readImage(Uint8Array.of(...bytes, 1, 2, 3)))).toEqual(kept(readImage(bytes)))
  })

  it('writes prototypes without names', () => {
    const prototype = { name: 'f', result: 's32', parameters: [{ type: 'map', name: 'm' }, { type: 'u64' }] } as const
    expect(signature(prototype)).toBe('s32(map,u64)')
    expect(signature({ name: 'f', result: 'void', parameters: [] })).toBe('void()')
    expect(signature(undefined)).toBe('')
  })

  it.each([
    ['magic', 0, 0, /TBPF/],
    ['version', 4, 2, /version is 2, must be 1/],
    ['size of the header', 6, 84, /header is 84/],
    ['checksum', 20, 99, /checksum/],
  ])('is refused for another %s', (_, offset, value, message) => {
    const bytes = writeImage([...images.values()][0]!)
    bytes[offset] = value
    expect(() => readImage(bytes)).toThrow(message)
  })

  it('is refused for another binary interface, and where it is truncated at any length', () => {
    const bytes = writeImage([...images.values()][0]!)
    const other = bytes.slice()
    other[12] = ImageFile.ABI + 1
    expect(() => readImage(resealed(other))).toThrow(/binary interface is 2, must be 1/)
    for (let length = 0; length < bytes.length; length++) {
      expect(() => readImage(bytes.subarray(0, length))).toThrow(InputError)
    }
  })

  it('is read or refused, whatever its bytes are', () => {
    let state = 12345
    const random = (below: number): number => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0
      return Math.floor((state / 2 ** 32) * below)
    }
    const files = [...images.values()].map((image) => writeImage(image))
    let read = 0
    let refused = 0
    for (let run = 0; run < 4000; run++) {
      const bytes = files[random(files.length)]!.slice()
      for (let change = random(3); change >= 0; change--) {
        const at = random(random(2) === 0 ? 80 : bytes.length - 4)
        bytes[at] = random(3) === 0 ? random(256) : [0, 1, 255, 127, bytes[at]! + 1, bytes[at]! - 1][random(6)]!
      }
      try {
        readImage(resealed(bytes))
        read++
      } catch (error) {
        expect(error).toBeInstanceOf(InputError)
        const { offset } = error as InputError
        expect(offset).toBeGreaterThanOrEqual(0)
        expect(offset).toBeLessThanOrEqual(bytes.length)
        refused++
      }
    }
    expect(Math.min(read, refused)).toBeGreaterThan(300)
  })
})
