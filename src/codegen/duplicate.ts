// Copies of short blocks in the place of jumps to them, each 2 cycles: returns, and the tests of loops where they are entered
// again and again. After allocation a copy is no more than that. Needs and leaves: every block ends in a jump.

import { Code, CodeBlock, type CodeFunction, P } from './code.ts'
import { type Flow, firstBranch } from './frequency.ts'

/** Instructions of a return that is copied, and of a test, its branches included. */
const LONGEST_RETURN = 4
const LONGEST_TEST = 5
/** Blocks that run less often are not worth a copy. */
const RARE = 0.05
/** Runs of a jump, for one of the function, from which on a test is copied. */
const OFTEN = 2

/** Whether the block at this place ends in one jump, not to what follows it; gives the place of the target, or -1. */
function jumpsTo(flow: Flow, at: number, next: number): number {
  const edge = flow.first[at + 1]! - 1
  if (edge < flow.first[at]! || flow.table[at] === 1) return -1
  return flow.to[edge] === next ? -1 : flow.to[edge]!
}

/**
 * Puts returns behind jumps to them. `order`: the blocks as they will stand. Gives the blocks with the copies among them.
 */
export function duplicateReturns(fn: CodeFunction, flow: Flow, order: Int32Array): CodeBlock[] {
  const { blocks } = flow
  const frame = fn.frameBytes + fn.spillWords > 0 ? 1 : 0
  const result: CodeBlock[] = []
  let label = nextLabel(blocks)
  for (let place = 0; place < order.length; place++) {
    const at = order[place]!
    const block = blocks[at]!
    result.push(block)
    const target = jumpsTo(flow, at, order[place + 1] ?? -1)
    if (target < 0 || flow.runs[at]! < RARE) continue
    const { code } = blocks[target]!
    if (code[code.length - 1]!.form !== P.RETURN || code.length + frame > LONGEST_RETURN) continue
    const branches = flow.first[at + 1]! - flow.first[at]!
    // A conditional branch to what follows is turned around instead.
    if (branches === 2 && flow.to[flow.first[at]!] === order[place + 1]) continue
    const copy = new CodeBlock(label++)
    copy.loopDepth = blocks[target]!.loopDepth
    copy.code = code.map(copyOf)
    block.code[block.code.length - 1]!.target = copy.index
    result.push(copy)
  }
  return result
}

/** Puts short tests in the place of often taken jumps to them. True if it did: then frequencies and order are to be made anew. */
export function duplicateTests(flow: Flow, order: Int32Array): boolean {
  const { blocks } = flow
  let changed = false
  for (let place = 0; place < order.length; place++) {
    const at = order[place]!
    const target = jumpsTo(flow, at, order[place + 1] ?? -1)
    const branches = flow.first[at + 1]! - flow.first[at]!
    if (target < 0 || branches !== 1) continue
    if (flow.frequency[flow.first[at]!]! < OFTEN || target === at) continue
    const { code } = blocks[target]!
    if (code.length > LONGEST_TEST || code.length - firstBranch(code) !== 2) continue
    const into = blocks[at]!.code
    into.pop()
    for (const each of code) into.push(copyOf(each))
    changed = true
  }
  return changed
}

function copyOf(code: Code): Code {
  return Object.assign(new Code(code.form), code)
}

function nextLabel(blocks: readonly CodeBlock[]): number {
  let label = 0
  for (const block of blocks) label = Math.max(label, block.index + 1)
  return label
}
