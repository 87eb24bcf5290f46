// What is known of every value of a function: bits and bounds (src/domain), optimistic over loops. Walks the tree of dominators,
// so that what a branch says of its condition's operands holds in the blocks below it, and is forgotten behind them; the blocks of
// a loop are walked again until nothing changes, with growing bounds widened, and once more to narrow them.
// Needs: any stage; best folded and numbered.

import { UNMAPPED_END } from '../base/abi.ts'
import { emptySlots, int32, uint8 } from '../base/arrays.ts'
import { Comparison, decide, refine } from '../domain/compare.ts'
import { KnownValues, LIMIT } from '../domain/known-values.ts'
import * as domain from '../domain/transfer.ts'
import { dominators, removeUnreachable } from '../ir/cfg.ts'
import type { Block, Func, Value } from '../ir/func.ts'
import { COMPARE, I64, Op, VOID, attributes, opNames } from '../ir/op.ts'
import { type Counter, counterOf } from './counters.ts'

const WORD = 2 ** 32
/** The greatest address of anything. */
const LAST_ADDRESS = WORD - UNMAPPED_END - 1

const comparisonOf: (Comparison | undefined)[] = emptySlots(opNames.length)
comparisonOf[Op.eq] = Comparison.EQUAL
comparisonOf[Op.ne] = Comparison.NOT_EQUAL
comparisonOf[Op.ult] = Comparison.BELOW
comparisonOf[Op.ule] = Comparison.BELOW_OR_EQUAL
comparisonOf[Op.slt] = Comparison.LESS
comparisonOf[Op.sle] = Comparison.LESS_OR_EQUAL

/** What is known of values where they are defined. Of those that are never reached, everything holds. */
export class Ranges {
  /** Slots are ids of values. */
  readonly known: KnownValues
  /** By id of an `and` with a constant: 1 if that changes nothing of what comes there. */
  private readonly kept: Uint8Array
  constructor(known: KnownValues, kept: Uint8Array) {
    this.known = known
    this.kept = kept
  }
  /** An `and` whose first operand it is, by what branches above it say of that. */
  isKept(value: Value): boolean {
    return this.kept[value.id] === 1
  }
  /** Unsigned bounds; UNSIGNED_TOP (2^64) where nothing below 2^52 is known. Values made after the analysis: not to be asked for. */
  minimum(value: Value): number {
    return value.op === Op.const ? unsigned(value) : this.known.minimum(value.id)
  }
  maximum(value: Value): number {
    return value.op === Op.const ? unsigned(value) : this.known.maximum(value.id)
  }
  /** The low word's greatest and least by its bits, unsigned. */
  lowMaximum(value: Value): number {
    return (value.op === Op.const ? value.imm : this.known.possible(value.id)) >>> 0
  }
  lowMinimum(value: Value): number {
    return (value.op === Op.const ? value.imm : this.known.bits[value.id * 4]!) >>> 0
  }
  /** A value of 64 bits is below 2^32. */
  isWord(value: Value): boolean {
    return value.op === Op.const ? value.immHigh === 0 : this.known.maximum(value.id) < WORD
  }
  /** A value of 64 bits is the sign extension of its low word. */
  isSignedWord(value: Value): boolean {
    if (value.op === Op.const) return value.immHigh === value.imm >> 31
    const { known } = this
    return known.signedMinimum(value.id) >= -WORD / 2 && known.signedMaximum(value.id) < WORD / 2
  }
}

function unsigned(constant: Value): number {
  return (constant.type === I64 ? constant.immHigh >>> 0 : 0) * WORD + (constant.imm >>> 0)
}

/** `order`: reverse postorder of all blocks; without it those that the entry does not reach are dropped. */
export function findRanges(func: Func, order: readonly Block[] = removeUnreachable(func)): Ranges {
  return new Analysis(func, order).run()
}

/** Walks of loops until bounds are widened; until they are given up; the number of the last walk. */
const WIDEN = 1
const GIVE_UP = 8
const NARROW = -1
/** Slots for what branches refine, to begin with. */
const ROOM = 256
/** How many values that are made of a refined one are refined too. */
const MOST_DERIVED = 8

