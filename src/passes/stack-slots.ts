// Stack slots become values: what the compiler that made the bytecode spilled. A slot is a range of bytes at a constant
// offset of r10 that every access covers exactly, and that no access with an index can reach; none is promoted where an address
// of the stack goes anywhere but into an access (a helper may use what lies from the address that it is given up). What is read before it is written is 0.
// Needs and leaves: 64-bit SSA, as the frontend makes it. Phis that are not needed go with `fold`.

import { removeUnreachable } from '../ir/cfg.ts'
import { type Block, type Func, type Value, callsHelper, replaceValues } from '../ir/func.ts'
import { significantBits } from '../ir/known.ts'
import { I32, I64, Op, type Type } from '../ir/op.ts'

interface Slot {
  readonly index: number
  /** Of which stack it is: see areaOf. */
  readonly area: number
  readonly offset: number
  readonly size: number
  good: boolean
}

/** Bytes below r10 that are looked at. */
const REACH = 512
/** More than any two offsets are apart. */
const KEY_STEP = 1 << 17

const sizes: Record<number, number> = {
  [Op.load8]: 1,
  [Op.load8s]: 1,
  [Op.store8]: 1,
  [Op.load16]: 2,
  [Op.load16s]: 2,
  [Op.store16]: 2,
  [Op.load32]: 4,
  [Op.store32]: 4,
  [Op.load64]: 8,
  [Op.store64]: 8,
}

/** Whether anything changed. */
export function promoteStackSlots(func: Func): boolean {
  const order = removeUnreachable(func)
  const slots = findSlots(order)
  if (slots === undefined) return false
  const slotOf = (value: Value): Slot | undefined => {
    const size = sizes[value.op]
    if (size === undefined || value.args[0]!.op !== Op.frame) return undefined
    const slot = slots.byPlace.get(slotKey(areaOf(value.args[0]!), value.args[0]!.imm + value.imm))
    return slot?.good === true ? slot : undefined
  }
  const count = slots.all.length
  const liveIn = liveSlots(order, slotOf, count)
  const final: (Value | undefined)[][] = []
  const phis: { phi: Value; slot: number }[] = []
  const type = (slot: Slot): Type => (slot.size === 8 ? I64 : I32)
  const zero = (slot: Slot): Value => (slot.size === 8 ? func.double(0, 0) : func.word(0))
  for (const block of order) {
    let state: (Value | undefined)[]
    const made: Value[] = []
    if (block.predecessors.length === 1) {
      // Nobody else goes on from there: its state need not be kept.
      const from = block.predecessors[0]!
      state = from.successors.length === 1 ? final[from.order]! : final[from.order]!.slice()
    } else {
      state = Array.from({ length: count })
      for (const slot of slots.all) {
        if (!slot.good || block.order === 0 || !isSet(liveIn[block.order]!, slot.index)) continue
        const phi = func.create(block, Op.phi, type(slot))
        made.push(phi)
        phis.push({ phi, slot: slot.index })
        state[slot.index] = phi
      }
    }
    const kept: Value[] = made
    for (const value of block.values) {
      const slot = slotOf(value)
      if (slot === undefined) {
        kept.push(value)
      } else if (value.op >= Op.store8) {
        state[slot.index] = value.args[1]!
      } else {
        const stored = state[slot.index] ?? zero(slot)
        const narrowed = narrow(func, value, stored)
        if (narrowed !== stored) kept.push(narrowed)
        value.replacement = narrowed
      }
    }
    block.values = kept
    final[block.order] = state
  }
  for (const { phi, slot } of phis) {
    phi.args = phi.block.predecessors.map((from) => final[from.order]![slot] ?? zero(slots.all[slot]!))
  }
  replaceValues(func)
  return true
}

/** What a load of the slot gives of the word that was stored there. */
function narrow(func: Func, load: Value, stored: Value): Value {
  const make = (op: number, args: Value[]): Value => func.create(load.block, op, I32, args, 0, load.origin)
  switch (load.op) {
    case Op.load8:
      return make(Op.and, [stored, func.word(0xff)])
    case Op.load16:
      return make(Op.and, [stored, func.word(0xffff)])
    case Op.load8s:
      return make(Op.sext8, [stored])
    case Op.load16s:
      return make(Op.sext16, [stored])
    default:
      return stored
  }
}

/** What is known of one stack: the function's own, or that of one that was taken in. */
class Area {
  readonly number: number
  readonly owner: (Slot | undefined)[] = Array.from({ length: REACH })
  /** Bytes that accesses at changing places use. */
  readonly shared = new Uint8Array(REACH)
  /** Addresses from here up are seen by somebody else. */
  given = 0
  constructor(number: number) {
    this.number = number
  }
}

interface Slots {
  readonly all: Slot[]
  /** By `slotKey`. */
  readonly byPlace: Map<number, Slot>
}

/** One number for an area and an offset. */
function slotKey(area: number, offset: number): number {
  return area * KEY_STEP + offset
}

function areaOf(frame: Value): number {
  return frame.callee?.kind === 'area' ? frame.callee.index : 0
}

