// A place for every bundle. The manner is that of regalloc2 and of LLVM's greedy allocator: bundles come from a queue,
// long ones first, each takes the cheapest register that is free over all of its ranges, or evicts lighter bundles, or is
// split: where the conflict begins, moved out of loops where that can be, and around single instructions in the end. What
// has no reference that needs a register goes to memory.
//
// It ends because an eviction needs a heavier bundle and a split makes smaller ones; it succeeds because a bundle of
// one instruction can evict everything but others of the same instruction, and an instruction has few operands.

import { float64, int32, uint8 } from '../base/arrays.ts'
import { unreachable } from '../base/errors.ts'
import { FIELD } from '../thumb/forms.ts'
import { ALLOCATABLE, CALLEE_SAVED, LOW, LR } from '../thumb/registers.ts'
import { type CodeFunction, FIRST_VIRTUAL, P } from './code.ts'
import { type Liveness, refPosition } from './liveness.ts'
import { Field, Role, fixedRegister, isBranch, operandIndex } from './operands.ts'
import { type Bundles } from './regalloc-bundles.ts'
import { ByteCosts, saveBytes } from './regalloc-bytes.ts'
import { saves } from './regalloc-memory.ts'
import { Queue } from './regalloc-queue.ts'
import { Taken } from './regalloc-taken.ts'

const PINNED = -1
/** Cycles that the first use of a callee-saved register (or LR) costs: its push and pop. */
const SAVE_COST = 2
/** What a reference to a register of r8-r12 or LR costs: two more bytes, mostly. */
const HIGH_COST = 0.1
/** What an encoding of two bytes less is worth. */
const SHORT_GAIN = 0.1
/** Bundles that one may evict to get a low register. */
const VICTIMS = 32
/** Both where bytes are to be saved: costs are in pairs of them. */
const BYTES = 1
/** Positions between a constant's making and its first use from which on it is made later. */
const FAR = 24
/** References of a bundle that are asked for the register that they would like. */
const HINT_LIMIT = 64
/** Order among equals. Arguments and results begin at r0, so r3 is the least in the way. */
const ORDER = Float64Array.of(
  0.003,
  0.002,
  0.001,
  0,
  0.01,
  0.011,
  0.012,
  0.013,
  0.03,
  0.031,
  0.032,
  0.033,
  0.02,
  0,
  0.025,
)

/** Places all bundles: afterwards `bundles.register` is a real register, or -1 for memory. */
export class Assignment {
  /** Real registers that bundles are in, and those that cost nothing more to use. */
  used: number
  /** Real registers that are taken, by ranges or PINNED. */
  readonly taken: Taken
  /** Virtual registers that are in more than one bundle. */
  readonly split: Uint8Array
  readonly live: Liveness
  readonly bundles: Bundles
  readonly #highCost: number
  readonly #shortGain: number
  readonly #queue = new Queue()
  /** Sum of what the references before one cost. */
  readonly #refCost: Float64Array
  /** Where bytes are to be saved. */
  readonly #bytes: ByteCosts | undefined
  readonly #victims: number[] = []
  readonly #wanted = new Float64Array(16)
  #references = 0
  /** Register that a set of bundles was put in last. */
  readonly #setRegister: Int8Array
  readonly #conflict = new Int32Array(16)
  /** Bundles in memory that may still get a register in the end. */
  readonly #inMemory: number[] = []
  readonly #calls: boolean
  readonly #fn: CodeFunction
  /** Per block: the last one before it that runs less often, -1 for none. */
  readonly #calmer: Int32Array
  /** Parts of the last cut. */
  #head = -1
  #tail = -1

