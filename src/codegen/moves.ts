// Parallel moves made sequential: all sources are read before any destination is written. Moves go between registers,
// spill slots and constants. Needs destinations to be distinct; leaves Codes that change no flags and no other register.
// Cycles go through a free register, or are swaps by EOR; what moves within memory without a free register borrows one.

import { int32 } from '../base/arrays.ts'
import { F } from '../thumb/forms.ts'
import { LR } from '../thumb/registers.ts'
import { Code, P } from './code.ts'

/**
 * A location: 0..14 a real register; FIRST_SLOT + n spill slot n; -1 none; -2 - n the value that Code number n makes (a
 * source only).
 */
export type Location = number
export const FIRST_SLOT = 16
export const NOWHERE = -1

/** Location of what Code number `n` makes. */
export function madeBy(n: number): Location {
  return -2 - n
}

const isRegister = (location: Location): boolean => location >= 0 && location < FIRST_SLOT

/** Collects the moves of one point, and of the next ones as long as no instruction is between them, and resolves them. */
export class MoveResolver {
  /** Mask of real registers written so far. */
  written = 0
  /** Spill slots in use, with those that it needed for itself. */
  spillWords: number
  /** Pending moves, all at once. */
  readonly #from: Location[] = []
  readonly #to: Location[] = []
  /** Moves that happen after the pending ones, all at once. */
  readonly #stagedFrom: Location[] = []
  readonly #stagedTo: Location[] = []
  /** Codes by number, for sources that are made again. */
  readonly #makers: readonly (Code | undefined)[]
  /** Per location: how many moves still read it; which pending move writes it. */
  #readers: Int32Array
  #writer: Int32Array
  #borrowSlot = -1
  #cycleSlot = -1
  /** What r0 held is in #borrowSlot. */
  #borrowed = false
  #out: Code[] = []
  #origin = -1
  #scratch = 0

  constructor(spillWords: number, makers: readonly (Code | undefined)[]) {
    this.spillWords = spillWords
    this.#makers = makers
    this.#readers = int32(FIRST_SLOT + spillWords + 2)
    this.#writer = int32(FIRST_SLOT + spillWords + 2).fill(-1)
  }

  /** One of the moves that happen at once, until `settle`. */
  add(from: Location, to: Location): void {
    if (from === to || from === NOWHERE || to === NOWHERE) return
    this.#stagedFrom.push(from)
    this.#stagedTo.push(to)
  }

  /** Moves added from here on happen after those before. */
  settle(): void {
    const stagedFrom = this.#stagedFrom
    const stagedTo = this.#stagedTo
    if (stagedFrom.length === 0) return
    const from = this.#from
    const to = this.#to
    const writer = this.#writer
    if (from.length > 0) {
      for (let i = 0; i < stagedFrom.length; i++) {
        const source = stagedFrom[i]!
        const before = source >= 0 ? writer[source]! : -1
        if (before >= 0) stagedFrom[i] = from[before]!
      }
    }
    for (let i = 0; i < stagedFrom.length; i++) {
      const place = stagedTo[i]!
      const known = writer[place]!
      if (known >= 0) {
        from[known] = stagedFrom[i]!
      } else {
        writer[place] = from.length
        from.push(stagedFrom[i]!)
        to.push(place)
      }
    }
    shorten(stagedFrom, 0)
    shorten(stagedTo, 0)
  }

  get isEmpty(): boolean {
    return this.#from.length === 0 && this.#stagedFrom.length === 0
  }

  /**
   * Appends the moves to `out` and forgets them. `live`: real registers whose values are wanted afterwards; `spare`: those
   * of the others that may be written in passing.
   */
  resolve(out: Code[], live: number, spare: number, origin: number): void {
    this.settle()
    const from = this.#from
    const to = this.#to
    if (from.length === 0) return
    this.#out = out
    this.#origin = origin
    const readers = this.#readers
    const writer = this.#writer
    let free = spare & ~live
    let count = 0
    for (let i = 0; i < from.length; i++) {
      const source = from[i]!
      const place = to[i]!
      if (source === place || (place < FIRST_SLOT && ((live >> place) & 1) === 0)) {
        writer[place] = -1
        continue
      }
      if (source >= 0) {
        readers[source] = readers[source]! + 1
        if (source < FIRST_SLOT) free &= ~(1 << source)
      }
      if (place < FIRST_SLOT) free &= ~(1 << place)
      writer[place] = count
      from[count] = source
      to[count++] = place
    }
    shorten(from, count)
    shorten(to, count)
    this.#scratch = free
    this.#chains()
    this.#cycles()
    this.#make()
    this.#giveBack()
    shorten(from, 0)
    shorten(to, 0)
  }

