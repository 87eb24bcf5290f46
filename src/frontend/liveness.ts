// Basic blocks of a BPF function and which of R0-R9 are live into each: what SSA construction needs to place phis only
// where they are used. Register sets are bit masks, so that this is linear in practice.

import { int32, uint8 } from '../base/arrays.ts'
import type { AluOp } from '../bpf/isa.ts'
import type { BpfFunction, Instruction, Program } from '../bpf/program.ts'

export interface BasicBlock {
  /** Instructions [start, end) of the program. */
  readonly start: number
  readonly end: number
  /** Indices of blocks, taken branch first. */
  successors: readonly number[]
  liveIn: number
  /** Mask of registers that it writes. */
  defined: number
}

/** R1-R5: arguments, lost over a call. */
export const ARGUMENT_REGISTERS = 0b111110

function uses(instruction: Instruction): number {
  const { row, dst, src } = instruction
  const d = 1 << dst
  const s = 1 << src
  switch (row.kind) {
    case 'alu': {
      const source = row.source === 'reg' ? s : 0
      return writesAlone(row.op) ? source : row.op === 'neg' ? d : source | d
    }
    case 'lddw':
      return 0
    case 'load':
      return s
    case 'store':
      return row.source === 'reg' ? d | s : d
    case 'atomic':
      return row.op === 'cmpxchg' ? d | s | 1 : d | s
    case 'jump':
      return row.op === 'ja' ? 0 : row.source === 'reg' ? d | s : d
    case 'call':
      return row.callee === 'register' ? ARGUMENT_REGISTERS | d : ARGUMENT_REGISTERS
    case 'exit':
      return 1
    case 'packet':
      return row.indirect ? s : 0
  }
}

/** Does not read the register that it writes. */
function writesAlone(op: AluOp): boolean {
  return op === 'mov' || op === 'movsx8' || op === 'movsx16' || op === 'movsx32'
}

function definitions(instruction: Instruction): number {
  const { row, dst, src } = instruction
  switch (row.kind) {
    case 'alu':
    case 'lddw':
    case 'load':
      return 1 << dst
    case 'atomic':
      return !row.fetch ? 0 : row.op === 'cmpxchg' ? 1 : 1 << src
    case 'call':
      return ARGUMENT_REGISTERS | 1
    case 'packet':
      return 1
    case 'store':
    case 'jump':
    case 'exit':
      return 0
  }
}

/** Blocks of a function in the order of its text, with liveness. The first block is the function's start. */
export function basicBlocks(program: Program, fn: BpfFunction): BasicBlock[] {
  const { instructions } = program
  const leader = uint8(fn.end - fn.start + 1)
  leader[0] = 1
  for (let index = fn.start; index < fn.end; index++) {
    const instruction = instructions[index]!
    const { kind } = instruction.row
    if (kind === 'jump') leader[instruction.target - fn.start] = 1
    if (kind === 'jump' || kind === 'exit') leader[index + 1 - fn.start] = 1
  }
  const blockAt = int32(leader.length)
  const blocks: BasicBlock[] = []
  for (let start = fn.start; start < fn.end;) {
    let end = start + 1
    while (end < fn.end && leader[end - fn.start] === 0) end++
    blockAt[start - fn.start] = blocks.length
    blocks.push({ start, end, successors: [], liveIn: 0, defined: 0 })
    start = end
  }
  const gen = int32(blocks.length)
  for (let index = 0; index < blocks.length; index++) {
    const block = blocks[index]!
    const last = instructions[block.end - 1]!
    const taken = last.row.kind === 'jump' ? blockAt[last.target - fn.start]! : -1
    const falls = last.row.kind !== 'exit' && !(last.row.kind === 'jump' && last.row.op === 'ja')
    // Only code that is never reached may end without a way on.
    if (falls && index + 1 < blocks.length) block.successors = taken >= 0 ? [taken, index + 1] : [index + 1]
    else if (taken >= 0) block.successors = [taken]
    for (let at = block.end - 1; at >= block.start; at--) {
      const defined = definitions(instructions[at]!)
      block.defined |= defined
      gen[index] = (gen[index]! & ~defined) | uses(instructions[at]!)
    }
  }
  const { first, from } = predecessorsOf(blocks)
  const work = blocks.map((_, index) => index)
  const queued = uint8(blocks.length).fill(1)
  while (work.length > 0) {
    const index = work.pop()!
    queued[index] = 0
    const block = blocks[index]!
    let out = 0
    for (const to of block.successors) out |= blocks[to]!.liveIn
    const live = (gen[index]! | (out & ~block.defined)) & 0x3ff
    if (live === block.liveIn) continue
    block.liveIn = live
    for (let edge = first[index]!; edge < first[index + 1]!; edge++) {
      const before = from[edge]!
      if (queued[before] === 1) continue
      queued[before] = 1
      work.push(before)
    }
  }
  return blocks
}

/** Those of block b are from[first[b]] to from[first[b + 1] - 1]: of all blocks, or those whose numbers are `among`. */
export function predecessorsOf(
  blocks: readonly BasicBlock[],
  among?: readonly number[],
): { first: Int32Array; from: Int32Array } {
  const first = int32(blocks.length + 1)
  const count = among === undefined ? blocks.length : among.length
  let edges = 0
  for (let at = 0; at < count; at++) {
    const { successors } = blocks[among === undefined ? at : among[at]!]!
    for (let edge = 0; edge < successors.length; edge++) first[successors[edge]!]!++
    edges += successors.length
  }
  // Where each ends, then, counted down, where it begins.
  for (let index = 1; index <= blocks.length; index++) first[index]! += first[index - 1]!
  const from = int32(edges)
  for (let at = count - 1; at >= 0; at--) {
    const index = among === undefined ? at : among[at]!
    const { successors } = blocks[index]!
    for (let edge = 0; edge < successors.length; edge++) from[--first[successors[edge]!]!] = index
  }
  return { first, from }
}

/** The numbers of the blocks that the first one reaches. */
export function reversePostorder(blocks: readonly BasicBlock[]): number[] {
  const order: number[] = []
  const seen = uint8(blocks.length)
  const stack: number[] = [0]
  const next: number[] = [0]
  seen[0] = 1
  while (stack.length > 0) {
    const block = blocks[stack[stack.length - 1]!]!
    const successor = block.successors[next[next.length - 1]!++]
    if (successor === undefined) {
      order.push(stack.pop()!)
      next.pop()
    } else if (seen[successor] === 0) {
      seen[successor] = 1
      stack.push(successor)
      next.push(0)
    }
  }
  return order.toReversed()
}
