// What can be said of a function's graph of blocks: order, dominators (Cooper, Harvey and Kennedy, "A simple, fast
// dominance algorithm"), loops.

import { int32 } from '../base/arrays.ts'
import { type Block, type Func, disconnect } from './func.ts'

/** Blocks reached from the entry in reverse postorder; sets `order` of every block (-1: not reached). */
export function reversePostorder(func: Func): Block[] {
  const { blocks } = func
  // Filled from its end; an array that grows would be copied again and again.
  const order = blocks.slice()
  let first = order.length
  for (let index = 0; index < blocks.length; index++) blocks[index]!.order = -1
  const stack: Block[] = [blocks[0]!]
  // Until it has its number, `order` counts a block's successors that were looked at.
  blocks[0]!.order = 0
  for (let block = stack[0]; block !== undefined;) {
    const { successors } = block
    if (block.order === successors.length) {
      order[--first] = block
      stack.pop()
      block = stack[stack.length - 1]
      continue
    }
    const successor: Block = successors[block.order++]!
    if (successor.order >= 0) continue
    successor.order = 0
    stack.push(successor)
    block = successor
  }
  if (first > 0) order.splice(0, first)
  for (let index = 0; index < order.length; index++) order[index]!.order = index
  return order
}

/** Drops the blocks that the entry does not reach, and their edges. Leaves `order` set. */
export function removeUnreachable(func: Func): Block[] {
  const order = reversePostorder(func)
  if (order.length === func.blocks.length) return order
  for (const block of func.blocks) {
    if (block.order < 0) while (block.successors.length > 0) disconnect(block, block.successors.length - 1)
  }
  func.blocks = func.blocks.filter((block) => block.order >= 0)
  return order
}

/** Immediate dominators by `order`: the order of each block's immediate dominator; the entry is its own. */
export function dominators(order: readonly Block[]): Int32Array {
  const idom = int32(order.length).fill(-1)
  idom[0] = 0
  const headers: number[] = []
  for (let index = 1; index < order.length; index++) {
    const block = order[index]!
    idom[index] = dominatorOf(block, idom)
    const { predecessors } = block
    for (let edge = 0; edge < predecessors.length; edge++) {
      if (predecessors[edge]!.order < index) continue
      headers.push(index)
      break
    }
  }
  // What the first walk did not know are the edges back. Mostly they tell nothing new, and then nothing else can change.
  let changed = false
  for (const index of headers) if (dominatorOf(order[index]!, idom) !== idom[index]) changed = true
  while (changed) {
    changed = false
    for (let index = 1; index < order.length; index++) {
      const dominator = dominatorOf(order[index]!, idom)
      if (idom[index] === dominator) continue
      idom[index] = dominator
      changed = true
    }
  }
  return idom
}

/** Where the ways to a block's predecessors, those of which that is known, part. */
function dominatorOf({ predecessors }: Block, idom: Int32Array): number {
  let dominator = -1
  for (let edge = 0; edge < predecessors.length; edge++) {
    let other = predecessors[edge]!.order
    if (other < 0 || idom[other]! < 0) continue
    if (dominator < 0) {
      dominator = other
      continue
    }
    while (dominator !== other) {
      while (dominator > other) dominator = idom[dominator]!
      while (other > dominator) other = idom[other]!
    }
  }
  return dominator
}

function dominates(idom: Int32Array, above: number, below: number): boolean {
  let at = below
  while (at > above) at = idom[at]!
  return at === above
}

/**
 * Sets `loopDepth` of every block: how many natural loops (back edge to a dominating header) it is in. Edges into loops
 * that are not to a dominating header (irreducible) make no loop. Depths above 4 are not told apart by anything.
 */
export function findLoops(order: readonly Block[], idom: Int32Array): void {
  for (const block of order) block.loopDepth = 0
  const seen = int32(order.length).fill(-1)
  const stack: Block[] = []
  for (let place = 0; place < order.length; place++) {
    const header = order[place]!
    const { predecessors } = header
    for (let edge = 0; edge < predecessors.length; edge++) {
      const latch = predecessors[edge]!
      if (latch.order < place || !dominates(idom, place, latch.order)) continue
      if (seen[place] !== place) header.loopDepth++
      seen[place] = place
      if (seen[latch.order] === place) continue
      seen[latch.order] = place
      latch.loopDepth++
      stack.push(latch)
    }
    while (stack.length > 0) {
      const { predecessors: before } = stack.pop()!
      for (let edge = 0; edge < before.length; edge++) {
        const predecessor = before[edge]!
        if (predecessor.order < 0 || seen[predecessor.order] === header.order) continue
        seen[predecessor.order] = header.order
        predecessor.loopDepth++
        stack.push(predecessor)
      }
    }
  }
}
