// How often each block and edge of a function runs, guessed (Wu and Larus, "Static branch frequency and program profile
// analysis", with coarser rules): loops go round eight times, ways to traps are hardly taken, equality is rarer than its opposite.

import { float64, int32, int32Of, uint8 } from '../base/arrays.ts'
import { F } from '../thumb/forms.ts'
import { Cond } from '../thumb/instruction.ts'
import { type Code, type CodeBlock, P, isJump } from './code.ts'

/** Rounds of a loop. */
const ROUNDS = 8
const COLD = 1 / 1024
const EQUAL = 0.375
const LEAVES = 0.375
/** A way that only sets registers, as for the bounds of a value. */
const MOVES = 0.375

/** The graph of blocks, by their position in `blocks`, as arrays. Edges of block b are first[b] .. first[b + 1] - 1. */
export interface Flow {
  readonly blocks: readonly CodeBlock[]
  readonly edgeCount: number
  /** By block, and one more. Conditional branches in their order, then the last. */
  readonly first: Int32Array
  /** By edge. */
  readonly from: Int32Array
  readonly to: Int32Array
  /** By edge: times that it is taken when the function is called once. */
  readonly frequency: Float64Array
  /** By block: times that it runs. */
  readonly runs: Float64Array
  /** By block: place in reverse postorder. */
  readonly order: Int32Array
  /** By block: 1 if it only leads to traps. */
  readonly cold: Uint8Array
  /** By block: 1 if it ends in a table of branches. */
  readonly table: Uint8Array
}

/** The graph with guessed frequencies. Every block is reached, ends in a jump, and the first is the entry. */
export function flowOf(blocks: readonly CodeBlock[]): Flow {
  const count = blocks.length
  const position = positions(blocks)
  const first = int32(count + 1)
  const table = uint8(count)
  const targets: number[] = []
  const from: number[] = []
  for (let at = 0; at < count; at++) {
    first[at] = targets.length
    const { code } = blocks[at]!
    const last = code[code.length - 1]!
    if (last.form === P.TABLE_BRANCH) {
      table[at] = 1
      for (const target of last.targets) targets.push(position[target]!)
    }
    for (let i = firstBranch(code); i < code.length; i++) targets.push(position[code[i]!.target]!)
    while (from.length < targets.length) from.push(at)
  }
  first[count] = targets.length
  const flow = {
    blocks,
    edgeCount: targets.length,
    first,
    from: int32Of(from),
    to: int32Of(targets),
    frequency: float64(targets.length),
    runs: float64(count),
    order: int32(count),
    cold: uint8(count),
    table,
  }
  const postorder = depthFirst(flow)
  guess(flow, postorder)
  return flow
}

function onlyMoves(code: readonly Code[]): boolean {
  for (let at = 0; at + 1 < code.length; at++) {
    const { form } = code[at]!
    if (form !== F.MOV_r && form !== F.MOV_i && form !== P.CONSTANT && form !== P.SPILL_LOAD) return false
  }
  return code.length > 1
}

/** By label: the block's place. */
export function positions(blocks: readonly CodeBlock[]): Int32Array {
  let labels = 0
  for (const block of blocks) labels = Math.max(labels, block.index + 1)
  const position = int32(labels)
  for (let at = 0; at < blocks.length; at++) position[blocks[at]!.index] = at
  return position
}

function isBranch({ form }: Code): boolean {
  return form === F.B || form === F.CBZ || form === F.CBNZ
}

/** Index of the first of the branches that end the block. */
export function firstBranch(code: readonly Code[]): number {
  let at = code.length
  while (at > 0 && isBranch(code[at - 1]!)) at--
  return at
}

/** Sets `order`; gives the blocks in postorder. */
function depthFirst({ blocks, first, to, order }: Flow): number[] {
  const count = blocks.length
  const next = int32Of(first)
  const seen = uint8(count)
  const postorder: number[] = []
  const stack = [0]
  seen[0] = 1
  while (stack.length > 0) {
    const at = stack[stack.length - 1]!
    const edge = next[at]!++
    if (edge >= first[at + 1]!) {
      order[at] = count - 1 - postorder.length
      postorder.push(at)
      stack.pop()
    } else if (seen[to[edge]!] === 0) {
      seen[to[edge]!] = 1
      stack.push(to[edge]!)
    }
  }
  return postorder
}

function guess(flow: Flow, postorder: readonly number[]): void {
  const { blocks, first, to, order, cold, frequency, runs } = flow
  const returns = uint8(blocks.length)
  for (const at of postorder) {
    const { code } = blocks[at]!
    const last = code[code.length - 1]!
    if (last.form === P.UNREACHABLE) cold[at] = 1
    else if (last.form === P.RETURN || last.form === P.TAIL_CALL) returns[at] = 1
    else {
      let all = 1
      for (let edge = first[at]!; edge < first[at + 1]!; edge++) all &= cold[to[edge]!]!
      cold[at] = all
      if (1 === first[at + 1]! - first[at]!) returns[at] = returns[to[first[at]!]!]!
    }
  }
  const loops = uint8(blocks.length)
  for (let edge = 0; edge < flow.edgeCount; edge++)
    if (order[to[edge]!]! <= order[flow.from[edge]!]!) loops[to[edge]!] = 1
  runs[0] = 1
  for (let index = postorder.length - 1; index >= 0; index--) {
    const at = postorder[index]!
    if (loops[at] === 1) runs[at]! *= ROUNDS
    const start = first[at]!
    const end = first[at + 1]!
    let left = runs[at]!
    if (flow.table[at] === 1) {
      for (let edge = start; edge < end; edge++) frequency[edge] = left / (end - start)
    } else {
      const { code } = blocks[at]!
      for (let edge = start; edge < end; edge++) {
        const branch = code[code.length - end + edge]!
        const taken = isJump(branch) ? left : left * chance(flow, returns, at, to[edge]!, to[end - 1]!, branch)
        frequency[edge] = taken
        left -= taken
      }
    }
    for (let edge = start; edge < end; edge++) if (order[to[edge]!]! > order[at]!) runs[to[edge]!]! += frequency[edge]!
  }
}

/** How likely block `at` goes on to `then` and not to `otherwise`. */
function chance(
  { blocks, cold }: Flow,
  returns: Uint8Array,
  at: number,
  then: number,
  otherwise: number,
  branch: Code,
): number {
  if (cold[then] !== cold[otherwise]) return cold[then] === 1 ? COLD : 1 - COLD
  const depth = blocks[at]!.loopDepth
  const thenDepth = blocks[then]!.loopDepth
  const otherwiseDepth = blocks[otherwise]!.loopDepth
  if (thenDepth !== otherwiseDepth) {
    // Out of a loop, or into one.
    if (thenDepth < depth || otherwiseDepth < depth) return thenDepth < otherwiseDepth ? 1 / ROUNDS : 1 - 1 / ROUNDS
    return thenDepth < otherwiseDepth ? EQUAL : 1 - EQUAL
  }
  const moves = onlyMoves(blocks[then]!.code)
  if (moves !== onlyMoves(blocks[otherwise]!.code)) return moves ? MOVES : 1 - MOVES
  if (returns[then] !== returns[otherwise]) return returns[then] === 1 ? LEAVES : 1 - LEAVES
  if (branch.form === F.CBZ || branch.cond === Cond.EQ) return EQUAL
  return branch.form === F.CBNZ || branch.cond === Cond.NE ? 1 - EQUAL : 0.5
}
