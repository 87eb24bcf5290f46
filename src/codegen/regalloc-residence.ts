// A value that is in memory here and in a register there need not be in the register where nothing refers to it: the allocator's
// cuts, which know places and not ways, load it before a loop's end only to have it there. Such ranges go to memory, one after
// the other, where the moves that this makes cost no more than those that it saves; what can be made again is not made there.

import type { CodeFunction } from './code.ts'
import type { Liveness } from './liveness.ts'
import { FIRST_SLOT } from './moves.ts'
import { Role } from './operands.ts'

/** Cycles of a load from the stack; a store and a move cost 1. */
const LOAD = 2
/** Rounds of a loop. */
const ROUNDS = 10

/** Where a value's ranges follow each other: ranges, and how often the way is expected to be taken; 0 if nothing can move there. */
export interface Ways {
  readonly from: readonly number[]
  readonly to: readonly number[]
  readonly runs: readonly number[]
}

/** How often each block of a function is expected to run. Blocks stand in reverse postorder with loops in one piece. */
export function expectedRuns({ blocks }: CodeFunction): Float64Array {
  const runs = new Float64Array(blocks.length)
  runs[0] = 1
  for (const { index, predecessors, successors, loopDepth } of blocks) {
    for (const from of predecessors) {
      if (from < index) continue
      runs[index]! *= ROUNDS
      break
    }
    let leaving = 0
    for (const to of successors) if (blocks[to]!.loopDepth < loopDepth) leaving++
    const staying = successors.length - leaving
    const left = staying === 0 ? 1 / Math.max(leaving, 1) : 1 / ROUNDS / Math.max(leaving, 1)
    const stays = leaving === 0 ? 1 / staying : (1 - 1 / ROUNDS) / staying
    for (const to of successors)
      if (to > index) runs[to]! += runs[index]! * (blocks[to]!.loopDepth < loopDepth ? left : stays)
  }
  return runs
}

/**
 * Changes `location` (by range) of those of the value's ranges `list` that had better be in memory, at `slot`. Registers are below
 * FIRST_SLOT.
 */
export function moveToMemory(
  live: Liveness,
  runs: Float64Array,
  list: readonly number[],
  ways: Ways,
  location: Int32Array,
  slot: number,
): void {
  const { ranges, refCode, refInfo, line } = live
  const { from, to } = ways
  const inRegister = (range: number): boolean => location[range]! < FIRST_SLOT
  const dirty = new Set<number>()
  const free = new Set<number>()
  let definitions = 0
  for (const range of list) {
    if (!inRegister(range)) continue
    if (ranges.refFrom[range] === ranges.refTo[range]) free.add(range)
    for (let ref = ranges.refFrom[range]!; ref < ranges.refTo[range]!; ref++) {
      if ((refInfo[ref]! & Role.DEF) === 0) continue
      dirty.add(range)
      definitions += runs[line.blockOf[refCode[ref]!]!]!
    }
  }
  if (free.size === 0) return
  const touching = new Map<number, number[]>()
  let stores = 0
  for (let way = 0; way < from.length; way++) {
    for (const range of [from[way]!, to[way]!]) {
      if (!free.has(range)) continue
      if (ways.runs[way] === 0) free.delete(range)
      const known = touching.get(range)
      if (known === undefined) touching.set(range, [way])
      else known.push(way)
    }
  }
  for (let changed = true; changed;) {
    changed = false
    for (let way = 0; way < from.length; way++) {
      if (!inRegister(to[way]!) || dirty.has(to[way]!) || !dirty.has(from[way]!)) continue
      dirty.add(to[way]!)
      changed = true
    }
  }
  for (let way = 0; way < from.length; way++)
    if (!inRegister(to[way]!) && dirty.has(from[way]!) && inRegister(from[way]!)) stores += ways.runs[way]!
  const work = [...free]
  for (let range = work.pop(); range !== undefined; range = work.pop()) {
    if (!free.has(range)) continue
    let saved = 0
    let stored = 0
    for (const way of touching.get(range) ?? []) {
      const count = ways.runs[way]!
      const comes = to[way] === range
      const other = comes ? from[way]! : to[way]!
      const move = inRegister(other) && location[other] !== location[range] ? 1 : 0
      if (comes) {
        saved += count * (inRegister(other) ? move : LOAD)
        if (inRegister(other) && dirty.has(other)) stored += count
      } else if (inRegister(other)) saved += count * (move - LOAD)
      else if (dirty.has(range)) stored -= count
    }
    if (Math.min(stores + stored, definitions) - Math.min(stores, definitions) > saved) continue
    stores += stored
    location[range] = slot
    free.delete(range)
    for (const way of touching.get(range) ?? []) {
      const other = from[way] === range ? to[way]! : from[way]!
      if (free.has(other)) work.push(other)
    }
  }
}

/** Changes `location` of what is made again nowhere for a use in this register to `made`: it is not made there. */
export function dropUnused(
  live: Liveness,
  list: readonly number[],
  { from, to }: Ways,
  location: Int32Array,
  made: number,
): void {
  const { ranges, refInfo } = live
  const used = new Set<number>()
  for (const range of list) {
    for (let ref = ranges.refFrom[range]!; ref < ranges.refTo[range]!; ref++)
      if ((refInfo[ref]! & Role.USE) !== 0) used.add(range)
  }
  for (let changed = true; changed;) {
    changed = false
    for (let way = 0; way < from.length; way++) {
      if (!used.has(to[way]!) || used.has(from[way]!) || location[from[way]!] !== location[to[way]!]) continue
      used.add(from[way]!)
      changed = true
    }
  }
  for (const range of list) if (!used.has(range)) location[range] = made
}