  constructor(fn: CodeFunction, live: Liveness, bundles: Bundles, saved: number, small: boolean) {
    this.#fn = fn
    this.#bytes = small ? new ByteCosts(live, bundles) : undefined
    this.#highCost = small ? BYTES : HIGH_COST
    this.#shortGain = small ? BYTES : SHORT_GAIN
    this.live = live
    this.bundles = bundles
    this.used = saved
    this.#calls = (saved & (1 << LR)) !== 0
    this.taken = new Taken(3 * live.line.count + 1)
    this.split = uint8(fn.nextVirtual)
    this.#setRegister = new Int8Array(bundles.count).fill(-1)
    const { pins } = live
    for (let i = 0; i < pins.length; i += 3) {
      const register = pins[i]!
      if (((ALLOCATABLE >> register) & 1) === 0) continue
      this.taken.take(register, pins[i + 1]!, pins[i + 2]!, PINNED)
    }
    const { refStart, refCode, refInfo, remat, line } = live
    const { frequency } = line
    this.#calmer = int32(frequency.length)
    for (let b = 0; b < frequency.length; b++) {
      let before = b - 1
      while (before >= 0 && frequency[before]! >= frequency[b]!) before = this.#calmer[before]!
      this.#calmer[b] = before
    }
    this.#refCost = float64(refCode.length + 1)
    let sum = 0
    for (let v = FIRST_VIRTUAL; v < fn.nextVirtual; v++) {
      const again = remat[v]! >= 0
      for (let i = refStart[v]!; i < refStart[v + 1]!; i++) {
        this.#refCost[i] = sum
        const info = refInfo[i]!
        let cost = line.frequency[line.blockOf[refCode[i]!]!]!
        if ((info & (Role.FIXED | Role.PAIR)) !== 0) cost *= 0.5
        if (again) cost *= (info & Role.DEF) !== 0 ? 0 : 0.5
        sum += cost
      }
    }
    this.#refCost[refCode.length] = sum
  }

  run(): void {
    const { bundles, live } = this
    const roots = bundles.count
    for (let id = 0; id < roots; id++) {
      if (bundles.length[id] === 0) continue
      this.#measure(id)
      if (live.remat[live.ranges.register[bundles.pool[bundles.start[id]!]!]!]! >= 0) this.#sink(id)
      else this.#enqueue(id)
    }
    for (let id = this.#queue.pop(); id >= 0; id = this.#queue.pop()) this.#place(id)
    for (const id of this.#inMemory) this.#secondChance(id)
  }

  /** What can be made anywhere is made where it is needed first, not where select put it, if that is far away. */
  #sink(id: number): void {
    const { bundles, live } = this
    const number = this.#allAgain(id) ? this.#firstNeed(id) : -1
    const begin = live.ranges.from[bundles.pool[bundles.start[id]!]!]!
    if (number < 0 || 3 * number - begin < FAR) {
      this.#enqueue(id)
      return
    }
    this.#cut(id, this.#hoist(3 * number + 1, begin + 1))
    this.#inMemory.push(this.#head)
    this.#enqueue(this.#tail)
  }

  /** Cost, size and weight of a bundle from its ranges. */
  #measure(id: number): void {
    const { bundles, live } = this
    const { from, to, refFrom, refTo } = live.ranges
    const { pool, start, length } = bundles
    let cost = 0
    let size = 0
    const end = start[id]! + length[id]!
    for (let i = start[id]!; i < end; i++) {
      const r = pool[i]!
      size += to[r]! - from[r]!
      cost += this.#refCost[refTo[r]!]! - this.#refCost[refFrom[r]!]!
    }
    bundles.cost[id] = cost
    bundles.size[id] = size
    this.#weigh(id)
  }

