// Calls of the program's own functions become the functions' bodies: always where it is the only call, else where the body is small
// and the program does not grow by much. The callee's stack becomes an area of its own in the caller's frame. Functions that
// nobody calls any more go. Not inlined: what calls itself, over others too, and what leaves its frame by a tail call.
// Needs: functions as the frontend makes them, with all their arguments.

import { dominators, findLoops, removeUnreachable } from '../ir/cfg.ts'
import { Block, type Callee, type Func, type Value, connect, replaceValues } from '../ir/func.ts'
import type { Module } from '../ir/module.ts'
import { I64, Op, VOID } from '../ir/op.ts'

/** Operations that a body may have where it is copied: outside of loops, in them, and where bytes count. */
const SMALL = 40
const SMALL_IN_LOOP = 80
const TINY = 3
/** Operations beyond which a function takes in no more. */
const HUGE = 8000
/** How much all copies may add together: this, and half of what there is. */
const GROWTH = 200

/** Told of a value and its copy. */
type Follow = (from: Value, to: Value) => void

interface Candidate {
  readonly func: Func
  calls: Value[]
  /** Operations that become instructions, about. */
  cost: number
  /** How many calls of it there are. */
  callers: number
  /** It stays if nobody calls it: entries, and what the program has the address of. */
  readonly root: boolean
  state: 'new' | 'visiting' | 'done'
  inlinable: boolean
}

/**
 * Whether anything changed. `small`: only where the code shrinks. Calls `changed` for each function that took another in, and `follow`
 * for each value that is copied.
 */
export function inlineCalls(module: Module, small: boolean, changed: (func: Func) => void, follow?: Follow): boolean {
  if (module.functions.every((func) => func === null)) return false
  const taken = new Set(module.taken)
  const candidates = module.functions.map((func, index) => func && candidate(func, taken.has(index)))
  const all = candidates.filter((each) => each !== null)
  for (const func of [module.entry, ...module.entries]) if (func !== null) all.push(candidate(func, true))
  const calleeOf = (call: Value): Candidate | undefined =>
    call.callee!.kind === 'function' ? candidates[call.callee!.index]! : undefined
  let budget = GROWTH
  for (const each of all) {
    budget += each.cost >> 1
    for (const call of each.calls) calleeOf(call)!.callers++
  }
  const wanted = (call: Value, caller: Candidate): boolean => {
    const callee = calleeOf(call)!
    if (!callee.inlinable || caller.cost + callee.cost > HUGE) return false
    if (callee.callers === 1 && !callee.root) return true
    const limit = small ? TINY : call.block.loopDepth > 0 ? SMALL_IN_LOOP : SMALL
    if (callee.cost > limit || callee.cost > budget) return false
    budget -= callee.cost
    return true
  }
  const takeIn = (caller: Candidate): void => {
    const { func } = caller
    const order = removeUnreachable(func)
    findLoops(order, dominators(order))
    const inserted = new Map<Block, Block[][]>()
    // From the last to the first: what follows a call is moved once only.
    for (const call of caller.calls.toReversed()) {
      if (call.block.order < 0 || !wanted(call, caller)) continue
      const callee = calleeOf(call)!
      const pieces = inserted.get(call.block)
      const blocks = inline(func, call, callee.func, follow)
      if (pieces === undefined) inserted.set(call.block, [blocks])
      else pieces.push(blocks)
      caller.cost += callee.cost
      // What the body calls is called once more.
      for (const inner of callee.calls) calleeOf(inner)!.callers++
    }
    if (inserted.size === 0) return
    func.blocks = func.blocks.flatMap((block) => [block, ...(inserted.get(block)?.toReversed().flat() ?? [])])
    replaceValues(func)
    removeUnreachable(func)
    caller.calls = callsIn(func)
    changed(func)
  }
  for (const each of all) if (each.root) visit(each, calleeOf, takeIn)
  // What is left.
  const used = new Set<Candidate>()
  const work = all.filter((each) => each.root)
  for (let each = work.pop(); each !== undefined; each = work.pop()) {
    if (used.has(each)) continue
    used.add(each)
    for (const call of each.calls) work.push(calleeOf(call)!)
  }
  for (const [index, each] of candidates.entries()) {
    if (each !== null && !used.has(each)) module.functions[index] = null
  }
  return true
}

/** Callees before callers, by a list instead of recursion. */
function visit(
  root: Candidate,
  calleeOf: (call: Value) => Candidate | undefined,
  takeIn: (caller: Candidate) => void,
): void {
  const stack: { readonly at: Candidate; next: number }[] = []
  const enter = (each: Candidate): void => {
    if (each.state !== 'new') return
    each.state = 'visiting'
    stack.push({ at: each, next: 0 })
  }
  enter(root)
  while (stack.length > 0) {
    const top = stack[stack.length - 1]!
    const call = top.at.calls[top.next++]
    if (call === undefined) {
      takeIn(top.at)
      top.at.state = 'done'
      stack.pop()
      continue
    }
    const callee = calleeOf(call)!
    // A way back to a function that is being visited: all between are recursive.
    if (callee.state === 'visiting') {
      for (let at = stack.length - 1; at >= 0; at--) {
        stack[at]!.at.inlinable = false
        if (stack[at]!.at === callee) break
      }
    }
    enter(callee)
  }
}

