// Pieces of one memory are zero and nobody else's.

import { describe, expect, it } from 'vitest'

import { emptySlots, float64, int32, uint16, uint8 } from '../../src/base/arrays.ts'

describe('arrays', () => {
  it('are zero, of the length that was asked for, and apart', () => {
    const arrays: { array: Int32Array | Uint8Array | Uint16Array | Float64Array; mark: number }[] = []
    for (let round = 0; round < 2000; round++) {
      const count = (round * 37) % 301
      const array = [int32, uint8, uint16, float64][round % 4]!(count)
      expect(array.length).toBe(count)
      expect(array.every((each) => each === 0)).toBe(true)
      const mark = 1 + (round % 255)
      arrays.push({ array: array.fill(mark), mark })
    }
    for (const { array, mark } of arrays) expect(array.every((each) => each === mark)).toBe(true)
  })

  it('may be greater than what pieces are cut from', () => {
    for (const make of [int32, uint8, uint16, float64]) {
      for (const count of [0, 1 << 15, (1 << 15) + 1, 1 << 20]) expect(make(count).length).toBe(count)
    }
  })

  it('of objects are empty', () => {
    const slots = emptySlots<string>(100_000)
    expect(slots.length).toBe(100_000)
    expect(slots[99_999]).toBeUndefined()
  })
})
