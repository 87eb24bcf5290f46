// Sizes and places of a function's items. Pools are placed first, by upper bounds of all sizes; then branches and loads
// start small and grow until each reaches, so that nothing has to be moved back.
//
// The pool invariant: a literal stands after every load of it, at most 4092 bytes from the load's aligned PC whatever
// sizes the items in between take; control never runs into a pool.

import { int32, uint8 } from '../base/arrays.ts'
import { unreachable } from '../base/errors.ts'
import { fitsBranch } from '../thumb/immediates.ts'
import { chooseRow } from '../thumb/encode.ts'
import { F } from '../thumb/forms.ts'
import { Cond } from '../thumb/instruction.ts'
import type { Code } from './code.ts'
import { type Items, Kind, Literal } from './emit-items.ts'

/** Reach of LDR (literal), 16-bit and 32-bit, from the aligned PC. */
const SHORT_REACH = 1020
const LONG_REACH = 4092
/** What is left of the reach for alignment, a jump over the pool and an IT block that can't be cut. */
const SLACK = 64
/** Reach of a TBH entry less the bytes of its table. */
const TABLE_REACH = 120_000
/** A function of fewer bytes has no branch out of reach of B with a condition. */
const FAR_BRANCH = 1_000_000

/** A literal pool, in front of item `at` (or at the end). */
export class Pool {
  readonly at: number
  readonly literals: readonly Literal[]
  /** Control comes from the item before: a branch leads over the pool. */
  readonly jumped: boolean
  /** Byte offset in the function of the first literal. */
  offset = 0
  constructor(at: number, literals: readonly Literal[], jumped: boolean) {
    this.at = at
    this.literals = literals
    this.jumped = jumped
  }
}

/** Where everything is, in bytes from the function's start, which is a multiple of 4. */
export interface Layout {
  readonly pools: readonly Pool[]
  /** Of each item, and the end of the code. */
  readonly offsets: Int32Array
  /** By item, for TABLE: bytes of an entry, 1 or 2. */
  readonly entrySizes: Uint8Array
  /** By item, for TABLE: the number of the branch after the table by which an entry leads on, 0 if it reaches: its target is behind or far. */
  readonly far: ReadonlyMap<number, Uint16Array>
  /** By item: bytes of NOPs in front of it, and of the pool's there. */
  readonly pads: Uint8Array
  /** Bytes, a multiple of 4. */
  readonly size: number
}

/** What a branch leads to. */
const Target = {
  /** A loop's head: a taken branch each round. */
  HEAD: 1,
  /** Within a loop, forwards. */
  INSIDE: 2,
  /** As well aligned as can be: nothing before it may change. */
  DONE: 3,
} as const

/** Bytes of `CMP n, #0`. */
export function compareSize(code: Code): number {
  return code.n < 8 ? 2 : 4
}

/** Bytes of a table of `count` entries. */
export function tableBytes(count: number, entrySize: number): number {
  return (count * entrySize + 1) & ~1
}

class Layouter {
  readonly items: Items
  readonly offsets: Int32Array
  readonly entrySizes: Uint8Array
  readonly far = new Map<number, Uint16Array>()
  readonly pads: Uint8Array
  /** By item: Target, or 0. */
  readonly targets: Uint8Array
  /** Items whose sizes depend on distances. */
  readonly variable: number[] = []
  pools: Pool[] = []
  size = 0

  constructor(items: Items) {
    this.items = items
    this.offsets = int32(items.count + 1)
    this.entrySizes = uint8(items.count)
    this.pads = uint8(items.count + 1)
    this.targets = uint8(items.count + 1)
  }

  targetOf(code: Code): number {
    return this.items.starts[code.target]!
  }

  run(align: boolean): Layout {
    const upper = this.upperBounds()
    this.placePools(upper)
    this.relax()
    if (align) {
      this.alignLoops()
      this.relax()
    }
    const { pools, offsets, entrySizes, far, pads } = this
    return { pools, offsets, entrySizes, far, pads, size: (this.size + 3) & ~3 }
  }

