// Rules on words. After legalization most of them meet what is left of 64-bit arithmetic: zeros, sign words, carries that
// nobody needs.

import { inverse } from '../ir/comparison.ts'
import type { Value } from '../ir/func.ts'
import { COMMUTATIVE, COMPARE, I32, Op, attributes } from '../ir/op.ts'
import { evaluateWord } from './evaluate.ts'
import type { Folder } from './fold.ts'
import { significantBits } from '../ir/known.ts'

const isConst = (value: Value | undefined): boolean => value !== undefined && value.op === Op.const
const isWord = (value: Value | undefined, word: number): boolean =>
  value !== undefined && value.op === Op.const && value.imm === word
const isZero = (value: Value | undefined): boolean => isWord(value, 0)

/** Bytes from r10 within which an address of the stack is one. */
const FRAME_REACH = 512

/** Constant amount of a shift, -1 if it is not one. */
function amountOf(value: Value): number {
  const amount = value.args[1]!
  return amount.op === Op.const ? amount.imm & 0xff : -1
}

export function foldWord(folder: Folder, value: Value): Value {
  const { func } = folder
  const { op, args } = value
  const a = args[0]!
  const b = args[1]!
  if (args.length > 0 && args.length <= 2 && isConst(a) && (args.length === 1 || isConst(b))) {
    const result = evaluateWord(op, a.imm, args.length === 2 ? b.imm : 0)
    if (result !== undefined) return func.word(result)
  }
  if (args.length === 2 && (attributes[op]! & COMMUTATIVE) !== 0 && isConst(a) && !isConst(b)) {
    return foldWord(folder, folder.become(value, op, [b, a]))
  }
  switch (op) {
    case Op.add:
      if (isZero(b)) return a
      if (isConst(b)) {
        // Farther away is nothing that the frame must hold.
        if (a.op === Op.frame && Math.abs(a.imm + b.imm) <= FRAME_REACH) return folder.address(a, a.imm + b.imm)
        if (a.op === Op.address && a.callee!.kind !== 'function') return folder.address(a, a.imm + b.imm)
        if (a.op === Op.add && isConst(a.args[1])) {
          return foldWord(folder, folder.become(value, Op.add, [a.args[0]!, func.word(a.args[1]!.imm + b.imm)]))
        }
      }
      break
    case Op.sub:
      if (isZero(b)) return a
      if (a === b) return func.word(0)
      if (isConst(b)) return foldWord(folder, folder.become(value, Op.add, [a, func.word(-b.imm)]))
      break
    case Op.mul:
      if (isZero(b)) return b
      if (isWord(b, 1)) return a
      if (isConst(b) && powerOfTwo(b.imm) >= 0) {
        return foldWord(folder, folder.become(value, Op.lsl, [a, func.word(powerOfTwo(b.imm))]))
      }
      break
    case Op.udiv:
      if (isConst(b) && powerOfTwo(b.imm) >= 0) {
        return foldWord(folder, folder.become(value, Op.lsr, [a, func.word(powerOfTwo(b.imm))]))
      }
      break
    case Op.urem:
      if (isConst(b) && powerOfTwo(b.imm) >= 0) {
        return foldWord(folder, folder.become(value, Op.and, [a, func.word(b.imm - 1)]))
      }
      break
    case Op.and:
      return foldAnd(folder, value)
    case Op.or:
    case Op.xor:
      if (isZero(b)) return a
      if (a === b) return op === Op.or ? a : func.word(0)
      if (op === Op.or && isWord(b, -1)) return b
      if (op === Op.xor && isWord(b, 1) && (attributes[a.op]! & COMPARE) !== 0) return inverted(folder, value, a)
      return rotation(folder, value)
    case Op.lsl:
    case Op.lsr:
    case Op.asr:
      return foldShift(folder, value)
    case Op.bswap:
      if (a.op === Op.bswap) return a.args[0]!
      break
    case Op.sext8:
      if (significantBits(a) < 8) return a
      if (a.op === Op.and && isConst(a.args[1]) && (a.args[1]!.imm & 0xff) === 0xff) {
        return folder.become(value, Op.sext8, [a.args[0]!])
      }
      if (a.op === Op.sext8 || a.op === Op.load8s) return a
      break
    case Op.sext16:
      if (significantBits(a) < 16) return a
      if (a.op === Op.and && isConst(a.args[1]) && (a.args[1]!.imm & 0xffff) === 0xffff) {
        return folder.become(value, Op.sext16, [a.args[0]!])
      }
      if (a.op === Op.sext16 || a.op === Op.load16s || a.op === Op.sext8 || a.op === Op.load8s) return a
      break
    case Op.eq:
    case Op.ne:
      return foldEquality(folder, value)
    case Op.ult:
      if (a === b || isZero(b)) return func.word(0)
      // x < 1 is x == 0; 0 < x is x != 0.
      if (isWord(b, 1)) return folder.become(value, Op.eq, [a, func.word(0)])
      if (isZero(a)) return foldWord(folder, folder.become(value, Op.ne, [b, a]))
      break
    case Op.ule:
      if (a === b || isZero(a)) return func.word(1)
      if (isZero(b)) return foldWord(folder, folder.become(value, Op.eq, [a, b]))
      break
    case Op.slt:
      if (a === b) return func.word(0)
      break
    case Op.sle:
      if (a === b) return func.word(1)
      break
    case Op.select:
      if (isConst(a)) return a.imm !== 0 ? b : args[2]!
      if (b === args[2]) return b
      if (a.op === Op.ne && isZero(a.args[1]) && a.args[0]!.type === I32)
        return folder.become(value, Op.select, [a.args[0]!, b, args[2]!])
      break
    case Op.branch:
      return foldBranch(folder, value)
    case Op.word:
      return foldHalf(folder, value)
    case Op.eq2:
    case Op.ne2:
    case Op.ult2:
    case Op.ule2:
    case Op.slt2:
    case Op.sle2:
      return foldPairComparison(folder, value)
    case Op.load8:
    case Op.load8s:
    case Op.load16:
    case Op.load16s:
    case Op.load32:
    case Op.store8:
    case Op.store16:
    case Op.store32:
      return foldAccess(folder, value)
    default:
      break
  }
  return value
}

