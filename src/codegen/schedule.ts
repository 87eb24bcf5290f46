// Order within a block, for the Cortex-M4's memory pipeline: a load takes a cycle less when the next instruction is another
// load or store that does not wait for it; an address register written by the instruction before costs a cycle; so does a load
// directly behind a store. Needs real registers and settled flags. Memory accesses keep their order among each other; what
// computes moves out from between them, and into the gaps that cost.

import { F, FIELD, formNames, reads, writes } from '../thumb/forms.ts'
import { Cond, Flags, Index, Shift } from '../thumb/instruction.ts'
import { type Code, P } from './code.ts'
import { readsCarry } from './emit-flags.ts'

const Kind = { BARRIER: 0, PROCESS: 1, CONSTANT: 2, LOAD: 3, STORE: 4 } as const

/** Nodes between two accesses that are looked through for bringing them together. */
const WINDOW = 16
/** Nodes on either side of a gap that are looked at for filling it. */
const NEAR = 10
/** Nodes of one stretch. */
const STRETCH = 512
/** Bit of the flags in masks of registers. */
const FLAGS = 1 << 16

const kinds = new Uint8Array(formNames.length)
for (let form = F.AND_i; form <= F.USADA8; form++) kinds[form] = Kind.PROCESS
kinds[F.ADR] = Kind.BARRIER
for (let form = F.LDR_i; form <= F.LDRSH_r; form++) kinds[form] = Kind.LOAD
for (let form = F.STR_i; form <= F.STRH_r; form++) kinds[form] = Kind.STORE

// The stretch that is being worked on.
const codes: Code[] = []
const kind = new Uint8Array(STRETCH)
const read = new Int32Array(STRETCH)
const written = new Int32Array(STRETCH)
/** Registers that an access's address is made of. */
const address = new Int32Array(STRETCH)
/** Of the nodes between two accesses: whether the second needs them done before. */
const taken = new Uint8Array(WINDOW)
let changed = false

/** Puts a block's codes into an order that costs less. True if anything moved: flags that may be written must be settled again. */
export function schedule(list: Code[]): boolean {
  changed = false
  let at = 0
  while (at < list.length) {
    const length = describe(list, at)
    if (length > 2) {
      pair(length)
      fill(length)
      for (let i = 0; i < length; i++) list[at + i] = codes[i]!
    }
    at += length + 1
  }
  return changed
}

/** Fills the columns with the codes from `at` on up to the next barrier; how many. */
function describe(list: readonly Code[], at: number): number {
  let length = 0
  for (; at + length < list.length && length < STRETCH; length++) {
    const code = list[at + length]!
    const { form } = code
    const what = form < formNames.length ? kinds[form]! : form === P.CONSTANT ? Kind.CONSTANT : Kind.BARRIER
    if (what === Kind.BARRIER || code.cond !== Cond.AL) break
    codes[length] = code
    kind[length] = what
    address[length] = 0
    if (what === Kind.CONSTANT) {
      read[length] = 0
      written[length] = 1 << code.d
      continue
    }
    const uses = reads[form]!
    let sources = fields(code, uses)
    let results = fields(code, writes[form]!)
    if (what >= Kind.LOAD) {
      address[length] = fields(code, uses & (FIELD.n | FIELD.m))
      if (code.index !== Index.OFFSET) results |= 1 << code.n
    } else {
      if (code.s === Flags.SET) results |= FLAGS
      if (readsCarry[form] === 1 || code.shift === Shift.RRX) sources |= FLAGS
    }
    if ((results & (0b1010 << 12)) !== 0) break
    read[length] = sources
    written[length] = results
  }
  return length
}

function fields(code: Code, set: number): number {
  let mask = 0
  if ((set & FIELD.d) !== 0 && code.d >= 0) mask |= 1 << code.d
  if ((set & FIELD.n) !== 0 && code.n >= 0) mask |= 1 << code.n
  if ((set & FIELD.m) !== 0 && code.m >= 0) mask |= 1 << code.m
  if ((set & FIELD.a) !== 0 && code.a >= 0) mask |= 1 << code.a
  return mask
}

/** What node b costs more because a is directly before it. */
function costAfter(a: number, b: number): number {
  if (kind[b]! < Kind.LOAD) return 0
  if (kind[a] === Kind.PROCESS) return (written[a]! & address[b]!) !== 0 ? 1 : 0
  if (kind[a] === Kind.STORE) return (kind[b] === Kind.LOAD ? 1 : 0) + ((written[a]! & address[b]!) !== 0 ? 1 : 0)
  return (written[a]! & address[b]!) !== 0 ? 0 : -1
}

