// Jump threading: where a block's branch hangs on a phi alone that is a constant on some ways in, those ways get a copy of the block that
// goes where the branch would. That is what a state machine in a loop is made of: each state then goes to the next one's code
// and not to the comparisons. Blocks on the way that only bring the phi's constants together (`i++` behind a switch) are copied too, one
// for each constant. Needs and leaves: words.

import { removeUnreachable } from '../ir/cfg.ts'
import type { Block, Func, Value } from '../ir/func.ts'
import { I32, I64, Op, VOID } from '../ir/op.ts'
import { evaluateWord } from './evaluate.ts'
import { removeRedundantPhis } from './redundant-phis.ts'
import { headOf, repeatedBranch } from './repeated-branches.ts'
import { simplifyCfg } from './simplify-cfg.ts'
import { SsaRepair } from './ssa-repair.ts'

/** Values of a block that is copied, at most, without phis and what is decided. */
const MOST_VALUES = 12
/** Values that copies add to a function, at most: for its size, and beside that. */
const GROWTH = 0.5
const SPARE = 48
/** Blocks in a row that bring constants together, and that one constant decides. */
const MOST_MERGES = 3
const MOST_DECIDED = 8
/** Operations between a phi and what hangs on it. */
const MOST_STEPS = 4
/** Blocks of a function that get copies: fewer where it is large, since each time all of it is gone over. */
const MOST_THREADED = 32
const LEAST_THREADED = 4
const VALUES_SEEN = 40_000

export type Follow = (from: Value, to: Value) => void

/** What is looked for, in this order: the head's own branch would leave a block several heads. */
const Kind = { REPEATED: 0, FAR: 1, OWN: 2 } as const

/** True if it changed anything. */
export function threadJumps(func: Func, follow?: Follow): boolean {
  if (func.blocks.length < 3) return false
  removeUnreachable(func)
  let room = -1
  let most = MOST_THREADED
  let count = 0
  const done = new Set<Block>()
  for (let kind: number = Kind.REPEATED; kind <= Kind.OWN && count < most;) {
    const before = count
    // Blocks that go meanwhile lead nowhere any more; new ones are looked at the next time.
    for (const block of func.blocks) {
      if (count >= most) break
      if (block.successors.length !== 2 || block.predecessors.length < 2 || done.has(block)) continue
      const condition = block.terminator.args[0]!
      const phi =
        kind === Kind.OWN ? decider(block) : kind === Kind.FAR ? farDecider(block) : repeatedBranch(func, block)
      if (phi === undefined) continue
      if (room < 0) {
        const size = sizeOf(func)
        room = SPARE + GROWTH * size
        most = Math.max(LEAST_THREADED, Math.min(MOST_THREADED, VALUES_SEEN / size))
      }
      const head = phi.block
      if (kind !== Kind.FAR) done.add(block)
      const plan = newPlan()
      plan.values = kind === Kind.FAR ? sizeUpTo(block, head) : 0
      const growth = isWanted(func, phi, plan, kind) ? plan.values * plan.constants.size : Infinity
      if (growth > room) {
        if (kind === Kind.REPEATED) forget(phi, condition)
        continue
      }
      room -= growth
      new Threader(func, follow).specialise(head, phi, 0)
      count++
    }
    if (count === before) kind++
  }
  if (count === 0) return false
  simplifyCfg(func)
  removeRedundantPhis(func)
  return true
}

/** Copies may be made, and a loop's head gets them for its ways back alone. */
function isWanted(func: Func, phi: Value, plan: Plan, kind: number): boolean {
  if (!look(func, phi.block, phi, plan, 0)) return false
  return plan.again || (kind !== Kind.FAR && !isHeader(phi.block))
}

/** The branch asks what it asked. */
function forget({ block }: Value, condition: Value): void {
  block.values.shift()
  block.terminator.args = [condition]
}

interface Plan {
  /** What the phi is on the ways where it is known. */
  readonly constants: Set<number>
  /** Values of the blocks to be copied. */
  values: number
  /** A way is known that leads back. */
  again: boolean
}

function newPlan(): Plan {
  return { constants: new Set(), values: 0, again: false }
}

/** The phi of the block that alone decides its branch. */
function decider(block: Block): Value | undefined {
  const { values, predecessors, successors } = block
  if (predecessors.length < 2 || values[0]!.op !== Op.phi || successors.length !== 2) return undefined
  const { op, args } = values[values.length - 1]!
  return op === Op.branch ? leafOf(args[0]!, block, MOST_STEPS) : undefined
}

/** Such a phi of a block that the block follows, with no more than arms of a branch between. */
function farDecider(block: Block): Value | undefined {
  if (block.predecessors.length !== 2 || block.successors.length !== 2) return undefined
  const { op, args } = block.values[block.values.length - 1]!
  if (op !== Op.branch) return undefined
  const head = headOf(block)
  return head === undefined || head.values[0]!.op !== Op.phi ? undefined : leafOf(args[0]!, block, MOST_STEPS, head)
}

