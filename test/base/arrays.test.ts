// Pieces of one memory are zero and nobody else's.

import { describe, expect, it } from 'vitest'

import {
  emptySlots,
  firstOf,
  float64,
  int32,
  int32Of,
  sortByKey,
  uint16,
  uint8,
  upTo,
  withArrays,
} from '../../src/base/arrays.ts'

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

  it('are zero again where memory is used again, also within each other and behind an error', () => {
    const fill = (depth: number): Int32Array[] => {
      const own: Int32Array[] = []
      for (let round = 0; round < 8; round++) {
        for (const count of [3, 1000, 1 << 14, 1 << 16]) {
          const array = int32(count + round)
          expect(array.every((each) => each === 0)).toBe(true)
          own.push(array.fill(depth + 1))
        }
        if (depth > 0 && round % 4 === 0) withArrays(() => fill(depth - 1))
      }
      for (const array of own) expect(array.every((each) => each === depth + 1)).toBe(true)
      return own
    }
    const kept = int32(1000).fill(7)
    for (let round = 0; round < 3; round++) withArrays(() => fill(1))
    const failing = (): never => {
      int32(100).fill(1)
      throw new Error('failed')
    }
    expect(() => withArrays(failing)).toThrow('failed')
    withArrays(() => fill(0))
    expect(int32(1000).every((each) => each === 0)).toBe(true)
    expect(kept.every((each) => each === 7)).toBe(true)
  })

  it('are sorted by keys, equals in their order', () => {
    for (const count of [0, 1, 2, 3, 7, 64, 100]) {
      const keys = Float64Array.from({ length: count }, (_each, at) => (at * 37) % 11)
      const expected = [...keys.keys()].toSorted((a, b) => keys[a]! - keys[b]! || a - b)
      expect([...sortByKey(upTo(count), keys)]).toEqual(expected)
    }
  })

  it('are copies', () => {
    const list = [5, -6, 7, 8]
    expect([...int32Of(list)]).toEqual(list)
    for (let count = 0; count <= list.length; count++) expect(firstOf(list, count)).toEqual(list.slice(0, count))
    expect(firstOf(list, 4)).not.toBe(list)
  })
})
