// Two words side by side become one access, LDRD or STRD, in 4 bytes: where both addresses are known to be multiples of 4, in memory
// that is nobody's device. One of the two moves to the other, over what neither touches. By the cycle model LDRD takes as long as
// two loads that nothing else is pipelined with, STRD a cycle more than two stores. Needs real registers, and offsets in the frame.

import { chooseRow } from '../thumb/encode.ts'
import { F, FIELD, formNames, reads, writes } from '../thumb/forms.ts'
import { Cond, Index } from '../thumb/instruction.ts'
import { SP } from '../thumb/registers.ts'
import { Code, Memory, P } from './code.ts'

/** Codes between the two that are looked over. */
const WINDOW = 24
/** Greatest offset of LDRD and STRD. */
const REACH = 1020
/** Bytes of LDRD and STRD. */
const SIZE = 4

const Kind = { COMPUTES: 0, LOAD: 1, STORE: 2, BARRIER: 3 } as const
const kinds = new Uint8Array(formNames.length).fill(Kind.BARRIER)
kinds.fill(Kind.COMPUTES, F.AND_i, F.USADA8 + 1)
kinds[F.ADR] = Kind.BARRIER
kinds.fill(Kind.LOAD, F.LDR_i, F.LDRD_l + 1)
kinds.fill(Kind.STORE, F.STR_i, F.STRH_r + 1)
kinds[F.LDRD_i] = Kind.LOAD
kinds[F.STRD_i] = Kind.STORE

function kindOf({ form }: Code): number {
  if (form < formNames.length) return kinds[form]!
  switch (form) {
    case P.CONSTANT:
    case P.FRAME_ADDRESS:
      return Kind.COMPUTES
    case P.SPILL_LOAD:
      return Kind.LOAD
    case P.SPILL_STORE:
      return Kind.STORE
    default:
      return Kind.BARRIER
  }
}

function mask({ d, n, m, a }: Code, set: number): number {
  let registers = 0
  if ((set & FIELD.d) !== 0 && d >= 0) registers |= 1 << d
  if ((set & FIELD.n) !== 0 && n >= 0) registers |= 1 << n
  if ((set & FIELD.m) !== 0 && m >= 0) registers |= 1 << m
  if ((set & FIELD.a) !== 0 && a >= 0) registers |= 1 << a
  return registers
}

function writtenBy(code: Code): number {
  const { form } = code
  if (form >= formNames.length) return form === P.SPILL_STORE ? 0 : 1 << code.d
  const back = kinds[form]! !== Kind.COMPUTES && code.index !== Index.OFFSET ? FIELD.n : 0
  return mask(code, writes[form]! | back)
}

function readBy(code: Code): number {
  const { form } = code
  if (form >= formNames.length) return form === P.SPILL_STORE || code.cond !== Cond.AL ? 1 << code.d : 0
  return mask(code, code.cond !== Cond.AL ? reads[form]! | writes[form]! : reads[form]!)
}

/** Whether two accesses may touch the same bytes and one of them writes: they stay in order. `one` is a plain access of a word. */
function conflicts(one: Code, other: Code, kind: number): boolean {
  if (kind === Kind.COMPUTES || (kind === Kind.LOAD && isLoad(one))) return false
  if (one.form >= formNames.length) return other.form >= formNames.length && other.imm === one.imm
  if (other.form >= formNames.length) return false
  const apart = other.n === one.n && other.m < 0 && other.index === Index.OFFSET
  if (apart) return other.imm + (other.a >= 0 ? 8 : 4) > one.imm && other.imm < one.imm + 4
  // What is spilled nobody reaches but by its own accesses, which are relative to SP.
  return one.memory !== Memory.SPILL || other.n === SP
}

export function isLoad({ form }: Code): boolean {
  return form === F.LDR_i || form === P.SPILL_LOAD
}

/** An access of a word that may become half of a pair. */
export function isHalf(code: Code): boolean {
  const { form, cond, n, imm, index, memory } = code
  if (cond !== Cond.AL) return false
  if (form === P.SPILL_LOAD || form === P.SPILL_STORE) return true
  if ((form !== F.LDR_i && form !== F.STR_i) || index !== Index.OFFSET || imm % 4 !== 0) return false
  return n === SP || memory !== Memory.ANY
}

