// Division and remainder by constants as multiplication. For 0 <= x <= most, m = ceil(2^k / d) and e = m * d - 2^k:
// m * x = 2^k * (x / d) + (2^k * (x % d) + e * x) / d, so that m * x >> k is x / d where e * most < 2^k
// (Granlund and Montgomery, 1994). Needs: words; divideDouble is for legalization. Leaves: legal.

import type { Func, Value } from '../ir/func.ts'
import { significantBits } from '../ir/known.ts'
import { I32, I64, Op } from '../ir/op.ts'
import { type Emitter, type Pair, multiplyPairs, shiftByConstant, subtractPairs, wordsOf } from './pairs.ts'

/** m and k - `bits` for dividends up to `most`, m as small as can be: below 2^bits, or 2^bits and something. */
export function multiplier(divisor: bigint, most: bigint, bits: number): { factor: bigint; shift: number } {
  for (let shift = 0; ; shift++) {
    const power = 1n << BigInt(bits + shift)
    const factor = (power + divisor - 1n) / divisor
    if ((factor * divisor - power) * most < power) return { factor, shift }
  }
}

const isPower = (value: bigint): boolean => (value & (value - 1n)) === 0n
const log2 = (value: bigint): number => value.toString(2).length - 1
const signed = (value: bigint): number => Number(BigInt.asIntN(32, value))

/** x / d for words, d not 0. */
function divideWord(to: Emitter, x: Value, d: bigint): Value {
  const bits = significantBits(x)
  if (isPower(d)) return to.add(Op.lsr, [x, to.word(log2(d))])
  const most = (1n << BigInt(bits)) - 1n
  if (d > most) return to.word(0)
  const { factor, shift } = multiplier(d, most, 32)
  const high = (of: Value, by: bigint): Value =>
    to.add(Op.word, [to.add(Op.umul, [of, to.word(signed(by))], 0, I64)], 1)
  const shifted = (of: Value, by: number): Value => (by === 0 ? of : to.add(Op.lsr, [of, to.word(by)]))
  if (factor < 1n << 32n) return shifted(high(x, factor), shift)
  const zeros = log2(d & -d)
  if (zeros > 0) {
    const rest = multiplier(d >> BigInt(zeros), most >> BigInt(zeros), 32)
    return shifted(high(shifted(x, zeros), rest.factor), rest.shift)
  }
  // 2^32 * x + (m - 2^32) * x does not fit: the mean of x and the product's high word does.
  const product = high(x, factor)
  const half = to.add(Op.lsr, [to.add(Op.sub, [x, product]), to.word(1)])
  return shifted(to.add(Op.add, [half, product]), shift - 1)
}

/** x / d for signed words, rounded to zero; d not 0. */
function divideSignedWord(to: Emitter, x: Value, d: bigint): Value {
  const size = d < 0n ? -d : d
  const negated = (of: Value): Value => (d < 0n ? to.add(Op.sub, [to.word(0), of]) : of)
  if (size === 1n) return negated(x)
  if (significantBits(x) < 32) return negated(divideWord(to, x, size))
  if (isPower(size)) {
    const power = log2(size)
    const sign = power === 1 ? x : to.add(Op.asr, [x, to.word(31)])
    const biased = to.add(Op.add, [x, to.add(Op.lsr, [sign, to.word(32 - power)])])
    return negated(to.add(Op.asr, [biased, to.word(power)]))
  }
  const { factor, shift } = multiplier(size, 1n << 31n, 32)
  const high = to.add(Op.word, [to.add(Op.smul, [x, to.word(signed(factor))], 0, I64)], 1)
  // A factor of 2^31 and more counts as 2^32 less.
  const product = factor >= 1n << 31n ? to.add(Op.add, [high, x]) : high
  const quotient = shift === 0 ? product : to.add(Op.asr, [product, to.word(shift)])
  return negated(to.add(Op.sub, [quotient, to.add(Op.asr, [x, to.word(31)])]))
}

/** The upper 64 of the 128 bits of a product. */
function multiplyHigh(to: Emitter, [low, high]: Pair, factor: bigint): Pair {
  const factorLow = to.word(signed(factor))
  const factorHigh = to.word(signed(factor >> 32n))
  const zero = to.word(0)
  const carry = to.add(Op.word, [to.add(Op.umul, [low, factorLow], 0, I64)], 1)
  const [middle, first] = wordsOf(to, to.add(Op.umaal, [carry, zero, low, factorHigh], 0, I64))
  const second = to.add(Op.word, [to.add(Op.umaal, [middle, zero, high, factorLow], 0, I64)], 1)
  return wordsOf(to, to.add(Op.umaal, [first, second, high, factorHigh], 0, I64))
}

/** x / d for pairs up to `most`, d not 0. */
function divideUnsignedDouble(to: Emitter, x: Pair, d: bigint, most: bigint): Pair {
  if (isPower(d)) return shiftByConstant(to, Op.lsr, x, log2(d))
  const { factor, shift } = multiplier(d, most, 64)
  if (factor < 1n << 64n) return shiftByConstant(to, Op.lsr, multiplyHigh(to, x, factor), shift)
  const zeros = log2(d & -d)
  if (zeros > 0) {
    const rest = multiplier(d >> BigInt(zeros), most >> BigInt(zeros), 64)
    const dividend = shiftByConstant(to, Op.lsr, x, zeros)
    return shiftByConstant(to, Op.lsr, multiplyHigh(to, dividend, rest.factor), rest.shift)
  }
  const product = multiplyHigh(to, x, BigInt.asUintN(64, factor))
  const half = shiftByConstant(to, Op.lsr, subtractPairs(to, x, product), 1)
  const mean = wordsOf(to, to.add(Op.add2, [...half, ...product], 0, I64))
  return shiftByConstant(to, Op.lsr, mean, shift - 1)
}

