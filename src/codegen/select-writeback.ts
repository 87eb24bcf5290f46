// Accesses that step their own base: of `load [p]` and `next = p + c` in one block, where nothing reads p after the access,
// the access gives `next` too (post-index), or, at [p + c], steps before it reads (pre-index). The addition is then free.

import { int32, uint8 } from '../base/arrays.ts'
import type { Block, Func, Value } from '../ir/func.ts'
import { Op } from '../ir/op.ts'
import { fitsIndexed } from '../thumb/immediates.ts'

/** What select keeps of it; the arrays are made when the first block asks. */
export class Writebacks {
  /** By id of an access: the sum that it gives as well. */
  readonly #next: (Value | undefined)[] = []
  /** By id of a sum: an access gives it. */
  #given = uint8(0)
  /** By id of a base at hand: its uses in the block; 0 elsewhere. Of other values -1. */
  #uses = new Int32Array(0)
  /** By id: the index in the block of the last user of a base, sums aside, and of the first user of a sum. */
  #last = new Int32Array(0)
  #first = new Int32Array(0)
  /** By id: the last block in reverse postorder that uses a value. */
  #lastBlock: Int32Array | undefined

  /** The sum that an access gives, if any. */
  nextOf(access: Value): Value | undefined {
    return this.#next[access.id]
  }

  isGiven(sum: Value): boolean {
    return this.#given[sum.id] === 1
  }

  /** Finds those of a block. Uses of all values must have been counted. */
  find(func: Func, block: Block): void {
    const { values } = block
    const sums: Value[] = []
    for (let index = 0; index < values.length; index++) if (isStep(values[index]!)) sums.push(values[index]!)
    if (sums.length === 0) return
    if (this.#given.length === 0) {
      const { valueCount } = func
      this.#given = uint8(valueCount)
      this.#uses = int32(valueCount).fill(-1)
      this.#last = int32(valueCount)
      this.#first = int32(valueCount)
    }
    for (const sum of sums) {
      this.#uses[sum.args[0]!.id] = 0
      this.#last[sum.args[0]!.id] = -1
      this.#first[sum.id] = values.length
    }
    this.#scan(values)
    for (const sum of sums) {
      const base = sum.args[0]!
      const at = this.#last[base.id]!
      const access = values[at]
      if (access === undefined || !isAccess(access) || access.args[0] !== base || access.args[1] === base) continue
      if (this.#first[sum.id]! <= at || this.#next[access.id] !== undefined) continue
      if (access.imm !== 0 && access.imm !== sum.args[1]!.imm) continue
      if (this.#uses[base.id] !== base.uses && !this.#endsIn(func, base, block)) continue
      this.#next[access.id] = sum
      this.#given[sum.id] = 1
    }
    for (const sum of sums) this.#uses[sum.args[0]!.id] = -1
  }

  /** A base of a loop that this block ends: what else uses it comes before, and the way back gives it a new value. */
  #endsIn(func: Func, base: Value, block: Block): boolean {
    if (base.op !== Op.phi || base.block.loopDepth !== block.loopDepth || !leadsBack(block, base.block)) return false
    this.#lastBlock ??= lastBlocks(func)
    return this.#lastBlock[base.id]! <= block.order
  }

  #scan(values: readonly Value[]): void {
    for (let index = values.length - 1; index >= 0; index--) {
      const value = values[index]!
      if (value.op === Op.phi) break
      const { args } = value
      const step = isStep(value)
      for (let each = 0; each < args.length; each++) {
        const { id } = args[each]!
        const uses = this.#uses[id]!
        this.#first[id] = index
        if (uses < 0) continue
        this.#uses[id] = uses + 1
        if (!step && this.#last[id]! < 0) this.#last[id] = index
      }
    }
  }
}

/** A successor is the header, or the block of the split edge to it. */
function leadsBack(block: Block, header: Block): boolean {
  return block.successors.some((next) => next === header || (next.values.length === 1 && next.successors[0] === header))
}

function lastBlocks(func: Func): Int32Array {
  const last = int32(func.valueCount)
  for (const block of func.blocks) {
    for (const value of block.values) {
      const { args } = value
      for (let index = 0; index < args.length; index++) {
        const at = value.op === Op.phi ? block.predecessors[index]!.order : block.order
        if (at > last[args[index]!.id]!) last[args[index]!.id] = at
      }
    }
  }
  return last
}

function isStep(value: Value): boolean {
  if (value.op !== Op.add || value.uses === 0) return false
  const base = value.args[0]!
  const step = value.args[1]!
  return step.op === Op.const && base.op !== Op.const && base.uses > 1 && fitsIndexed(step.imm)
}

function isAccess(value: Value): boolean {
  return (value.op >= Op.load8 && value.op <= Op.load32) || (value.op >= Op.store8 && value.op <= Op.store32)
}
