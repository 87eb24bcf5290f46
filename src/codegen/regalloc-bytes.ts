// What the allocator weighs where bytes are to be saved: which bundles have references that are shorter in r0-r7, and what pushing
// registers costs. Costs are in pairs of bytes.

import { CALLEE_SAVED, LOW, LR } from '../thumb/registers.ts'
import type { Liveness } from './liveness.ts'
import { Role } from './operands.ts'
import type { Bundles } from './regalloc-bundles.ts'

/** The first register that is pushed, any further one, and the first of r8-r11, for which PUSH and POP take 32 bits. */
const FIRST_SAVED = 1
const SAVED = 0.1
const HIGH_SAVED = 2
/** For the order of bundles: what a reference in a fixed register counts as many short ones as, and what is added to sizes. */
const FIXED_MERIT = 16
const MERIT_SIZE = 50

export class ByteCosts {
  readonly #live: Liveness
  readonly #bundles: Bundles
  /** How many of the references before one are SHORT, and FIXED. */
  readonly #short: Int32Array
  readonly #fixed: Int32Array

  constructor(live: Liveness, bundles: Bundles) {
    this.#live = live
    this.#bundles = bundles
    this.#short = countBefore(live.refInfo, Role.SHORT)
    this.#fixed = countBefore(live.refInfo, Role.FIXED)
  }

  /** How many of a bundle's references are shorter in a low register. */
  short(id: number): number {
    return this.#count(this.#short, id)
  }

  /** Those come first that are wanted in a certain register, and that have many short references for their size. */
  merit(id: number): number {
    const wanted = this.short(id) + FIXED_MERIT * this.#count(this.#fixed, id)
    return (1e6 * wanted) / (this.#bundles.size[id]! + MERIT_SIZE)
  }

  #count(before: Int32Array, id: number): number {
    const { pool, start, length } = this.#bundles
    const { refFrom, refTo } = this.#live.ranges
    const end = start[id]! + length[id]!
    let count = 0
    for (let i = start[id]!; i < end; i++) {
      const r = pool[i]!
      count += before[refTo[r]!]! - before[refFrom[r]!]!
    }
    return count
  }
}

function countBefore(refInfo: Int32Array, role: number): Int32Array {
  const counts = new Int32Array(refInfo.length + 1)
  for (let i = 0; i < refInfo.length; i++) counts[i + 1] = counts[i]! + ((refInfo[i]! & role) !== 0 ? 1 : 0)
  return counts
}

/** What pushing one more register costs. `used`: mask of those that are written already. */
export function saveBytes(used: number, register: number): number {
  const saved = used & (CALLEE_SAVED | (1 << LR))
  const high = register !== LR && register >= 8 && (saved & CALLEE_SAVED & ~LOW) === 0 ? HIGH_SAVED : 0
  return (saved === 0 ? FIRST_SAVED : SAVED) + high
}