  /** Greatest possible offset of each item, without pools. */
  private upperBounds(): Int32Array {
    const { items, targets } = this
    const { kinds, codes, sizes } = items
    for (let i = 0; i < items.count; i++) {
      const kind = kinds[i]
      if (kind === Kind.PLAIN || kind === Kind.CALL) continue
      this.variable.push(i)
      if (kind !== Kind.BRANCH && kind !== Kind.ZERO_BRANCH) continue
      const target = this.targetOf(codes[i]!)
      if (items.depths[target] === 0) continue
      if (target <= i) targets[target] = Target.HEAD
      else if (targets[target] === 0) targets[target] = Target.INSIDE
    }
    const branch = items.count * 12 < FAR_BRANCH ? 4 : 6
    const upper = int32(items.count + 1)
    let at = 0
    for (let i = 0; i < items.count; i++) {
      if (targets[i] !== 0) at += 2 // what alignLoops may add for each
      upper[i] = at
      const code = codes[i]!
      switch (kinds[i]) {
        case Kind.BRANCH:
          at += branch
          break
        case Kind.ZERO_BRANCH:
          sizes[i] = code.n > 7 || this.targetOf(code) <= i ? compareSize(code) + 2 : 2
          at += compareSize(code) + branch
          break
        case Kind.LITERAL:
          at += 4
          break
        case Kind.TABLE:
          at += 4 + code.targets.length * 6
          break
        default:
          at += sizes[i]!
      }
    }
    upper[items.count] = at
    for (const i of this.variable) {
      if (kinds[i] !== Kind.TABLE) continue
      const { targets } = codes[i]!
      const stubs: number[] = []
      const far = Uint16Array.from(targets, (target) => {
        const to = items.starts[target]!
        if (to > i && upper[to]! - upper[i]! <= TABLE_REACH) return 0
        const known = stubs.indexOf(target)
        return known >= 0 ? known + 1 : stubs.push(target)
      })
      this.far.set(i, far)
      this.entrySizes[i] = 1
      sizes[i] = this.tableSize(far, 1)
    }
    return upper
  }

  private placePools(upper: Int32Array): void {
    const { items } = this
    const { kinds, codes, ends, inIT, literals } = items
    const { count } = items
    // For each item the next one after which a pool costs no branch.
    const sites = int32(count)
    for (let i = count - 1, site = count; i >= 0; i--) {
      sites[i] = site
      if (ends[i] === 1) site = i
    }
    let pending: Literal[] = []
    const known = new Map<string | number, Literal>()
    // Last offsets of the pool's first byte that its loads allow, were it of no length.
    let shortLimit = Infinity
    let longLimit = Infinity
    const flush = (at: number, jumped: boolean): void => {
      this.pools.push(new Pool(at, pending, jumped))
      pending = []
      known.clear()
      shortLimit = longLimit = Infinity
    }
    for (let i = 0; i < count; i++) {
      const canCut = i > 0 && inIT[i] === 0
      if (pending.length > 0 && canCut && ends[i - 1] === 0 && upper[i + 1]! + pending.length * 4 + 4 > longLimit)
        flush(i, true)
      if (kinds[i] === Kind.LITERAL) {
        const code = codes[i]!
        const key = code.symbol >= 0 ? `${code.symbol}+${code.imm}` : code.imm
        let literal = known.get(key)
        if (literal === undefined) {
          literal = new Literal(code.imm, code.symbol)
          known.set(key, literal)
          pending.push(literal)
          longLimit = Math.min(longLimit, upper[i]! + LONG_REACH - SLACK)
          if (code.d < 8) shortLimit = Math.min(shortLimit, upper[i]! + SHORT_REACH - 4)
        }
        literals.set(i, literal)
      }
      if (pending.length === 0 || ends[i] === 0) continue
      const site = sites[i]!
      // Each literal still to come before the next site takes a load, of 2 bytes at least, and a word.
      const next = site === count ? upper[count]! : upper[site + 1]!
      const least = next + pending.length * 4
      if (site === count || least > shortLimit || least + 256 > longLimit) flush(i + 1, false)
    }
    if (pending.length > 0) unreachable('a function whose end is reached')
  }

  /** Offsets of everything by the present sizes. */
  private place(): void {
    const { sizes, count } = this.items
    const { offsets, pools, pads } = this
    let at = 0
    let next = 0
    for (let i = 0; i <= count; i++) {
      for (let pool = pools[next]; pool !== undefined && pool.at === i; pool = pools[++next]) {
        if (pool.jumped) at += jumpSize(pool)
        at = (at + 3) & ~3
        pool.offset = at
        for (const literal of pool.literals) {
          literal.offset = at
          at += 4
        }
      }
      at += pads[i]!
      offsets[i] = at
      if (i < count) at += sizes[i]!
    }
    this.size = at
  }

  /** Bytes that the item needs by the present offsets. `margin` makes it grow early. */
  private needed(i: number, margin: number): number {
    const { items, offsets } = this
    const code = items.codes[i]!
    const at = offsets[i]!
    switch (items.kinds[i]) {
      case Kind.LITERAL: {
        const distance = items.literals.get(i)!.offset - ((at + 4) & ~3)
        if (distance < 0 || distance > LONG_REACH + 3) unreachable(`literal at distance ${distance}`)
        return code.d < 8 && distance + margin <= SHORT_REACH ? 2 : 4
      }
      case Kind.TABLE:
        return this.neededTable(i)
      case Kind.ZERO_BRANCH: {
        const target = offsets[this.targetOf(code)]!
        const distance = target - (at + 4)
        if (items.sizes[i] === 2 && distance >= 0 && fitsBranch('CBZ', distance + margin)) return 2
        return compareSize(code) + branchSize(target - (at + compareSize(code) + 4), true, margin)
      }
      default:
        return branchSize(offsets[this.targetOf(code)]! - (at + 4), code.cond !== Cond.AL, margin)
    }
  }

