// What it saves to give a register to a bundle that was left in memory and has no reference that needs one: loads and stores where
// what is before and behind it is in the same register, against loads into it from memory.

import type { CodeFunction } from './code.ts'
import type { Liveness } from './liveness.ts'
import type { Bundles } from './regalloc-bundles.ts'

/** What a copy to or from memory costs more than one between registers, for how often it runs. */
const COPY = 0.3
/** Parts of one virtual register that are looked through for its place somewhere. */
const PARTS = 64

const MEMORY = -1
const NOWHERE = -2

/** Loads and stores, times how often they run. `register` is free all the while. */
export function saves(fn: CodeFunction, live: Liveness, bundles: Bundles, id: number, register: number): number {
  const { ranges, line } = live
  const { blocks } = fn
  const { first, footer, frequency, blockOf } = line
  let saved = COPY * bundles.cost[id]!
  const meet = (v: number, position: number, block: number, enters: boolean): void => {
    const place = placeAt(live, bundles, v, position, id)
    if (place === register) saved += frequency[block]!
    // What came from memory is there still.
    else if (place === MEMORY && enters) saved -= frequency[block]!
  }
  const end = bundles.start[id]! + bundles.length[id]!
  for (let i = bundles.start[id]!; i < end; i++) {
    const r = bundles.pool[i]!
    const v = ranges.register[r]!
    const from = ranges.from[r]!
    const to = ranges.to[r]!
    let b = blockOf[Math.trunc(from / 3)]!
    if (from > 3 * first[b]!) meet(v, from - 1, b++, true)
    for (; b < blocks.length && 3 * first[b]! < to; b++)
      for (const p of blocks[b]!.predecessors) meet(v, 3 * footer[p]! + 2, p, true)
    b = blockOf[Math.trunc((to - 1) / 3)]!
    if (to < 3 * footer[b]! + 3) meet(v, to, b--, false)
    for (; b >= 0 && 3 * footer[b]! + 3 > from; b--)
      for (const s of blocks[b]!.successors) meet(v, 3 * first[s]!, b, false)
  }
  return saved
}

/** Register of a virtual register at a position, MEMORY, or NOWHERE: in this bundle too, or not live. */
function placeAt(live: Liveness, bundles: Bundles, v: number, position: number, id: number): number {
  const { ranges, firstRange } = live
  for (let r = firstRange[v]!, steps = 0; r >= 0 && steps < PARTS; r = ranges.next[r]!, steps++) {
    if (ranges.to[r]! <= position) continue
    return ranges.from[r]! > position || ranges.bundle[r] === id ? NOWHERE : bundles.register[ranges.bundle[r]!]!
  }
  return NOWHERE
}