/** Bytes that two halves take less as a pair. */
export function bytesSaved(one: Code, other: Code): number {
  return sizeOf(one) + sizeOf(other) - SIZE
}

function sizeOf(code: Code): number {
  if (code.form >= formNames.length) return code.d < 8 ? 2 : 4
  return chooseRow(code, false, false)?.size ?? SIZE
}

/**
 * Places of the halves of the same kind behind the one at `first` that registers and memory allow to become one with it, in `found`:
 * how many. Negative where it is they that move, to the first; else that one moves to them. Whether the words are side by side is
 * the caller's to ask.
 */
export function partners(codes: readonly Code[], first: number, found: Int32Array): number {
  const one = codes[first]!
  const load = isLoad(one)
  const ownRead = readBy(one)
  const ownWritten = writtenBy(one)
  /** Registers that those between read and write. */
  let read = 0
  let written = 0
  let sinks = true
  let count = 0
  for (let at = first + 1; at < codes.length && at <= first + WINDOW && count < found.length; at++) {
    const code = codes[at]!
    const kind = kindOf(code)
    if (kind === Kind.BARRIER) break
    const codeRead = readBy(code)
    const codeWritten = writtenBy(code)
    const apart = (codeRead & ownWritten) === 0 && (codeWritten & (ownRead | ownWritten)) === 0
    // The second of two loads may be into their base.
    const last = load && code.d === one.n && code.imm > one.imm && (codeRead & ownWritten) === 0
    if (code.form === one.form && code.n === one.n && isHalf(code) && (apart || last) && !(load && code.d === one.d)) {
      if (sinks) found[count++] = at
      else if ((codeRead & written) === 0 && (codeWritten & (read | written)) === 0 && rises(codes, first, at))
        found[count++] = -at
    }
    read |= codeRead
    written |= codeWritten
    if (!apart || conflicts(one, code, kind)) sinks = false
  }
  return count
}

/** Nothing between `first` and `at` touches the same memory. */
function rises(codes: readonly Code[], first: number, at: number): boolean {
  for (let i = first + 1; i < at; i++) if (conflicts(codes[at]!, codes[i]!, kindOf(codes[i]!))) return false
  return true
}

const places = new Int32Array(8)

/** Makes pairs of a block's accesses, in place: with `small` where that saves bytes, else only where it costs no cycle either. */
export function pairAccesses(codes: Code[], small: boolean): void {
  for (let at = 0; at + 1 < codes.length; at++) {
    const one = codes[at]!
    if (!isHalf(one) || (!small && !isAlone(codes, at))) continue
    const count = partners(codes, at, places)
    for (let i = 0; i < count; i++) {
      const to = Math.abs(places[i]!)
      const other = codes[to]!
      if (Math.abs(one.imm - other.imm) !== 4 || bytesSaved(one, other) <= 0) continue
      if (Math.min(one.imm, other.imm) < -REACH || Math.min(one.imm, other.imm) > REACH) continue
      if (!small && to !== at + 1) continue
      const pair = join(one, other)
      codes[places[i]! > 0 ? to : at] = pair
      codes.splice(places[i]! > 0 ? at : to, 1)
      at--
      break
    }
  }
}

/** Two loads, the first of them at `at`, that nothing else is pipelined with: neither an access nor what may be a literal's. */
function isAlone(codes: readonly Code[], at: number): boolean {
  return isLoad(codes[at]!) && computes(codes[at - 1]) && computes(codes[at + 2])
}

function computes(code: Code | undefined): boolean {
  return code !== undefined && code.form !== P.CONSTANT && kindOf(code) === Kind.COMPUTES
}

/** The access that does both. */
function join(one: Code, other: Code): Code {
  const [low, high] = one.imm < other.imm ? [one, other] : [other, one]
  const pair = new Code(isLoad(one) ? F.LDRD_i : F.STRD_i)
  pair.d = low.d
  pair.a = high.d
  pair.n = low.n
  pair.imm = low.imm
  pair.memory = low.memory === high.memory ? low.memory : Memory.ALIGNED
  pair.origin = one.origin
  return pair
}