  #weigh(id: number): void {
    const { bundles } = this
    bundles.weight[id] = this.#isMinimal(id) ? Infinity : bundles.cost[id]! / (bundles.size[id]! + 6)
  }

  /** Within one instruction that needs it: can't be split. */
  #isMinimal(id: number): boolean {
    const { bundles, live } = this
    if (bundles.length[id] !== 1) return false
    const r = bundles.pool[bundles.start[id]!]!
    const from = live.ranges.from[r]!
    const number = Math.trunc(from / 3)
    return from > 3 * number && live.ranges.to[r]! <= this.#endOf(number) && this.#firstNeed(id) >= 0
  }

  /** Position behind a Code where a range may be cut. Behind a branch, that is where its block ends. */
  #endOf(number: number): number {
    const { line } = this.live
    const code = line.codes[number]
    if (code === undefined || !isBranch(code)) return 3 * number + 3
    return 3 * line.footer[line.blockOf[number]!]! + 3
  }

  #enqueue(id: number): void {
    const { bundles, live } = this
    if (bundles.weight[id] === Infinity) {
      this.#queue.push(id, 1e15)
      return
    }
    const { pool, start, length } = bundles
    const { from, to } = live.ranges
    const first = from[pool[start[id]!]!]!
    const last = to[pool[start[id]! + length[id]! - 1]!]!
    const { blockOf } = live.line
    const local = blockOf[Math.trunc(first / 3)] === blockOf[Math.trunc((last - 1) / 3)]
    this.#queue.push(id, local ? -first : 1e9 + (this.#bytes?.merit(id) ?? bundles.size[id]!))
  }

  #place(id: number): void {
    const free = ALLOCATABLE & ~this.#taken(id)
    if (free !== 0) {
      const register = this.#choose(id, free)
      if (register >= 0) {
        if (this.#bytes !== undefined && register >= 8 && this.#takeLow(id, this.#bytes)) return
        this.#assign(id, register)
        return
      }
    } else if (this.#evictLighter(id)) {
      return
    }
    this.#split(id, free)
  }

  /** Takes a low register from lighter bundles that have fewer references that are shorter with it. */
  #takeLow(id: number, bytes: ByteCosts): boolean {
    let best = -1
    let least = bytes.short(id)
    for (let r = 0; r < 8; r++) {
      const lost = this.#shortInTheWay(id, r, least, bytes)
      if (lost >= least) continue
      least = lost
      best = r
    }
    if (best < 0) return false
    this.#evict(id, best)
    this.#assign(id, best)
    return true
  }

  /** References that the owners of a register would lose by giving it to the bundle; at least `limit` where they can't. */
  #shortInTheWay(id: number, register: number, limit: number, bytes: ByteCosts): number {
    const { taken, bundles, live } = this
    const { from, to, bundle } = live.ranges
    const { pool, start, length, weight } = bundles
    const own = weight[id]!
    const end = start[id]! + length[id]!
    this.#victims.length = 0
    let lost = 0
    for (let i = start[id]!; i < end; i++) {
      const r = pool[i]!
      const stop = to[r]!
      for (let p = taken.next(register, from[r]!, stop); p < stop; p = taken.next(register, p, stop)) {
        const other = taken.owner(register, p)
        if (other === PINNED || weight[bundle[other]!]! >= own) return Infinity
        const victim = bundle[other]!
        if (!this.#victims.includes(victim)) {
          if (this.#victims.length === VICTIMS) return Infinity
          this.#victims.push(victim)
          lost += bytes.short(victim)
          if (lost >= limit) return lost
        }
        p = to[other]!
      }
    }
    return lost
  }

  /** Mask of the registers that are taken somewhere in the bundle's ranges. */
  #taken(id: number): number {
    const { taken, bundles, live } = this
    const { from, to } = live.ranges
    const { pool, start, length } = bundles
    let mask = 0
    const end = start[id]! + length[id]!
    for (let i = start[id]!; i < end; i++) {
      const r = pool[i]!
      mask |= taken.within(from[r]!, to[r]!)
      if ((mask & ALLOCATABLE) === ALLOCATABLE) return mask
    }
    return mask
  }

  /** The cheapest of the `free` registers; -1 when memory is cheaper than any of them. */
  #choose(id: number, free: number): number {
    this.#collectHints(id)
    const wanted = this.#wanted
    const references = this.#bytes?.short(id) ?? this.#references
    const { used } = this
    let best = -1
    let bestCost = Infinity
    for (let rest = free; rest !== 0; rest &= rest - 1) {
      const r = 31 - Math.clz32(rest & -rest)
      let cost = ORDER[r]! - wanted[r]!
      if (((LOW >> r) & 1) === 0) cost += this.#highCost * references
      if ((((CALLEE_SAVED | (1 << LR)) >> r) & 1) !== 0 && ((used >> r) & 1) === 0)
        cost += this.#bytes === undefined ? SAVE_COST : saveBytes(used, r)
      if (cost < bestCost) {
        bestCost = cost
        best = r
      }
    }
    const { bundles } = this
    const fresh = ((CALLEE_SAVED >> best) & 1) !== 0 && ((used >> best) & 1) === 0
    if (fresh && bundles.cost[id]! <= 1 && bundles.weight[id] !== Infinity && this.#allAgain(id)) return -1
    return best
  }

  /** All of the bundle's values can be made again. */
  #allAgain(id: number): boolean {
    const { bundles, live } = this
    const end = bundles.start[id]! + bundles.length[id]!
    for (let i = bundles.start[id]!; i < end; i++) {
      if (live.remat[live.ranges.register[bundles.pool[i]!]!]! < 0) return false
    }
    return true
  }

  /** What each register would save: moves that it makes unnecessary. */
  #collectHints(id: number): void {
    const wanted = this.#wanted
    for (let r = 0; r < 16; r++) wanted[r] = 0
    const { bundles, live } = this
    const { refCode, refInfo, line } = live
    const { refFrom, refTo } = live.ranges
    const end = bundles.start[id]! + bundles.length[id]!
    let seen = 0
    for (let i = bundles.start[id]!; i < end && seen < HINT_LIMIT; i++) {
      const r = bundles.pool[i]!
      const stop = refTo[r]!
      for (let ref = refFrom[r]!; ref < stop; ref++) {
        const info = refInfo[ref]!
        if (++seen === HINT_LIMIT) break
        if ((info & (Role.FIXED | Role.COPY | Role.LIKE)) === 0) continue
        const number = refCode[ref]!
        if ((info & Role.LIKE) !== 0) {
          this.#wantAlike(number, info, id)
          continue
        }
        const register = (info & Role.FIXED) !== 0 ? fixedRegister(info) : this.#otherSide(number, info, id)
        if (register >= 0) wanted[register] = wanted[register]! + line.frequency[line.blockOf[number]!]!
      }
    }
    this.#references = seen
    const near = this.#setRegister[bundles.set[id]!]!
    if (near >= 0) wanted[near] = wanted[near]! + 0.5
  }

  /** An instruction is shorter if its result is in a register that it reads. */
  #wantAlike(number: number, info: number, id: number): void {
    const code = this.live.line.codes[number]!
    const isDef = (info & Role.DEF) !== 0
    this.#wantShort(this.#registerAt(isDef ? code.n : code.d, 3 * number + (isDef ? 1 : 2), id))
    if (isDef && (fixedRegister(info) & FIELD.m) !== 0) this.#wantShort(this.#registerAt(code.m, 3 * number + 1, id))
  }

  #wantShort(register: number): void {
    if (register >= 0 && ((LOW >> register) & 1) !== 0)
      this.#wanted[register] = this.#wanted[register]! + this.#shortGain
  }

  /** Register of the other side of a copy, -1 if it has none yet. */
  #otherSide(number: number, info: number, id: number): number {
    const code = this.live.line.codes[number]!
    const index = operandIndex(info)
    const isDef = (info & Role.DEF) !== 0
    let other: number
    if (code.form === P.PARALLEL_MOVE) other = isDef ? code.uses[index]! : code.defs[index]!
    else other = index === Field.D ? code.m : code.d
    return this.#registerAt(other, 3 * number + (isDef ? 1 : 2), id)
  }

  /** Register that holds `other` at a position, unless it is in the same bundle or has none yet: -1. */
  #registerAt(other: number, position: number, id: number): number {
    if (other < FIRST_VIRTUAL) return other
    const { live } = this
    const { ranges } = live
    let r = live.firstRange[other]!
    if (r < 0) return -1
    if (this.split[other] === 1) {
      for (let steps = 0; ranges.to[r]! <= position; steps++) {
        r = ranges.next[r]!
        if (r < 0 || steps === 32) return -1
      }
    }
    const bundle = ranges.bundle[r]!
    return bundle === id ? -1 : this.bundles.register[bundle]!
  }

  #assign(id: number, register: number): void {
    const { taken, bundles, live } = this
    const { from, to } = live.ranges
    const { pool, start, length } = bundles
    bundles.register[id] = register
    this.used |= 1 << register
    this.#setRegister[bundles.set[id]!] = register
    const end = start[id]! + length[id]!
    for (let i = start[id]!; i < end; i++) {
      const r = pool[i]!
      taken.take(register, from[r]!, to[r]!, r)
    }
  }

  #release(id: number): void {
    const { taken, bundles, live } = this
    const { from, to } = live.ranges
    const { pool, start, length } = bundles
    const register = bundles.register[id]!
    bundles.register[id] = -1
    const end = start[id]! + length[id]!
    for (let i = start[id]!; i < end; i++) {
      const r = pool[i]!
      taken.release(register, from[r]!, to[r]!)
    }
  }

  /** Takes the register whose owners are the lightest, if all are lighter than the bundle. Else notes the conflicts. */
  #evictLighter(id: number): boolean {
    const weight = this.bundles.weight[id]!
    let best = -1
    let bestWeight = weight
    for (let r = 0; r < 15; r++) {
      if (((ALLOCATABLE >> r) & 1) === 0) continue
      const heaviest = this.#heaviest(id, r, weight)
      if (heaviest < bestWeight) {
        bestWeight = heaviest
        best = r
      }
    }
    if (best < 0) return false
    this.#evict(id, best)
    this.#assign(id, best)
    return true
  }

  /** Weight of the heaviest bundle in the way, at least `limit` as soon as one reaches it, at #conflict. */
  #heaviest(id: number, register: number, limit: number): number {
    const { taken, bundles, live } = this
    const { from, to, bundle } = live.ranges
    const { pool, start, length, weight } = bundles
    let heaviest = 0
    const end = start[id]! + length[id]!
    for (let i = start[id]!; i < end; i++) {
      const r = pool[i]!
      const stop = to[r]!
      for (let p = taken.next(register, from[r]!, stop); p < stop; p = taken.next(register, p, stop)) {
        const other = taken.owner(register, p)
        const w = other === PINNED ? Infinity : weight[bundle[other]!]!
        if (w >= limit) {
          this.#conflict[register] = p
          return Infinity
        }
        if (w > heaviest) heaviest = w
        p = to[other]!
      }
    }
    return heaviest
  }

  #evict(id: number, register: number): void {
    const { taken, bundles, live } = this
    const { from, to, bundle } = live.ranges
    const { pool, start, length } = bundles
    const end = start[id]! + length[id]!
    for (let i = start[id]!; i < end; i++) {
      const r = pool[i]!
      const stop = to[r]!
      for (let p = taken.next(register, from[r]!, stop); p < stop; p = taken.next(register, p + 1, stop)) {
        const victim = bundle[taken.owner(register, p)]!
        this.#release(victim)
        this.#enqueue(victim)
      }
    }
  }

  /** No register for the whole: splits it, and queues or stores the parts. `free`: memory is wanted though some are free. */
  #split(id: number, free: number): void {
    const { bundles, live } = this
    const { from, to } = live.ranges
    const { pool, start, length } = bundles
    const begin = from[pool[start[id]!]!]!
    const end = to[pool[start[id]! + length[id]! - 1]!]!
    if (bundles.weight[id] === Infinity) unreachable('no register for one instruction')
    const number = this.#firstNeed(id)
    if (number < 0) {
      this.#inMemory.push(id)
      return
    }
    // How far the best register goes.
    let conflict = begin
    let register = -1
    if (free === 0) {
      for (let r = 0; r < 15; r++) {
        if (((ALLOCATABLE >> r) & 1) === 0 || this.#conflict[r]! <= conflict) continue
        conflict = this.#conflict[r]!
        register = r
      }
    }
    const use = 3 * number + 1
    const next = this.#endOf(number)
    if (begin < use && conflict < next) {
      // Nothing through the first reference: what is before it is in memory, and read from there as early as pays.
      this.#cut(id, this.#hoist(use, begin + 1))
      this.#inMemory.push(this.#head)
      this.#enqueue(this.#tail)
    } else if (conflict < next || end <= next) {
      // Not even that reference's instruction: the instruction on its own, then the rest.
      // A bundle's last value may end there and its next one begin.
      const within = length[id]! > 1 ? from[pool[start[id]! + 1]!]! : end
      const at = end > next ? next : within
      if (begin < use || at >= end) unreachable('split of a range within an instruction')
      this.#cut(id, at)
      this.#enqueue(this.#head)
      this.#enqueue(this.#tail)
    } else {
      const at = conflict % 3 === 2 ? conflict - 1 : conflict
      this.#cut(id, this.#hoist(at, begin + 1))
      this.#setRegister[bundles.set[id]!] = register
      this.#enqueue(this.#head)
      this.#enqueue(this.#tail)
    }
  }

  /** Number of the first Code that needs the bundle in a register, -1 for none. */
  #firstNeed(id: number): number {
    const { bundles, live } = this
    const { refFrom, refTo, register } = live.ranges
    const { refCode, refInfo, remat } = live
    const end = bundles.start[id]! + bundles.length[id]!
    for (let i = bundles.start[id]!; i < end; i++) {
      const r = bundles.pool[i]!
      const again = remat[register[r]!]! >= 0
      for (let ref = refFrom[r]!; ref < refTo[r]!; ref++) {
        const info = refInfo[ref]!
        if ((info & (Role.FIXED | Role.PAIR)) !== 0) continue
        if (again && (info & Role.DEF) !== 0) continue
        return refCode[ref]!
      }
    }
    return -1
  }

  /** The place to split at, no later than `at` and no earlier than `least`, that is in the fewest loops: the latest such. */
  #hoist(at: number, least: number): number {
    const { blockOf, first } = this.live.line
    let b = blockOf[Math.trunc(at / 3)]!
    let best = at
    for (;;) {
      const before = this.#calmer[b]!
      if (before < 0) return best
      // A cut at the start of a block is a move on the edges into it.
      const start = 3 * first[before + 1]!
      if (start < least) return best
      best = start
      b = before
    }
  }

  /** Cuts a bundle at a position, into #head and #tail. The longer part keeps the id, so that cuts cost what is short. */
  #cut(id: number, at: number): void {
    const { bundles, live } = this
    const { ranges } = live
    const begin = bundles.start[id]!
    const total = bundles.length[id]!
    let low = begin
    let high = begin + total
    while (low < high) {
      const middle = (low + high) >>> 1
      if (ranges.to[bundles.pool[middle]!]! <= at) low = middle + 1
      else high = middle
    }
    const range = bundles.pool[low]!
    const inside = ranges.from[range]! < at
    const keep = low - begin + (inside ? 1 : 0)
    const rest = begin + total - low
    const second = inside ? this.#cutRange(range, at) : range
    const headIsShort = keep < rest
    const count = headIsShort ? keep : rest
    const part = bundles.reserve(count)
    const from = headIsShort ? begin : low
    bundles.pool.copyWithin(part, from, from + count)
    const short = bundles.add(part, count, bundles.set[id]!)
    if (headIsShort) {
      bundles.pool[low] = second
      ranges.bundle[second] = id
      bundles.start[id] = low
      bundles.length[id] = rest
      this.#head = short
      this.#tail = id
    } else {
      bundles.pool[part] = second
      bundles.length[id] = keep
      this.#head = id
      this.#tail = short
    }
    for (let i = part; i < part + count; i++) {
      const r = bundles.pool[i]!
      ranges.bundle[r] = short
      this.split[ranges.register[r]!] = 1
    }
    const cost = bundles.cost[id]!
    const size = bundles.size[id]!
    this.#measure(short)
    bundles.cost[id] = Math.max(0, cost - bundles.cost[short]!)
    bundles.size[id] = size - bundles.size[short]!
    this.#weigh(id)
  }

  /** Cuts a range; returns the part from `at` on. */
  #cutRange(range: number, at: number): number {
    const { ranges, refCode, refInfo } = this.live
    const second = ranges.add(ranges.register[range]!, at, ranges.to[range]!)
    ranges.to[range] = at
    ranges.next[second] = ranges.next[range]!
    ranges.next[range] = second
    ranges.refTo[second] = ranges.refTo[range]!
    let low = ranges.refFrom[range]!
    let high = ranges.refTo[range]!
    while (low < high) {
      const middle = (low + high) >>> 1
      if (refPosition(refCode[middle]!, refInfo[middle]!) < at) low = middle + 1
      else high = middle
    }
    ranges.refTo[range] = low
    ranges.refFrom[second] = low
    return second
  }

  /** A bundle in memory gets a register after all, if one is free all the while and fewer moves are left with it. */
  #secondChance(id: number): void {
    const { bundles, live } = this
    if (this.#allAgain(id)) return
    const cheap = this.used | (ALLOCATABLE & ~CALLEE_SAVED & ~(this.#calls ? 0 : 1 << LR))
    const free = cheap & ALLOCATABLE & ~this.#taken(id)
    if (free === 0) return
    const register = this.#choose(id, free)
    if (register >= 0 && saves(this.#fn, live, bundles, id, register) > 0) this.#assign(id, register)
    else bundles.register[id] = -1
  }
}