function candidate(func: Func, root: boolean): Candidate {
  let cost = 0
  let inlinable = true
  for (const block of func.blocks) {
    for (const { op } of block.values) {
      if (op === Op.tailcall) inlinable = false
      if (!isFree(op)) cost++
    }
  }
  return { func, calls: callsIn(func), cost, callers: 0, root, state: 'new', inlinable }
}

function isFree(op: number): boolean {
  switch (op) {
    case Op.param:
    case Op.frame:
    case Op.phi:
    case Op.trunc:
    case Op.zext:
    case Op.jump:
    case Op.ret:
      return true
    default:
      return false
  }
}

function callsIn(func: Func): Value[] {
  const calls: Value[] = []
  for (const block of func.blocks) {
    for (const value of block.values) if (value.op === Op.call && value.callee!.kind === 'function') calls.push(value)
  }
  return calls
}

/**
 * Splits the call's block and puts a copy of the callee between. The blocks to stand behind it are the result; the call has what
 * it gives as replacement then.
 */
function inline(func: Func, call: Value, callee: Func, follow?: Follow): Block[] {
  const before = call.block
  const after = newBlock(func)
  const at = before.values.lastIndexOf(call)
  after.values = before.values.splice(at).slice(1)
  for (const value of after.values) value.block = after
  after.successors = before.successors
  for (const to of after.successors) {
    for (let index = 0; index < to.predecessors.length; index++) {
      if (to.predecessors[index] === before) to.predecessors[index] = after
    }
  }
  before.successors = []
  after.loopDepth = before.loopDepth
  after.order = before.order

  const blocks = copyBody(func, call, callee, follow)
  func.append(before, Op.jump, VOID, [], 0, call.origin)
  connect(before, blocks[0]!)
  const results: Value[] = []
  for (const block of blocks) {
    block.loopDepth = before.loopDepth
    block.order = before.order
    const { terminator } = block
    if (terminator.op !== Op.ret) continue
    results.push(terminator.args[0]!)
    terminator.op = Op.jump
    terminator.args = []
    connect(block, after)
  }
  if (results.length > 1) {
    const phi = func.create(after, Op.phi, call.type, results, 0, -1)
    after.values.unshift(phi)
    call.replacement = phi
  } else {
    // Without a result nothing comes back from there, and what follows is not reached.
    call.replacement = results[0] ?? func.double(0, 0)
  }
  return [...blocks, after]
}

/** A block that is in no list yet. */
function newBlock(func: Func): Block {
  return new Block(func.blockCount++)
}

/** Copies of the callee's blocks, in none of the caller's lists, its parameters replaced by the call's arguments. */
function copyBody(func: Func, call: Value, callee: Func, follow?: Follow): Block[] {
  const copies: (Value | undefined)[] = []
  const blockOf = new Map<Block, Block>()
  const things = new Map<Callee, Callee>()
  const thing = (of: Callee): Callee => {
    let mine = things.get(of)
    if (mine === undefined) {
      mine = of.kind === 'area' ? func.newArea(of.depth + 1) : func.thing(of)
      things.set(of, mine)
    }
    return mine
  }
  let frame: Callee | undefined
  func.stackBytes = Math.max(func.stackBytes, callee.stackBytes)
  const blocks = callee.blocks.map((block) => {
    const copy = newBlock(func)
    blockOf.set(block, copy)
    return copy
  })
  for (const [index, block] of callee.blocks.entries()) {
    const copy = blocks[index]!
    for (const value of block.values) {
      if (value.op === Op.param) {
        copies[value.id] = call.args[value.imm]!
        continue
      }
      const twin = func.append(copy, value.op, value.type, value.args, value.imm, value.origin)
      if (value.op === Op.frame && value.callee === null) twin.callee = frame ??= func.newArea(1)
      else if (value.callee !== null) twin.callee = value.op === Op.call ? value.callee : thing(value.callee)
      copies[value.id] = twin
      follow?.(value, twin)
    }
    copy.successors = block.successors.map((to) => blockOf.get(to)!)
    copy.predecessors = block.predecessors.map((from) => blockOf.get(from)!)
  }
  for (const copy of blocks) {
    for (const value of copy.values) {
      value.args = value.args.map((arg) => {
        if (arg.op !== Op.const) return copies[arg.id]!
        return arg.type === I64 ? func.double(arg.imm, arg.immHigh) : func.word(arg.imm)
      })
    }
  }
  return blocks
}