  private neededTable(i: number): number {
    const { items, offsets, entrySizes } = this
    const { targets } = items.codes[i]!
    let entrySize = entrySizes[i]!
    const far = this.far.get(i)!
    const base = offsets[i]! + 4
    // The last of the branches after the table stands before its end.
    if (this.tableSize(far, 1) - 4 > 510) entrySize = 2
    for (let entry = 0; entry < targets.length; entry++) {
      if (far[entry] === 0 && offsets[items.starts[targets[entry]!]!]! - base > 510) entrySize = 2
    }
    entrySizes[i] = entrySize
    return this.tableSize(far, entrySize)
  }

  /** Bytes of the instruction, the table and the branches after it. */
  private tableSize(far: Uint16Array, entrySize: number): number {
    let stubs = 0
    for (const stub of far) stubs = Math.max(stubs, stub)
    return 4 + tableBytes(far.length, entrySize) + 4 * stubs
  }

  /** Grows what does not reach until everything does. Sizes never shrink, so it ends. */
  private relax(): void {
    const { sizes } = this.items
    for (let pass = 0; ; pass++) {
      this.place()
      let grown = false
      // After a few passes what is nearly out of reach grows at once, so that chains of growth end soon.
      const margin = pass < 4 ? 0 : 16 << Math.min(pass - 4, 6)
      for (const i of this.variable) {
        const size = this.needed(i, 0)
        if (size <= sizes[i]!) continue
        sizes[i] = size
        grown = true
      }
      if (!grown) return
      if (margin > 0) for (const i of this.variable) sizes[i] = Math.max(sizes[i]!, this.needed(i, margin))
    }
  }

  /**
   * A taken branch to a 32-bit instruction at 2 mod 4 costs a cycle: where one in a loop leads to such, a 16-bit
   * instruction shortly before takes its 32-bit encoding, or a NOP is put in front if control rarely falls in there.
   */
  private alignLoops(): void {
    const { items, offsets, targets, pads } = this
    const fence = uint8(items.count + 1)
    for (const pool of this.pools) fence[pool.at] = 1
    let shift = 0
    for (let i = 0; i < items.count; i++) {
      // A pool aligns what follows it by itself.
      if (fence[i] === 1) shift = 0
      if (targets[i] === 0) continue
      if (((offsets[i]! + shift) & 3) === 2 && !startsWith16(items, i)) {
        const back = this.widenable(i, fence)
        if (back >= 0) {
          items.wide[back] = 1
          items.sizes[back] = 4
          shift += 2
        } else if (this.rarelyFallsInto(i)) {
          pads[i] = 2
          shift += 2
        }
      }
      targets[i] = Target.DONE
    }
  }

  /** An item shortly before `i` whose encoding may take 2 bytes more without costing cycles, or -1. */
  private widenable(i: number, fence: Uint8Array): number {
    const { items, targets } = this
    const { kinds, codes, sizes, inIT } = items
    for (let back = i - 1; back >= 0 && back >= i - 16; back--) {
      if (fence[back + 1] === 1 || targets[back + 1] === Target.DONE) return -1
      if (sizes[back] !== 2 || inIT[back] === 1 || codes[back]!.form === F.IT) continue
      // IT costs a cycle behind what is not a 16-bit instruction.
      if (codes[back + 1]?.form === F.IT) continue
      if (kinds[back] === Kind.BRANCH) return back
      if (kinds[back] === Kind.PLAIN && chooseRow(codes[back]!, false, true) !== undefined) return back
    }
    return -1
  }

  private rarelyFallsInto(i: number): boolean {
    const { items, targets } = this
    if (i === 0 || items.ends[i - 1] === 1) return true
    return targets[i] === Target.HEAD && items.depths[i - 1]! < items.depths[i]!
  }
}

function startsWith16(items: Items, i: number): boolean {
  const kind = items.kinds[i]!
  return kind === Kind.ZERO_BRANCH
    ? items.codes[i]!.n < 8
    : items.sizes[i] === 2 || (kind === Kind.BRANCH && items.sizes[i] === 6)
}

/** Bytes of B by the distance from the instruction after the next: of a far conditional branch, one over a B.W. */
export function branchSize(distance: number, conditional: boolean, margin = 0): number {
  const stretched = distance < 0 ? distance - margin : distance + margin
  if (conditional) return fitsBranch('T1', stretched) ? 2 : fitsBranch('T3', stretched) ? 4 : 6
  return fitsBranch('T2', stretched) ? 2 : 4
}

/** Bytes of the branch over a pool. */
export function jumpSize(pool: Pool): number {
  return pool.literals.length * 4 + 2 <= 2046 ? 2 : 4
}

/** Places the items. Sets their sizes and the literals' offsets. `align`: loops are aligned. */
export function layOut(items: Items, align: boolean): Layout {
  return new Layouter(items).run(align)
}
