// Bundles: live ranges that share one place because moves join them. Coalescing puts both sides of a move into one bundle
// wherever their ranges don't overlap, the moves of inner loops first; the allocator then places whole bundles, and
// splits them where that can't be done.

import { float64, int32 } from '../base/arrays.ts'
import { type CodeFunction, FIRST_VIRTUAL, P } from './code.ts'
import type { Liveness } from './liveness.ts'
import { widen, widenFloat } from './ranges.ts'

/** Bundles, as columns. A bundle's ranges are a slice of `pool`, in order of position, not overlapping. */
export class Bundles {
  count = 0
  start: Int32Array
  length: Int32Array
  /** Real register, -1 before allocation and for a bundle in memory. */
  register: Int32Array
  /** What it costs to keep it in memory: references, times how often their blocks run. */
  cost: Float64Array
  /** Positions that it covers. */
  size: Int32Array
  /** Bundle that it was split from at first: all of one set share a spill slot. */
  set: Int32Array
  /** `cost` for its size: the heavier bundle may evict the lighter. Infinite for what can't be split any further. */
  weight: Float64Array
  pool: Int32Array
  poolLength = 0
  constructor(capacity: number, poolCapacity: number) {
    this.start = int32(capacity)
    this.length = int32(capacity)
    this.register = int32(capacity)
    this.cost = float64(capacity)
    this.size = int32(capacity)
    this.set = int32(capacity)
    this.weight = float64(capacity)
    this.pool = int32(poolCapacity)
  }

  add(start: number, length: number, set: number): number {
    const id = this.count++
    if (id === this.start.length) {
      this.start = widen(this.start)
      this.length = widen(this.length)
      this.register = widen(this.register)
      this.cost = widenFloat(this.cost)
      this.size = widen(this.size)
      this.set = widen(this.set)
      this.weight = widenFloat(this.weight)
    }
    this.start[id] = start
    this.length[id] = length
    this.register[id] = -1
    this.set[id] = set < 0 ? id : set
    return id
  }

  /** Room for `length` ranges at the end of the pool; returns where. */
  reserve(length: number): number {
    const at = this.poolLength
    this.poolLength += length
    while (this.poolLength > this.pool.length) this.pool = widen(this.pool)
    return at
  }
}

/** Puts every range of `live` into a bundle. */
export function coalesce(fn: CodeFunction, live: Liveness): Bundles {
  return new Coalescer(fn, live).run()
}

class Coalescer {
  readonly #fn: CodeFunction
  readonly #live: Liveness
  readonly #bundles: Bundles
  /** Union-find over virtual registers; `#bundleOf` is right for roots. */
  readonly #parent: Int32Array
  readonly #bundleOf: Int32Array
  /** Room of a bundle's slice of the pool. */
  readonly #room: Int32Array

  constructor(fn: CodeFunction, live: Liveness) {
    this.#fn = fn
    this.#live = live
    const { ranges } = live
    this.#bundles = new Bundles(fn.nextVirtual + (ranges.count >> 1), ranges.count * 2)
    this.#parent = int32(fn.nextVirtual)
    this.#bundleOf = int32(fn.nextVirtual).fill(-1)
    this.#room = int32(fn.nextVirtual)
  }

  run(): Bundles {
    const { ranges, firstRange } = this.#live
    const bundles = this.#bundles
    for (let v = FIRST_VIRTUAL; v < this.#fn.nextVirtual; v++) {
      this.#parent[v] = v
      const first = firstRange[v]!
      if (first < 0) continue
      // Liveness made the register's ranges one after the other.
      let length = 0
      for (let r = first; r >= 0; r = ranges.next[r]!) length++
      const start = bundles.reserve(length)
      for (let i = 0; i < length; i++) bundles.pool[start + i] = first + i
      const id = bundles.add(start, length, -1)
      this.#bundleOf[v] = id
      this.#room[id] = length
    }
    this.#joinMoves()
    for (let v = FIRST_VIRTUAL; v < this.#fn.nextVirtual; v++) {
      const root = this.#find(v)
      if (root === v) continue
      const id = this.#bundleOf[v]!
      if (id >= 0) bundles.length[id] = 0
    }
    for (let id = 0; id < bundles.count; id++) {
      const start = bundles.start[id]!
      for (let i = 0; i < bundles.length[id]!; i++) ranges.bundle[bundles.pool[start + i]!] = id
    }
    return bundles
  }

