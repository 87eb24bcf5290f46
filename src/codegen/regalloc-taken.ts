// Which real registers are taken at which positions, and by which ranges. Many ranges are long: positions are in words of 16, and
// of a word that a range covers as a whole only the word is marked.

import { int32, uint16 } from '../base/arrays.ts'

const WORD = 4
const LAST = (1 << WORD) - 1
const REGISTERS = 15
/** Owners that are kept for the next function. */
const KEPT = 1 << 18

/** Room for the owners by position: only what `#part` says is there is read, so it need not be zero. */
let room = new Int32Array(0)

function roomFor(count: number): Int32Array {
  if (count > KEPT) return new Int32Array(count)
  if (room.length < count) room = new Int32Array(Math.min(count * 2, KEPT))
  return room
}

export class Taken {
  /** Per position: mask of registers that are taken by ranges which cover a part of its word. */
  readonly #part: Uint16Array
  /** Per word: the union of those, and mask of registers that are taken all through it. */
  readonly #some: Uint16Array
  readonly #full: Uint16Array
  readonly #positions: number
  readonly #words: number
  /** Per register and position, or word: who takes it. */
  readonly #partOwner: Int32Array
  readonly #fullOwner: Int32Array

  constructor(positions: number) {
    this.#positions = positions
    this.#words = (positions >> WORD) + 1
    this.#part = uint16(positions)
    this.#some = uint16(this.#words)
    this.#full = uint16(this.#words)
    this.#partOwner = roomFor(positions * REGISTERS)
    this.#fullOwner = int32(this.#words * REGISTERS)
  }

  /** Mask of the registers that are taken at a position. */
  at(position: number): number {
    return this.#part[position]! | this.#full[position >> WORD]!
  }

  /** Mask of the registers that are taken somewhere in [from, to). */
  within(from: number, to: number): number {
    const part = this.#part
    const some = this.#some
    const full = this.#full
    let mask = 0
    for (let p = from; p < to;) {
      const word = p >> WORD
      const end = (word + 1) << WORD
      mask |= full[word]!
      if ((p & LAST) === 0 && end <= to) {
        mask |= some[word]!
        p = end
      } else {
        const stop = end < to ? end : to
        while (p < stop) mask |= part[p++]!
      }
    }
    return mask
  }

  /** Takes a register in [from, to). */
  take(register: number, from: number, to: number, owner: number): void {
    const part = this.#part
    const some = this.#some
    const full = this.#full
    const bit = 1 << register
    const ofPart = register * this.#positions
    const ofFull = register * this.#words
    for (let p = from; p < to;) {
      const word = p >> WORD
      const end = (word + 1) << WORD
      if ((p & LAST) === 0 && end <= to) {
        full[word] = full[word]! | bit
        this.#fullOwner[ofFull + word] = owner
        p = end
      } else {
        some[word] = some[word]! | bit
        const stop = end < to ? end : to
        for (; p < stop; p++) {
          part[p] = part[p]! | bit
          this.#partOwner[ofPart + p] = owner
        }
      }
    }
  }

  /** Undoes `take`. */
  release(register: number, from: number, to: number): void {
    const part = this.#part
    const full = this.#full
    const keep = ~(1 << register)
    for (let p = from; p < to;) {
      const word = p >> WORD
      const end = (word + 1) << WORD
      if ((p & LAST) === 0 && end <= to) {
        full[word] = full[word]! & keep
        p = end
      } else {
        const stop = end < to ? end : to
        for (; p < stop; p++) part[p] = part[p]! & keep
        let some = 0
        const last = end < part.length ? end : part.length
        for (let q = word << WORD; q < last; q++) some |= part[q]!
        this.#some[word] = some
      }
    }
  }

  /** First position in [from, to) where a register is taken, `to` if there is none. */
  next(register: number, from: number, to: number): number {
    for (let p = from; p < to;) {
      const word = p >> WORD
      if (((this.#full[word]! >> register) & 1) !== 0) return p
      const end = (word + 1) << WORD
      const stop = end < to ? end : to
      if (((this.#some[word]! >> register) & 1) !== 0) {
        for (; p < stop; p++) if (((this.#part[p]! >> register) & 1) !== 0) return p
      }
      p = stop
    }
    return to
  }

  /** Who takes a register at a position where it is taken. */
  owner(register: number, position: number): number {
    const word = position >> WORD
    return ((this.#full[word]! >> register) & 1) !== 0
      ? this.#fullOwner[register * this.#words + word]!
      : this.#partOwner[register * this.#positions + position]!
  }
}
