// Bytes to Instruction, from the same rows as the encoder: what the row's pattern gives must match the row again, so
// that every constraint is written once. DDI 0403E A5.

import {
  allRows,
  AmountKind,
  FROM_PATTERN,
  ImmKind,
  type Row,
  RowFlags,
  Rule,
  Slot,
  pieceFrom,
  pieceMask,
  pieceSlot,
  pieceTo,
} from './encodings.ts'
import { matches } from './encode.ts'
import { encodeModified, decodeModified } from './immediates.ts'
import { Flags, Index, Instruction, Shift } from './instruction.ts'

/** The first halfword begins a 32-bit instruction. */
export function isWide(first: number): boolean {
  return first >>> 11 >= 0x1d
}

/** Rows that a first halfword may mean, by its upper 9 bits, the most specific first; filled when first asked for. */
const BUCKET_SHIFT = 7
const buckets: (readonly Row[] | undefined)[] = Array.from({ length: 1 << (16 - BUCKET_SHIFT) }, () => undefined)

function ones(word: number): number {
  let sum = 0
  for (let rest = word; rest !== 0; rest &= rest - 1) sum++
  return sum
}

function fillBucket(bucket: number): readonly Row[] {
  const first = bucket << BUCKET_SHIFT
  const size = isWide(first) ? 4 : 2
  const found = allRows().filter((row) => {
    if (row.size !== size) return false
    const shift = size === 4 ? 16 : 0
    const mask = (row.mask >>> shift) & (0xffff << BUCKET_SHIFT)
    return (((row.match >>> shift) ^ first) & mask) === 0
  })
  found.sort((left, right) => ones(right.mask) - ones(left.mask))
  buckets[bucket] = found
  return found
}

const raw = new Int32Array(Slot.COUNT)

function decodeImm(row: Row, bits: number): number {
  switch (row.immKind) {
    case ImmKind.SIGNED:
      return raw[Slot.U] === 0 ? -(bits << row.immScale) | 0 : bits << row.immScale
    case ImmKind.NEGATIVE:
      return -bits | 0
    case ImmKind.MODIFIED:
      return decodeModified(bits)
    case ImmKind.BRANCH: {
      const sign = (row.immMask >>> 1) + 1
      return ((bits ^ sign) - sign) << 1
    }
    case ImmKind.FAR:
      return ((bits & 0x800000 ? bits : bits ^ 0x600000) << 8) >> 7
    case ImmKind.UPTO32:
      return bits === 0 ? 32 : bits
    default:
      return (bits << row.immScale) + row.immBias
  }
}

function decodeAmount(row: Row, x: Instruction): void {
  const bits = raw[Slot.AMOUNT]!
  const type = raw[Slot.SHIFT]!
  switch (row.amountKind) {
    case AmountKind.SHIFTED:
      x.shift = type
      x.amount = bits
      if (bits === 0 && (type === Shift.LSR || type === Shift.ASR)) x.amount = 32
      if (bits === 0 && type === Shift.ROR) {
        x.shift = Shift.RRX
        x.amount = 1
      }
      break
    case AmountKind.SATURATE:
      x.shift = type << 1
      x.amount = bits
      break
    case AmountKind.WIDTH:
      x.amount = bits + 1
      break
    case AmountKind.MSB:
      x.amount = bits - x.imm + 1
      break
    case AmountKind.PACKED:
      x.amount = bits === 0 ? 32 : bits
      break
    default:
      x.amount = bits << row.amountScale
  }
}

/** Before: word has the row's fixed bits. Undefined if it breaks one of the row's constraints. */
function decodeRow(row: Row, word: number, inIT: boolean): Instruction | undefined {
  raw.fill(0)
  for (let p = row.start; p < row.end; p++) {
    raw[pieceSlot[p]!]! |= ((word >>> pieceTo[p]!) & pieceMask[p]!) << pieceFrom[p]!
  }
  const x = new Instruction(row.form)
  x.size = row.size
  const { registers } = row
  x.d = registers[0] === FROM_PATTERN ? raw[0]! : registers[0]!
  x.n = registers[1] === FROM_PATTERN ? raw[1]! : registers[1]!
  x.m = registers[2] === FROM_PATTERN ? raw[2]! : registers[2]!
  x.a = registers[3] === FROM_PATTERN ? raw[3]! : registers[3]!
  if (row.rules & Rule.M_TWICE && raw[Slot.MCOPY] !== x.m) return undefined
  if (row.rules & Rule.N_IS_D) x.n = x.d
  if (row.rules & Rule.M_IS_D) x.m = x.d
  if (row.rules & Rule.CONDITION || row.immKind === ImmKind.IT) x.cond = raw[Slot.COND]!
  switch (row.flags) {
    case RowFlags.BIT:
      x.s = raw[Slot.S]!
      break
    case RowFlags.OUTSIDE:
      x.s = inIT ? Flags.KEEP : Flags.SET
      break
    case RowFlags.KEEP:
      break
    default:
      x.s = Flags.SET
  }
  const imm = raw[Slot.IMM]!
  x.imm = decodeImm(row, imm)
  if (row.immKind === ImmKind.MODIFIED && encodeModified(x.imm) !== imm) return undefined
  decodeAmount(row, x)
  if (row.rules & Rule.POPPED) x.index = (imm >>> x.n) & 1 ? Index.OFFSET : Index.PRE
  else x.index = row.index >= 0 ? row.index : raw[Slot.W] === 1 ? Index.PRE : Index.OFFSET
  return matches(row, x, inIT) ? x : undefined
}

/**
 * The instruction that `first`, and `second` if it is a 32-bit one, encode, normalized as forms.ts says, with `size`
 * set. `inIT`: it stands in an IT block; its cond is not filled in from the block. Undefined where ARMv7E-M without
 * floating point and coprocessors has no such instruction or calls it UNPREDICTABLE.
 */
export function decode(first: number, second: number, inIT: boolean): Instruction | undefined {
  const bucket = first >>> BUCKET_SHIFT
  const candidates = buckets[bucket] ?? fillBucket(bucket)
  const word = isWide(first) ? (first << 16) | second : first
  for (let i = 0; i < candidates.length; i++) {
    const row = candidates[i]!
    if (((word ^ row.match) & row.mask) !== 0) continue
    const x = decodeRow(row, word, inIT)
    if (x !== undefined) return x
  }
  return undefined
}

/** Conditions of the instructions that an IT makes conditional, first to last (1 to 4 of them). */
export function itConditions(it: Instruction): number[] {
  const length = 4 - Math.log2(it.imm & -it.imm)
  const conditions = [it.cond]
  for (let i = 1; i < length; i++) conditions.push((it.cond & 14) | ((it.imm >>> (4 - i)) & 1))
  return conditions
}
