// Loop counters that stay below 2^32: clang's BPF back end widens them to 64 bits, and what shows that their high word is
// zero is the loop's own condition. A counter is a phi p of a loop's header with q = p + step on the way back; the
// conditions that must hold on that way bound it. Needs: 64-bit SSA, folded.

import { dominators } from '../ir/cfg.ts'
import { inverse } from '../ir/comparison.ts'
import type { Block, Value } from '../ir/func.ts'
import { significantBits } from '../ir/known.ts'
import { I64, Op } from '../ir/op.ts'

/** What holds of a counter if the values that it starts from, and `bound`, are words (their high word is zero). */
export interface Counter {
  readonly phi: Value
  /** Values from outside of the loop. */
  readonly starts: readonly Value[]
  readonly bound: Value
  /** phi + step; also a word if `nextFits`. */
  readonly next: Value
  readonly nextFits: boolean
}

/** A comparison that holds: `op` of I64 or I32 values, or that a value is not 0 (`ne` with no right operand). */
interface Fact {
  readonly op: number
  readonly left: Value
  readonly right: Value | undefined
}

const MAXIMUM_STEP = 1 << 16

/** The counters of a function's loops, by the id of the phi and by that of the next value. `order`: reverse postorder. */
export function findCounters(order: readonly Block[]): Map<number, Counter> {
  const counters = new Map<number, Counter>()
  let idom: Int32Array | undefined
  for (const header of order) {
    if (header.values[0]!.op !== Op.phi || header.predecessors.every((from) => from.order < header.order)) continue
    idom ??= dominators(order)
    for (const phi of header.values) {
      if (phi.op !== Op.phi) break
      if (phi.type !== I64) continue
      const counter = counterOf(phi, order, idom)
      if (counter === undefined) continue
      counters.set(phi.id, counter)
      counters.set(counter.next.id, counter)
    }
  }
  return counters
}

function counterOf(phi: Value, order: readonly Block[], idom: Int32Array): Counter | undefined {
  const header = phi.block
  const starts: Value[] = []
  let next: Value | undefined
  let latch: Block | undefined
  for (const [index, arg] of phi.args.entries()) {
    const from = header.predecessors[index]!
    if (from.order < header.order) starts.push(arg)
    // One way back, so that one condition says all.
    else if (latch !== undefined) return undefined
    else {
      latch = from
      next = arg
    }
  }
  if (next === undefined || latch === undefined || next.op !== Op.add || next.args[0] !== phi) return undefined
  const step = next.args[1]!
  if (step.op !== Op.const || step.immHigh !== step.imm >> 31 || step.imm === 0) return undefined
  if (Math.abs(step.imm) > MAXIMUM_STEP) return undefined
  const inside = facts(latch, header, order, idom, true)
  if (inside === undefined) return undefined
  return step.imm > 0
    ? upward(phi, starts, next, step.imm, inside, () => facts(header, order[0]!, order, idom, false) ?? [])
    : downward(phi, starts, next, step.imm, inside, () => facts(header, order[0]!, order, idom, false) ?? [])
}

/** Comparisons that hold at the end of `at` (with `last`, on the edge from there to `above`), up to block `above`. */
function facts(at: Block, above: Block, order: readonly Block[], idom: Int32Array, last: boolean): Fact[] | undefined {
  const found: Fact[] = []
  if (last) addFact(found, at, above)
  for (let block = at; block !== above;) {
    if (block.order === 0) return last ? undefined : found
    const dominator = order[idom[block.order]!]!
    // The edge into a block with one way in decides.
    if (block.predecessors.length === 1) addFact(found, block.predecessors[0]!, block)
    block = dominator
  }
  return found
}

/** What the edge from `from` to `to` says. */
function addFact(found: Fact[], from: Block, to: Block): void {
  const { terminator, successors } = from
  if (terminator.op !== Op.branch || successors[0] === successors[1]) return
  const condition = terminator.args[0]!
  const holds = successors[0] === to
  const opposite = inverse[condition.op]
  if (opposite === undefined || condition.args.length !== 2) {
    if (holds) found.push({ op: Op.ne, left: condition, right: undefined })
    return
  }
  const [left, right] = condition.args as [Value, Value]
  if (holds) found.push({ op: condition.op, left, right })
  else if (opposite.exchange) found.push({ op: opposite.op, left: right, right: left })
  else found.push({ op: opposite.op, left, right })
}

