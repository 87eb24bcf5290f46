import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  decodeModified,
  encodeModified,
  fitsAdd,
  fitsConstant,
  fitsIndexed,
  fitsModified,
  fitsMove,
  fitsOffset,
  isRotated,
} from '../../src/thumb/immediates.ts'

/** DDI 0403E A5.3.2, written out by the manual's table. */
function expand(imm12: number): number {
  const byte = (imm12 & 0xff).toString(16).padStart(2, '0')
  if (imm12 >>> 10 === 0)
    return Number(`0x${[`000000${byte}`, `00${byte}00${byte}`, `${byte}00${byte}00`, byte.repeat(4)][imm12 >>> 8]}`) | 0
  const bits = (0x80 | (imm12 & 0x7f)).toString(2).padStart(32, '0')
  const rotation = imm12 >>> 7
  return parseInt(bits.slice(32 - rotation) + bits.slice(0, 32 - rotation), 2) | 0
}

describe('modified immediates', () => {
  it('are the 4096 of the manual', () => {
    for (let imm12 = 0; imm12 < 4096; imm12++) {
      const value = expand(imm12)
      expect(decodeModified(imm12)).toBe(value)
      expect(decodeModified(encodeModified(value))).toBe(value)
      expect(encodeModified(value >>> 0)).toBe(encodeModified(value))
    }
  })
  it('are nothing else', () => {
    const all = new Set(Array.from({ length: 4096 }, (_, imm12) => expand(imm12)))
    fc.assert(
      fc.property(fc.integer(), (value) => fitsModified(value) === all.has(value)),
      { numRuns: 5000 },
    )
    fc.assert(
      fc.property(fc.nat(255), fc.nat(31), fc.nat(3), (byte, shift, more) => {
        const value = (byte << shift) ^ (more << (shift + 7))
        return fitsModified(value) === all.has(value)
      }),
      { numRuns: 5000 },
    )
  })
  it('are rotated from 0x100 on', () => {
    expect([0xff, 0xff00ff, 0xff00ff00 | 0, 0x01010101, 0x100, 0xff000000 | 0].map(isRotated)).toEqual([
      false,
      false,
      false,
      false,
      true,
      true,
    ])
  })
})

describe('ranges', () => {
  it('end where the manual says', () => {
    expect([-1, 0, 4095, 4096, 4097, 0x1001].map(fitsAdd)).toEqual([true, true, true, true, false, false])
    expect([0xffff, 0x10000, 0x10001, -2].map(fitsMove)).toEqual([true, true, true, false])
    expect([-2, 0xffff, 0x12345678].map(fitsConstant)).toEqual([true, true, false])
    expect([-256, -255, 4095, 4096].map(fitsOffset)).toEqual([false, true, true, false])
    expect([-256, -255, 255, 256].map(fitsIndexed)).toEqual([false, true, true, false])
  })
})