function powerOfTwo(word: number): number {
  return word !== 0 && (word & (word - 1)) === 0 ? 31 - Math.clz32(word) : -1
}

function foldAnd(folder: Folder, value: Value): Value {
  const { func } = folder
  const a = value.args[0]!
  const b = value.args[1]!
  if (a === b || isWord(b, -1)) return a
  if (isZero(b)) return b
  if (b.op !== Op.const) return value
  const bits = significantBits(a)
  // A mask that keeps every bit that can be set.
  if (bits < 32 && (b.imm & ((1 << bits) - 1)) === (1 << bits) - 1) return a
  if (a.op === Op.and && isConst(a.args[1])) {
    return foldAnd(folder, folder.become(value, Op.and, [a.args[0]!, func.word(a.args[1]!.imm & b.imm)]))
  }
  // The low bits of a stack address: r10 is a multiple of 8.
  if (a.op === Op.frame && b.imm > 0 && b.imm < 8) return func.word(a.imm & b.imm)
  if ((b.imm === 0xff && a.op === Op.sext8) || (b.imm === 0xffff && a.op === Op.sext16)) {
    return folder.become(value, Op.and, [a.args[0]!, b])
  }
  return value
}

function foldShift(folder: Folder, value: Value): Value {
  const { func } = folder
  const { op } = value
  const a = value.args[0]!
  const amount = amountOf(value)
  if (isZero(a)) return a
  if (amount < 0) {
    // Only the low byte of an amount counts.
    const b = value.args[1]!
    if (b.op === Op.and && isConst(b.args[1]) && (b.args[1]!.imm & 0xff) === 0xff) {
      return folder.become(value, op, [a, b.args[0]!])
    }
    return value
  }
  if (amount === 0) return a
  if (amount > 31) {
    if (op !== Op.asr) return func.word(0)
    return folder.become(value, Op.asr, [a, func.word(31)])
  }
  if (op === Op.lsr && significantBits(a) <= amount) return func.word(0)
  if (op === Op.asr && significantBits(a) <= 31) return foldShift(folder, folder.become(value, Op.lsr, value.args))
  if (a.op === op && amountOf(a) > 0) {
    return foldShift(folder, folder.become(value, op, [a.args[0]!, func.word(Math.min(255, amountOf(a) + amount))]))
  }
  if (a.op === Op.lsl && amountOf(a) === amount) {
    const source = a.args[0]!
    if (op === Op.lsr) return folder.become(value, Op.and, [source, func.word(-1 >>> amount)])
    if (op === Op.asr && amount === 24) return folder.become(value, Op.sext8, [source])
    if (op === Op.asr && amount === 16) return folder.become(value, Op.sext16, [source])
  }
  if (op === Op.lsl && a.op === Op.lsr && amountOf(a) === amount) {
    return folder.become(value, Op.and, [a.args[0]!, func.word(-1 << amount)])
  }
  return value
}

