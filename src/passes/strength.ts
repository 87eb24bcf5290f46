// Strength reduction of addresses: where a loop derives addresses from an induction variable (base + (i << 2) + 8), pointers
// that step take their place, as far as that costs less in this target's addressing modes: an index in a register, shifted by
// 0 to 3, is free in a load and costs a cycle in a store; a step is free where an access can write its base back
// (select-writeback.ts), else an addition. If only the loop's own condition is left to read the induction variable, countdown
// makes a counter of it. Needs: legal, uses counted. Leaves: legal, with dead code and equal values before loops.

import { int32 } from '../base/arrays.ts'
import { removeUnreachable } from '../ir/cfg.ts'
import { type Block, type Func, type Value, countUses, replaceValues } from '../ir/func.ts'
import { I32, Op } from '../ir/op.ts'
import { type Affine, SumBuilder, affineOf, sameTerms } from './affine.ts'
import { tripsOf } from './countdown.ts'
import { type Alike, alikeOf, isBeforeStep } from './strength-alike.ts'
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
/** What a pointer more costs where the registers are full: a store and a load. */
const SPILL = 8

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
  /** The pointer that serves it, if one that steps alike is there. */
  alike: Alike | undefined
  /** What a turn saves, in half cycles. */
  gain: number
  /** The access behind which the pointer steps, undefined: at the end of the loop's last block. */
  stepsBehind: Access | undefined
  /** The constant part of the pointer. */
  base: number
}

/** Whether anything changed. */
export function reduceStrength(func: Func): boolean {
  if (!func.blocks.some((block) => block.terminator.op !== Op.ret && block.predecessors.length > 1)) return false
  const order = removeUnreachable(func)
  const forest = new LoopForest(order)
  if (forest.loops.length === 0) return false
  let changed = false
  // Counted for the first loop that asks, and again behind each that changed.
  let left: Int32Array | undefined
  for (const loop of forest.loops) {
    forest.enter(loop)
    const inductions = inductionsOf(forest, loop)
    if (inductions.length === 0) continue
    const groups = findGroups(forest, loop, inductions)
    if (groups.length === 0) continue
    if (left === undefined) {
      countUses(func)
      left = int32(func.valueCount)
    }
    const chosen: Group[] = []
    for (const induction of inductions) {
      const own = groups.filter((group) => group.affine.induction === induction)
      for (const group of own) group.alike = findAlike(group, inductions, forest)
      if (own.length > 0) chosen.push(...choose(func, own, forest, loop, order, left))
    }
    if (chosen.length === 0) continue
    for (const group of chosen) replaceGroup(func, loop, group)
    replaceValues(func)
    left = undefined
    changed = true
  }
  return changed
}

function inductionsOf(forest: LoopForest, loop: Loop): Induction[] {
  const inductions: Induction[] = []
  for (const phi of loop.header.values) {
    if (phi.op !== Op.phi) break
    const induction = inductionOf(forest, loop, phi)
    if (induction !== undefined) inductions.push(induction)
  }
  return inductions
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
    return goesAway(induction, countable, some, forest, loop, left) ? gain + INSTRUCTION : gain
  }
  const all = worth(groups)
  const some = worth(paying)
  const best = all > some ? groups : paying
  if (Math.max(all, some) <= 0) return []
  const more = best.filter(({ alike }) => alike === undefined).length
  return Math.max(all, some) >= SPILL * more || fits(more, forest, loop, left) ? best : []
}

/** Whether nothing but the step, and a condition that can be had without it, reads the induction variable once these are replaced. */
function goesAway(
  induction: Induction,
  countable: boolean,
  groups: readonly Group[],
  forest: LoopForest,
  loop: Loop,
  left: Int32Array,
): boolean {
  const { phi, next } = induction
  const dead: number[] = []
  for (const group of groups) for (const { value } of group.addresses) remove(value, forest, left, dead)
  const condition = loop.latch.terminator.args[0]
  const readers = phi.uses + left[phi.id]! + next.uses + left[next.id]!
  let tests = 0
  if (condition !== undefined && condition.uses === 1) {
    for (const arg of condition.args) if (arg === phi || arg === next) tests++
  }
  for (const id of dead) left[id] = 0
  // The phi's own and that of the step.
  return readers - tests === 2 && (countable || tests === 0)
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
    // Of a pair, the sum is the instruction.
    if (!folded && arg.op !== Op.word) cost += INSTRUCTION
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
    else if (value.op !== Op.word) before += accesses.length > 0 ? INSTRUCTION + STALL : INSTRUCTION
    before += remove(value, forest, left, dead)
  }
  for (const id of dead) left[id] = 0
  if (group.alike !== undefined) {
    const { distance } = group.alike
    let sums = 0
    for (const { value, constant } of group.addresses)
      if (value.uses !== accessesAt(group, value) && constant + distance !== 0) sums += INSTRUCTION
    group.gain = before - sums
    return
  }
  group.stepsBehind = lastAccess(group, forest, loop)
  let after = group.stepsBehind === undefined ? INSTRUCTION : 0
  group.base = group.stepsBehind?.place ?? group.least
  let isFree = group.stepsBehind === undefined
  for (const { value, constant } of group.addresses) {
    if (value.uses === accessesAt(group, value) || constant === group.base) continue
    // What else reads an address takes the pointer itself; what reads another adds.
    if (isFree && constant - group.least <= BELOW && group.greatest - constant <= ABOVE) {
      group.base = constant
      isFree = false
    } else {
      after += INSTRUCTION
    }
  }
  group.gain = before - after
}