  #joinMoves(): void {
    const { blocks } = this.#fn
    const { moves, line } = this.#live
    const byDepth: number[][] = []
    for (let at = 0; at < moves.length; at++) {
      const number = moves[at]!
      const depth = blocks[line.blockOf[number]!]!.loopDepth
      for (let d = byDepth.length; d <= depth; d++) byDepth.push([])
      byDepth[depth]!.push(number)
    }
    for (let d = byDepth.length - 1; d >= 0; d--) {
      const list = byDepth[d]!
      for (let at = 0; at < list.length; at++) {
        const code = line.codes[list[at]!]!
        if (code.form !== P.PARALLEL_MOVE) {
          this.#join(code.d, code.m)
          continue
        }
        const { defs, uses } = code
        for (let i = 0; i < defs.length; i++) this.#join(defs[i]!, uses[i]!)
      }
    }
  }

  #find(v: number): number {
    const parent = this.#parent
    let root = v
    while (parent[root]! !== root) root = parent[root]!
    while (parent[v]! !== root) {
      const next = parent[v]!
      parent[v] = root
      v = next
    }
    return root
  }

  #join(def: number, use: number): void {
    if (def < FIRST_VIRTUAL || use < FIRST_VIRTUAL) return
    // A constant is made where it is wanted, not moved.
    if (this.#live.remat[use]! >= 0) return
    const a = this.#find(def)
    const b = this.#find(use)
    if (a === b) return
    const x = this.#bundleOf[a]!
    const y = this.#bundleOf[b]!
    if (x < 0 || y < 0) return
    const { length } = this.#bundles
    if (length[x]! >= length[y]!) {
      if (this.#overlap(x, y)) return
      this.#merge(x, y)
      this.#parent[b] = a
    } else {
      if (this.#overlap(y, x)) return
      this.#merge(y, x)
      this.#parent[a] = b
    }
  }

  #overlap(large: number, small: number): boolean {
    const { from, to } = this.#live.ranges
    const { pool, start, length } = this.#bundles
    const first = start[large]!
    const end = first + length[large]!
    let low = first
    const stop = start[small]! + length[small]!
    for (let i = start[small]!; i < stop; i++) {
      const range = pool[i]!
      const begin = from[range]!
      // First range of the large bundle that ends after `begin`, by galloping from the last one found.
      let step = 1
      let high = low
      while (high < end && to[pool[high]!]! <= begin) {
        low = high + 1
        high += step
        step *= 2
      }
      if (high > end) high = end
      while (low < high) {
        const middle = (low + high) >>> 1
        if (to[pool[middle]!]! <= begin) low = middle + 1
        else high = middle
      }
      if (low === end) return false
      if (from[pool[low]!]! < to[range]!) return true
    }
    return false
  }

  #merge(large: number, small: number): void {
    const bundles = this.#bundles
    const { from } = this.#live.ranges
    const { start, length } = bundles
    const total = length[large]! + length[small]!
    if (total > this.#room[large]!) {
      const room = total < 8 ? total + 2 : total * 2
      const at = bundles.reserve(room)
      bundles.pool.copyWithin(at, start[large]!, start[large]! + length[large]!)
      start[large] = at
      this.#room[large] = room
    }
    const { pool } = bundles
    const base = start[large]!
    let i = base + length[large]! - 1
    let write = base + total - 1
    for (let j = start[small]! + length[small]! - 1; j >= start[small]!; j--) {
      const range = pool[j]!
      const begin = from[range]!
      while (i >= base && from[pool[i]!]! > begin) pool[write--] = pool[i--]!
      pool[write--] = range
    }
    length[large] = total
    length[small] = 0
  }
}
