// Instruction to bytes: the smallest encoding of the table that holds it. Works on precompiled rows, without strings or
// allocation. An instruction that no encoding holds is a fault of ours: callers ask immediates.ts first.

import { unreachable } from '../base/errors.ts'
import {
  AmountKind,
  ImmKind,
  type Row,
  RowFlags,
  Rule,
  Slot,
  pieceFrom,
  pieceMask,
  pieceSlot,
  pieceTo,
  rowsOf,
} from './encodings.ts'
import { F, formNames } from './forms.ts'
import { encodeModified } from './immediates.ts'
import { Flags, Index, type Instruction, Shift } from './instruction.ts'

function flagsMatch(row: Row, s: number, inIT: boolean): boolean {
  switch (row.flags) {
    case RowFlags.KEEP:
      return s !== Flags.SET
    case RowFlags.OUTSIDE:
      return s === Flags.ANY || (s === Flags.KEEP) === inIT
    case RowFlags.SET:
      return s !== Flags.KEEP
    case RowFlags.SET_OUTSIDE:
      return s !== Flags.KEEP && !inIT
    default:
      return true // the s bit; comparisons
  }
}

function rulesMatch(row: Row, x: Instruction, inIT: boolean): boolean {
  const { rules } = row
  const { d, n, m, a } = x
  if (rules & Rule.N_IS_D && n !== d) {
    if (!(rules & Rule.SWAP) || m !== d || ((row.sets[Slot.M]! >>> n) & 1) === 0) return false
  }
  if (rules & Rule.M_IS_D && m !== d && n !== d) return false
  if (rules & Rule.M_IS_D && ((row.sets[Slot.N]! >>> (n === d ? m : n)) & 1) === 0) return false
  if (rules & Rule.D_NOT_N && d === n) return false
  if (rules & Rule.D_NOT_A && d === a) return false
  if (rules & Rule.A_NOT_N && a === n) return false
  if (rules & Rule.OUTSIDE && inIT) return false
  if (rules & Rule.SP_SHIFT && d === 13 && (x.shift !== Shift.LSL || x.amount > 3)) return false
  if (rules & Rule.POPPED && (x.index === Index.PRE) === ((x.imm >>> n) & 1) > 0) return false
  return true
}

function amountMatches(row: Row, x: Instruction): boolean {
  const { amount, shift } = x
  switch (row.amountKind) {
    case AmountKind.NONE:
      return amount === 0 && shift !== Shift.RRX
    case AmountKind.PLAIN:
      return ((amount >>> row.amountScale) & ~row.amountMask) === 0 && (amount & ((1 << row.amountScale) - 1)) === 0
    case AmountKind.SHIFTED:
      switch (shift) {
        case Shift.LSL:
          return amount >>> 5 === 0
        case Shift.LSR:
        case Shift.ASR:
          return amount >= 1 && amount <= 32
        case Shift.ROR:
          return amount >= 1 && amount <= 31
        default:
          return true
      }
    case AmountKind.PACKED:
      return amount >= 1 && amount <= 32
    case AmountKind.SATURATE:
      return shift === Shift.LSL ? amount >>> 5 === 0 : shift === Shift.ASR && amount >= 1 && amount <= 31
    default: // WIDTH, MSB: the field ends inside the word
      return amount >= 1 && x.imm + amount <= 32
  }
}

function bits(mask: number): number {
  let sum = 0
  for (let rest = mask; rest !== 0; rest &= rest - 1) sum++
  return sum
}

function listMatches(row: Row, x: Instruction): boolean {
  const { imm } = x
  if (imm === 0 || (imm & ~row.immMask) !== 0 || imm >>> 14 === 3) return false
  if (row.size === 2) return true
  return bits(imm) >= 2 && (x.index === Index.OFFSET || ((imm >>> x.n) & 1) === 0)
}

