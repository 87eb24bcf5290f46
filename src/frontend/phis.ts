// Where registers need phis: at the start of blocks that different definitions of a live register reach. Found by following the
// definitions along forward edges, taking those that come round loops for the same until the end of a walk shows otherwise;
// so a loop that leaves a register alone has no phi of it.

import { int32 } from '../base/arrays.ts'
import type { BasicBlock } from './liveness.ts'

const REGISTERS = 10
/** Walks before all live registers get phis; each loop in a loop may take one more. */
const MAXIMUM_WALKS = 16
const UNKNOWN = -1

/**
 * By block: a mask of the registers that get phis. `order`: blocks that are reached, in reverse postorder, the first of which is
 * entered from outside too.
 */
export function placePhis(blocks: readonly BasicBlock[], order: readonly number[]): Int32Array {
  const phis = int32(blocks.length)
  const edges = predecessors(blocks, order)
  // By block and register: the definition that reaches its start, and its end. A definition is the number of the block that writes
  // the register, times 2, and 1 more for the phi at its start.
  const starts = int32(blocks.length * REGISTERS)
  const ends = int32(blocks.length * REGISTERS)
  const outside = blocks.length * 2
  for (let walk = 0, again = true; again; walk++) {
    again = false
    ends.fill(UNKNOWN)
    for (let at = 0; at < order.length; at++) {
      const index = order[at]!
      const { liveIn, defined } = blocks[index]!
      const from = edges[index]!
      const joins = from.length + (at === 0 ? 1 : 0) > 1
      const row = index * REGISTERS
      if (!joins && at > 0) {
        const before = from[0]! * REGISTERS
        for (let register = 0; register < REGISTERS; register++) {
          ends[row + register] = (defined & (1 << register)) !== 0 ? index * 2 : ends[before + register]!
        }
        continue
      }
      for (let register = 0; register < REGISTERS; register++) {
        const bit = 1 << register
        let definition = at === 0 ? outside : UNKNOWN
        if ((liveIn & bit) !== 0) {
          for (let edge = 0; edge < from.length && (phis[index]! & bit) === 0; edge++) {
            const other = ends[from[edge]! * REGISTERS + register]!
            if (walk >= MAXIMUM_WALKS) phis[index]! |= bit
            else if (other === UNKNOWN || other === definition) continue
            else if (definition === UNKNOWN) definition = other
            else phis[index]! |= bit
          }
          if ((phis[index]! & bit) !== 0) definition = index * 2 + 1
        }
        starts[row + register] = definition
        ends[row + register] = (defined & bit) !== 0 ? index * 2 : definition
      }
    }
    for (let at = 0; at < order.length; at++) {
      const index = order[at]!
      const from = edges[index]!
      if (from.length === 1 && at > 0) continue
      const open = blocks[index]!.liveIn & ~phis[index]!
      for (let register = 0; register < REGISTERS; register++) {
        if ((open & (1 << register)) === 0) continue
        const start = starts[index * REGISTERS + register]!
        for (let edge = 0; edge < from.length; edge++) {
          if (ends[from[edge]! * REGISTERS + register] === start) continue
          phis[index]! |= 1 << register
          again = true
        }
      }
    }
  }
  return phis
}

/** By block: those that are reached and go on to it. */
function predecessors(blocks: readonly BasicBlock[], order: readonly number[]): number[][] {
  const all: number[][] = blocks.map(() => [])
  for (let at = 0; at < order.length; at++) {
    const { successors } = blocks[order[at]!]!
    for (let edge = 0; edge < successors.length; edge++) all[successors[edge]!]!.push(order[at]!)
  }
  return all
}