/** Slots by their place, those that overlap others marked; undefined if there is nothing to promote. */
function findSlots(order: readonly Block[]): Slots | undefined {
  const all: Slot[] = []
  const byPlace = new Map<number, Slot>()
  const areas: (Area | undefined)[] = []
  const area = (of: number): Area => (areas[of] ??= new Area(of))
  const claim = (place: Area, offset: number, size: number, good: boolean): void => {
    const key = slotKey(place.number, offset)
    let slot = byPlace.get(key)
    if (slot === undefined) {
      slot = { index: all.length, area: place.number, offset, size, good }
      all.push(slot)
      byPlace.set(key, slot)
    }
    if (!good || slot.size !== size) slot.good = false
    for (let at = offset; at < offset + Math.max(size, slot.size); at++) {
      if (at < -REACH || at >= 0) {
        slot.good = false
        continue
      }
      const other = place.owner[at + REACH]
      place.owner[at + REACH] = slot
      if (place.shared[at + REACH] === 1) slot.good = false
      if (other !== undefined && other !== slot) {
        other.good = false
        slot.good = false
      }
    }
  }
  const share = (place: Area, from: number, to: number): void => {
    for (let at = Math.max(from, -REACH); at < Math.min(to, 0); at++) {
      const slot = place.owner[at + REACH]
      if (slot !== undefined) slot.good = false
      place.shared[at + REACH] = 1
    }
  }
  const arrays = findArrays(order)
  for (const block of order) {
    for (const value of block.values) {
      const { args } = value
      for (let index = 0; index < args.length; index++) {
        const arg = args[index]!
        const array = arrays.get(arg.id)
        if (array !== undefined && value.op !== Op.trunc) {
          const size = index === 0 ? sizes[value.op] : undefined
          const used = area(array.area)
          if (size === undefined) used.given = -REACH
          else share(used, array.from + value.imm, array.to + value.imm + size)
        }
        const place = arg.op === Op.zext ? arg.args[0]! : arg
        if (place.op !== Op.frame || arrays.has(value.id)) continue
        const used = area(areaOf(place))
        const size = index === 0 && arg === place ? sizes[value.op] : undefined
        if (size !== undefined) claim(used, place.imm + value.imm, size, true)
        else if (index === 0 && arg === place && value.op >= Op.atomicadd && value.op <= Op.atomiccmpxchg) {
          claim(used, place.imm + value.imm, value.type === I64 ? 8 : 4, false)
        } else if (value.op !== Op.zext) {
          // Only calls of helpers say what they use of an address: what lies from there up.
          const known = callsHelper(value)
          used.given = Math.min(used.given, known ? place.imm : -REACH)
        }
      }
    }
  }
  for (const slot of all) if (slot.offset + slot.size > areas[slot.area]!.given) slot.good = false
  return all.some((slot) => slot.good) ? { all, byPlace } : undefined
}

/** Where an address of a stack with an index can be: bytes from its r10, the last included. */
interface Span {
  readonly area: number
  readonly from: number
  readonly to: number
}

/** By id: sums of a stack address and an index that is known to be small, and the words of them. */
function findArrays(order: readonly Block[]): Map<number, Span> {
  const spans = new Map<number, Span>()
  for (const block of order) {
    for (const value of block.values) {
      const [a, b] = value.args
      if (value.op === Op.trunc) {
        const span = spans.get(a!.id)
        if (span !== undefined) spans.set(value.id, span)
      } else if (value.op === Op.add && value.type === I64) {
        const span = spanOf(a!, b!) ?? spanOf(b!, a!)
        if (span !== undefined) spans.set(value.id, span)
      }
    }
  }
  return spans
}

function spanOf(address: Value, index: Value): Span | undefined {
  const place = address.op === Op.zext ? address.args[0]! : address
  const bits = place.op === Op.frame ? doubleBits(index) : 64
  return bits > 9 ? undefined : { area: areaOf(place), from: place.imm, to: place.imm + (1 << bits) - 1 }
}

/** Significant bits of a 64-bit value, as far as they are plain to see. */
function doubleBits(value: Value, depth = 4): number {
  const { op, args } = value
  if (op === Op.const) return value.immHigh === 0 ? 32 - Math.clz32(value.imm) : 64
  if (op === Op.zext) return significantBits(args[0]!)
  if (depth === 0) return 64
  const amount = args[1]?.op === Op.const ? args[1].imm : undefined
  if (op === Op.and) return Math.min(doubleBits(args[0]!, depth - 1), doubleBits(args[1]!, depth - 1))
  if (op === Op.lsl && amount !== undefined) return doubleBits(args[0]!, depth - 1) + amount
  if (op === Op.lsr && amount !== undefined) return Math.max(0, doubleBits(args[0]!, depth - 1) - amount)
  return 64
}

/** By block: the slots that are read before they are written from its start on. */
function liveSlots(order: readonly Block[], slotOf: (value: Value) => Slot | undefined, count: number): Uint32Array[] {
  const words = (count + 31) >>> 5
  const used = order.map(() => new Uint32Array(words))
  const defined = order.map(() => new Uint32Array(words))
  for (const [at, block] of order.entries()) {
    for (const value of block.values) {
      const slot = slotOf(value)
      if (slot === undefined) continue
      const word = slot.index >>> 5
      const bit = 1 << (slot.index & 31)
      if (value.op >= Op.store8) defined[at]![word]! |= bit
      else if ((defined[at]![word]! & bit) === 0) used[at]![word]! |= bit
    }
  }
  const live = used.map((bits) => bits.slice())
  const work = order.map((block) => block.order)
  const queued = new Uint8Array(order.length).fill(1)
  while (work.length > 0) {
    const at = work.pop()!
    queued[at] = 0
    for (const from of order[at]!.predecessors) {
      const before = live[from.order]!
      let changed = false
      for (let word = 0; word < words; word++) {
        const now = (before[word]! | (live[at]![word]! & ~defined[from.order]![word]!)) >>> 0
        if (now !== before[word]) {
          before[word] = now
          changed = true
        }
      }
      if (changed && queued[from.order] === 0) {
        queued[from.order] = 1
        work.push(from.order)
      }
    }
  }
  return live
}

function isSet(bits: Uint32Array, index: number): boolean {
  return (bits[index >>> 5]! & (1 << (index & 31))) !== 0
}
