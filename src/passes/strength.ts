// Strength reduction of addresses: where a loop derives addresses from an induction variable (base + (i << 2) + 8), pointers
// that step take their place, as far as that costs less in this target's addressing modes: an index in a register, shifted by
// 0 to 3, is free in a load and costs a cycle in a store; a step is free where an access can write its base back
// (select-writeback.ts), else an addition. If only the loop's own condition is left to read the induction variable, countdown
// makes a counter of it. Needs: legal, uses counted. Leaves: legal, with dead code and equal values before loops.

import { removeUnreachable } from '../ir/cfg.ts'
import { type Block, type Func, type Value, countUses, replaceValues } from '../ir/func.ts'
import { I32, Op } from '../ir/op.ts'
import { type Affine, affineOf, sameTerms } from './affine.ts'
import { tripsOf } from './countdown.ts'
import { type Induction, type Loop, LoopForest, inductionOf } from './loops.ts'

/** Registers that a loop may fill with what lives through it, without calls and with them. */
const ROOM = 10
const ROOM_WITH_CALLS = 6
/** How far accesses through one pointer may lie from it, down and up; and with write-back. */
const BELOW = 255
const ABOVE = 4095
/** Cycles: an instruction; an address that was made right before its access. */
const INSTRUCTION = 2
const STALL = 1

interface Access {
  readonly value: Value
  /** Its address against the induction variable: the constant has the offset in it. */
  readonly place: number
}

/** Accesses that one pointer can serve. */
interface Group {
  readonly affine: Affine
  readonly accesses: Access[]
  /** Their distinct addresses, with their constant parts. */
  readonly addresses: { readonly value: Value; readonly constant: number }[]
  least: number
  greatest: number
  /** What a turn saves, in half cycles. */
  gain: number
  /** The access behind which the pointer steps, undefined: at the end of the loop's last block. */
  stepsBehind: Access | undefined
}

/** Whether anything changed. */
export function reduceStrength(func: Func): boolean {
  if (!func.blocks.some((block) => block.terminator.op !== Op.ret && block.predecessors.length > 1)) return false
  const order = removeUnreachable(func)
  const forest = new LoopForest(order)
  if (forest.loops.length === 0) return false
  let changed = false
  for (const loop of forest.loops) {
    forest.enter(loop)
    if (reduceLoop(func, forest, loop, order)) {
      replaceValues(func)
      changed = true
    }
  }
  return changed
}

function reduceLoop(func: Func, forest: LoopForest, loop: Loop, order: readonly Block[]): boolean {
  const inductions: Induction[] = []
  for (const phi of loop.header.values) {
    if (phi.op !== Op.phi) break
    const induction = inductionOf(forest, loop, phi)
    if (induction !== undefined) inductions.push(induction)
  }
  if (inductions.length === 0) return false
  const groups = findGroups(forest, loop, inductions)
  if (groups.length === 0) return false
  countUses(func)
  const left = new Int32Array(func.valueCount)
  let changed = false
  for (const induction of inductions) {
    const own = groups.filter((group) => group.affine.induction === induction)
    if (own.length === 0) continue
    const chosen = choose(func, own, forest, loop, order, left)
    if (chosen.length === 0) continue
    for (const group of chosen) replaceGroup(func, loop, group)
    changed = true
  }
  return changed
}

/** The groups that pay, or none. */
function choose(
  func: Func,
  groups: readonly Group[],
  forest: LoopForest,
  loop: Loop,
  order: readonly Block[],
  left: Int32Array,
): readonly Group[] {
  const { induction } = groups[0]!.affine
  for (const group of groups) weigh(group, forest, loop, left)
  const paying = groups.filter((group) => group.gain > 0)
  const turns = tripsOf(func, forest, loop, induction, order)
  // What counts down to 0 already stays as it is.
  const countable =
    turns !== undefined && !(induction.step.imm === -1 && isZero(turns.subtrahend) && turns.minuend === induction.start)
  const worth = (some: readonly Group[]): number => {
    const gain = some.reduce((sum, group) => sum + group.gain, 0)
    return countable && goesAway(induction, some, forest, loop, left) ? gain + INSTRUCTION : gain
  }
  const all = worth(groups)
  const some = worth(paying)
  const best = all > some ? groups : paying
  if (Math.max(all, some) <= 0) return []
  return fits(best, forest, loop) ? best : []
}

/** Whether nothing but the loop's condition and the step reads the induction variable once these are replaced. */
function goesAway(
  induction: Induction,
  groups: readonly Group[],
  forest: LoopForest,
  loop: Loop,
  left: Int32Array,
): boolean {
  const { phi, next } = induction
  const dead: number[] = []
  for (const group of groups) for (const { value } of group.addresses) remove(value, forest, left, dead)
  const condition = loop.latch.terminator.args[0]
  let readers = 0
  for (const value of [phi, next]) {
    readers += value.uses + left[value.id]!
    if (condition !== undefined && condition.uses === 1) {
      for (const arg of condition.args) if (arg === value) readers--
    }
  }
  for (const id of dead) left[id] = 0
  return readers === 2
}

