// A loop's phi and the value that comes round to it (`p` and `next`) want one register: they can have it where p is not
// read any more once next is there. Here what reads p later is made to read next (p + 4 == 12 is next == 12), or next is
// computed later. Needs words, critical edges split, loop depths.
// A test that reads what was moved in front of the branch is made at the branch (select.ts), whatever the order says.

import { int32 } from '../base/arrays.ts'
import { type Block, type Func, type Value, countUses } from '../ir/func.ts'
import { COMPARE, I32, Op, attributes } from '../ir/op.ts'
import { fitsOffset } from '../thumb/immediates.ts'

/** Steps up the dominator tree before a question is left open. */
const CLIMB = 64
/** Reads of one phi that are looked at. */
const READS_LIMIT = 32
/** Values of one phi that are made again behind its loop. */
const UNDO_LIMIT = 3

const NEXT = 1
const EARLY = 2
const LATE = 3
const UNKNOWN = 4

/**
 * Ties what can be tied. `order`: blocks in reverse postorder, `idom` their dominators. Sets `uses` of every value.
 */
export function tiePhis(func: Func, order: readonly Block[], idom: Int32Array): void {
  countUses(func)
  const candidates = findCandidates(order, idom)
  if (candidates.length > 0) new Tying(func, order, idom, candidates).run()
}

interface Candidate {
  readonly phi: Value
  readonly next: Value
  readonly latch: Block
}

function findCandidates(order: readonly Block[], idom: Int32Array): Candidate[] {
  const found: Candidate[] = []
  for (const header of order) {
    if (header.loopDepth === 0 || header.values[0]!.op !== Op.phi) continue
    const { predecessors } = header
    let back = -1
    for (let at = 0; at < predecessors.length; at++) {
      if (predecessors[at]!.order < header.order) continue
      back = back === -1 ? at : -2
    }
    if (back < 0) continue
    const latch = predecessors[back]!
    if (!dominates(idom, header.order, latch.order)) continue
    for (const phi of header.values) {
      if (phi.op !== Op.phi) break
      const next = phi.args[back]!
      if (next.type !== I32 || next.uses === 0 || !isPlain(next) || !next.args.includes(phi)) continue
      if (next.block.loopDepth !== header.loopDepth || !dominates(idom, next.block.order, latch.order)) continue
      if (next.block.order < header.order) continue
      found.push({ phi, next, latch })
    }
  }
  return found
}

/** Can be computed anywhere, by instructions that need not set flags. */
export function isPlain(value: Value): boolean {
  switch (value.op) {
    case Op.add:
    case Op.sub:
    case Op.and:
    case Op.or:
    case Op.xor:
    case Op.lsl:
    case Op.lsr:
    case Op.asr:
    case Op.mul:
      return true
    default:
      return false
  }
}

/** False also where the way up is long. */
function dominates(idom: Int32Array, above: number, below: number): boolean {
  for (let steps = 0; below > above && steps < CLIMB; steps++) below = idom[below]!
  return below === above
}

class Tying {
  readonly #func: Func
  readonly #idom: Int32Array
  readonly #candidates: readonly Candidate[]
  /** By value: number of its list of reads, plus 1. */
  readonly #watched: Int32Array
  /** By block: order + 1 of the header whose loop it was found in last. */
  readonly #body: Int32Array
  /** By value of a block: its place. */
  readonly #place: Int32Array
  /** Reads: who, and which operand. */
  readonly #reads: { user: Value; at: number }[][] = []
  /** New sums, to be put in front of what reads them. */
  readonly #sums: { sum: Value; before: Value | null; block: Block }[] = []
  /** Something reads something else now. */
  #changed = false
  /** Values that go behind a place in their block. */
  readonly #sinks: { value: Value; behind: number }[] = []