  /** Does move i; returns what was read, if that is now free to be written. */
  #done(i: number): Location {
    const source = this.#from[i]!
    this.#writer[this.#to[i]!] = -1
    this.#from[i] = NOWHERE
    const left = this.#readers[source]! - 1
    this.#readers[source] = left
    return left === 0 ? source : NOWHERE
  }

  /** Moves to where nothing is read any more, and then those that this allows. */
  #chains(): void {
    for (let i = 0; i < this.#from.length; i++) {
      let next = i
      while (next >= 0 && this.#from[next]! >= 0 && this.#readers[this.#to[next]!] === 0) {
        this.#emit(this.#from[next]!, this.#to[next]!)
        const freed = this.#done(next)
        next = freed === NOWHERE ? -1 : this.#writer[freed]!
      }
    }
  }

  /** Only cycles are left, each location read once. */
  #cycles(): void {
    const from = this.#from
    const to = this.#to
    for (let i = 0; i < from.length; i++) {
      if (from[i]! < 0) continue
      if (this.#scratch === 0 && this.#inRegisters(i)) this.#swapCycle(i)
      else this.#breakCycle(i)
    }
    for (let i = 0; i < to.length; i++) if (from[i]! < -1) this.#writer[to[i]!] = -1
  }

  #inRegisters(start: number): boolean {
    let i = start
    do {
      if (!isRegister(this.#to[i]!)) return false
      i = this.#writer[this.#from[i]!]!
    } while (i !== start)
    return true
  }

  #swapCycle(start: number): void {
    // a <- b <- c <- a: after swapping a and b, a is right and b holds what a held: b <- c <- b.
    const kept = this.#to[start]!
    let i = start
    for (;;) {
      const source = this.#from[i]!
      const next = this.#writer[source]!
      const last = source === kept
      if (!last) {
        const a = this.#to[i]!
        this.#eor(a, source)
        this.#eor(source, a)
        this.#eor(a, source)
      }
      this.#done(i)
      if (last) return
      i = next
    }
  }

  #breakCycle(start: number): void {
    // Keeps what the first destination holds; then the cycle is a chain.
    let first = start
    const hold = this.#takeScratch()
    let place: Location
    if (hold >= 0) {
      place = hold
    } else {
      // In memory; with a register to keep, that costs one store.
      while (!isRegister(this.#to[first]!) && this.#writer[this.#from[first]!] !== start) {
        first = this.#writer[this.#from[first]!]!
      }
      if (this.#cycleSlot < 0) this.#cycleSlot = this.spillWords++
      place = FIRST_SLOT + this.#cycleSlot
    }
    const kept = this.#to[first]!
    this.#emit(kept, place)
    let i = first
    for (;;) {
      const source = this.#from[i]!
      const next = this.#writer[source]!
      this.#emit(source === kept ? place : source, this.#to[i]!)
      this.#done(i)
      if (source === kept) break
      i = next
    }
    if (hold >= 0) this.#scratch |= 1 << hold
  }

  /** What is made again comes last: it reads nothing. To memory first, while the registers to come are still free. */
  #make(): void {
    const from = this.#from
    const to = this.#to
    for (let i = 0; i < from.length; i++) {
      if (from[i]! < -1 && isRegister(to[i]!)) this.#scratch |= 1 << to[i]!
    }
    for (let i = 0; i < from.length; i++) if (from[i]! < -1 && !isRegister(to[i]!)) this.#emit(from[i]!, to[i]!)
    for (let i = 0; i < from.length; i++) if (from[i]! < -1 && isRegister(to[i]!)) this.#emit(from[i]!, to[i]!)
  }

  /** A free register, taken; the one that is cheapest to write. -1 if there is none. */
  #takeScratch(): number {
    if (this.#scratch === 0) return -1
    const cheap = this.#scratch & ~(1 << LR)
    const register = 31 - Math.clz32(cheap === 0 ? this.#scratch : cheap & -cheap)
    this.#scratch &= ~(1 << register)
    return register
  }

  #emit(from: Location, to: Location): void {
    if (from === 0 || to === 0) this.#giveBack()
    if (isRegister(to)) {
      this.#toRegister(from, to)
    } else if (isRegister(from)) {
      this.#slot(P.SPILL_STORE, from, to - FIRST_SLOT)
    } else {
      const scratch = this.#takeScratch()
      if (scratch >= 0) {
        this.#toRegister(from, scratch)
        this.#slot(P.SPILL_STORE, scratch, to - FIRST_SLOT)
        this.#scratch |= 1 << scratch
      } else {
        // r0 is as good as any other: it is back before anything else happens with it.
        if (this.#borrowSlot < 0) this.#borrowSlot = this.spillWords++
        if (!this.#borrowed) this.#slot(P.SPILL_STORE, 0, this.#borrowSlot)
        this.#borrowed = true
        this.#toRegister(from, 0)
        this.#slot(P.SPILL_STORE, 0, to - FIRST_SLOT)
      }
    }
  }

  #giveBack(): void {
    if (this.#borrowed) this.#slot(P.SPILL_LOAD, 0, this.#borrowSlot)
    this.#borrowed = false
  }

  #toRegister(from: Location, register: number): void {
    this.written |= 1 << register
    if (from < NOWHERE) {
      this.#out.push(madeAgain(this.#makers[-2 - from]!, register, this.#origin))
    } else if (isRegister(from)) {
      const code = new Code(F.MOV_r)
      code.d = register
      code.m = from
      code.origin = this.#origin
      this.#out.push(code)
    } else {
      this.#slot(P.SPILL_LOAD, register, from - FIRST_SLOT)
    }
  }

  #slot(form: number, register: number, slot: number): void {
    const code = new Code(form)
    code.d = register
    code.imm = slot
    code.origin = this.#origin
    this.#out.push(code)
  }

  #eor(d: number, m: number): void {
    if (d === 0 || m === 0) this.#giveBack()
    const code = new Code(F.EOR_r)
    code.d = d
    code.n = d
    code.m = m
    code.origin = this.#origin
    this.#out.push(code)
    this.written |= 1 << d
  }
}

/** Drops what is behind the first `count`. Setting a length takes longer than a few of these. */
function shorten(list: number[], count: number): void {
  while (list.length > count) list.pop()
}

function madeAgain(maker: Code, register: number, origin: number): Code {
  const code = new Code(maker.form)
  code.d = register
  code.imm = maker.imm
  code.symbol = maker.symbol
  code.n = maker.n
  code.base = maker.base
  code.origin = origin
  return code
}
