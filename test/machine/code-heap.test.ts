import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { CodeHeap, Heap } from '../../src/machine/code-heap.ts'
import { Simulator } from '../../src/machine/sim/simulator.ts'
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
