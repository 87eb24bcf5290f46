// Stack slots become values: what the compiler that made the bytecode spilled, small structures, arrays with constant indices.
// A slot is up to 8 bytes of a stack that accesses at constant offsets overlap in, and that nothing else can reach: no access with
// an index, no helper that was given an address. Accesses to parts of a slot extract and insert. What is read before it is
// written is 0.
// Needs and leaves: 64-bit SSA, as the frontend makes it. Phis that are not needed go with `fold`.

import { emptySlots, int32, uint8 } from '../base/arrays.ts'
import { removeUnreachable } from '../ir/cfg.ts'
import { type Block, type Func, type Value, replaceValues } from '../ir/func.ts'
import { I32, I64, Op, type Type } from '../ir/op.ts'
import { Addresses, Kind, STACK_BYTES, accessBytes, atomicBytes, isAtomic, isStore } from './regions.ts'
import { extract, insert } from './slot-parts.ts'

/** A slot: bytes from r10. */
interface Slot {
  readonly index: number
  readonly offset: number
  readonly size: number
}

/** Bytes of one slot at most: what a value holds. */
const WIDEST = 8
/** Insertions of bytes and halfwords that a slot may need: a store to memory is one instruction. */
const MAXIMUM_INSERTIONS = 4

/** Whether anything changed. */
export function promoteStackSlots(func: Func, isEntry: boolean): boolean {
  const order = removeUnreachable(func)
  if (!usesStack(order)) return false
  const slots = new Slots(func, order, new Addresses(func, order, isEntry))
  slots.find(order)
  const count = slots.all.length
  if (count === 0) return false
  const liveIn = liveSlots(order, slots)
  const words = (count + 31) >>> 5
  const final: (Value | undefined)[][] = []
  const phis: { phi: Value; slot: Slot }[] = []
  let replaced = false
  const type = (slot: Slot): Type => (slot.size > 4 ? I64 : I32)
  const zero = (slot: Slot): Value => (slot.size > 4 ? func.double(0, 0) : func.word(0))
  for (const block of order) {
    let state: (Value | undefined)[]
    const heads: Value[] = []
    if (block.predecessors.length === 1) {
      // Nobody else goes on from there: its state need not be kept.
      const from = block.predecessors[0]!
      state = from.successors.length === 1 ? final[from.order]! : final[from.order]!.slice()
    } else {
      state = emptySlots(count)
      for (const slot of slots.all) {
        const bits = liveIn[block.order * words + (slot.index >>> 5)]!
        if (block.order === 0 || (bits & (1 << (slot.index & 31))) === 0) continue
        const phi = func.create(block, Op.phi, type(slot))
        heads.push(phi)
        phis.push({ phi, slot })
        state[slot.index] = phi
      }
    }
    final[block.order] = state
    if (!slots.isUsedIn(block)) {
      if (heads.length > 0) block.values = [...heads, ...block.values]
      continue
    }
    const kept = heads
    const { values } = block
    for (let index = 0; index < values.length; index++) {
      const value = values[index]!
      const slot = slots.of(value)
      if (slot === undefined) {
        kept.push(value)
        continue
      }
      const make = (op: number, of: Type, args: Value[]): Value => {
        const made = func.create(block, op, of, args, 0, value.origin)
        kept.push(made)
        return made
      }
      const before = state[slot.index] ?? zero(slot)
      const at = slots.offsetOf(value) - slot.offset
      if (!isStore(value.op)) {
        value.replacement = extract(func, make, value.op, before, at)
        replaced = true
      } else if (accessBytes[value.op] === slot.size) state[slot.index] = value.args[1]!
      else state[slot.index] = insert(func, make, value, before, at)
    }
    block.values = kept
  }
  for (const { phi, slot } of phis) {
    phi.args = phi.block.predecessors.map((from) => final[from.order]![slot.index] ?? zero(slot))
  }
  if (replaced) replaceValues(func)
  return true
}

/** Whether there is more of the stack than r10 itself, which every function has. */
function usesStack(order: readonly Block[]): boolean {
  for (const block of order) {
    const { values } = block
    for (let index = 0; index < values.length; index++) {
      const { op, args } = values[index]!
      for (let at = 0; at < args.length; at++) {
        const arg = args[at]!
        if (arg.op === Op.frame ? op !== Op.zext : arg.op === Op.zext && arg.args[0]!.op === Op.frame) return true
      }
    }
  }
  return false
}

/** What accesses do with the bytes of one stack. */
class Area {
  /** Accesses at constant offsets use the byte. */
  readonly used = uint8(STACK_BYTES)
  /** One of them uses this byte and the one below. */
  readonly joined = uint8(STACK_BYTES)
  /** Others may use it. */
  readonly shared = uint8(STACK_BYTES)
  /** The number of the byte's slot, -1 for none. */
  readonly slot = int32(STACK_BYTES).fill(-1)
  /** Stores of bytes and halfwords, by their first byte. */
  readonly narrow = uint8(STACK_BYTES)
}