class Analysis {
  private readonly order: readonly Block[]
  private readonly hasContext: boolean
  private readonly known: KnownValues
  private readonly idom: Int32Array
  /** Blocks in the order of the walk, the place of each (by `order`) in it, and the place behind all that it dominates. */
  private readonly sequence: Block[] = []
  private readonly place: Int32Array
  private readonly end: Int32Array
  /** By id of a phi: where what comes along its edges is gathered; the slot after it keeps what came from outside of the loops. */
  private readonly gathered: Int32Array
  /** By place. */
  private readonly reached: Uint8Array
  private readonly met: Uint8Array
  private readonly isHeader: Uint8Array
  private readonly kept: Uint8Array
  private readonly counters = new Map<number, Counter>()
  /** By id: the first of the extensions and sums with a constant of a value, and of such a one the next; ids + 1. */
  private readonly derived: Int32Array
  private readonly derivedNext: Int32Array
  private readonly values: (Value | undefined)[]
  /** By id of such a one: the visit that made it; visits are counted. */
  private readonly madeBy: Int32Array
  private visits = 0
  /** Slots that the branches above refined, and before them, in slots from `saved` on. */
  private readonly refined: number[] = []
  private readonly saved: number
  /** Two slots for what is worked out on the way. */
  private readonly scratch: number
  private readonly scopes: number[] = []
  private readonly marks: number[] = []
  /** Of the walk of loops at hand: whether it found anything new; its number, NARROW for the last; the last place of the loops. */
  private changed = false
  private turn = NARROW
  private last = 0
  /** Where the walk is, and the block that is visited. */
  private at = 0
  private own = 0
  private irreducible = false

  constructor(func: Func, order: readonly Block[]) {
    this.order = order
    this.hasContext = func.hasContext
    this.idom = dominators(order)
    const count = order.length
    this.place = int32(count)
    this.end = int32(count)
    this.reached = uint8(count)
    this.met = uint8(count)
    this.isHeader = uint8(count)
    this.kept = uint8(func.valueCount)
    this.gathered = int32(func.valueCount)
    this.derived = int32(func.valueCount)
    this.derivedNext = int32(func.valueCount)
    this.values = emptySlots(func.valueCount)
    this.madeBy = int32(func.valueCount)
    let slots = func.valueCount
    for (const block of order) {
      for (const value of block.values) {
        if (value.op !== Op.phi) break
        this.gathered[value.id] = slots
        slots += 2
      }
    }
    this.scratch = slots
    this.saved = slots + 2
    this.known = new KnownValues(this.saved + ROOM)
  }

  run(): Ranges {
    this.arrange()
    this.reached[0] = 1
    const count = this.sequence.length
    if (this.irreducible) this.loops(0, count - 1)
    else {
      for (let at = 0; at < count;) {
        const last = this.lastOfLoops(at)
        if (last < 0) at = this.visit(at)
        else {
          this.loops(at, last)
          at = last + 1
        }
      }
    }
    this.forget(0)
    return new Ranges(this.known, this.kept)
  }

  // --- the order of the walk

  /** Preorder of the tree of dominators, children in reverse postorder: what comes before a block along forward edges is before it. */
  private arrange(): void {
    const { order, idom, place, end, sequence } = this
    const count = order.length
    const child = int32(count).fill(-1)
    const sibling = int32(count).fill(-1)
    for (let index = count - 1; index > 0; index--) {
      const above = idom[index]!
      sibling[index] = child[above]!
      child[above] = index
    }
    for (let at = 0; at >= 0;) {
      place[at] = sequence.length
      sequence.push(order[at]!)
      let next = child[at]!
      while (next < 0 && at >= 0) {
        end[place[at]!] = sequence.length
        next = sibling[at]!
        at = at === 0 ? -1 : idom[at]!
      }
      at = next
    }
    for (const block of order) {
      const own = place[block.order]!
      for (const from of block.predecessors) {
        const other = place[from.order]!
        if (other < own) continue
        this.isHeader[own] = 1
        if (other >= end[own]!) this.irreducible = true
      }
      if (this.isHeader[own] === 0) continue
      for (const phi of block.values) {
        if (phi.op !== Op.phi) break
        const counter = counterOf(phi, order, idom)
        if (counter !== undefined) this.counters.set(phi.id, counter)
      }
    }
  }

  /** The last place of the loop whose header is at this place, and of those that it runs into; -1 if there is none. */
  private lastOfLoops(at: number): number {
    const { sequence, place, isHeader } = this
    if (isHeader[at] === 0) return -1
    let last = at
    for (let index = at; index <= last; index++) {
      if (isHeader[index] === 0) continue
      for (const from of sequence[index]!.predecessors) last = Math.max(last, place[from.order]!)
    }
    return last
  }