function accessesAt({ accesses }: Group, address: Value): number {
  let count = 0
  for (const { value } of accesses) if (value.args[0] === address) count++
  return count
}

/** The only access through an address takes it in: a sum of two registers, one shifted by 0 to 3. */
function isIndexed(address: Value, accesses: readonly Access[]): boolean {
  if (address.op !== Op.add || address.uses !== 1 || accesses.length === 0 || accesses[0]!.value.imm !== 0) return false
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
  let last = group.accesses[0]
  if (last === undefined) return undefined
  let alone = true
  for (const access of group.accesses) {
    if (access.value.block !== last.value.block) alone = false
    if (access.value.block.order >= last.value.block.order) last = access
  }
  const { block } = last.value
  if (block !== loop.latch && !(alone && forest.dominates(block, loop.latch))) return undefined
  if (group.greatest - last.place > ABOVE || last.place - group.least > BELOW) return undefined
  // Others would read the pointer later.
  return group.addresses.some(({ value }) => value.uses !== accessesAt(group, value)) ? undefined : last
}

/** A pointer that serves the group as it is, and that all of it is computed before the step of. */
function findAlike(group: Group, inductions: readonly Induction[], forest: LoopForest): Alike | undefined {
  const alike = alikeOf(group.affine, inductions)
  if (alike === undefined || group.least + alike.distance < -BELOW || group.greatest + alike.distance > ABOVE)
    return undefined
  const { accesses, addresses } = group
  const before = (value: Value): boolean => isBeforeStep(value, alike.induction, forest)
  return accesses.every(({ value }) => before(value)) && addresses.every(({ value }) => before(value))
    ? alike
    : undefined
}

/** Whether the loop's values would still have registers with so many pointers more. `seen`: zeros, by id, and zeros again. */
function fits(pointers: number, forest: LoopForest, loop: Loop, seen: Int32Array): boolean {
  let through = pointers - 1
  let room = ROOM
  const outside: number[] = []
  for (const block of loop.blocks) {
    const { values } = block
    for (let index = 0; index < values.length; index++) {
      const { op, args } = values[index]!
      if (op === Op.phi && block === loop.header) through++
      if (op === Op.call) room = ROOM_WITH_CALLS
      for (let each = 0; each < args.length; each++) {
        const arg = args[each]!
        if (arg.op === Op.const || arg.op === Op.frame || arg.op === Op.address) continue
        if (seen[arg.id] !== 0 || forest.isInside(arg)) continue
        seen[arg.id] = 1
        outside.push(arg.id)
      }
    }
  }
  for (const id of outside) seen[id] = 0
  return through + outside.length <= room
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
      const place = (affine.constant + value.imm) | 0
      join(groups, { value, place }, place, address, affine)
    }
  }
  for (const start of startsOfInner(loop)) {
    if (!forest.isInside(start) || start.op === Op.phi || inductions.some(({ next }) => next === start)) continue
    const affine = affineOf(start, forest, inductions)
    if (affine !== undefined) join(groups, undefined, affine.constant, start, affine)
  }
  return groups
}

/** What variables of the loops right inside of this one start from: addresses, if strength was reduced there. */
function startsOfInner({ blocks, header }: Loop): Value[] {
  const starts: Value[] = []
  for (const block of blocks) {
    if (block.loopDepth !== header.loopDepth + 1) continue
    for (const value of block.values) {
      if (value.op !== Op.phi) break
      for (let index = 0; index < value.args.length; index++) {
        const arg = value.args[index]!
        if (block.predecessors[index]!.loopDepth === header.loopDepth && !starts.includes(arg)) starts.push(arg)
      }
    }
  }
  return starts
}

function join(groups: Group[], access: Access | undefined, place: number, address: Value, affine: Affine): void {
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
    if (access !== undefined) group.accesses.push(access)
    if (!known) group.addresses.push({ value: address, constant: affine.constant })
    return
  }
  groups.push({
    affine,
    accesses: access === undefined ? [] : [access],
    addresses: [{ value: address, constant: affine.constant }],
    least: place,
    greatest: place,
    alike: undefined,
    gain: 0,
    stepsBehind: undefined,
    base: place,
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
  if (group.alike !== undefined) {
    const { induction, distance } = group.alike
    return accessThrough(func, group, induction.phi, -distance)
  }
  const { header, latch, before } = loop
  const { affine } = group
  const { induction, scale } = affine
  const { base } = group
  const { origin } = group.addresses[0]!.value
  const builder = new SumBuilder(func, before, origin)
  builder.add(induction.start, scale)
  for (const { value, times } of affine.terms) builder.add(value, times)
  const start = builder.result(base)
  const by = new SumBuilder(func, before, origin)
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
  accessThrough(func, group, pointer, base)
}

/** Lets the group's accesses go through a pointer to where the constant part is `base`. */
function accessThrough(func: Func, group: Group, pointer: Value, base: number): void {
  for (const { value, place } of group.accesses) {
    value.args[0] = pointer
    value.imm = (place - base) | 0
  }
  for (const { value, constant } of group.addresses) {
    if (constant === base) {
      value.replacement = pointer
    } else {
      value.op = Op.add
      value.args = [pointer, func.word((constant - base) | 0)]
    }
  }
}
