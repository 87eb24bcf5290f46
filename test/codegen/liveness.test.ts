import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type CodeFunction, FIRST_VIRTUAL, P } from '../../src/codegen/code.ts'
import { type Liveness, liveness } from '../../src/codegen/liveness.ts'
import { OperandBuffer, Role, collectOperands } from '../../src/codegen/operands.ts'
import { randomFunction } from './random-code.ts'

/** Registers live before each Code, by the textbook's iteration: sets per block and line. */
function textbook(fn: CodeFunction): Set<number>[][] {
  const buffer = new OperandBuffer()
  const before = fn.blocks.map((block) => [...block.code, undefined].map(() => new Set<number>()))
  for (let changed = true; changed;) {
    changed = false
    for (let b = fn.blocks.length - 1; b >= 0; b--) {
      const block = fn.blocks[b]!
      let live = new Set<number>()
      for (const s of block.successors) for (const v of before[s]![0]!) live.add(v)
      for (let i = block.code.length; i >= 0; i--) {
        const code = block.code[i]
        if (code !== undefined) {
          live = new Set(live)
          collectOperands(code, buffer)
          for (let k = 0; k < buffer.count; k++) {
            if ((buffer.info[k]! & Role.DEF) !== 0) live.delete(buffer.register[k]!)
          }
          for (let k = 0; k < buffer.count; k++) {
            if ((buffer.info[k]! & Role.USE) !== 0) live.add(buffer.register[k]!)
          }
        }
        if (live.size !== before[b]![i]!.size) changed = true
        before[b]![i] = live
      }
    }
  }
  return before
}

function liveAt(live: Liveness, v: number, position: number): boolean {
  for (let r = live.firstRange[v]!; r >= 0; r = live.ranges.next[r]!) {
    if (live.ranges.from[r]! <= position && position < live.ranges.to[r]!) return true
  }
  return false
}

describe('liveness', () => {
  it('agrees with the textbook on random functions', () => {
    const shapes = fc.record({
      seed: fc.integer(),
      blocks: fc.integer({ min: 1, max: 10 }),
      length: fc.integer({ min: 0, max: 10 }),
      variables: fc.integer({ min: 0, max: 10 }),
      calls: fc.integer({ min: 0, max: 20 }),
    })
    fc.assert(
      fc.property(shapes, (shape) => {
        const fn = randomFunction(shape)
        const live = liveness(fn)
        const wanted = textbook(fn)
        for (const block of fn.blocks) {
          for (let i = 0; i <= block.code.length; i++) {
            const number = live.line.first[block.index]! + i
            expect(live.line.codes[number]).toBe(block.code[i])
            for (let v = FIRST_VIRTUAL; v < fn.nextVirtual; v++) {
              // Constants are made again by copies, which don't count as uses.
              if (live.remat[v]! >= 0) continue
              expect(liveAt(live, v, 3 * number), `v${v} at b${block.index}:${i}`).toBe(wanted[block.index]![i]!.has(v))
            }
          }
        }
      }),
      { numRuns: 150 },
    )
  })

  it('keeps ranges in order, apart, and with all references inside', () => {
    for (let seed = 0; seed < 100; seed++) {
      const fn = randomFunction({ seed, blocks: 8, length: 10, variables: 8, calls: 10 })
      const { ranges, firstRange, refCode, remat, line } = liveness(fn)
      for (let v = FIRST_VIRTUAL; v < fn.nextVirtual; v++) {
        for (let r = firstRange[v]!; r >= 0; r = ranges.next[r]!) {
          expect(ranges.from[r]).toBeLessThan(ranges.to[r]!)
          const next = ranges.next[r]!
          if (next >= 0) expect(ranges.to[r]).toBeLessThan(ranges.from[next]!)
          for (let ref = ranges.refFrom[r]!; ref < ranges.refTo[r]!; ref++) {
            expect(3 * refCode[ref]! + 3).toBeGreaterThanOrEqual(ranges.from[r]!)
            expect(3 * refCode[ref]!).toBeLessThan(ranges.to[r]!)
          }
        }
        if (remat[v]! >= 0) expect([P.CONSTANT, P.FRAME_ADDRESS]).toContain(line.codes[remat[v]!]!.form)
      }
    }
  })
})