/** Takes the uses away that a value's operands lose with it: `left` goes below 0. Counts what it goes over in `dead`. */
function remove(value: Value, forest: LoopForest, left: Int32Array, dead: number[]): number {
  let cost = 0
  for (const arg of value.args) {
    if (arg.op === Op.const) continue
    dead.push(arg.id)
    left[arg.id] = left[arg.id]! - 1
    if (arg.op === Op.phi || arg.uses + left[arg.id]! > 0 || !forest.isInside(arg)) continue
    const folded =
      (arg.op === Op.lsl || arg.op === Op.mul) && arg.uses === 1 && (value.op === Op.add || value.op === Op.sub)
    if (!folded) cost += INSTRUCTION
    cost += remove(arg, forest, left, dead)
  }
  return cost
}

/** What a turn saves with a pointer for the group, whatever becomes of the induction variable; and where it steps. */
function weigh(group: Group, forest: LoopForest, loop: Loop, left: Int32Array): void {
  const dead: number[] = []
  let before = 0
  for (const { value } of group.addresses) {
    const accesses = group.accesses.filter((access) => access.value.args[0] === value)
    const store = accesses.some(({ value: access }) => access.op >= Op.store8)
    if (isIndexed(value, accesses)) before += store ? INSTRUCTION : 0
    else before += INSTRUCTION + STALL
    before += remove(value, forest, left, dead)
  }
  for (const id of dead) left[id] = 0
  group.stepsBehind = lastAccess(group, forest, loop)
  let after = group.stepsBehind === undefined ? INSTRUCTION : 0
  const base = baseOf(group)
  for (const { value, constant } of group.addresses) {
    // What else reads the address.
    const others = value.uses - group.accesses.filter((access) => access.value.args[0] === value).length
    if (others > 0 && constant !== base) after += INSTRUCTION
  }
  group.gain = before - after
}

/** The only access through an address takes it in: a sum of two registers, one shifted by 0 to 3. */
function isIndexed(address: Value, accesses: readonly Access[]): boolean {
  if (address.op !== Op.add || address.uses !== 1 || accesses[0]!.value.imm !== 0) return false
  if (accesses[0]!.value.block !== address.block) return false
  for (const arg of address.args) {
    if (arg.op === Op.const || (arg.op === Op.mul && arg.uses === 1)) return false
    if (arg.op === Op.lsl && arg.uses === 1 && arg.args[1]!.imm > 3) return false
  }
  return true
}

/** The access that can step the pointer: the last of the group, in every turn, with all others before it in its block or, if it is in the loop's last block, in others. */
function lastAccess(group: Group, forest: LoopForest, loop: Loop): Access | undefined {
  const { step } = group.affine.induction
  if (step.op !== Op.const || Math.abs(Math.imul(step.imm, group.affine.scale)) > BELOW) return undefined
  let last = group.accesses[0]!
  let alone = true
  for (const access of group.accesses) {
    if (access.value.block !== last.value.block) alone = false
    if (access.value.block.order >= last.value.block.order) last = access
  }
  const { block } = last.value
  if (block !== loop.latch && !(alone && forest.dominates(block, loop.latch))) return undefined
  if (group.greatest - last.place > ABOVE || last.place - group.least > BELOW) return undefined
  for (const { value } of group.addresses) {
    // Others would read the pointer later.
    let accesses = 0
    for (const access of group.accesses) if (access.value.args[0] === value) accesses++
    if (value.uses !== accesses) return undefined
  }
  return last
}

/** The constant part of the pointer. */
function baseOf(group: Group): number {
  return group.stepsBehind?.place ?? group.least
}

/** Whether the loop's values would still have registers. */
function fits(groups: readonly Group[], forest: LoopForest, loop: Loop): boolean {
  let through = 0
  let calls = false
  const outside = new Set<Value>()
  for (const block of loop.blocks) {
    for (const value of block.values) {
      if (value.op === Op.phi && block === loop.header) through++
      if (value.op === Op.call) calls = true
      for (const arg of value.args) {
        if (arg.op !== Op.const && arg.op !== Op.frame && arg.op !== Op.address && !forest.isInside(arg))
          outside.add(arg)
      }
    }
  }
  const room = calls ? ROOM_WITH_CALLS : ROOM
  return through + outside.size + groups.length - 1 <= room
}