/** Values of the block and of the arms behind its head; infinite where the block is too large to be copied. */
function sizeUpTo(block: Block, head: Block): number {
  let size = weigh(block)
  if (size > MOST_VALUES) return Infinity
  for (const from of block.predecessors) if (from !== head) size += weigh(from)
  return size
}

/** The one phi of the block, or of `head`, that a word is computed from in the block, with constants. */
function leafOf(value: Value, block: Block, steps: number, head = block): Value | undefined {
  const { op, args, type } = value
  if (type !== I32) return undefined
  if (op === Op.phi) return value.block === head ? value : undefined
  if (value.block !== block && value.block !== head) return undefined
  if (steps === 0 || args.length === 0 || args.length > 2 || evaluateWord(op, 0, 0) === undefined) return undefined
  const [a, b = a] = args as [Value, Value?]
  if (a.op === Op.const) return leafOf(b, block, steps - 1, head)
  const leaf = leafOf(a, block, steps - 1, head)
  return b === a || b.op === Op.const || leafOf(b, block, steps - 1, head) === leaf ? leaf : undefined
}

/** What the word is when the phi that it hangs on is a constant. */
function evaluate(value: Value, phi: Value, constant: number): number {
  if (value === phi) return constant
  if (value.op === Op.const) return value.imm
  const [a, b] = value.args as [Value, Value?]
  return evaluateWord(value.op, evaluate(a, phi, constant), b === undefined ? 0 : evaluate(b, phi, constant))!
}

function isHeader(block: Block): boolean {
  return block.predecessors.some(({ order }) => order >= block.order)
}

/** Notes the constants that come in; true if there are any, and the block may be copied. */
function look(func: Func, block: Block, phi: Value, plan: Plan, depth: number): boolean {
  const size = weigh(block)
  if (size > MOST_VALUES || hasTwins(block.successors) || !isWhole(func, block)) return false
  let found = false
  for (let at = 0; at < phi.args.length; at++) {
    const arg = phi.args[at]!
    const from = block.predecessors[at]!
    // Which of two edges is which would have to be told apart.
    if (hasTwins(from.successors)) return false
    if (arg.op === Op.const) plan.constants.add(arg.imm)
    else {
      const leaf = mergeOf(arg, from, block, depth)
      if (leaf === undefined) continue
      const inner: Plan = { constants: new Set(), values: plan.values, again: false }
      if (!look(func, from, leaf, inner, depth + 1)) continue
      plan.values = inner.values
      for (const constant of inner.constants) plan.constants.add(evaluate(arg, leaf, constant))
    }
    if (from.order >= block.order) plan.again = true
    found = true
  }
  plan.values += size
  return found
}

/** The phi of the block before that what it hands on hangs on, where that block may be copied for its constants. */
function mergeOf(arg: Value, from: Block, to: Block, depth: number): Value | undefined {
  if (depth === MOST_MERGES || from === to || from.predecessors.length < 2) return undefined
  return leafOf(arg, from, MOST_STEPS)
}

function hasTwins(successors: readonly Block[]): boolean {
  return successors.length === 2 && successors[0] === successors[1]
}

/** No pair of words of the block's is taken apart elsewhere: there are no phis of such. */
function isWhole(func: Func, block: Block): boolean {
  if (!block.values.some(({ type }) => type === I64)) return true
  for (const other of func.blocks) {
    if (other === block) continue
    for (const { args } of other.values)
      for (const arg of args) if (arg.type === I64 && arg.op !== Op.const && arg.block === block) return false
  }
  return true
}

function weigh({ values }: Block): number {
  let size = 0
  for (const { op } of values) if (op !== Op.phi) size++
  return size - 1
}

function sizeOf(func: Func): number {
  let size = 0
  for (const { values } of func.blocks) size += values.length
  return size
}

class Threader {
  readonly #func: Func
  readonly #follow: Follow | undefined
  #repair: SsaRepair
  /** What stands in the copy at hand for values of the blocks that it was made of. */
  #twins = new Map<Value, Value>()

  constructor(func: Func, follow: Follow | undefined) {
    this.#func = func
    this.#follow = follow
    this.#repair = new SsaRepair(func)
  }