/**
 * x / d for pairs: signed ones (rounded to zero) if `isSigned`, else up to `most`. d, as that, is not 0.
 */
function divideDouble(to: Emitter, x: Pair, d: bigint, isSigned: boolean, most: bigint): Pair {
  if (!isSigned || most < 1n << 63n) {
    const size = d < 0n ? -d : d
    const quotient = divideUnsignedDouble(to, x, size, most)
    return d < 0n ? subtractPairs(to, [to.word(0), to.word(0)], quotient) : quotient
  }
  const size = d < 0n ? -d : d
  const sign = to.add(Op.asr, [x[1], to.word(31)])
  if (isPower(size)) {
    const power = log2(size)
    const bias: Pair =
      power <= 32
        ? [power === 0 ? to.word(0) : to.add(Op.lsr, [sign, to.word(32 - power)]), to.word(0)]
        : [sign, to.add(Op.lsr, [sign, to.word(64 - power)])]
    const biased = wordsOf(to, to.add(Op.add2, [...x, ...bias], 0, I64))
    const quotient = shiftByConstant(to, Op.asr, biased, power)
    return d < 0n ? subtractPairs(to, [to.word(0), to.word(0)], quotient) : quotient
  }
  const negate = (pair: Pair, by: Value): Pair =>
    subtractPairs(to, [to.add(Op.xor, [pair[0], by]), to.add(Op.xor, [pair[1], by])], [by, by])
  const quotient = divideUnsignedDouble(to, negate(x, sign), size, 1n << 63n)
  return negate(quotient, d < 0n ? to.add(Op.xor, [sign, to.word(-1)]) : sign)
}

/**
 * udiv, urem, sdiv or srem of a pair by a constant that is not 0, given by its words; `most`: the greatest dividend as
 * unsigned. The upper word of a remainder that fits a word is 0.
 */
export function divideByConstant(to: Emitter, op: number, x: Pair, by: Value, most: bigint): Pair {
  const isSigned = op === Op.sdiv || op === Op.srem
  const bits = (BigInt(by.immHigh >>> 0) << 32n) | BigInt(by.imm >>> 0)
  // The sign of the divisor does not matter to the remainder.
  const size = isSigned ? BigInt.asIntN(64, bits) : bits
  const d = op === Op.srem && size < 0n ? -size : size
  const quotient = divideDouble(to, x, d, isSigned, most)
  if (op === Op.udiv || op === Op.sdiv) return quotient
  const low = to.word(signed(d))
  if (!isSigned && d <= 1n << 32n) {
    const product = to.add(Op.word, [to.add(Op.umul, [quotient[0], low], 0, I64)], 0)
    return [to.add(Op.sub, [x[0], product]), to.word(0)]
  }
  return subtractPairs(to, x, multiplyPairs(to, quotient, [low, to.word(signed(d >> 32n))]))
}

/** A division of words by a constant, or a remainder. `small`: only the latter. */
function isReplaced({ op, args, type }: Value, small: boolean): boolean {
  if ((op !== Op.udiv && op !== Op.sdiv && op !== Op.urem && op !== Op.srem) || type !== I32) return false
  if (args[1]!.op === Op.const && !small) return args[1]!.imm !== 0
  return op === Op.urem || op === Op.srem
}

/**
 * Replaces the divisions of words by constants, and remainders by what they are of the quotient, which the program may
 * need too. `small`: constants are divided by as well. Gives whether there were any.
 */
export function replaceDivisions(func: Func, small: boolean): boolean {
  let changed = false
  for (const block of func.blocks) {
    if (!block.values.some((value) => isReplaced(value, small))) continue
    changed = true
    const values: Value[] = []
    for (const value of block.values) {
      if (isReplaced(value, small)) replaceDivision(func, value, values, small)
      values.push(value)
    }
    block.values = values
  }
  return changed
}

/** Puts what the value is made of before it. */
function replaceDivision(func: Func, value: Value, values: Value[], small: boolean): void {
  const to: Emitter = {
    add: (op, args, imm = 0, type = I32) => {
      const made = func.create(value.block, op, type, args, imm, value.origin)
      values.push(made)
      return made
    },
    word: (constant) => func.word(constant),
  }
  const { op } = value
  const [x, by] = value.args as [Value, Value]
  const isSigned = op === Op.sdiv || op === Op.srem
  if (by.op !== Op.const || small) {
    // By 0 the quotient is 0 and the remainder x; of INT_MIN / -1 = INT_MIN it is 0.
    const quotient = to.add(isSigned ? Op.sdiv : Op.udiv, [x, by])
    value.op = Op.sub
    value.args = [x, to.add(Op.mul, [quotient, by])]
    return
  }
  const d = isSigned ? BigInt(by.imm) : BigInt(by.imm >>> 0)
  // The sign of the divisor does not matter to the remainder.
  const quotient = isSigned ? divideSignedWord(to, x, op === Op.srem && d < 0n ? -d : d) : divideWord(to, x, d)
  if (op === Op.udiv || op === Op.sdiv) {
    value.op = Op.add
    value.args = [quotient, func.word(0)]
    return
  }
  const divisor = op === Op.srem && d < 0n ? -d : d
  value.op = Op.sub
  value.args = [
    x,
    to.add(isPower(divisor) ? Op.lsl : Op.mul, [
      quotient,
      func.word(isPower(divisor) ? log2(divisor) : signed(divisor)),
    ]),
  ]
}
