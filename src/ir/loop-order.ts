// An order of blocks in which what runs together stands together: the register allocator cuts live ranges by their place in it, so
// a loop that has others' blocks in between makes it load and store in that loop what nobody there reads.

import type { Block } from './func.ts'

/**
 * All blocks in a reverse postorder in which every natural loop's blocks are in a row: those that it leads to come behind all of
 * it. `order` is any reverse postorder, `idom` its dominators. Leaves `order` of the blocks as it was.
 */
export function loopOrder(order: readonly Block[], idom: Int32Array): Block[] {
  const exits = loopExits(order, idom)
  const visited = new Uint8Array(order.length)
  const postorder: Block[] = []
  const stack: Block[] = [order[0]!]
  const next: number[] = [0]
  visited[0] = 1
  while (stack.length > 0) {
    const block = stack[stack.length - 1]!
    const { successors } = block
    // What is visited first comes last: a header leads to what its loop leads to, as it were.
    const beyond = exits[block.order]
    const before = beyond === undefined ? 0 : beyond.length
    const at = next[next.length - 1]!++
    const to = at < before ? beyond![at] : successors[before + successors.length - 1 - at]
    if (to === undefined) {
      postorder.push(block)
      stack.pop()
      next.pop()
    } else if (visited[to.order] === 0) {
      visited[to.order] = 1
      stack.push(to)
      next.push(0)
    }
  }
  postorder.reverse()
  return postorder
}

/** By the order of a header: the blocks outside of its natural loop that edges lead to from it. */
function loopExits(order: readonly Block[], idom: Int32Array): (Block[] | undefined)[] {
  const dominates = (above: number, below: number): boolean => {
    while (below > above) below = idom[below]!
    return below === above
  }
  const exits: (Block[] | undefined)[] = []
  /** By order: the header of the loop whose body was found last to have the block. */
  const member = new Int32Array(order.length).fill(-1)
  for (const header of order) {
    const own = header.order
    const body: Block[] = []
    for (const from of header.predecessors) {
      if (from.order < own || !dominates(own, from.order)) continue
      if (body.length === 0) {
        body.push(header)
        member[own] = own
      }
      if (member[from.order] === own) continue
      member[from.order] = own
      body.push(from)
    }
    for (let at = 1; at < body.length; at++) {
      for (const from of body[at]!.predecessors) {
        if (member[from.order] === own) continue
        member[from.order] = own
        body.push(from)
      }
    }
    if (body.length === 0) continue
    const out: Block[] = []
    for (const block of body) for (const to of block.successors) if (member[to.order] !== own) out.push(to)
    exits[own] = out
  }
  return exits
}