  private loops(at: number, last: number): void {
    const { known, gathered } = this
    const { values } = this.sequence[at]!
    for (const phi of values) {
      if (phi.op !== Op.phi) break
      known.copy(gathered[phi.id]! + 1, gathered[phi.id]!)
    }
    if (this.reached[at] === 0) return
    this.last = last
    for (this.turn = 0; ; this.turn++) {
      this.changed = false
      this.walk(at, last)
      if (!this.changed) break
    }
    this.turn = NARROW
    this.walk(at, last)
  }

  private walk(at: number, last: number): void {
    const { known, gathered } = this
    this.reached[at] = 1
    for (const phi of this.sequence[at]!.values) {
      if (phi.op !== Op.phi) break
      known.join(gathered[phi.id]!, gathered[phi.id]! + 1)
    }
    for (let next = at; next <= last;) next = this.visit(next)
  }

  /** Works out the block at this place; gives the next place to go to. */
  private visit(at: number): number {
    const { scopes, marks, end } = this
    while (scopes.length > 0) {
      const scope = scopes[scopes.length - 1]!
      if (scope < at && at < end[scope]!) break
      scopes.pop()
      this.forget(marks.pop()!)
    }
    // What it dominates is not reached either.
    if (this.reached[at] === 0) return end[at]!
    this.reached[at] = 0
    this.own = at
    this.visits++
    scopes.push(at)
    marks.push(this.refined.length)
    const block = this.sequence[at]!
    if (block.predecessors.length === 1) {
      const { terminator, successors, order } = block.predecessors[0]!
      // What this block makes is not made yet.
      this.at = this.place[order]!
      if (terminator.op === Op.branch && successors[0] !== successors[1]) {
        if (!this.assume(terminator.args[0]!, successors[0] === block)) return end[at]!
      }
    }
    this.at = at
    const { values } = block
    let index = 0
    while (values[index]!.op === Op.phi) this.phi(values[index++]!)
    if (this.isHeader[at] !== 0 && this.met[at] === 0) {
      this.met[at] = 1
      this.changed = true
    }
    for (; index < values.length - 1; index++) {
      const value = values[index]!
      if (value.type !== VOID) this.transfer(value)
      if (value.op >= Op.load8 && value.op <= Op.store64) this.access(value)
    }
    this.leave(block)
    return at + 1
  }

  private phi(phi: Value): void {
    const { known } = this
    const { id } = phi
    const to = this.gathered[id]!
    const wide = phi.type === I64
    if (this.isHeader[this.at] === 0) known.copy(id, to)
    else {
      if (this.turn !== NARROW) {
        known.join(to, id)
        if (this.turn >= WIDEN && !known.same(to, id)) known.widen(to, id, wide, this.turn >= GIVE_UP)
      }
      const counter = this.counters.get(id)
      if (counter !== undefined && this.turn < GIVE_UP) this.limit(to, counter, wide)
      if (!known.same(to, id)) {
        this.changed = true
        known.copy(id, to)
      }
    }
    known.setEmpty(to)
  }

