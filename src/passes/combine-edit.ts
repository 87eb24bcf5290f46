// A block whose accesses are joined: where its values stand, what comes before them, and whether two accesses may trade places.

import type { Block, Func, Value } from '../ir/func.ts'
import { type Access, Effect, accessOf, callReaches, effectOf, mayMeet } from './memory-access.ts'
import { Addresses, accessBytes } from './regions.ts'

/** Values between the first and the last of accesses that are joined, at most. */
const FARTHEST = 256

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