/** The fact that orders `value` against something: value < right, value <= right, value != right. */
function limits(fact: Fact, value: Value): boolean {
  return fact.left === value && fact.right !== undefined && fact.right.type === I64
}

function upward(
  phi: Value,
  starts: readonly Value[],
  next: Value,
  step: number,
  inside: readonly Fact[],
  outside: () => readonly Fact[],
): Counter | undefined {
  for (const fact of inside) {
    const { op, right } = fact
    const ofNext = limits(fact, next)
    if (!ofNext && !limits(fact, phi)) continue
    const bound = right!
    if (op === Op.ult || op === Op.slt || op === Op.ule || op === Op.sle) {
      // Both sides are not negative, so that signed order is the unsigned one.
      const small = bits(bound) < 32 && starts.every((start) => bits(start) < 32)
      const strict = op === Op.ult || op === Op.slt
      if (ofNext) {
        // The phi is below the bound, or a start: one step more passes 2^32 from neither.
        const oneMore = strict && step === 1 && starts.every((start) => start.op === Op.const && start.imm !== -1)
        return { phi, starts, bound, next, nextFits: small || oneMore }
      }
      // The loop goes back with next, which the condition has not seen yet; and leaves with it not seen at all.
      if (small || (strict && step === 1)) return { phi, starts, bound, next, nextFits: small }
      continue
    }
    if (op === Op.ne && step === 1 && ofNext && invariant(bound, phi.block)) {
      // From below the bound, a step of one at a time meets it.
      if (starts.every((start) => isBelow(start, bound, outside()))) return { phi, starts, bound, next, nextFits: true }
    }
  }
  return undefined
}

/** To zero: q != 0 on the way back, from a start that is not 0. */
function downward(
  phi: Value,
  starts: readonly Value[],
  next: Value,
  step: number,
  inside: readonly Fact[],
  outside: () => readonly Fact[],
): Counter | undefined {
  if (step !== -1) return undefined
  const stops = inside.some(
    ({ op, left, right }) =>
      op === Op.ne && left === next && right?.op === Op.const && right.imm === 0 && right.immHigh === 0,
  )
  if (!stops) return undefined
  const positive = (start: Value): boolean =>
    start.op === Op.const ? start.imm !== 0 && start.immHigh === 0 : isNotZero(start, outside())
  if (!starts.every(positive)) return undefined
  return { phi, starts, bound: starts[0]!, next, nextFits: true }
}

function invariant(value: Value, header: Block): boolean {
  return value.op === Op.const || (value.block.order < header.order && value.block !== header)
}

/** Significant bits of a 64-bit value whose high word is zero, as far as they are plain to see. */
function bits(value: Value): number {
  if (value.op === Op.const) return value.immHigh === 0 ? 32 - Math.clz32(value.imm) : 64
  return value.op === Op.zext ? significantBits(value.args[0]!) : 64
}

function isBelow(start: Value, bound: Value, known: readonly Fact[]): boolean {
  if (start.op === Op.const && bound.op === Op.const) {
    return start.immHigh === 0 && bound.immHigh === 0 && start.imm >>> 0 < bound.imm >>> 0
  }
  if (start.op === Op.const && start.imm === 0 && start.immHigh === 0 && isNotZero(bound, known)) return true
  return known.some(
    ({ op, left, right }) => op === Op.ult && sameValue(left, start) && right !== undefined && sameValue(right, bound),
  )
}

function isNotZero(value: Value, known: readonly Fact[]): boolean {
  return known.some(({ op, left, right }) => {
    if (op === Op.ne)
      return (
        sameValue(left, value) &&
        (right === undefined || (right.op === Op.const && right.imm === 0 && right.immHigh === 0))
      )
    return op === Op.ult && right !== undefined && sameValue(right, value)
  })
}

/** The same value, or the word that it is the zero extension of. */
function sameValue(a: Value, b: Value): boolean {
  const word = (value: Value): Value => (value.op === Op.zext ? value.args[0]! : value)
  if (a.op === Op.const && b.op === Op.const)
    return a.imm === b.imm && (a.type === b.type ? a.immHigh === b.immHigh : false)
  return word(a) === word(b)
}
