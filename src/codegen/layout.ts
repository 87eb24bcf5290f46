// The order of a function's blocks: bottom-up chains (Pettis and Hansen, "Profile guided code positioning") over guessed
// frequencies, so that what runs often falls through and loops are tested at their bottom. Costs by the target's model: a branch
// not taken 1 cycle, one taken 2. Needs: allocated, straightened code. Leaves: no empty block, the entry first.

import { float64, int32, int32Of, sortByKey, uint8, upTo } from '../base/arrays.ts'
import { F } from '../thumb/forms.ts'
import { Code, CodeBlock, type CodeFunction, P, isJump, join } from './code.ts'
import { duplicateReturns, duplicateTests } from './duplicate.ts'
import { crossJump } from './cross-jump.ts'
import { invert } from './emit-branches.ts'
import { ifConvert } from './if-convert.ts'
import { mergeTails } from './merge-tails.ts'
import { type Flow, flowOf, positions } from './frequency.ts'
import { branchesFrom } from './operands.ts'

/** Puts the blocks into the order in which branches cost least. `small`: without copies of blocks. `after` is told of steps on the way. */
export function arrangeBlocks(fn: CodeFunction, small = false, after?: (step: string) => void): void {
  endInBranches(fn)
  if (fn.blocks.length > 2) {
    let flow = flowOf(fn.blocks)
    mergeTails(flow)
    if (small) {
      fn.blocks = crossJump(fn.blocks)
      flow = flowOf(fn.blocks)
    }
    after?.('merge-tails')
    if (ifConvert(flow, small)) {
      fn.blocks = flow.blocks.filter((block) => block.code.length > 0)
      flow = flowOf(fn.blocks)
      after?.('if-convert')
    }
    let order = chain(flow)
    if (!small && duplicateTests(flow, order)) {
      flow = flowOf(reached(flow.blocks))
      order = chain(flow)
    }
    preferHot(flow, order)
    fn.blocks = small ? Array.from(order, (at) => flow.blocks[at]!) : duplicateReturns(fn, flow, order)
  }
  renumber(fn)
}

/** Gives the blocks their positions as numbers, and edges as their branches say. */
function renumber(fn: CodeFunction): void {
  const old = fn.blocks
  const position = positions(old)
  for (let at = 0; at < old.length; at++) {
    const block = old[at]!
    block.index = at
    block.predecessors = []
    block.successors = []
  }
  for (const block of fn.blocks) {
    for (let i = branchesFrom(block.code); i < block.code.length; i++) {
      const code = block.code[i]!
      if (code.target >= 0) {
        code.target = position[code.target]!
        join(block, fn.blocks[code.target]!)
      }
      if (code.form !== P.TABLE_BRANCH) continue
      code.targets = code.targets.map((target) => position[target]!)
      for (const target of code.targets) join(block, fn.blocks[target]!)
    }
  }
}

/** Drops the blocks that are empty, if they are no loop; whoever fell into another block branches there. */
function endInBranches(fn: CodeFunction): void {
  const targeted = uint8(fn.blocks.length)
  for (const block of fn.blocks) {
    const { code } = block
    for (let i = branchesFrom(code); i < code.length; i++) {
      const { target, targets } = code[i]!
      if (target >= 0) targeted[target] = 1
      for (const each of targets) targeted[each] = 1
    }
  }
  const blocks = fn.blocks.filter((block) => block.code.length > 0 || targeted[block.index] === 1)
  for (let at = 0; at + 1 < blocks.length; at++) {
    const { code } = blocks[at]!
    const last = code[code.length - 1]
    if (last !== undefined && (isJump(last) || last.form === P.TABLE_BRANCH)) continue
    const jump = new Code(F.B)
    jump.target = blocks[at + 1]!.index
    jump.origin = last === undefined ? -1 : last.origin
    code.push(jump)
  }
  fn.blocks = blocks
}

