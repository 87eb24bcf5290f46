// The numbers that liveness and the allocator share: Codes in a line, positions on it, and live ranges.
//
// Every Code has a number; a footer (no Code) stands after the last of each block, so that there is a point between the
// last Code and the edge. A number i has three positions:
//   3i      gap  moves after Code i - 1 have been done, moves before Code i have not
//   3i + 1  use  moves before Code i have been done, it reads
//   3i + 2  def  it writes
// A range [from, to) is held at each of its positions. Ranges are cut only at gap and use positions, where moves can be.

import { float64, int32 } from '../base/arrays.ts'
import type { Code } from './code.ts'

/** A function's Codes in a line. Number 0 belongs to no block. */
export class Line {
  /** Numbers in use. */
  readonly count: number
  /** Code of each number; undefined for footers and 0. */
  readonly codes: (Code | undefined)[] = [undefined]
  /** Block of each number. */
  readonly blockOf: Int32Array
  /** Per block: its first number (its footer's, when it is empty). */
  readonly first: Int32Array
  /** Per block: its footer's number. */
  readonly footer: Int32Array
  /** Per block: how often it is expected to run. */
  readonly frequency: Float64Array
  constructor(count: number, blocks: number) {
    this.count = count
    this.blockOf = int32(count)
    this.first = int32(blocks)
    this.footer = int32(blocks)
    this.frequency = float64(blocks)
  }
}

/** Live ranges, as columns. A virtual register's ranges are linked by `next` in order of position and don't overlap. */
export class Ranges {
  count = 0
  from: Int32Array
  to: Int32Array
  register: Int32Array
  /** Next range of the same virtual register, -1 at the end. */
  next: Int32Array
  /** Slice [refFrom, refTo) of the references that lie in it. */
  refFrom: Int32Array
  refTo: Int32Array
  /** Bundle that it is in. */
  bundle: Int32Array
  constructor(capacity: number) {
    this.from = int32(capacity)
    this.to = int32(capacity)
    this.register = int32(capacity)
    this.next = int32(capacity)
    this.refFrom = int32(capacity)
    this.refTo = int32(capacity)
    this.bundle = int32(capacity)
  }

  add(register: number, from: number, to: number): number {
    const id = this.count++
    if (id === this.from.length) this.#grow()
    this.from[id] = from
    this.to[id] = to
    this.register[id] = register
    this.next[id] = -1
    this.refFrom[id] = 0
    this.refTo[id] = 0
    this.bundle[id] = -1
    return id
  }

  #grow(): void {
    this.from = widen(this.from)
    this.to = widen(this.to)
    this.register = widen(this.register)
    this.next = widen(this.next)
    this.refFrom = widen(this.refFrom)
    this.refTo = widen(this.refTo)
    this.bundle = widen(this.bundle)
  }
}

/** The same array with twice the room. */
export function widen(array: Int32Array): Int32Array {
  const wider = int32(Math.max(16, array.length * 2))
  wider.set(array)
  return wider
}

/** The same array with twice the room. */
export function widenFloat(array: Float64Array): Float64Array {
  const wider = float64(Math.max(16, array.length * 2))
  wider.set(array)
  return wider
}
