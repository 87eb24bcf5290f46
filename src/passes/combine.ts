// Accesses of bytes and halfwords side by side become one of a word or halfword: compilers for BPF take memory at unknown alignment byte by
// byte, and the target reads and writes words and halfwords anywhere (at an odd address 1 or 2 cycles more than else). Only
// what is known to be the stack, the context, a section or a map's: a device's accesses keep number, order and width.
// Needs: words, numbered, loads that repeat removed. Leaves: dead loads and what joined them.

import { removeUnreachable } from '../ir/cfg.ts'
import { type Block, type Func, type Value, countUses, replaceValues } from '../ir/func.ts'
import { Op } from '../ir/op.ts'
import { combineLoads } from './combine-loads.ts'
import { combineStores } from './combine-stores.ts'
import { type Access, Effect, accessOf, callReaches, effectOf, mayMeet } from './memory-access.ts'
import { Addresses, accessBytes } from './regions.ts'

/** Values between the first and the last of accesses that are joined, at most. */
const FARTHEST = 256
/** Bytes between narrow stores that may be neighbours. */
const NEAR = 4

/** Whether anything changed. */
export function combineAccesses(func: Func, isEntry: boolean): boolean {
  const loads = hasParts(func)
  const stores = hasRuns(func)
  if (!loads && !stores) return false
  countUses(func)
  const order = removeUnreachable(func)
  const edit = new Edit(func, new Addresses(func, order, isEntry))
  for (const block of order) {
    if (loads && edit.enter(block)) combineLoads(edit)
    edit.leave()
    if (stores && edit.enter(block)) combineStores(edit)
    edit.leave()
  }
  if (edit.changed) replaceValues(func)
  return edit.changed
}

/** Whether a narrow load is shifted by bytes and joined with something. */
function hasParts(func: Func): boolean {
  for (const block of func.blocks) {
    const { values } = block
    for (let index = 0; index < values.length; index++) {
      const value = values[index]!
      if (value.op === Op.or && (isPart(value.args[0]!) || isPart(value.args[1]!))) return true
    }
  }
  return false
}

function isPart({ op, args }: Value): boolean {
  if (op !== Op.lsl || args[1]!.op !== Op.const || (args[1]!.imm & 7) !== 0) return false
  return args[0]!.op === Op.load8 || args[0]!.op === Op.load16
}

/** Whether two narrow stores in a row are close to each other. */
function hasRuns(func: Func): boolean {
  for (const block of func.blocks) {
    const { values } = block
    let last: Value | undefined
    for (let index = 0; index < values.length; index++) {
      const value = values[index]!
      if (value.op !== Op.store8 && value.op !== Op.store16) continue
      if (last !== undefined && isNear(last, value)) return true
      last = value
    }
  }
  return false
}

function isNear(one: Value, other: Value): boolean {
  const [a] = one.args as [Value]
  const [b] = other.args as [Value]
  if (a === b) return Math.abs(one.imm - other.imm) <= NEAR
  // Offsets of a frame, or sums with constants.
  return a.op === b.op && (a.op === Op.frame || (a.op === Op.add && a.args[0] === b.args[0]))
}

/** One block that is being changed. */
export class Edit {
  readonly func: Func
  readonly addresses: Addresses
  changed = false
  values: Value[] = []
  private block: Block
  /** By value id: its place in the block. */
  private readonly places: Int32Array
  /** By place: what comes before the value there. */
  private inserted: (Value[] | undefined)[] = []
  private readonly gone: Uint8Array
  private readonly dead: Uint8Array
  private edited = false

  constructor(func: Func, addresses: Addresses) {
    this.func = func
    this.addresses = addresses
    this.block = func.blocks[0]!
    this.places = new Int32Array(func.valueCount).fill(-1)
    this.gone = new Uint8Array(func.valueCount)
    this.dead = new Uint8Array(func.valueCount)
  }

  /** Whether the block has two narrow accesses at all. */
  enter(block: Block): boolean {
    let narrow = 0
    const { values } = block
    for (let index = 0; index < values.length && narrow < 2; index++) {
      const bytes = accessBytes[values[index]!.op]!
      if (bytes === 1 || bytes === 2) narrow++
    }
    if (narrow < 2) return false
    this.block = block
    this.values = values
    for (let index = 0; index < values.length; index++) {
      const { id } = values[index]!
      if (id < this.places.length) this.places[id] = index
    }
    return true
  }

  /** Puts what was made into the block. */
  leave(): void {
    if (!this.edited) return
    const made: Value[] = []
    for (const [place, value] of this.values.entries()) {
      const before = this.inserted[place]
      if (before !== undefined) made.push(...before)
      if (value.id >= this.gone.length || this.gone[value.id] === 0) made.push(value)
    }
    this.block.values = made
    this.inserted = []
    this.edited = false
    this.changed = true
  }

  /** Place of a value in this block, -1 if it is in none or another. */
  placeOf(value: Value): number {
    return value.block === this.block ? (this.places[value.id] ?? -1) : -1
  }

  /** A value before the one at a place. */
  insert(place: number, op: number, type: Value['type'], args: Value[], imm: number, origin: number): Value {
    const value = this.func.create(this.block, op, type, args, imm, origin)
    const before = (this.inserted[place] ??= [])
    before.push(value)
    this.edited = true
    return value
  }

  remove(value: Value): void {
    this.gone[value.id] = 1
  }

  /** Nobody needs a value any more: it need not be looked at. */
  setDead(value: Value): void {
    this.dead[value.id] = 1
  }

  isDead(value: Value): boolean {
    return this.dead[value.id] === 1
  }

  /** The access of a load or store of memory that is no device's. */
  accessOf(value: Value): Access | undefined {
    if (accessBytes[value.op] === 0) return undefined
    const access = accessOf(this.addresses, value)
    return this.addresses.of(access.root) > 0 ? access : undefined
  }

  /** Whether nothing between two places can change an access's bytes. */
  isUnchanged(access: Access, from: number, to: number): boolean {
    if (to - from > FARTHEST) return false
    for (let place = from; place < to; place++) {
      const value = this.values[place]!
      const effect = effectOf(value)
      if (effect === Effect.NONE) continue
      if (effect !== Effect.ACCESS) {
        if (callReaches(this.addresses, effect, access)) return false
      } else if (mayMeet(this.addresses, access, accessOf(this.addresses, value))) return false
    }
    return true
  }
}
