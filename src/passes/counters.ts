// Loop counters that a test for (in)equality stops: what no bound on one turn alone shows. A counter is a phi p of a loop's header
// with p + step on the only way back, on which is known that p + step, or p, is not some value that does not change in the
// loop; if it starts on the right side of that, it never steps over it. Needs: any stage.

import { inverse } from '../ir/comparison.ts'
import type { Block, Value } from '../ir/func.ts'
import { Op } from '../ir/op.ts'

export interface Counter {
  readonly phi: Value
  /** Signed. */
  readonly step: number
  /** Operands of the phi that come from outside of the loop. */
  readonly starts: readonly Value[]
  readonly bound: Value
  /** p + step is not the bound on the way back; else it is p that is not. */
  readonly tested: 'next' | 'phi'
  /** Comparisons before the loop show that each start is below the bound (unsigned), or above it if the step is negative. */
  readonly ordered: boolean
}

const MAXIMUM_STEP = 1 << 16
/** Blocks above a loop in which comparisons are looked for. */
const MAXIMUM_CLIMB = 256

/** The counter that a header's phi is. `idom`: by `order`; `isBack`: whether an edge closes a loop. */
export function counterOf(phi: Value, order: readonly Block[], idom: Int32Array): Counter | undefined {
  const header = phi.block
  const starts: Value[] = []
  let next: Value | undefined
  let latch: Block | undefined
  for (let index = 0; index < phi.args.length; index++) {
    const from = header.predecessors[index]!
    if (from.order < header.order) starts.push(phi.args[index]!)
    else if (latch !== undefined) return undefined
    else {
      latch = from
      next = phi.args[index]!
    }
  }
  if (next === undefined || latch === undefined || next.op !== Op.add || next.args[0] !== phi) return undefined
  const constant = next.args[1]!
  const step = constant.imm
  if (constant.op !== Op.const || step === 0 || Math.abs(step) > MAXIMUM_STEP) return undefined
  if (constant.immHigh !== 0 && constant.immHigh !== -1) return undefined
  if (constant.type === next.type && phi.type !== next.type) return undefined
  for (let block: Block = latch, to: Block = header; ;) {
    const test = difference(block, to, phi, next)
    if (test !== undefined && isInvariant(test.bound, header, order, idom)) {
      const { bound, tested } = test
      const ordered = starts.every((start) => isOrdered(start, bound, step, header, order, idom))
      return { phi, step, starts, bound, tested, ordered }
    }
    if (block === header || block.order <= 0) return undefined
    // The edge into a block with one way in decides.
    to = block
    block = block.predecessors.length === 1 ? block.predecessors[0]! : order[idom[block.order]!]!
  }
}

/** What differs from the counter where control goes from `from` to `to`. */
function difference(
  from: Block,
  to: Block,
  phi: Value,
  next: Value,
): { bound: Value; tested: 'next' | 'phi' } | undefined {
  const { terminator, successors } = from
  if (terminator.op !== Op.branch || successors[0] === successors[1]) return undefined
  if (to.predecessors.length > 1 && !successors.includes(to)) return undefined
  const condition = terminator.args[0]!
  if (condition.op !== (successors[0] === to ? Op.ne : Op.eq)) return undefined
  const [left, right] = condition.args as [Value, Value]
  if (left === next) return { bound: right, tested: 'next' }
  if (right === next) return { bound: left, tested: 'next' }
  if (left === phi) return { bound: right, tested: 'phi' }
  return right === phi ? { bound: left, tested: 'phi' } : undefined
}

function isInvariant(value: Value, header: Block, order: readonly Block[], idom: Int32Array): boolean {
  if (value.op === Op.const) return true
  let at = header.order
  while (at > value.block.order) at = idom[at]!
  return order[at] === value.block && value.block !== header
}

/** Whether a comparison that holds where the loop is entered puts the start before the bound in unsigned order. */
function isOrdered(
  start: Value,
  bound: Value,
  step: number,
  header: Block,
  order: readonly Block[],
  idom: Int32Array,
): boolean {
  const below = step > 0 ? start : bound
  const above = step > 0 ? bound : start
  for (let block = header, climb = 0; block.order > 0; block = order[idom[block.order]!]!) {
    if (++climb > MAXIMUM_CLIMB) return false
    if (block.predecessors.length !== 1) continue
    const { terminator, successors } = block.predecessors[0]!
    if (terminator.op !== Op.branch || successors[0] === successors[1]) continue
    const condition = terminator.args[0]!
    let { op } = condition
    let [left, right] = condition.args as [Value, Value]
    if (successors[0] !== block) {
      const opposite = inverse[op]
      if (opposite === undefined) continue
      op = opposite.op
      if (opposite.exchange) [left, right] = [right, left]
    }
    if (op === Op.ult && sameValue(left, below) && sameValue(right, above)) return true
  }
  return false
}

/** The same value, or the word that it is the zero extension of. */
function sameValue(a: Value, b: Value): boolean {
  const word = (value: Value): Value => (value.op === Op.zext ? value.args[0]! : value)
  if (a.op === Op.const && b.op === Op.const) return a.imm === b.imm && a.immHigh === b.immHigh
  return word(a) === word(b)
}
