// Critical edges: from a block with several ways out to one with several ways in, or with phis of one way, which passes may leave.
// Split, each has a block of its own, where the moves of phis can stand.

import type { Block, Func } from './func.ts'
import { Op, VOID } from './op.ts'

/** Splits them all. The new blocks stand behind the block that they come from. */
export function splitCriticalEdges(func: Func): void {
  const blocks: Block[] = []
  let split = false
  for (const block of func.blocks.slice()) {
    blocks.push(block)
    if (block.successors.length < 2) continue
    for (let index = 0; index < block.successors.length; index++) {
      const target = block.successors[index]!
      if (target.predecessors.length < 2 && target.values[0]!.op !== Op.phi) continue
      const edge = func.newBlock()
      edge.loopDepth = Math.min(block.loopDepth, target.loopDepth)
      func.append(edge, Op.jump, VOID, [], 0, block.terminator.origin)
      block.successors[index] = edge
      edge.predecessors = [block]
      // The place among the target's predecessors stays, and with it the phis' operands.
      target.predecessors[target.predecessors.indexOf(block)] = edge
      edge.successors = [target]
      blocks.push(edge)
      split = true
    }
  }
  if (split) func.blocks = blocks
}