/** Moves node `from` to be node `to`. */
function move(from: number, to: number): void {
  const code = codes[from]!
  const k = kind[from]!
  const r = read[from]!
  const w = written[from]!
  const n = address[from]!
  const step = from < to ? 1 : -1
  for (let i = from; i !== to; i += step) {
    const next = i + step
    codes[i] = codes[next]!
    kind[i] = kind[next]!
    read[i] = read[next]!
    written[i] = written[next]!
    address[i] = address[next]!
  }
  codes[to] = code
  kind[to] = k
  read[to] = r
  written[to] = w
  address[to] = n
  changed = true
}

/** Brings accesses to the loads before them: what the access needs goes before the load and its row, the rest behind. */
function pair(length: number): void {
  /** First of the accesses in a row that `i` is the last of. */
  let row = 0
  for (let i = 0; i < length - 1; i++) {
    if (kind[i]! < Kind.CONSTANT) continue
    if (i === 0 || kind[i - 1]! < Kind.CONSTANT) row = i
    if (kind[i] === Kind.STORE || kind[i + 1]! >= Kind.LOAD) continue
    let next = i + 1
    while (next < length && next < i + WINDOW && kind[next]! < Kind.LOAD) next++
    if (next === length || kind[next]! < Kind.LOAD || (address[next]! & written[i]!) !== 0) continue
    // What must be done before the access.
    let sources = 0
    let results = 0
    let rest = -1
    for (let k = next - 1; k > i; k--) {
      const needed =
        (written[k]! & (read[next]! | written[next]! | sources | results)) !== 0 ||
        (read[k]! & (written[next]! | results)) !== 0
      taken[k - i] = needed ? 1 : 0
      if (!needed) {
        if (rest < 0) rest = k
        continue
      }
      sources |= read[k]!
      results |= written[k]!
    }
    let free = true
    for (let k = row; k <= i && free; k++) {
      free = (written[k]! & (sources | results)) === 0 && (read[k]! & results) === 0
    }
    if (!free) continue
    // The access may have stood well where it was: before the next one.
    const apart = rest >= 0 && next + 1 < length ? costAfter(rest, next + 1) - costAfter(next, next + 1) : 0
    if (apart - costAfter(next - 1, next) > 1) continue
    let end = i
    for (let k = i + 1; k < next; k++) {
      if (taken[k - i] === 0) continue
      move(k, row++)
      end++
    }
    move(next, end + 1)
    i = end
  }
}

/** Puts something into the gaps where an instruction waits for the one before it. */
function fill(length: number): void {
  for (let at = 1; at < length; at++) {
    if (costAfter(at - 1, at) <= 0 || fillFromBehind(at, length, 0) || fillFromBefore(at)) continue
    fillFromBehind(at, length, FLAGS)
  }
}

/** Something from behind node `at` that nothing in between touches. `flags`: FLAGS if it may set them. */
function fillFromBehind(at: number, length: number, flags: number): boolean {
  let sources = read[at]!
  let results = written[at]!
  for (let k = at + 1; k < length && k <= at + NEAR; k++) {
    const independent = (written[k]! & (sources | results)) === 0 && (read[k]! & results) === 0
    if (independent && isFiller(k, flags) && (k + 1 === length || costAfter(k - 1, k + 1) <= 0)) {
      move(k, at)
      return true
    }
    sources |= read[k]!
    results |= written[k]!
  }
  return false
}

/** Something from before it, that it does not wait for either. */
function fillFromBefore(at: number): void {
  let sources = read[at - 1]!
  let results = written[at - 1]!
  for (let k = at - 2; k >= 0 && k >= at - NEAR; k--) {
    const independent = (written[k]! & (sources | results | address[at]!)) === 0 && (read[k]! & results) === 0
    if (independent && isFiller(k, 0) && (k === 0 || costAfter(k - 1, k + 1) <= 0)) {
      move(k, at - 1)
      return
    }
    sources |= read[k]!
    results |= written[k]!
  }
}

/**
 * Computes, and leaves the flags alone: what lies between flags and their reader has longer encodings. A comparison with 0 stays
 * where a branch may take it in.
 */
function isFiller(k: number, flags: number): boolean {
  if (kind[k] !== Kind.PROCESS || (written[k]! & FLAGS & ~flags) !== 0) return false
  return codes[k]!.form !== F.CMP_i || codes[k]!.imm !== 0
}