/** Blocks that somebody branches to, and the entry. */
function reached(blocks: readonly CodeBlock[]): CodeBlock[] {
  const position = positions(blocks)
  const seen = uint8(blocks.length)
  const stack = [0]
  seen[0] = 1
  for (let at = stack.pop(); at !== undefined; at = stack.pop()) {
    const { code } = blocks[at]!
    for (let i = branchesFrom(code); i < code.length; i++) {
      const { target: only, targets } = code[i]!
      for (const target of only >= 0 ? [only] : targets) {
        if (seen[position[target]!] === 1) continue
        seen[position[target]!] = 1
        stack.push(position[target]!)
      }
    }
  }
  return blocks.filter((_block, at) => seen[at] === 1)
}

/** Cycles that it costs if the target of an edge follows its block: 0 or less. */
function losses(flow: Flow): Float64Array {
  const { edgeCount, from, frequency, first } = flow
  const loss = float64(edgeCount)
  for (let edge = 0; edge < edgeCount; edge++) {
    const block = from[edge]!
    const count = first[block + 1]! - first[block]!
    const taken = frequency[edge]!
    if (flow.table[block] === 1) continue
    if (count === 1) loss[edge] = -2 * taken
    // A branch that is not taken costs 1, an unconditional one after it 2 more.
    else if (count === 2) loss[edge] = -(taken + Math.min(taken, frequency[first[block]! * 2 + 1 - edge]!))
    else if (edge === first[block + 1]! - 1) loss[edge] = -2 * taken
  }
  return loss
}

/** Blocks in their new order. */
function chain(flow: Flow): Int32Array {
  const { blocks, edgeCount, from, to, order } = flow
  const count = blocks.length
  const loss = losses(flow)
  const edges: number[] = []
  for (let edge = 0; edge < edgeCount; edge++) if (loss[edge]! < 0 && to[edge] !== 0) edges.push(edge)
  /** By block: the next of its chain, -1 at the end; the head of the chain, at its tail, and the tail, at its head. */
  const next = int32(count).fill(-1)
  const before = int32(count).fill(-1)
  const head = upTo(count)
  const tail = upTo(count)
  for (const edge of sortByKey(int32Of(edges), loss)) {
    const a = from[edge]!
    const b = to[edge]!
    if (next[a] !== -1 || before[b] !== -1 || head[a] === b) continue
    next[a] = b
    before[b] = a
    const start = head[a]!
    const end = tail[b]!
    tail[start] = end
    head[end] = start
  }
  // Chains by their earliest block in reverse postorder, so that most branches go forwards; what ends in a trap last.
  const rank = float64(count).fill(Infinity)
  const heads: number[] = []
  for (let at = 0; at < count; at++) {
    if (before[at] !== -1) continue
    heads.push(at)
    let least = Infinity
    let cold = 1
    for (let each = at; each !== -1; each = next[each]!) {
      least = Math.min(least, order[each]!)
      cold &= flow.cold[each]!
    }
    rank[at] = least + cold * count
  }
  rank[0] = -1
  const result = int32(count)
  let placed = 0
  for (const start of sortByKey(int32Of(heads), rank))
    for (let each = start; each !== -1; each = next[each]!) result[placed++] = each
  return result
}

/** Where both ways of a branch lead elsewhere than to what follows, the one that is taken more often gets the condition. */
function preferHot(flow: Flow, order: Int32Array): void {
  for (let place = 0; place < order.length; place++) {
    const at = order[place]!
    const edge = flow.first[at]!
    if (flow.first[at + 1]! - edge !== 2 || flow.table[at] === 1) continue
    const follows = place + 1 < order.length ? order[place + 1]! : -1
    if (flow.to[edge] === follows || flow.to[edge + 1] === follows) continue
    if (flow.frequency[edge + 1]! <= flow.frequency[edge]!) continue
    const { code } = flow.blocks[at]!
    const condition = code[code.length - 2]!
    const jump = code[code.length - 1]!
    const { target } = condition
    invert(condition)
    condition.target = jump.target
    jump.target = target
    swap(flow.to, edge)
    swap(flow.frequency, edge)
  }
}

/** Exchanges an element and the next. */
function swap(list: Int32Array | Float64Array, at: number): void {
  const first = list[at]!
  list[at] = list[at + 1]!
  list[at + 1] = first
}