  /** The block gets a copy for each constant that the phi is known to be. */
  specialise(block: Block, phi: Value, depth: number): void {
    for (const from of block.predecessors.slice()) {
      const at = block.predecessors.indexOf(from)
      const leaf = at < 0 ? undefined : mergeOf(phi.args[at]!, from, block, depth)
      if (leaf !== undefined && look(this.#func, from, leaf, newPlan(), depth + 1))
        this.specialise(from, leaf, depth + 1)
    }
    this.#repair = new SsaRepair(this.#func)
    const ways = new Map<number, number[]>()
    for (let at = 0; at < phi.args.length; at++) {
      const arg = phi.args[at]!
      if (arg.op !== Op.const) continue
      const same = ways.get(arg.imm)
      if (same === undefined) ways.set(arg.imm, [at])
      else same.push(at)
    }
    for (const way of ways.values()) this.#copy(block, way)
    const leaving = [...ways.values()].flat().toSorted((a, b) => b - a)
    // From behind, so that the places before stay.
    for (const at of leaving) {
      block.predecessors.splice(at, 1)
      for (const value of block.values) {
        if (value.op !== Op.phi) break
        value.args.splice(at, 1)
      }
    }
    removeUnreachable(this.#func)
    this.#repair.run()
  }

  /** A copy of the block for these of its ways in, which lead there from now on; and of what is decided behind it. */
  #copy(block: Block, ways: readonly number[]): void {
    const copy = this.#func.newBlock()
    copy.loopDepth = block.loopDepth
    this.#twins = new Map()
    for (const at of ways) {
      const from = block.predecessors[at]!
      copy.predecessors.push(from)
      from.successors[from.successors.indexOf(block)] = copy
    }
    for (const value of block.values) {
      if (value.op !== Op.phi) break
      const args = ways.map((at) => value.args[at]!)
      const same = args.every((arg) => arg.op === Op.const && arg === args[0])
      this.#twins.set(value, same ? args[0]! : this.#func.append(copy, Op.phi, value.type, args, 0, value.origin))
    }
    const copied = new Set<Block>()
    for (let from = block; ;) {
      copied.add(from)
      this.#copyValues(from, copy)
      this.#repair.add(from, copy, this.#twins)
      const { op, args, origin } = from.terminator
      const condition = op === Op.branch ? this.#twin(args[0]!) : undefined
      if (condition === undefined || condition.op !== Op.const) {
        this.#func.append(copy, op, from.terminator.type, args.map(this.#twin), from.terminator.imm, origin)
        for (const to of from.successors) this.#lead(from, copy, to)
        return
      }
      const target = from.successors[condition.imm !== 0 ? 0 : 1]!
      if (copied.size === MOST_DECIDED || copied.has(target) || !this.#goesOn(target)) {
        this.#func.append(copy, Op.jump, VOID, [], 0, origin)
        this.#lead(from, copy, target)
        return
      }
      from = target
    }
  }

  /** Makes `copy` lead to the block as `from` does. */
  #lead(from: Block, copy: Block, to: Block): void {
    const at = to.predecessors.indexOf(from)
    copy.successors.push(to)
    to.predecessors.push(copy)
    for (const value of to.values) {
      if (value.op !== Op.phi) break
      value.args.push(this.#twin(value.args[at]!))
    }
  }

  readonly #twin = (value: Value): Value => this.#twins.get(value) ?? value

  #copyValues(from: Block, copy: Block): void {
    const { values } = from
    for (let at = 0; at < values.length - 1; at++) {
      const value = values[at]!
      const { op, type, imm, origin } = value
      if (op === Op.phi) continue
      const args = value.args.map(this.#twin)
      const constant = args.length > 0 && args.every(isConstant) ? this.#constant(value, args) : undefined
      if (constant !== undefined) {
        this.#twins.set(value, constant)
        continue
      }
      const twin = this.#func.append(copy, op, type, args, imm, origin)
      twin.callee = value.callee
      this.#twins.set(value, twin)
      this.#follow?.(value, twin)
    }
  }

  #constant({ op, type }: Value, [a, b]: readonly Value[]): Value | undefined {
    if (type !== I32 || a!.type !== I32 || (b !== undefined && b.type !== I32)) return undefined
    const result = evaluateWord(op, a!.imm, b?.imm ?? 0)
    return result === undefined ? undefined : this.#func.word(result)
  }

  /** The block does little but branch where it is known to. */
  #goesOn(block: Block): boolean {
    const { values, successors } = block
    if (values[0]!.op === Op.phi || values.length > MOST_STEPS || hasTwins(successors)) return false
    const { op, args } = block.terminator
    return op === Op.branch && isWhole(this.#func, block) && this.#isKnown(args[0]!, block, MOST_STEPS)
  }

  #isKnown(value: Value, block: Block, steps: number): boolean {
    const twin = this.#twin(value)
    if (twin.op === Op.const) return twin.type === I32
    if (twin !== value || value.block !== block || steps === 0 || value.args.length === 0) return false
    if (value.args.length > 2 || evaluateWord(value.op, 0, 0) === undefined) return false
    return value.args.every((arg) => this.#isKnown(arg, block, steps - 1))
  }
}

function isConstant({ op }: Value): boolean {
  return op === Op.const
}