/** or (or xor, or add: no bits meet) of x << n and x >> 32 - n. */
function rotation(folder: Folder, value: Value): Value {
  const [a, b] = value.args as [Value, Value]
  const [left, right] = a.op === Op.lsl ? [a, b] : [b, a]
  if (left.op !== Op.lsl || right.op !== Op.lsr || left.args[0] !== right.args[0]) return value
  const amount = amountOf(right)
  if (amount <= 0 || amountOf(left) !== 32 - amount) return value
  return folder.become(value, Op.ror, [left.args[0]!, folder.func.word(amount)])
}

/** The opposite of a comparison, in place of `value`. */
function inverted(folder: Folder, value: Value, comparison: Value): Value {
  const { op, exchange } = inverse[comparison.op]!
  const { args } = comparison
  const half = args.length / 2
  return folder.become(value, op, exchange ? [...args.slice(half), ...args.slice(0, half)] : args.slice())
}

function foldEquality(folder: Folder, value: Value): Value {
  const { func } = folder
  const a = value.args[0]!
  const b = value.args[1]!
  if (a === b) return func.word(value.op === Op.eq ? 1 : 0)
  if (b.op !== Op.const) return value
  if ((attributes[a.op]! & COMPARE) !== 0 && (b.imm === 0 || b.imm === 1)) {
    return (value.op === Op.ne) === (b.imm === 0) ? a : inverted(folder, value, a)
  }
  if (a.op === Op.add && isConst(a.args[1])) {
    return folder.become(value, value.op, [a.args[0]!, func.word(b.imm - a.args[1]!.imm)])
  }
  if (b.imm === 0 && (a.op === Op.xor || a.op === Op.sub))
    return folder.become(value, value.op, [a.args[0]!, a.args[1]!])
  if (significantBits(b) > significantBits(a)) return func.word(value.op === Op.eq ? 0 : 1)
  return value
}

function foldBranch(folder: Folder, value: Value): Value {
  const condition = value.args[0]!
  // branch (x != 0) is branch x.
  if (condition.op === Op.ne && isZero(condition.args[1]) && condition.args[0]!.type === I32) {
    return folder.become(value, Op.branch, [condition.args[0]!])
  }
  return value
}

const wordComparison: Record<number, number> = {
  [Op.eq2]: Op.eq,
  [Op.ne2]: Op.ne,
  [Op.ult2]: Op.ult,
  [Op.ule2]: Op.ule,
  [Op.slt2]: Op.slt,
  [Op.sle2]: Op.sle,
}

