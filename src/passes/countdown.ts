// Loop counters that count down to zero: a subtraction that sets the flags is step and condition in one, so that the
// comparison and its bound go. Applied where nothing else reads the counter (strength.ts sees to that), and where the number
// of turns is exact in every case. Conditions on what a counter was are put on what it becomes, so that one register does.
// Needs: legal, without dead code. Leaves: legal, with dead code.

import { removeUnreachable } from '../ir/cfg.ts'
import { inverse } from '../ir/comparison.ts'
import { type Block, type Func, type Value, countUses } from '../ir/func.ts'
import { significantBits } from '../ir/known.ts'
import { COMPARE, I32, Op, attributes } from '../ir/op.ts'
import { type Induction, type Loop, LoopForest, inductionOf } from './loops.ts'

/** A number of turns: (minuend - subtrahend + extra) >>> shift. Each is a constant or from before the loop. */
export interface Trips {
  readonly minuend: Value
  readonly subtrahend: Value
  readonly extra: number
  readonly shift: number
}

/** `op` of two words. */
interface Relation {
  readonly op: number
  readonly left: Value
  readonly right: Value
}

/** Whether anything changed. */
export function countDown(func: Func): boolean {
  if (!func.blocks.some((block) => block.terminator.op === Op.branch)) return false
  const order = removeUnreachable(func)
  const forest = new LoopForest(order)
  if (forest.loops.length === 0) return false
  countUses(func)
  let changed = false
  for (const loop of forest.loops) {
    const { terminator } = loop.latch
    if (terminator.op !== Op.branch) continue
    forest.enter(loop)
    for (const phi of loop.header.values) {
      if (phi.op !== Op.phi) break
      const induction = inductionOf(forest, loop, phi)
      if (induction === undefined || !isTested(terminator.args[0]!, induction)) continue
      if (replaceCounter(func, forest, loop, induction, order) || testNext(func, loop, induction)) changed = true
      break
    }
  }
  return changed
}

function isTested(condition: Value, { phi, next }: Induction): boolean {
  return condition === phi || condition === next || condition.args.includes(phi) || condition.args.includes(next)
}

/** What must hold for the loop to go on. */
function continues(func: Func, loop: Loop): Relation | undefined {
  const { terminator } = loop.latch
  if (terminator.op !== Op.branch || loop.latch.successors[0] === loop.latch.successors[1]) return undefined
  return relationOn(func, loop.latch, loop.header)
}

/** What the branch at the end of a block says where it goes to `to`. */
function relationOn(func: Func, from: Block, to: Block): Relation | undefined {
  if (from.terminator.op !== Op.branch) return undefined
  const condition = from.terminator.args[0]!
  const holds = from.successors[0] === to
  if ((attributes[condition.op]! & COMPARE) === 0 || condition.args.length !== 2) {
    return condition.type === I32 ? { op: holds ? Op.ne : Op.eq, left: condition, right: func.word(0) } : undefined
  }
  const [left, right] = condition.args as [Value, Value]
  if (holds) return { op: condition.op, left, right }
  const opposite = inverse[condition.op]!
  return opposite.exchange ? { op: opposite.op, left: right, right: left } : { op: opposite.op, left, right }
}

/** The number of turns of a loop whose way back asks for this variable; undefined if it is not known exactly. */
export function tripsOf(
  func: Func,
  forest: LoopForest,
  loop: Loop,
  induction: Induction,
  order: readonly Block[],
): Trips | undefined {
  const relation = continues(func, loop)
  const step = induction.step.op === Op.const ? induction.step.imm : 0
  if (relation === undefined || step === 0) return undefined
  const { start, next, phi } = induction
  let { op, left, right } = relation
  if (op === Op.ne && (right === next || right === phi)) [left, right] = [right, left]
  if (op === Op.ne && left === phi && right.op === Op.const) {
    left = next
    right = func.word(right.imm + step)
  }
  if (left === next ? forest.isInside(right) : right !== next || forest.isInside(left)) return undefined
  const bound = left === next ? right : left
  if (start.op === Op.const && bound.op === Op.const) {
    const turns = counted(op, start.imm, step, left === next, bound.imm)
    return turns === undefined ? undefined : trips(func.word(turns), func.word(0))
  }
  if (op === Op.ne) {
    // Modulo 2^32 it meets its bound after that many steps and not before.
    if (step === 1) return trips(bound, start)
    return step === -1 ? trips(start, bound) : undefined
  }
  const known = (strict: number, below: Value, above: Value): boolean =>
    holdsBefore(func, forest, loop, order, strict, below, above)
  if (left === next) {
    if ((op !== Op.ult && op !== Op.slt) || step < 0 || !known(op, start, bound)) return undefined
    if (step === 1) return trips(bound, start)
    // No step passes the greatest number.
    if ((step & (step - 1)) !== 0 || step > 1 << 16 || significantBits(bound) > 30) return undefined
    if (op === Op.slt && significantBits(start) > 30) return undefined
    return { minuend: bound, subtrahend: start, extra: step - 1, shift: 31 - Math.clz32(step) }
  }
  return step === -1 && (op === Op.ult || op === Op.slt) && known(op, bound, start) ? trips(start, bound) : undefined
}

function trips(minuend: Value, subtrahend: Value): Trips {
  return { minuend, subtrahend, extra: 0, shift: 0 }
}