class Slots {
  readonly all: Slot[] = []
  private readonly addresses: Addresses
  /** The loads and stores that are of slots, in the order of blocks. */
  readonly accesses: Value[] = []
  /** By number of the region: stacks alone have one. */
  private readonly areas: (Area | undefined)[] = []
  /** By id of an access: one more than the number of its slot. */
  private readonly numbers: Int32Array
  /** By order of a block. */
  private readonly used: Uint8Array

  constructor(func: Func, order: readonly Block[], addresses: Addresses) {
    this.addresses = addresses
    this.numbers = int32(func.valueCount)
    this.used = uint8(order.length)
  }

  /** The slot that a load or store is of. */
  of(value: Value): Slot | undefined {
    return this.all[this.numbers[value.id]! - 1]
  }

  /** Whether one is read or written there. */
  isUsedIn(block: Block): boolean {
    return this.used[block.order] === 1
  }

  /** Bytes from r10, for an access at a constant offset. */
  offsetOf(value: Value): number {
    return this.addresses.from[value.args[0]!.id]! + value.imm
  }

  find(order: readonly Block[]): void {
    const { addresses, areas } = this
    const exacts: Value[] = []
    for (const { values } of order) {
      for (let index = 0; index < values.length; index++) {
        const value = values[index]!
        const size = accessBytes[value.op]! > 0 ? accessBytes[value.op]! : isAtomic(value.op) ? atomicBytes(value) : 0
        if (size === 0) continue
        const address = value.args[0]!
        const number = addresses.of(address)
        if (addresses.regions[number]!.kind !== Kind.STACK) continue
        const area = (areas[number] ??= new Area())
        const from = addresses.from[address.id]! + value.imm + STACK_BYTES
        const to = addresses.to[address.id]! + value.imm + STACK_BYTES + size
        const exact = addresses.isExact(address) && !isAtomic(value.op)
        if (exact && from >= 0 && to <= STACK_BYTES) {
          area.used.fill(1, from, to)
          area.joined.fill(1, from + 1, to)
          if (isStore(value.op) && size < 4) area.narrow[from]!++
          exacts.push(value)
        } else {
          area.shared.fill(1, Math.max(0, from), Math.max(0, to))
        }
      }
    }
    for (const [number, area] of areas.entries()) {
      if (area === undefined) continue
      area.shared.fill(1, Math.max(0, addresses.regions[number]!.given + STACK_BYTES))
      this.cut(area)
    }
    for (const value of exacts) {
      const area = areas[addresses.of(value.args[0]!)]!
      const slot = area.slot[this.offsetOf(value) + STACK_BYTES]!
      if (slot < 0) continue
      this.numbers[value.id] = slot + 1
      this.used[value.block.order] = 1
      this.accesses.push(value)
    }
  }

  /** Runs of bytes that accesses join become slots, if nothing speaks against it. */
  private cut(area: Area): void {
    const { used, joined, shared } = area
    for (let from = 0; from < STACK_BYTES;) {
      let to = from + 1
      let good = used[from] === 1 && shared[from] === 0
      let insertions = area.narrow[from]!
      while (to < STACK_BYTES && joined[to] === 1) {
        if (shared[to] === 1) good = false
        insertions += area.narrow[to]!
        to++
      }
      const size = to - from
      if (good && size <= WIDEST && (size <= 2 || insertions <= MAXIMUM_INSERTIONS)) {
        const slot = { index: this.all.length, offset: from - STACK_BYTES, size }
        this.all.push(slot)
        area.slot.fill(slot.index, from, to)
      }
      from = to
    }
  }
}

/** By block: the slots that are read before they are written whole from its start on. */
function liveSlots(order: readonly Block[], slots: Slots): Int32Array {
  const words = (slots.all.length + 31) >>> 5
  // Rows of a block each, in one piece.
  const live = int32(order.length * words)
  const defined = int32(order.length * words)
  for (const value of slots.accesses) {
    const slot = slots.of(value)!
    const word = value.block.order * words + (slot.index >>> 5)
    const bit = 1 << (slot.index & 31)
    if (isStore(value.op) && accessBytes[value.op] === slot.size) defined[word]! |= bit
    else if ((defined[word]! & bit) === 0) live[word]! |= bit
  }
  const work = order.map((block) => block.order)
  const queued = uint8(order.length).fill(1)
  while (work.length > 0) {
    const at = work.pop()!
    queued[at] = 0
    for (const { order: from } of order[at]!.predecessors) {
      let changed = false
      for (let word = 0; word < words; word++) {
        const before = live[from * words + word]!
        const now = before | (live[at * words + word]! & ~defined[from * words + word]!)
        if (now === before) continue
        live[from * words + word] = now
        changed = true
      }
      if (changed && queued[from] === 0) {
        queued[from] = 1
        work.push(from)
      }
    }
  }
  return live
}