/** The SYSm values that ARMv7-M names; PRIMASK and the others from 8 on have no mask of their own. */
const SYSTEM_NUMBERS = 0x1f03ef
function systemMatches(x: Instruction): boolean {
  const { imm } = x
  if (imm >>> 0 > 31 || ((SYSTEM_NUMBERS >>> imm) & 1) === 0) return false
  if (x.form === F.MRS) return true
  return imm <= 3 ? x.amount >= 1 : x.amount === 2
}

function immMatches(row: Row, x: Instruction): boolean {
  const { imm } = x
  const unit = (1 << row.immScale) - 1
  switch (row.immKind) {
    case ImmKind.NONE:
      return true
    case ImmKind.PLAIN: {
      const value = imm - row.immBias
      return (value & unit) === 0 && ((value >>> row.immScale) & ~row.immMask) === 0 && value >= row.immFrom
    }
    case ImmKind.SIGNED: {
      const value = imm < 0 ? -imm : imm
      return (value & unit) === 0 && ((value >>> row.immScale) & ~row.immMask) === 0
    }
    case ImmKind.NEGATIVE:
      return imm <= 0 && (-imm & ~row.immMask) === 0
    case ImmKind.MODIFIED:
      return encodeModified(imm) >= 0
    case ImmKind.BRANCH:
    case ImmKind.FAR: {
      // The mask is one less than a power of two; imm is signed, in halfwords.
      const half = imm >> 1
      const high = half & ~(row.immMask >>> 1)
      return (imm & 1) === 0 && (high === 0 || high === ~(row.immMask >>> 1))
    }
    case ImmKind.UPTO32:
      return imm >= 1 && imm <= 32
    case ImmKind.LIST:
      return listMatches(row, x)
    case ImmKind.IT:
      // AL has no inverse, so nothing but T may follow it.
      return imm >= 1 && imm <= 15 && x.cond <= 14 && (x.cond !== 14 || (imm & (imm - 1)) === 0)
    default:
      return systemMatches(x)
  }
}

/** The encoding holds the instruction. With Flags.ANY either way of treating flags will do. */
export function matches(row: Row, x: Instruction, inIT: boolean): boolean {
  const { sets } = row
  if (((sets[0]! >>> x.d) & (sets[1]! >>> x.n) & (sets[2]! >>> x.m) & (sets[3]! >>> x.a) & 1) === 0) return false
  if (row.index !== x.index && row.index >= 0) return false
  if (!flagsMatch(row, x.s, inIT) || !immMatches(row, x) || !amountMatches(row, x)) return false
  if (row.rules !== 0 && !rulesMatch(row, x, inIT)) return false
  if (x.form !== F.B) return true
  return row.rules & Rule.CONDITION ? x.cond < 14 : x.cond === 14 || inIT
}

/** The smallest encoding that holds the instruction, undefined if none does. */
export function chooseRow(x: Instruction, inIT: boolean, wide: boolean): Row | undefined {
  const candidates = rowsOf(x.form)
  for (let i = 0; i < candidates.length; i++) {
    const row = candidates[i]!
    if (wide && row.size === 2) continue
    if (matches(row, x, inIT)) return row
  }
  return undefined
}

/** One line with every field, for faults. */
export function describe(x: Instruction): string {
  const { cond, s, d, n, m, a, imm, shift, amount, index } = x
  const name = formNames[x.form] ?? `form ${x.form}`
  return `${name} ${JSON.stringify({ cond, s, d, n, m, a, imm, shift, amount, index })}`
}

/** The smallest encoding that holds the instruction; there must be one. */
export function mustChoose(x: Instruction, inIT = false, wide = false): Row {
  return chooseRow(x, inIT, wide) ?? unreachable(`no encoding holds ${describe(x)}${inIT ? ' inside IT' : ''}`)
}

/** Some encoding holds the instruction as it is. */
export function fits(x: Instruction, inIT = false): boolean {
  return chooseRow(x, inIT, false) !== undefined
}