/** Turns between constants, where no step wraps; `ahead`: the variable is the left operand. */
function counted(op: number, start: number, step: number, ahead: boolean, bound: number): number | undefined {
  const signed = op === Op.slt || op === Op.sle
  const from = signed ? start : start >>> 0
  let to = signed ? bound : bound >>> 0
  if (op === Op.ne) {
    const distance = (step > 0 ? bound - start : start - bound) >>> 0
    const size = Math.abs(step)
    return distance > 0 && distance % size === 0 ? distance / size : undefined
  }
  if (ahead !== step > 0) return undefined
  // As strict.
  if (op === Op.ule || op === Op.sle) to += ahead ? 1 : -1
  const turns = Math.ceil((to - from) / step)
  const last = from + turns * step
  const least = signed ? -0x80000000 : 0
  return turns > 0 && last >= least && last < least + 2 ** 32 ? turns : undefined
}

/** Whether `op` (ult or slt) of two words is known to hold where the loop begins. */
function holdsBefore(
  func: Func,
  forest: LoopForest,
  loop: Loop,
  order: readonly Block[],
  op: number,
  below: Value,
  above: Value,
): boolean {
  let from = loop.before
  let to = loop.header
  for (;;) {
    const relation = from.successors[0] === from.successors[1] ? undefined : relationOn(func, from, to)
    if (relation !== undefined && implies(relation, op, below, above)) return true
    // The next edge that every way here takes.
    to = from
    while (to.predecessors.length !== 1) {
      if (to.order === 0) return false
      to = forest.dominator(to, order)
    }
    from = to.predecessors[0]!
  }
}

function implies(fact: Relation, op: number, below: Value, above: Value): boolean {
  const { left, right } = fact
  if (fact.op === op) {
    if (left === below && right === above) return true
    if (right === above && left.op === Op.const && below.op === Op.const) {
      return op === Op.ult ? below.imm >>> 0 <= left.imm >>> 0 : below.imm <= left.imm
    }
    if (left === below && right.op === Op.const && above.op === Op.const) {
      return op === Op.ult ? right.imm >>> 0 <= above.imm >>> 0 : right.imm <= above.imm
    }
  }
  if (fact.op === (op === Op.ult ? Op.ule : Op.sle) && right === above && left.op === Op.const) {
    if (below.op !== Op.const) return false
    return op === Op.ult ? below.imm >>> 0 < left.imm >>> 0 : below.imm < left.imm
  }
  // 0 < n unsigned is n != 0, and a - b != 0 is a != b.
  if (op !== Op.ult || fact.op !== Op.ne || below.op !== Op.const || below.imm !== 0) return false
  if (above.op === Op.sub && above.args.includes(left) && above.args.includes(right)) return left !== right
  return (left === above && isZero(right)) || (right === above && isZero(left))
}

function isZero(value: Value): boolean {
  return value.op === Op.const && value.imm === 0
}

/** A counter in place of the variable, if nothing else reads it. */
function replaceCounter(
  func: Func,
  forest: LoopForest,
  loop: Loop,
  induction: Induction,
  order: readonly Block[],
): boolean {
  const { phi, next, step } = induction
  const { header, latch, before } = loop
  const { terminator } = latch
  const condition = terminator.args[0]!
  if (condition === next || condition === phi || condition.uses !== 1) return false
  const tested = (value: Value): number => condition.args.filter((arg) => arg === value).length
  if (phi.uses !== 1 + tested(phi) || next.uses !== 1 + tested(next)) return false
  const turns = tripsOf(func, forest, loop, induction, order)
  if (turns === undefined || (step.imm === -1 && turns.minuend === induction.start && isZero(turns.subtrahend))) {
    return false
  }
  const { origin } = terminator
  const put = (block: Block, op: number, args: Value[]): Value => {
    const value = func.create(block, op, I32, args, 0, origin)
    block.values.splice(block.values.length - 1, 0, value)
    return value
  }
  const { minuend, subtrahend, extra, shift } = turns
  let count = minuend
  const constant = (subtrahend.op === Op.const ? extra - subtrahend.imm : extra) | 0
  if (subtrahend.op !== Op.const) count = put(before, Op.sub, [count, subtrahend])
  if (constant !== 0)
    count = count.op === Op.const ? func.word(count.imm + constant) : put(before, Op.add, [count, func.word(constant)])
  if (shift > 0) count = put(before, Op.lsr, [count, func.word(shift)])
  const counter = func.create(header, Op.phi, I32, [], 0, phi.origin)
  header.values.unshift(counter)
  const less = put(latch, Op.add, [counter, func.word(-1)])
  counter.args = header.predecessors[0] === latch ? [less, count] : [count, less]
  terminator.args[0] = latch.successors[0] === header ? less : put(latch, Op.eq, [less, func.word(0)])
  return true
}

/** The same condition on `next` where it is on the phi and a constant, right behind the step, so that the phi ends there. */
function testNext(func: Func, loop: Loop, { phi, next, step }: Induction): boolean {
  const { latch } = loop
  const { terminator } = latch
  const condition = terminator.args[0]!
  if (condition.op !== Op.eq && condition.op !== Op.ne) return false
  const [left, right] = condition.args as [Value, Value]
  if (left !== phi || right.op !== Op.const || step.op !== Op.const || next.block !== latch) return false
  // Behind whatever else reads the phi, and right before the condition.
  const { values } = latch
  if (next.op === Op.add && next.uses === 1) {
    values.splice(values.indexOf(next), 1)
    values.splice(values.length - 1, 0, next)
  }
  const bound = (right.imm + step.imm) | 0
  if (bound === 0 && condition.op === Op.ne) {
    terminator.args[0] = next
  } else {
    const again = func.create(latch, condition.op, I32, [next, func.word(bound)], 0, condition.origin)
    values.splice(values.length - 1, 0, again)
    terminator.args[0] = again
  }
  return true
}