function findGroups(forest: LoopForest, loop: Loop, inductions: readonly Induction[]): Group[] {
  const groups: Group[] = []
  const depth = loop.header.loopDepth
  for (const block of loop.blocks) {
    if (block.loopDepth !== depth) continue
    for (const value of block.values) {
      if (!isAccess(value)) continue
      const address = value.args[0]!
      // A pointer that steps already, and what never does.
      if (!forest.isInside(address) || address.op === Op.phi) continue
      if (inductions.some(({ next }) => next === address)) continue
      const affine = affineOf(address, forest, inductions)
      if (affine === undefined) continue
      join(groups, { value, place: (affine.constant + value.imm) | 0 }, address, affine)
    }
  }
  return groups
}

function join(groups: Group[], access: Access, address: Value, affine: Affine): void {
  const { place } = access
  for (const group of groups) {
    if (!sameTerms(group.affine, affine)) continue
    const least = Math.min(group.least, place)
    const greatest = Math.max(group.greatest, place)
    const known = group.addresses.some(({ value }) => value === address)
    // Whatever is accessed through one address stays together.
    if (greatest - least > (known ? ABOVE : BELOW)) {
      if (!known) continue
      groups.splice(groups.indexOf(group), 1)
      return
    }
    group.least = least
    group.greatest = greatest
    group.accesses.push(access)
    if (!known) group.addresses.push({ value: address, constant: affine.constant })
    return
  }
  groups.push({
    affine,
    accesses: [access],
    addresses: [{ value: address, constant: affine.constant }],
    least: place,
    greatest: place,
    gain: 0,
    stepsBehind: undefined,
  })
}

function isZero(value: Value): boolean {
  return value.op === Op.const && value.imm === 0
}

function isAccess(value: Value): boolean {
  return (value.op >= Op.load8 && value.op <= Op.load32) || (value.op >= Op.store8 && value.op <= Op.store32)
}

/** Makes the pointer and lets the group's accesses go through it. */
function replaceGroup(func: Func, loop: Loop, group: Group): void {
  const { header, latch, before } = loop
  const { affine } = group
  const { induction, scale } = affine
  const base = baseOf(group)
  const { origin } = group.accesses[0]!.value
  const builder = new Sums(func, before, origin)
  builder.add(induction.start, scale)
  for (const { value, times } of affine.terms) builder.add(value, times)
  const start = builder.result(base)
  const by = new Sums(func, before, origin)
  by.add(induction.step, scale)
  const step = by.result(0)

  const pointer = func.create(header, Op.phi, I32, [], 0, origin)
  header.values.unshift(pointer)
  const behind = group.stepsBehind
  const home = behind?.value.block ?? latch
  const next = func.create(home, Op.add, I32, [pointer, step], 0, behind?.value.origin ?? induction.next.origin)
  const at = behind === undefined ? home.values.length - 1 : home.values.indexOf(behind.value) + 1
  home.values.splice(at, 0, next)
  pointer.args = header.predecessors[0] === latch ? [next, start] : [start, next]

  for (const { value, place } of group.accesses) {
    value.args[0] = pointer
    value.imm = (place - base) | 0
  }
  for (const { value, constant } of group.addresses) {
    if (constant === base) {
      value.replacement = pointer
    } else {
      value.op = Op.add
      value.args = [pointer, func.word(constant - base)]
    }
  }
}

/** Builds a sum of multiples at the end of a block. */
class Sums {
  readonly #func: Func
  readonly #block: Block
  readonly #origin: number
  #sum: Value | undefined
  #constant = 0

  constructor(func: Func, block: Block, origin: number) {
    this.#func = func
    this.#block = block
    this.#origin = origin
  }

  add(value: Value, times: number): void {
    if (times === 0) return
    if (value.op === Op.const) {
      this.#constant = (this.#constant + Math.imul(value.imm, times)) | 0
      return
    }
    if (value.op === Op.frame) {
      const frame = this.#put(Op.frame, [])
      frame.imm = value.imm
      value = frame
    } else if (value.op === Op.address) {
      const address = this.#put(Op.address, [])
      address.imm = value.imm
      address.callee = value.callee
      value = address
    }
    const power = 31 - Math.clz32(times)
    let multiple = value
    if (times === -1) {
      this.#sum = this.#put(Op.sub, [this.#sum ?? this.#func.word(0), value])
      return
    }
    if (times !== 1) {
      multiple =
        times > 0 && (times & (times - 1)) === 0
          ? this.#put(Op.lsl, [value, this.#func.word(power)])
          : this.#put(Op.mul, [value, this.#func.word(times)])
    }
    this.#sum = this.#sum === undefined ? multiple : this.#put(Op.add, [this.#sum, multiple])
  }

  result(constant: number): Value {
    const total = (this.#constant + constant) | 0
    if (this.#sum === undefined) return this.#func.word(total)
    return total === 0 ? this.#sum : this.#put(Op.add, [this.#sum, this.#func.word(total)])
  }

  #put(op: number, args: Value[]): Value {
    const value = this.#func.create(this.#block, op, I32, args, 0, this.#origin)
    this.#block.values.splice(this.#block.values.length - 1, 0, value)
    return value
  }
}