  /** What a counter can be, by where it starts and what it stops at. */
  private limit(to: number, counter: Counter, wide: boolean): void {
    const { known } = this
    if (known.isEmpty(to)) return
    const { step, starts, tested } = counter
    const bound = this.slot(counter.bound)
    let from = Infinity
    let signedFrom = Infinity
    let upTo = -Infinity
    let signedUpTo = -Infinity
    // A step of more than one must meet the bound: both must be as far from a multiple of it.
    const mask = Math.abs(step) - 1
    const isPower = (mask & (mask + 1)) === 0
    let meets = true
    for (const each of starts) {
      const start = this.slot(each)
      if (known.isEmpty(start)) continue
      from = Math.min(from, known.minimum(start))
      upTo = Math.max(upTo, known.maximum(start))
      signedFrom = Math.min(signedFrom, known.signedMinimum(start))
      signedUpTo = Math.max(signedUpTo, known.signedMaximum(start))
      const unsure = known.bits[start * 4 + 2]! | known.bits[bound * 4 + 2]!
      const different = known.bits[start * 4]! ^ known.bits[bound * 4]!
      if (isPower ? ((unsure | different) & mask) !== 0 : !this.isApart(start, bound, step)) meets = false
    }
    if (!meets) return
    const { bounds } = known
    const at = to * 4
    const gap = tested === 'next' ? Math.abs(step) : 0
    const least = tested === 'next' ? 1 : 0
    if (step > 0) {
      const most = known.maximum(bound)
      if (most <= LIMIT && (counter.ordered || upTo + least <= known.minimum(bound))) {
        bounds[at] = Math.max(bounds[at]!, from)
        bounds[at + 1] = Math.min(bounds[at + 1]!, most - gap)
      }
      const signedMost = known.signedMaximum(bound)
      if (signedMost <= LIMIT && signedUpTo + least <= known.signedMinimum(bound)) {
        bounds[at + 2] = Math.max(bounds[at + 2]!, signedFrom)
        bounds[at + 3] = Math.min(bounds[at + 3]!, signedMost - gap)
      }
    } else {
      if (upTo <= LIMIT && (counter.ordered || from - least >= known.maximum(bound))) {
        bounds[at] = Math.max(bounds[at]!, known.minimum(bound) + gap)
        bounds[at + 1] = Math.min(bounds[at + 1]!, upTo)
      }
      if (signedUpTo <= LIMIT && signedFrom - least >= known.signedMaximum(bound)) {
        bounds[at + 2] = Math.max(bounds[at + 2]!, known.signedMinimum(bound) + gap)
        bounds[at + 3] = Math.min(bounds[at + 3]!, signedUpTo)
      }
    }
    known.settle(to, wide)
  }

  /** Two constants that are some steps apart, neither of them negative. */
  private isApart(a: number, b: number, step: number): boolean {
    const { known } = this
    const from = known.signedMinimum(a)
    const to = known.signedMinimum(b)
    if (from < 0 || to < 0 || from !== known.signedMaximum(a) || to !== known.signedMaximum(b)) return false
    return from <= LIMIT && to <= LIMIT && (to - from) % step === 0
  }

  /** Tells the blocks that control goes on to. */
  private leave(block: Block): void {
    const { terminator, successors } = block
    if (terminator.op !== Op.branch) {
      for (const to of successors) this.flow(block, to, undefined, true)
      return
    }
    const condition = terminator.args[0]!
    const slot = this.slot(condition)
    const distinct = successors[0] !== successors[1]
    const assumed = distinct ? condition : undefined
    if (this.known.maximum(slot) > 0) this.flow(block, successors[0]!, assumed, true)
    if (this.known.minimum(slot) === 0) this.flow(block, successors[1]!, assumed, false)
  }

  private flow(from: Block, to: Block, condition: Value | undefined, holds: boolean): void {
    const { known } = this
    const place = this.place[to.order]!
    // Only the last walk of loops says what leaves them.
    if (place > this.last && this.turn !== NARROW) return
    const { values } = to
    // Where loops have several ways in, control may come to a header from below alone.
    if (place <= this.own && this.met[place] === 0) this.changed = true
    if (values[0]!.op !== Op.phi) {
      this.reached[place] = 1
      return
    }
    const mark = this.refined.length
    if (condition === undefined || this.assume(condition, holds)) {
      this.reached[place] = 1
      const { predecessors } = to
      for (let edge = 0; edge < predecessors.length; edge++) {
        if (predecessors[edge] !== from) continue
        for (let index = 0; values[index]!.op === Op.phi; index++) {
          known.join(this.gathered[values[index]!.id]!, this.slot(values[index]!.args[edge]!))
        }
      }
    }
    this.forget(mark)
  }

  // --- what branches say

  /** Keeps what is known of a slot, until `forget`. */
  private keep(slot: number): void {
    const { refined, known } = this
    const to = this.saved + refined.length
    known.reserve(to + 1)
    known.copy(to, slot)
    refined.push(slot)
  }

  private forget(mark: number): void {
    const { refined, known } = this
    while (refined.length > mark) {
      const slot = refined.pop()!
      known.copy(slot, this.saved + refined.length)
    }
  }

