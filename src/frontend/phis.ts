// Where registers need phis: at the start of blocks that different definitions of a live register reach. Found by following the
// definitions along forward edges, taking those that come round loops for the same until the end of a walk shows otherwise;
// so a loop that leaves a register alone has no phi of it.

import { int32 } from '../base/arrays.ts'
import { type BasicBlock, predecessorsOf } from './liveness.ts'

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
  const { first, from } = predecessorsOf(blocks, order)
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
      const begin = first[index]!
      const end = first[index + 1]!
      const row = index * REGISTERS
      if (end - begin === 1 && at > 0) {
        const before = from[begin]! * REGISTERS
        for (let register = 0; register < REGISTERS; register++) {
          ends[row + register] = (defined & (1 << register)) !== 0 ? index * 2 : ends[before + register]!
        }
        continue
      }
      for (let register = 0; register < REGISTERS; register++) {
        const bit = 1 << register
        let definition = at === 0 ? outside : UNKNOWN
        if ((liveIn & bit) !== 0) {
          for (let edge = begin; edge < end && (phis[index]! & bit) === 0; edge++) {
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
      const begin = first[index]!
      const end = first[index + 1]!
      if (end - begin === 1 && at > 0) continue
      const open = blocks[index]!.liveIn & ~phis[index]!
      for (let register = 0; register < REGISTERS; register++) {
        if ((open & (1 << register)) === 0) continue
        const start = starts[index * REGISTERS + register]!
        for (let edge = begin; edge < end; edge++) {
          if (ends[from[edge]! * REGISTERS + register] === start) continue
          phis[index]! |= 1 << register
          again = true
        }
      }
    }
  }
  return phis
}
