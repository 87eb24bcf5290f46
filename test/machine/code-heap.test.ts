import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { CodeHeap, Heap } from '../../src/machine/code-heap.ts'
import { Simulator } from '../../src/machine/sim/simulator.ts'
import { Random } from '../support/random.ts'
import { CODE } from './support.ts'

describe('heap', () => {
  it('gives aligned pieces that never overlap, and all of it back', () => {
    const commands = fc.array(fc.oneof(fc.integer({ min: 1, max: 300 }), fc.integer({ min: -20, max: -1 })), {
      maxLength: 100,
    })
    fc.assert(
      fc.property(commands, (steps) => {
        const heap = new Heap('test memory', 0x1004, 2048)
        const whole = heap.largestFree
        const held: { address: number; size: number }[] = []
        for (const step of steps) {
          if (step < 0) {
            const [piece] = held.splice(-step % Math.max(held.length, 1), 1)
            if (piece !== undefined) heap.free(piece.address)
          } else if (step <= heap.largestFree) {
            const address = heap.allocate(step)
            expect(address % 8).toBe(0)
            expect(address).toBeGreaterThanOrEqual(0x1004)
            expect(address + step).toBeLessThanOrEqual(0x1004 + 2048)
            for (const other of held)
              expect(address + step <= other.address || other.address + other.size <= address).toBe(true)
            held.push({ address, size: step })
          } else expect(() => heap.allocate(step)).toThrow('out of test memory')
        }
        for (const piece of held) heap.free(piece.address)
        expect([heap.used, heap.largestFree]).toEqual([0, whole])
      }),
    )
  })
  it('says what was asked and what there is', () => {
    expect(() => new Heap('code memory', 0, 64).allocate(100)).toThrow(
      'out of code memory: 100 bytes asked for, the largest free piece is 64',
    )
  })
  it('has room at four fifths full, whatever came and went before', () => {
    // Pieces of up to 1/124 of the heap: 24 of the largest are free, and would be missed only in pieces too small.
    for (const seed of [1, 2, 3]) {
      const random = new Random(seed)
      const heap = new Heap('test memory', 0x1000, 0x1_0000)
      const whole = heap.stats
      expect(whole).toEqual({ size: 0x1_0000, used: 0, free: 0x1_0000, largestFree: 0x1_0000 })
      const held: number[] = []
      let least = heap.size
      for (let turn = 0; turn < 50_000; turn++) {
        while (heap.used > 0.8 * heap.size) {
          const index = random.below(held.length)
          heap.free(held[index]!)
          held[index] = held.at(-1)!
          held.pop()
        }
        held.push(heap.allocate(16 + (random.word() & (511 >>> random.below(6)))))
        least = Math.min(least, heap.largestFree)
      }
      const { used, free, size } = heap.stats
      expect(used + free).toBe(size)
      expect(least).toBeGreaterThan(528)
      for (const address of held) heap.free(address)
      expect(heap.stats).toEqual(whole)
    }
  })
  it('refuses a second free, and addresses that are not its own', () => {
    const heap = new Heap('code memory', 0, 64)
    const address = heap.allocate(8)
    heap.free(address)
    expect(() => heap.free(address)).toThrow('not allocated')
    expect(() => heap.free(4)).toThrow('not allocated')
  })
})

describe('code heap', () => {
  it('writes code and gives the address to call', async () => {
    const machine = new Simulator()
    const heap = new CodeHeap(machine, CODE, 256)
    const at = heap.allocate(6)
    expect(await heap.write(at, Uint8Array.of(1, 2, 3))).toBe(at | 1)
    expect([...machine.readSync(at, 3)]).toEqual([1, 2, 3])
    heap.free(at | 1)
    expect(heap.largestFree).toBe(256)
  })
})