  /** Refines what is known by a condition that holds or not; false if that can't be. */
  private assume(condition: Value, holds: boolean): boolean {
    const { known } = this
    const comparison = comparisonOf[condition.op]
    const own = this.slot(condition)
    this.keep(own)
    if (comparison === undefined) {
      known.setConstant(this.scratch, 0, 0, false)
      refine(known, holds ? Comparison.NOT_EQUAL : Comparison.EQUAL, own, this.scratch, false)
      return !known.isEmpty(own)
    }
    known.setConstant(own, holds ? 1 : 0, 0, false)
    const a = condition.args[0]!
    const b = condition.args[1]!
    const x = this.slot(a)
    const y = this.slot(b)
    this.keep(x)
    this.keep(y)
    const wide = a.type === I64
    if (holds) refine(known, comparison, x, y, wide)
    else refine(known, opposite[comparison]!, exchanged(comparison) ? y : x, exchanged(comparison) ? x : y, wide)
    if (known.isEmpty(x) || known.isEmpty(y)) return false
    this.follow(a, 3)
    this.follow(b, 3)
    return true
  }

  /**
   * What an access says of its address, until `forget`: it is not in the end of the address space, or it would have faulted. Offsets
   * above 0 could wrap to the start.
   */
  private access({ args, imm }: Value): void {
    const address = args[0]!
    if (imm > 0 || imm <= -UNMAPPED_END || address.op === Op.const) return
    const { known, scratch } = this
    const most = LAST_ADDRESS - imm
    if (known.maximum(address.id) <= most || known.minimum(address.id) > most) return
    this.keep(address.id)
    known.setRange(scratch, 0, most, false)
    known.meet(address.id, scratch, false)
    this.follow(address, 2)
  }

  /** Carries what was refined of a value to those that it is made of, and to its extensions. */
  private follow(value: Value, depth: number): void {
    const { known, scratch } = this
    const { op, id } = value
    if (op === Op.const || depth === 0) return
    const of = value.args[0]
    if (op === Op.zext || op === Op.sext) domain.truncate(known, scratch, id)
    else if (op === Op.trunc) {
      if (known.maximum(of!.id) < WORD) domain.zeroExtend(known, scratch, id)
      else return
    } else if (op === Op.add && value.args[1]!.op === Op.const) {
      domain.sub(known, scratch, id, this.slot(value.args[1]!), value.type === I64)
    } else return this.extend(value, 1)
    if (of!.op === Op.const) return
    this.keep(of!.id)
    known.meet(of!.id, scratch, of!.type === I64)
    this.extend(value, 1)
    this.follow(of!, depth - 1)
  }

  /** Carries it to what was made of the value before. */
  private extend(value: Value, depth: number): void {
    const { known, scratch, place, at } = this
    let left = MOST_DERIVED
    for (let next = this.derived[value.id]!; next > 0 && left > 0; next = this.derivedNext[next - 1]!, left--) {
      const other = this.values[next - 1]!
      const above = place[other.block.order]!
      // Only what is worked out before the walk gets below.
      if (above > at || at >= this.end[above]!) continue
      if (above === this.own && this.madeBy[other.id] !== this.visits) continue
      this.keep(other.id)
      const wide = other.type === I64
      if (other.op === Op.zext) domain.zeroExtend(known, scratch, value.id)
      else if (other.op === Op.sext) domain.signExtend(known, scratch, value.id, 32, true)
      else domain.add(known, scratch, value.id, this.slot(other.args[1]!), wide)
      known.meet(other.id, scratch, wide)
      if (depth > 0) this.extend(other, depth - 1)
    }
  }

  // --- what operations make

  private slot(value: Value): number {
    if (value.op === Op.const && this.known.isEmpty(value.id)) {
      this.known.setConstant(value.id, value.imm, value.immHigh, value.type === I64)
    }
    return value.id
  }