/** Bytes of the smallest encoding, 2 or 4. */
export function sizeOf(x: Instruction, inIT = false): number {
  return mustChoose(x, inIT, false).size
}

const raw = new Int32Array(Slot.COUNT)

function fillRaw(row: Row, x: Instruction): void {
  raw[Slot.D] = x.d
  raw[Slot.N] = x.n
  raw[Slot.M] = raw[Slot.MCOPY] = x.m
  raw[Slot.A] = x.a
  if (row.rules & Rule.N_IS_D && x.n !== x.d) raw[Slot.M] = x.n
  if (row.rules & Rule.M_IS_D && x.m !== x.d) raw[Slot.N] = x.m
  raw[Slot.COND] = x.cond
  raw[Slot.S] = x.s === Flags.SET ? 1 : 0
  raw[Slot.W] = x.index === Index.PRE ? 1 : 0
  let { imm } = x
  switch (row.immKind) {
    case ImmKind.SIGNED:
      raw[Slot.U] = imm < 0 ? 0 : 1
      imm = (imm < 0 ? -imm : imm) >>> row.immScale
      break
    case ImmKind.NEGATIVE:
      imm = -imm
      break
    case ImmKind.MODIFIED:
      imm = encodeModified(imm)
      break
    case ImmKind.BRANCH:
      imm >>= 1
      break
    case ImmKind.FAR:
      imm >>= 1
      if (imm >= 0) imm ^= 0x600000
      break
    default: // 32 of UPTO32 is written as 0 in five bits
      imm = (imm - row.immBias) >>> row.immScale
  }
  raw[Slot.IMM] = imm
  switch (row.amountKind) {
    case AmountKind.SHIFTED:
      raw[Slot.SHIFT] = x.shift === Shift.RRX ? Shift.ROR : x.shift
      raw[Slot.AMOUNT] = x.shift === Shift.RRX ? 0 : x.amount
      break
    case AmountKind.SATURATE:
      raw[Slot.SHIFT] = x.shift >>> 1
      raw[Slot.AMOUNT] = x.amount
      break
    case AmountKind.WIDTH:
      raw[Slot.AMOUNT] = x.amount - 1
      break
    case AmountKind.MSB:
      raw[Slot.AMOUNT] = x.imm + x.amount - 1
      break
    default:
      raw[Slot.AMOUNT] = x.amount >>> row.amountScale
  }
}

/** The encoding's bits for the instruction, which it holds. Of a 32-bit encoding the first halfword is the upper one. */
export function encodeRow(row: Row, x: Instruction): number {
  fillRaw(row, x)
  let word = row.match
  for (let p = row.start; p < row.end; p++) {
    word |= ((raw[pieceSlot[p]!]! >>> pieceFrom[p]!) & pieceMask[p]!) << pieceTo[p]!
  }
  return word
}

/**
 * Writes the smallest encoding (32-bit ones only, with `wide`) to `out` at `offset`, sets `x.size` and gives the bytes
 * written. Inside an IT block 16-bit encodings leave the flags alone. An s of ANY becomes what the encoding does.
 * `row`: of mustChoose, where that is known.
 */
export function encode(
  x: Instruction,
  inIT: boolean,
  out: Uint8Array,
  offset: number,
  wide = false,
  row = mustChoose(x, inIT, wide),
): number {
  if (x.d > 15 || x.n > 15 || x.m > 15 || x.a > 15) unreachable(`virtual register in ${describe(x)}`)
  const word = encodeRow(row, x)
  x.size = row.size
  if (x.s === Flags.ANY)
    x.s = !inIT && (row.flags === RowFlags.OUTSIDE || row.flags === RowFlags.SET_OUTSIDE) ? Flags.SET : Flags.KEEP
  if (row.size === 2) {
    out[offset] = word
    out[offset + 1] = word >>> 8
    return 2
  }
  out[offset] = word >>> 16
  out[offset + 1] = word >>> 24
  out[offset + 2] = word
  out[offset + 3] = word >>> 8
  return 4
}
