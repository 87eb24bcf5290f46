// Common subexpressions: of two pure values with the same operation and operands, the one whose block is dominated by the
// other's becomes the other; so does one of two equal phis of a block. Walks blocks in reverse postorder, so that operands are settled first.
// Needs and leaves: any stage.

import { int32 } from '../base/arrays.ts'
import { dominators, removeUnreachable } from '../ir/cfg.ts'
import { type Func, type Value, replaceInPhis } from '../ir/func.ts'
import { COMMUTATIVE, Op, PURE, attributes } from '../ir/op.ts'

export function numberValues(func: Func): void {
  const order = removeUnreachable(func)
  const idom = dominators(order)
  // Preorder numbers in the dominator tree: a dominates b if b's number is within a's span.
  // Blocks come behind their dominators: sizes of subtrees add up from the end, and each child takes the next span of its parent's.
  const size = int32(order.length).fill(1)
  for (let index = order.length - 1; index > 0; index--) size[idom[index]!]! += size[index]!
  const first = int32(order.length)
  const last = int32(order.length)
  const next = int32(order.length)
  last[0] = size[0]!
  next[0] = 1
  for (let index = 1; index < order.length; index++) {
    const begin = next[idom[index]!]!
    first[index] = begin
    last[index] = next[idom[index]!] = begin + size[index]!
    next[index] = begin + 1
  }
  let buckets = 64
  while (buckets < func.valueCount * 2) buckets *= 2
  const heads = int32(buckets).fill(-1)
  // Values met, in order; those of one bucket are chained.
  const known: Value[] = []
  const chain = int32(func.valueCount)
  let replaced = false
  for (const block of order) {
    const begin = first[block.order]!
    const { values } = block
    let kept = 0
    for (let place = 0; place < values.length; place++) {
      const value = values[place]!
      const { args } = value
      values[kept++] = value
      for (let index = 0; index < args.length; index++) {
        const arg = args[index]!
        if (arg.replacement !== null) args[index] = arg.replacement
      }
      if ((attributes[value.op]! & PURE) === 0 || value.op === Op.param) continue
      if (
        (attributes[value.op]! & COMMUTATIVE) !== 0 &&
        args.length === 2 &&
        args[0]!.id > args[1]!.id &&
        args[1]!.op !== Op.const
      ) {
        const left = args[0]!
        args[0] = args[1]!
        args[1] = left
      }
      let hash = Math.imul(value.op, 0x9e3779b1) ^ (value.type * 77) ^ Math.imul(value.imm, 0x85ebca6b)
      for (let index = 0; index < args.length; index++) {
        hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d) ^ args[index]!.id
      }
      const slot = (hash ^ (hash >>> 16)) & (buckets - 1)
      let found: Value | undefined
      for (let at = heads[slot]!; at >= 0; at = chain[at]!) {
        const other = known[at]!
        if (!same(other, value)) continue
        const above = other.block.order
        if (first[above]! <= begin && begin < last[above]!) {
          found = other
          break
        }
      }
      if (found !== undefined) {
        value.replacement = found
        replaced = true
        kept--
      } else {
        chain[known.length] = heads[slot]!
        heads[slot] = known.length
        known.push(value)
      }
    }
    if (kept < values.length) values.length = kept
  }
  if (replaced) replaceInPhis(order)
}

function same(a: Value, b: Value): boolean {
  if (a.op !== b.op || a.type !== b.type || a.imm !== b.imm || a.callee !== b.callee || a.args.length !== b.args.length)
    return false
  if (a.op === Op.phi && a.block !== b.block) return false
  for (let index = 0; index < a.args.length; index++) if (a.args[index] !== b.args[index]) return false
  return true
}