  private transfer(value: Value): void {
    const { known } = this
    const { op, args, id } = value
    const wide = value.type === I64
    const a = args.length > 0 ? this.slot(args[0]!) : 0
    const b = args.length > 1 ? this.slot(args[1]!) : 0
    if (op === Op.add && args[1]!.op === Op.const) this.noteDerived(value)
    else if (op === Op.and) this.kept[id] = keeps(known, args[0]!, args[1]!) ? 1 : 0
    if (op >= Op.add && op <= Op.asr) return binary[op]!(known, id, a, b, wide)
    const comparison = comparisonOf[op]
    if (comparison !== undefined) {
      const decided = decide(known, comparison, a, b)
      if (decided >= 0) known.setConstant(id, decided, 0, false)
      else known.setRange(id, 0, 1, false)
      return
    }
    switch (op) {
      case Op.trunc:
        return domain.truncate(known, id, a)
      case Op.high:
        return domain.highWord(known, id, a)
      case Op.zext:
      case Op.sext:
        this.noteDerived(value)
        if (op === Op.zext) return domain.zeroExtend(known, id, a)
        return domain.signExtend(known, id, a, 32, true)
      case Op.sext8:
        return domain.signExtend(known, id, a, 8, wide)
      case Op.sext16:
        return domain.signExtend(known, id, a, 16, wide)
      case Op.concat:
        return domain.concatenate(known, id, a, b)
      case Op.bswap:
        return domain.swapBytes(known, id, a, wide ? 8 : 4)
      case Op.bswap16:
        return domain.swapBytes(known, id, a, 2)
      case Op.select:
        return this.select(value)
      case Op.load8:
        return known.setRange(id, 0, 0xff, false)
      case Op.load16:
        return known.setRange(id, 0, 0xffff, false)
      case Op.load8s:
        return known.setSignedRange(id, -0x80, 0x7f, false)
      case Op.load16s:
        return known.setSignedRange(id, -0x8000, 0x7fff, false)
      case Op.clz:
        return known.setRange(id, 0, 32, false)
      case Op.param:
        if (this.hasContext && value.imm === 0) return known.setRange(id, 0, LAST_ADDRESS, wide)
        return known.setUnknown(id, wide)
      case Op.address:
      case Op.tableaddress:
        return known.setRange(id, 0, LAST_ADDRESS, false)
      case Op.frame:
        // r10 is a multiple of 8.
        known.setRange(id, 0, LAST_ADDRESS, false)
        known.setBits(id, value.imm & 7, 0, ~7, 0)
        return
      default:
        if ((attributes[op]! & COMPARE) !== 0) known.setRange(id, 0, 1, false)
        else known.setUnknown(id, wide)
    }
  }

  private noteDerived(value: Value): void {
    this.madeBy[value.id] = this.visits
    if (this.values[value.id] !== undefined) return
    this.values[value.id] = value
    const of = value.args[0]!.id
    this.derivedNext[value.id] = this.derived[of]!
    this.derived[of] = value.id + 1
  }

  /** Either operand, as far as the condition lets it be. */
  private select({ id, args }: Value): void {
    const { known } = this
    const condition = args[0]!
    const own = this.slot(condition)
    const result = this.scratch + 1
    known.setEmpty(result)
    for (let index = 1; index <= 2; index++) {
      if (index === 1 ? known.maximum(own) === 0 : known.minimum(own) > 0) continue
      const mark = this.refined.length
      if (this.assume(condition, index === 1)) known.join(result, this.slot(args[index]!))
      this.forget(mark)
    }
    known.copy(id, result)
  }
}

/** Whether every bit that can be set in a value is set in a constant mask. */
export function keeps({ bits }: KnownValues, value: Value, mask: Value): boolean {
  if (value.op === Op.const || mask.op !== Op.const) return false
  const at = value.id * 4
  if (((bits[at]! | bits[at + 2]!) & ~mask.imm) !== 0) return false
  return value.type !== I64 || ((bits[at + 1]! | bits[at + 3]!) & ~mask.immHigh) === 0
}

const opposite: readonly Comparison[] = [
  Comparison.NOT_EQUAL,
  Comparison.EQUAL,
  Comparison.BELOW_OR_EQUAL,
  Comparison.BELOW,
  Comparison.LESS_OR_EQUAL,
  Comparison.LESS,
]

/** The opposite is of the operands exchanged. */
function exchanged(comparison: Comparison): boolean {
  return comparison >= Comparison.BELOW
}

const binary: ((known: KnownValues, to: number, a: number, b: number, wide: boolean) => void)[] = []
binary[Op.add] = domain.add
binary[Op.sub] = domain.sub
binary[Op.mul] = domain.mul
binary[Op.udiv] = domain.udiv
binary[Op.urem] = domain.urem
binary[Op.sdiv] = domain.sdiv
binary[Op.srem] = domain.srem
binary[Op.and] = domain.and
binary[Op.or] = domain.or
binary[Op.xor] = domain.xor
binary[Op.lsl] = domain.lsl
binary[Op.lsr] = domain.lsr
binary[Op.asr] = domain.asr
