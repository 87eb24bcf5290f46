// A block where both ways of a branch meet again and that asks the same once more, or the opposite: its answer becomes a phi of 1 and 0, and
// threading makes one branch of the two. Bytecode has no conditional moves: two of one condition are two such branches. The least and
// the greatest of two numbers are as well: `a < b ? a : b` and `b < a ? a : b` choose by the same comparison, as it does not
// matter which of two equal numbers is chosen. Needs and leaves: words.

import { inverse } from '../ir/comparison.ts'
import type { Block, Func, Value } from '../ir/func.ts'
import { COMPARE, I32, Op, attributes } from '../ir/op.ts'

/** Values of the block, which both ways get a copy of. */
const MOST_VALUES = 4

/** Makes such a phi of the block, and its branch one on that; undefined if it asks nothing again. */
export function repeatedBranch(func: Func, block: Block): Value | undefined {
  const { predecessors, successors, values } = block
  if (predecessors.length !== 2 || successors.length !== 2 || successors[0] === successors[1]) return undefined
  const branch = values[values.length - 1]!
  const condition = branch.args[0]!
  if (branch.op !== Op.branch || (attributes[condition.op]! & COMPARE) === 0 || !isSmall(values)) return undefined
  const head = headOf(block)
  const sense = head === undefined ? 0 : relation(head.terminator.args[0]!, condition, block)
  if (sense === 0) return undefined
  const [yes] = head!.successors as [Block, Block]
  const taken = yes === block ? head : yes
  const args = predecessors.map((from) => func.word((from === taken) === sense > 0 ? 1 : 0))
  const phi = func.create(block, Op.phi, I32, args, 0, branch.origin)
  values.unshift(phi)
  branch.args = [phi]
  return phi
}

/** The block whose branch leads here, directly on one way or on none, by an arm of its own on others. */
export function headOf(block: Block): Block | undefined {
  const [one, other] = block.predecessors as [Block, Block]
  if (block.predecessors.length !== 2 || one === other) return undefined
  const head = isArm(one) ? one.predecessors[0]! : one
  if (head === block || head.successors.length !== 2) return undefined
  return other === head || (isArm(other) && other.predecessors[0] === head) ? head : undefined
}

function isArm({ predecessors, successors }: Block): boolean {
  return predecessors.length === 1 && successors.length === 1
}

function isSmall(values: readonly Value[]): boolean {
  let size = 0
  for (const { op } of values) if (op !== Op.phi && ++size > MOST_VALUES + 1) return false
  return true
}

/** 1: the second condition may be taken for the first; -1: for its opposite; 0: for neither. */
function relation(first: Value, second: Value, block: Block): number {
  if (first === second) return 1
  const half = first.args.length >> 1
  if (first.args.length !== second.args.length || half === 0) return 0
  const same = first.args.every((arg, at) => arg === second.args[at])
  if (same && first.op === second.op) return 1
  const opposite = inverse[first.op]
  if (opposite === undefined) return 0
  if (same) return opposite.op === second.op && !opposite.exchange ? -1 : 0
  if (!opposite.exchange || !first.args.every((arg, at) => arg === second.args[(at + half) % (2 * half)])) return 0
  if (opposite.op === second.op) return -1
  // They differ where both are equal alone.
  return first.op === second.op && choosesOnly(block, first, half) ? -1 : 0
}

/** The block's branch does nothing but choose between what is compared, one word for the other at its place. */
function choosesOnly(block: Block, { args }: Value, half: number): boolean {
  const [yes, no] = block.successors as [Block, Block]
  const to = yes.predecessors.length === 1 && yes.successors.length === 1 ? yes.successors[0]! : yes
  const ways = [yes, no].map((next) => (next === to ? block : next))
  for (const way of ways) {
    if (way === block) continue
    if (!isArm(way) || way.successors[0] !== to || way.values.length !== 1) return false
  }
  const [one, other] = ways.map((way) => to.predecessors.indexOf(way)) as [number, number]
  if (one < 0 || other < 0 || one === other) return false
  for (const phi of to.values) {
    if (phi.op !== Op.phi) break
    const a = phi.args[one]!
    const b = phi.args[other]!
    if (a === b) continue
    if (!isPartner(args, half, a, b)) return false
  }
  return true
}

/** The two are compared with each other: the low words, or the high words. */
function isPartner(args: readonly Value[], half: number, a: Value, b: Value): boolean {
  for (let at = 0; at < half; at++) {
    const x = args[at]!
    const y = args[at + half]!
    if ((a === x && b === y) || (a === y && b === x)) return true
  }
  return false
}