  constructor(func: Func, order: readonly Block[], idom: Int32Array, candidates: readonly Candidate[]) {
    this.#func = func
    this.#idom = idom
    this.#candidates = candidates
    this.#watched = int32(func.valueCount)
    this.#place = int32(func.valueCount)
    this.#body = int32(order.length)
    const watch = (value: Value): void => {
      if (this.#watched[value.id] === 0) this.#watched[value.id] = this.#reads.push([])
    }
    for (const { phi, next } of candidates) {
      watch(phi)
      watch(next)
    }
    for (const block of order) {
      const { values } = block
      for (let place = 0; place < values.length; place++) {
        const user = values[place]!
        this.#place[user.id] = place
        const { args } = user
        for (let at = 0; at < args.length; at++) {
          const number = this.#watched[args[at]!.id]!
          if (number > 0) this.#reads[number - 1]!.push({ user, at })
        }
      }
    }
  }

  run(): void {
    for (const candidate of this.#candidates) this.#tie(candidate)
    if (this.#sums.length > 0) this.#putSums()
    if (this.#sinks.length > 0) this.#sink()
    if (this.#changed) countUses(this.#func)
  }

  #readsOf(value: Value): { user: Value; at: number }[] {
    return this.#reads[this.#watched[value.id]! - 1]!
  }

  /** Block at whose end or in which an operand is read. */
  #whereRead(user: Value, at: number): Block {
    return user.op === Op.phi ? user.block.predecessors[at]! : user.block
  }

  /** Place of a read in its block: of a phi and of a test that the block's branch makes it is the end. */
  #placeOfRead(user: Value): number {
    if (user.op === Op.phi) return 0x7fffffff
    return isTest(user) ? user.block.values.length - 1 : this.#place[user.id]!
  }

  #when(candidate: Candidate, user: Value, at: number): number {
    const { next, phi, latch } = candidate
    if (user === next) return NEXT
    const where = this.#whereRead(user, at)
    if (where === next.block) return this.#placeOfRead(user) > this.#place[next.id]! ? LATE : EARLY
    if (dominates(this.#idom, next.block.order, where.order)) return LATE
    // In the loop, every way from `next` to it leads through the header: `next` is in no inner loop.
    return this.#isInside(phi.block, latch, where) ? EARLY : UNKNOWN
  }

  /** Whether a block is in the loop of that header. */
  #isInside(header: Block, latch: Block, block: Block): boolean {
    const stamp = header.order + 1
    const body = this.#body
    if (body[header.order] !== stamp) {
      body[header.order] = stamp
      const work = [latch]
      for (let each = work.pop(); each !== undefined; each = work.pop()) {
        if (body[each.order] === stamp) continue
        body[each.order] = stamp
        for (const predecessor of each.predecessors) work.push(predecessor)
      }
    }
    return body[block.order] === stamp
  }

  #tie(candidate: Candidate): void {
    const { phi, next } = candidate
    const reads = this.#readsOf(phi)
    if (reads.length > READS_LIMIT) return
    const { block } = next
    let behind = -1
    let undone = 0
    const within: { user: Value; at: number }[] = []
    const elsewhere: { user: Value; at: number }[] = []
    for (const read of reads) {
      const when = this.#when(candidate, read.user, read.at)
      if (when === UNKNOWN) return
      if (when !== LATE) continue
      if (this.#whereRead(read.user, read.at) === block && read.user.op !== Op.phi) {
        // The test of the loop can read next instead, or stands before it in the end.
        if (isTest(read.user) && this.#canReadNext(candidate, read.user, read.at)) {
          elsewhere.push(read)
        } else {
          within.push(read)
          behind = Math.max(behind, this.#placeOfRead(read.user))
        }
      } else {
        if (!this.#canReadNext(candidate, read.user, read.at)) {
          if (!this.#canUndo(candidate, read.user, read.at) || ++undone > UNDO_LIMIT) return
        }
        elsewhere.push(read)
      }
    }
    if (behind >= 0) {
      if (this.#canSink(next, behind)) {
        this.#sinks.push({ value: next, behind })
      } else {
        for (const read of within) if (!this.#canReadNext(candidate, read.user, read.at)) return
        elsewhere.push(...within)
      }
    }
    if (elsewhere.length > 0) this.#changed = true
    for (const { user, at } of elsewhere) {
      if (this.#canReadNext(candidate, user, at)) this.#readNext(candidate, user, at)
      else this.#undo(candidate, user, at)
      // It reads next from here on, which stays in front of it.
      this.#readsOf(next).push({ user, at })
    }
  }

  /** Nothing in its block reads it up to a place. */
  #canSink(next: Value, behind: number): boolean {
    for (const { user } of this.#readsOf(next)) {
      if (user.op !== Op.phi && user.block === next.block && this.#placeOfRead(user) <= behind) return false
    }
    return true
  }

  /** What p is compared with, what is added to it and how far from it memory is read can count from next. */
  #canReadNext({ phi, next }: Candidate, user: Value, at: number): boolean {
    if (user.uses > 0 && (user.op === Op.eq || user.op === Op.ne)) {
      const other = user.args[1 - at]!
      if (next.op === Op.sub) return at === 0 && next.args[0] === phi && other === next.args[1]
      return addsConstant(next, phi) && other.op === Op.const
    }
    if (!addsConstant(next, phi)) return false
    const step = next.args[1]!.imm
    if (user.op === Op.add) return at === 0 && user.args[1]!.op === Op.const
    if (at !== 0 || user.args.length > 2 || user.op < Op.load8 || user.op > Op.store32) return false
    return fitsOffset((user.imm - step) | 0)
  }

  #readNext({ next }: Candidate, user: Value, at: number): void {
    if (user.op === Op.eq || user.op === Op.ne) {
      const imm = next.op === Op.sub ? 0 : user.args[1 - at]!.imm + next.args[1]!.imm
      user.args = [next, this.#func.word(imm)]
    } else if (user.op === Op.add) {
      user.args = [next, this.#func.word(user.args[1]!.imm - next.args[1]!.imm)]
    } else {
      user.args[at] = next
      user.imm = (user.imm - next.args[1]!.imm) | 0
    }
  }

  /** Where it runs less often, p can be made of next again. */
  #canUndo({ phi, next }: Candidate, user: Value, at: number): boolean {
    return addsConstant(next, phi) && this.#whereRead(user, at).loopDepth < phi.block.loopDepth
  }

  #undo({ next }: Candidate, user: Value, at: number): void {
    const block = this.#whereRead(user, at)
    const step = this.#func.word(-next.args[1]!.imm)
    const sum = this.#func.create(block, Op.add, I32, [next, step], 0, user.origin)
    user.args[at] = sum
    this.#sums.push({ sum, before: user.op === Op.phi ? null : user, block })
  }

  #putSums(): void {
    for (const { sum, before, block } of this.#sums) {
      const { values } = block
      values.splice(before === null ? values.length - 1 : values.indexOf(before), 0, sum)
    }
  }

  /** The places of sinks are those from before. */
  #sink(): void {
    const sinks = this.#sinks.toSorted((a, b) => a.value.block.order - b.value.block.order || a.behind - b.behind)
    for (let i = 0; i < sinks.length;) {
      const { block } = sinks[i]!.value
      const moved = new Set<Value>()
      let end = i
      while (end < sinks.length && sinks[end]!.value.block === block) moved.add(sinks[end++]!.value)
      const values: Value[] = []
      const { terminator } = block
      for (const value of block.values) {
        for (; i < end && (value === terminator || sinks[i]!.behind < this.#place[value.id]!); i++)
          values.push(sinks[i]!.value)
        if (!moved.has(value)) values.push(value)
      }
      block.values = values
      i = end
    }
  }
}

function addsConstant(next: Value, phi: Value): boolean {
  return next.op === Op.add && next.args[0] === phi && next.args[1]!.op === Op.const
}

/** A comparison that is made by the branch which ends its block, and for that alone. */
function isTest(value: Value): boolean {
  if ((attributes[value.op]! & COMPARE) === 0 || value.uses !== 1) return false
  const { terminator } = value.block
  return terminator.op === Op.branch && terminator.args[0] === value
}