function foldPairComparison(folder: Folder, value: Value): Value {
  const { func } = folder
  const { op } = value
  const [aLow, aHigh, bLow, bHigh] = value.args as [Value, Value, Value, Value]
  const single = wordComparison[op]!
  if (aLow === bLow && aHigh === bHigh) return func.word(op === Op.eq2 || op === Op.ule2 || op === Op.sle2 ? 1 : 0)
  if (aHigh === bHigh || (isConst(aHigh) && isConst(bHigh) && aHigh.imm === bHigh.imm)) {
    // Equal high words: the low ones decide, unsigned.
    const unsigned = single === Op.slt ? Op.ult : single === Op.sle ? Op.ule : single
    return foldWord(folder, folder.become(value, unsigned, [aLow, bLow]))
  }
  if (isConst(aHigh) && isConst(bHigh)) {
    // Different constants: they decide.
    return func.word(evaluateWord(single, aHigh.imm, bHigh.imm)!)
  }
  if (isSignOf(aHigh, aLow) && isSignOf(bHigh, bLow)) {
    return foldWord(folder, folder.become(value, single, [aLow, bLow]))
  }
  if (op === Op.eq2 || op === Op.ne2) {
    if (isConst(aLow) && isConst(aHigh)) return foldWord(folder, folder.become(value, op, [bLow, bHigh, aLow, aHigh]))
    if (isZero(bLow) && isZero(bHigh)) {
      return foldWord(folder, folder.become(value, single, [folder.make(Op.or, I32, [aLow, aHigh]), bLow]))
    }
    return value
  }
  // Below zero: the sign. Not below zero: a >= 0 is !(a < 0), that is 0 <= a.
  if (op === Op.slt2 && isZero(bLow)) return foldWord(folder, folder.become(value, Op.slt, [aHigh, bHigh]))
  if (op === Op.sle2 && isZero(aLow)) return foldWord(folder, folder.become(value, Op.sle, [aHigh, bHigh]))
  if (op === Op.ult2 && isZero(bLow)) return foldWord(folder, folder.become(value, Op.ult, [aHigh, bHigh]))
  if (op === Op.ule2 && isZero(aLow)) return foldWord(folder, folder.become(value, Op.ule, [aHigh, bHigh]))
  // Against the greatest low word.
  if ((op === Op.ule2 || op === Op.sle2) && isWord(bLow, -1)) {
    return foldWord(folder, folder.become(value, single, [aHigh, bHigh]))
  }
  if ((op === Op.ult2 || op === Op.slt2) && isWord(aLow, -1)) {
    return foldWord(folder, folder.become(value, single, [aHigh, bHigh]))
  }
  return value
}

/** The high word is the sign of the low one: the pair is a sign-extended word, and those are ordered as the words are. */
function isSignOf(high: Value, low: Value): boolean {
  if (high.op === Op.const) return low.op === Op.const && high.imm === low.imm >> 31
  return high.op === Op.asr && high.args[0] === low && isWord(high.args[1], 31)
}

/** A word of a pair operation that needs no carry. */
function foldHalf(folder: Folder, value: Value): Value {
  const pair = value.args[0]!
  const { op, args } = pair
  const half = value.imm
  if (op === Op.add2 || op === Op.sub2) {
    const [aLow, aHigh, bLow, bHigh] = args as [Value, Value, Value, Value]
    const single = op === Op.add2 ? Op.add : Op.sub
    const noCarry =
      isZero(bLow) || (op === Op.add2 && (isZero(aLow) || Math.max(significantBits(aLow), significantBits(bLow)) < 32))
    if (noCarry) return half === 0 ? folder.make(single, I32, [aLow, bLow]) : folder.make(single, I32, [aHigh, bHigh])
  } else if (op === Op.umul) {
    if (significantBits(args[0]!) + significantBits(args[1]!) <= 32) {
      return half === 0 ? folder.make(Op.mul, I32, [args[0]!, args[1]!]) : folder.func.word(0)
    }
  }
  return value
}

/** Constant parts of an address go into the offset, as far as the target's addressing reaches. */
function foldAccess(folder: Folder, value: Value): Value {
  const address = value.args[0]!
  if (address.op === Op.add && isConst(address.args[1])) {
    const offset = value.imm + address.args[1]!.imm
    if (offset > -256 && offset < 4096) {
      const rest = value.args.slice(1)
      return folder.become(value, value.op, [address.args[0]!, ...rest], offset)
    }
  }
  if (value.op === Op.store8 || value.op === Op.store16) {
    const stored = value.args[1]!
    const mask = value.op === Op.store8 ? 0xff : 0xffff
    // Bits that are not stored need not be cleared.
    if (stored.op === Op.and && isConst(stored.args[1]) && (stored.args[1]!.imm & mask) === mask) {
      return folder.become(value, value.op, [address, stored.args[0]!], value.imm)
    }
    const extend = value.op === Op.store8 ? stored.op === Op.sext8 || stored.op === Op.sext16 : stored.op === Op.sext16
    if (extend) return folder.become(value, value.op, [address, stored.args[0]!], value.imm)
  }
  return value
}
