// What an operation makes of what is known of its operands (slots of KnownValues). The result slot may be an operand's. `wide`:
// 64 bits, else words. Division as BPF has it: x / 0 = 0, x % 0 = x, the least value / -1 is itself. Knowledge of bits follows
// H. Vishwanathan et al., "Sound, Precise, and Fast Abstract Interpretation with Tristate Numbers".

import {
  type KnownValues,
  LIMIT,
  SIGNED_TOP,
  UNSIGNED_TOP,
  lowerSigned,
  lowerUnsigned,
  upperSigned,
  upperUnsigned,
} from './known-values.ts'

const WORD = 2 ** 32
/** 2^n for every amount of a shift: computing a power takes longer than all the rest of a transfer. */
const powers: Float64Array = Float64Array.from({ length: 256 }, (_each, power) => 2 ** power)

/** High word of the last sum64, difference64 or shift. */
let high = 0

function sum64(aLow: number, aHigh: number, bLow: number, bHigh: number): number {
  const low = (aLow + bLow) | 0
  high = (aHigh + bHigh + (low >>> 0 < aLow >>> 0 ? 1 : 0)) | 0
  return low
}

function difference64(aLow: number, aHigh: number, bLow: number, bHigh: number): number {
  high = (aHigh - bHigh - (aLow >>> 0 < bLow >>> 0 ? 1 : 0)) | 0
  return (aLow - bLow) | 0
}

/** Bounds of a result that may be anything. */
function unbounded(known: KnownValues, to: number, wide: boolean): void {
  if (wide) known.setBounds(to, 0, UNSIGNED_TOP, -SIGNED_TOP, SIGNED_TOP)
  else known.setBounds(to, 0, WORD - 1, -WORD / 2, WORD / 2 - 1)
}

/** Nothing comes of nothing. */
function empty(known: KnownValues, to: number, a: number, b: number): boolean {
  if (!known.isEmpty(a) && !known.isEmpty(b)) return false
  known.setEmpty(to)
  return true
}

function setUnsigned(known: KnownValues, to: number, least: number, greatest: number, wide: boolean): void {
  const { bounds } = known
  if (wide) {
    bounds[to * 4] = lowerUnsigned(least)
    bounds[to * 4 + 1] = upperUnsigned(greatest)
  } else if (greatest < WORD) {
    bounds[to * 4] = least
    bounds[to * 4 + 1] = greatest
  }
}

function setSigned(known: KnownValues, to: number, least: number, greatest: number, wide: boolean): void {
  const { bounds } = known
  if (wide) {
    bounds[to * 4 + 2] = lowerSigned(least)
    bounds[to * 4 + 3] = upperSigned(greatest)
  } else if (least >= -WORD / 2 && greatest < WORD / 2) {
    bounds[to * 4 + 2] = least
    bounds[to * 4 + 3] = greatest
  }
}

export function add(known: KnownValues, to: number, a: number, b: number, wide: boolean): void {
  if (empty(known, to, a, b)) return
  const { bits, bounds } = known
  const x = a * 4
  const y = b * 4
  const least = bounds[x]! + bounds[y]!
  const greatest = bounds[x + 1]! + bounds[y + 1]!
  const signedLeast = bounds[x + 2]! + bounds[y + 2]!
  const signedGreatest = bounds[x + 3]! + bounds[y + 3]!
  const fits = bounds[x + 1]! <= LIMIT && bounds[y + 1]! <= LIMIT
  const signedFits = sumFits(bounds[x + 3]!, bounds[y + 3]!) && sumFits(-bounds[x + 2]!, -bounds[y + 2]!)
  const unknownLow = bits[x + 2]! | bits[y + 2]!
  const unknownHigh = bits[x + 3]! | bits[y + 3]!
  const mostLow = sum64(bits[x + 2]!, bits[x + 3]!, bits[y + 2]!, bits[y + 3]!)
  const mostHigh = high
  const low = sum64(bits[x]!, bits[x + 1]!, bits[y]!, bits[y + 1]!)
  const lowHigh = high
  const all = sum64(mostLow, mostHigh, low, lowHigh)
  const doubtLow = (all ^ low) | unknownLow
  const doubtHigh = (high ^ lowHigh) | unknownHigh
  known.setBits(to, low & ~doubtLow, wide ? lowHigh & ~doubtHigh : 0, doubtLow, wide ? doubtHigh : 0)
  unbounded(known, to, wide)
  if (wide) {
    if (fits) setUnsigned(known, to, least, greatest, true)
    if (signedFits) setSigned(known, to, signedLeast, signedGreatest, true)
  } else {
    if (least >= WORD) setUnsigned(known, to, least - WORD, greatest - WORD, false)
    else setUnsigned(known, to, least, greatest, false)
    setSigned(known, to, signedLeast, signedGreatest, false)
  }
  known.settle(to, wide)
}

/** Whether the sum of values up to these bounds, or down to their opposites, is in the range of 64 bits. */
function sumFits(a: number, b: number): boolean {
  return (a < SIGNED_TOP || b <= 0) && (b < SIGNED_TOP || a <= 0)
}

export function sub(known: KnownValues, to: number, a: number, b: number, wide: boolean): void {
  if (empty(known, to, a, b)) return
  const { bits, bounds } = known
  const x = a * 4
  const y = b * 4
  const least = bounds[x]! - bounds[y + 1]!
  const greatest = bounds[x + 1]! - bounds[y]!
  const signedLeast = bounds[x + 2]! - bounds[y + 3]!
  const signedGreatest = bounds[x + 3]! - bounds[y + 2]!
  const signedFits =
    sumFits(-bounds[x + 2]!, bounds[y + 3]!) &&
    (bounds[x + 3]! < SIGNED_TOP || bounds[y + 2]! >= 0) &&
    (bounds[y + 2]! > -SIGNED_TOP || bounds[x + 3]! < 0)
  const unknownLow = bits[x + 2]! | bits[y + 2]!
  const unknownHigh = bits[x + 3]! | bits[y + 3]!
  const low = difference64(bits[x]!, bits[x + 1]!, bits[y]!, bits[y + 1]!)
  const lowHigh = high
  const up = sum64(low, lowHigh, bits[x + 2]!, bits[x + 3]!)
  const upHigh = high
  const down = difference64(low, lowHigh, bits[y + 2]!, bits[y + 3]!)
  const doubtLow = (up ^ down) | unknownLow
  const doubtHigh = (upHigh ^ high) | unknownHigh
  known.setBits(to, low & ~doubtLow, wide ? lowHigh & ~doubtHigh : 0, doubtLow, wide ? doubtHigh : 0)
  unbounded(known, to, wide)
  if (least >= 0) setUnsigned(known, to, least, greatest, wide)
  else if (!wide && greatest < 0) setUnsigned(known, to, least + WORD, greatest + WORD, false)
  if (signedFits) setSigned(known, to, signedLeast, signedGreatest, wide)
  known.settle(to, wide)
}

/** Number of low bits that are all known, and of low bits known to be 0. */
function knownLowBits(known: KnownValues, slot: number): number {
  const at = slot * 4
  return lowestBit(known.bits[at + 2]!, known.bits[at + 3]!)
}
function trailingZeros(known: KnownValues, slot: number): number {
  const at = slot * 4
  const { bits } = known
  return lowestBit(bits[at]! | bits[at + 2]!, bits[at + 1]! | bits[at + 3]!)
}
function lowestBit(low: number, upper: number): number {
  if (low !== 0) return 31 - Math.clz32(low & -low)
  return upper === 0 ? 64 : 63 - Math.clz32(upper & -upper)
}

/** Low word of the product of two 64-bit numbers; `high` is its high word. */
function product64(aLow: number, aHigh: number, bLow: number, bHigh: number): number {
  const a0 = aLow & 0xffff
  const a1 = aLow >>> 16
  const b0 = bLow & 0xffff
  const b1 = bLow >>> 16
  const middle = a1 * b0 + ((a0 * b0) >>> 16)
  const other = a0 * b1 + (middle & 0xffff)
  const upper = a1 * b1 + Math.floor(middle / 0x10000) + Math.floor(other / 0x10000)
  high = (upper + Math.imul(aLow, bHigh) + Math.imul(aHigh, bLow)) | 0
  return Math.imul(aLow, bLow)
}

export function mul(known: KnownValues, to: number, a: number, b: number, wide: boolean): void {
  if (empty(known, to, a, b)) return
  const { bits, bounds } = known
  const x = a * 4
  const y = b * 4
  // As many low bits of the product are known as depend on known ones alone.
  const zerosA = trailingZeros(known, a)
  const zerosB = trailingZeros(known, b)
  const sure = Math.min(64, Math.min(knownLowBits(known, a) + zerosB, knownLowBits(known, b) + zerosA))
  const maskLow = sure >= 32 ? -1 : (1 << sure) - 1
  const maskHigh = sure >= 64 ? -1 : sure > 32 ? (1 << (sure - 32)) - 1 : 0
  const low = product64(bits[x]!, bits[x + 1]!, bits[y]!, bits[y + 1]!)
  const upper = high
  const least = bounds[x]! * bounds[y]!
  const greatest = bounds[x + 1]! * bounds[y + 1]!
  const corner0 = bounds[x + 2]! * bounds[y + 2]!
  const corner1 = bounds[x + 2]! * bounds[y + 3]!
  const corner2 = bounds[x + 3]! * bounds[y + 2]!
  const corner3 = bounds[x + 3]! * bounds[y + 3]!
  known.setBits(to, low & maskLow, wide ? upper & maskHigh : 0, ~maskLow, wide ? ~maskHigh : 0)
  unbounded(known, to, wide)
  // What may pass 2^64 also passes LIMIT, whatever was rounded.
  if (greatest <= LIMIT) setUnsigned(known, to, least, greatest, wide)
  const signedLeast = Math.min(corner0, corner1, corner2, corner3)
  const signedGreatest = Math.max(corner0, corner1, corner2, corner3)
  if (signedLeast >= -SIGNED_TOP / 2 && signedGreatest <= SIGNED_TOP / 2) {
    setSigned(known, to, signedLeast, signedGreatest, wide)
  }
  known.settle(to, wide)
}

export function udiv(known: KnownValues, to: number, a: number, b: number, wide: boolean): void {
  if (empty(known, to, a, b)) return
  const least = known.minimum(a)
  const greatest = known.maximum(a)
  const divisorLeast = known.minimum(b)
  const divisorGreatest = known.maximum(b)
  known.setUnknown(to, wide)
  setUnsigned(
    known,
    to,
    divisorLeast === 0 ? 0 : Math.floor(least / divisorGreatest),
    Math.floor(greatest / Math.max(1, divisorLeast)),
    wide,
  )
  known.settle(to, wide)
}

export function urem(known: KnownValues, to: number, a: number, b: number, wide: boolean): void {
  if (empty(known, to, a, b)) return
  const greatest = known.maximum(a)
  const divisorLeast = known.minimum(b)
  const divisorGreatest = known.maximum(b)
  if (greatest < divisorLeast) return copyIf(known, to, a)
  known.setUnknown(to, wide)
  const most = divisorLeast > 0 && divisorGreatest <= LIMIT ? Math.min(greatest, divisorGreatest - 1) : greatest
  setUnsigned(known, to, 0, most, wide)
  known.settle(to, wide)
}

function copyIf(known: KnownValues, to: number, from: number): void {
  if (to !== from) known.copy(to, from)
}

export function sdiv(known: KnownValues, to: number, a: number, b: number, wide: boolean): void {
  if (empty(known, to, a, b)) return
  if (known.signedMinimum(a) >= 0 && known.signedMinimum(b) >= 0) {
    const least = known.signedMinimum(a)
    const greatest = known.signedMaximum(a)
    const divisorLeast = known.signedMinimum(b)
    const divisorGreatest = known.signedMaximum(b)
    known.setUnknown(to, wide)
    setSigned(
      known,
      to,
      divisorLeast === 0 ? 0 : Math.floor(least / divisorGreatest),
      Math.floor(greatest / Math.max(1, divisorLeast)),
      wide,
    )
    return known.settle(to, wide)
  }
  // The magnitude does not grow; by a divisor of 2 or more it shrinks.
  const magnitude = Math.max(-known.signedMinimum(a), known.signedMaximum(a))
  const divisor = Math.max(1, known.signedMinimum(b), -known.signedMaximum(b))
  const most = Math.floor(magnitude / divisor)
  known.setUnknown(to, wide)
  if (wide || most < WORD / 2) setSigned(known, to, -most, most, wide)
  known.settle(to, wide)
}

export function srem(known: KnownValues, to: number, a: number, b: number, wide: boolean): void {
  if (empty(known, to, a, b)) return
  const least = known.signedMinimum(a)
  const greatest = known.signedMaximum(a)
  const divisorLeast = known.signedMinimum(b)
  const divisorGreatest = known.signedMaximum(b)
  const sure = divisorLeast > 0 || divisorGreatest < 0
  // |x % y| < |y|, with the sign of x.
  const most = sure ? Math.max(-divisorLeast, divisorGreatest) - 1 : SIGNED_TOP
  known.setUnknown(to, wide)
  const signedLeast = least >= 0 ? 0 : Math.max(least, -most)
  const signedGreatest = greatest <= 0 ? 0 : Math.min(greatest, most)
  setSigned(known, to, signedLeast, signedGreatest, wide)
  known.settle(to, wide)
}

/** A power of two, above all magnitudes of both operands; one bit more than the width where there is none. */
function signedPower(known: KnownValues, a: number, b: number): number {
  const most = Math.max(
    known.signedMaximum(a),
    known.signedMaximum(b),
    -1 - known.signedMinimum(a),
    -1 - known.signedMinimum(b),
  )
  if (most > LIMIT) return SIGNED_TOP * 2
  if (most < WORD) return powers[32 - Math.clz32(most)]!
  return WORD * powers[32 - Math.clz32(Math.floor(most / WORD))]!
}

/** Bits of and, or, xor are set: the bounds that follow from the operands'. */
function bitwiseBounds(
  known: KnownValues,
  to: number,
  power: number,
  least: number,
  most: number,
  wide: boolean,
): void {
  unbounded(known, to, wide)
  const { bounds } = known
  const at = to * 4
  if (power <= (wide ? LIMIT : WORD / 2)) {
    bounds[at + 2] = -power
    bounds[at + 3] = power - 1
  }
  if (least > bounds[at]!) bounds[at] = least
  if (most < bounds[at + 1]!) bounds[at + 1] = most
  known.settle(to, wide)
}

export function and(known: KnownValues, to: number, a: number, b: number, wide: boolean): void {
  if (empty(known, to, a, b)) return
  const { bits } = known
  const x = a * 4
  const y = b * 4
  const power = signedPower(known, a, b)
  const most = Math.min(known.maximum(a), known.maximum(b))
  const low = bits[x]! & bits[y]!
  const upper = bits[x + 1]! & bits[y + 1]!
  known.setBits(
    to,
    low,
    upper,
    (bits[x]! | bits[x + 2]!) & (bits[y]! | bits[y + 2]!) & ~low,
    (bits[x + 1]! | bits[x + 3]!) & (bits[y + 1]! | bits[y + 3]!) & ~upper,
  )
  bitwiseBounds(known, to, power, 0, most, wide)
}

export function or(known: KnownValues, to: number, a: number, b: number, wide: boolean): void {
  if (empty(known, to, a, b)) return
  const { bits } = known
  const x = a * 4
  const y = b * 4
  const power = signedPower(known, a, b)
  const least = Math.max(known.minimum(a), known.minimum(b))
  const low = bits[x]! | bits[y]!
  const upper = bits[x + 1]! | bits[y + 1]!
  known.setBits(to, low, upper, (bits[x + 2]! | bits[y + 2]!) & ~low, (bits[x + 3]! | bits[y + 3]!) & ~upper)
  bitwiseBounds(known, to, power, least, UNSIGNED_TOP, wide)
}

export function xor(known: KnownValues, to: number, a: number, b: number, wide: boolean): void {
  if (empty(known, to, a, b)) return
  const { bits } = known
  const x = a * 4
  const y = b * 4
  const power = signedPower(known, a, b)
  const unknownLow = bits[x + 2]! | bits[y + 2]!
  const unknownHigh = bits[x + 3]! | bits[y + 3]!
  known.setBits(
    to,
    (bits[x]! ^ bits[y]!) & ~unknownLow,
    (bits[x + 1]! ^ bits[y + 1]!) & ~unknownHigh,
    unknownLow,
    unknownHigh,
  )
  bitwiseBounds(known, to, power, 0, UNSIGNED_TOP, wide)
}

function shiftLeft(low: number, upper: number, amount: number): number {
  if (amount >= 32) {
    high = amount >= 64 ? 0 : low << (amount - 32)
    return 0
  }
  high = amount === 0 ? upper : (upper << amount) | (low >>> (32 - amount))
  return low << amount
}

/** With `sign` shifted in, all ones or all zeros. */
function shiftRight(low: number, upper: number, amount: number, sign: number): number {
  if (amount === 0) {
    high = upper
    return low
  }
  if (amount >= 32) {
    high = sign
    if (amount >= 64) return sign
    return amount === 32 ? upper : (upper >>> (amount - 32)) | (sign << (64 - amount))
  }
  high = (upper >>> amount) | (sign << (32 - amount))
  return (low >>> amount) | (upper << (32 - amount))
}

/** Bounds of a shift's amount: a word of which the low byte counts. */
function amountLeast(known: KnownValues, slot: number): number {
  if (known.isConstant(slot)) return known.bits[slot * 4]! & 0xff
  return known.maximum(slot) <= 0xff ? known.minimum(slot) : 0
}
function amountGreatest(known: KnownValues, slot: number): number {
  if (known.isConstant(slot)) return known.bits[slot * 4]! & 0xff
  return Math.min(0xff, known.maximum(slot))
}

/** Left; what is shifted out is gone, amounts of the width or more give 0. */
export function lsl(known: KnownValues, to: number, a: number, amount: number, wide: boolean): void {
  if (empty(known, to, a, amount)) return
  const { bits, bounds } = known
  const x = a * 4
  const near = amountLeast(known, amount)
  const far = amountGreatest(known, amount)
  const width = wide ? 64 : 32
  if (near >= width) return known.setConstant(to, 0, 0, wide)
  const least = far >= width ? 0 : bounds[x]! * powers[near]!
  const greatest = bounds[x + 1]! * powers[Math.min(far, width)]!
  const signedLeast = bounds[x + 2]! * powers[bounds[x + 2]! < 0 ? far : near]!
  const signedGreatest = bounds[x + 3]! * powers[bounds[x + 3]! < 0 ? near : far]!
  if (near === far) {
    const unknownLow = shiftLeft(bits[x + 2]!, bits[x + 3]!, near)
    const unknownHigh = wide ? high : 0
    const low = shiftLeft(bits[x]!, bits[x + 1]!, near)
    known.setBits(to, low, wide ? high : 0, unknownLow, unknownHigh)
  } else {
    const zeros = Math.min(trailingZeros(known, a) + near, width)
    known.setBits(
      to,
      0,
      0,
      zeros >= 32 ? 0 : -1 << zeros,
      !wide || zeros >= 64 ? 0 : zeros > 32 ? -1 << (zeros - 32) : -1,
    )
  }
  unbounded(known, to, wide)
  if (greatest <= LIMIT) setUnsigned(known, to, least, greatest, wide)
  if (far < width && signedLeast >= -LIMIT && signedGreatest <= LIMIT) {
    setSigned(known, to, signedLeast, signedGreatest, wide)
  }
  known.settle(to, wide)
}

/** A greatest value, shifted right; `top` itself is one less. */
function shiftedTop(greatest: number, top: number, amount: number): number {
  return greatest < top ? Math.floor(greatest / powers[amount]!) : Math.floor(top / powers[amount]!) - 1
}

export function lsr(known: KnownValues, to: number, a: number, amount: number, wide: boolean): void {
  if (empty(known, to, a, amount)) return
  const { bits, bounds } = known
  const x = a * 4
  const near = amountLeast(known, amount)
  const far = amountGreatest(known, amount)
  const width = wide ? 64 : 32
  if (near >= width) return known.setConstant(to, 0, 0, wide)
  const least = far >= width ? 0 : Math.floor(bounds[x]! / powers[far]!)
  const greatest = shiftedTop(bounds[x + 1]!, UNSIGNED_TOP, near)
  if (near === far) {
    const unknownLow = shiftRight(bits[x + 2]!, bits[x + 3]!, near, 0)
    const unknownHigh = high
    const low = shiftRight(bits[x]!, bits[x + 1]!, near, 0)
    known.setBits(to, low, high, unknownLow, unknownHigh)
  } else {
    // Zeros at the top stay, and as many come as the least amount.
    const highLow = bits[x]! | bits[x + 2]!
    const highHigh = bits[x + 1]! | bits[x + 3]!
    const zeros = (highHigh !== 0 ? Math.clz32(highHigh) : 32 + Math.clz32(highLow)) + near
    known.setBits(to, 0, 0, zeros >= 64 ? 0 : zeros > 32 ? -1 >>> (zeros - 32) : -1, zeros >= 32 ? 0 : -1 >>> zeros)
  }
  unbounded(known, to, wide)
  setUnsigned(known, to, least, greatest, wide)
  known.settle(to, wide)
}

export function asr(known: KnownValues, to: number, a: number, amount: number, wide: boolean): void {
  if (empty(known, to, a, amount)) return
  const { bits, bounds } = known
  const x = a * 4
  const width = wide ? 64 : 32
  const near = Math.min(width - 1, amountLeast(known, amount))
  const far = Math.min(width - 1, amountGreatest(known, amount))
  const signedLeast = Math.floor(bounds[x + 2]! / powers[bounds[x + 2]! < 0 ? near : far]!)
  const signedGreatest = shiftedTop(bounds[x + 3]!, SIGNED_TOP, bounds[x + 3]! < 0 ? far : near)
  if (near === far) {
    if (wide) {
      const unknownLow = shiftRight(bits[x + 2]!, bits[x + 3]!, near, bits[x + 3]! >> 31)
      const unknownHigh = high
      const low = shiftRight(bits[x]!, bits[x + 1]!, near, bits[x + 1]! >> 31)
      known.setBits(to, low, high, unknownLow, unknownHigh)
    } else {
      known.setBits(to, bits[x]! >> near, 0, bits[x + 2]! >> near, 0)
    }
  } else known.setBits(to, 0, 0, -1, wide ? -1 : 0)
  unbounded(known, to, wide)
  setSigned(known, to, signedLeast, signedGreatest, wide)
  known.settle(to, wide)
}

/** The word that is the low one of a 64-bit value. */
export function truncate(known: KnownValues, to: number, a: number): void {
  if (empty(known, to, a, a)) return
  const { bits, bounds } = known
  const x = a * 4
  const least = bounds[x]!
  const greatest = bounds[x + 1]!
  const signedLeast = bounds[x + 2]!
  const signedGreatest = bounds[x + 3]!
  known.setBits(to, bits[x]!, 0, bits[x + 2]!, 0)
  unbounded(known, to, false)
  setUnsigned(known, to, least, greatest, false)
  setSigned(known, to, signedLeast, signedGreatest, false)
  known.settle(to, false)
}

/** The word that is the high one. */
export function highWord(known: KnownValues, to: number, a: number): void {
  if (empty(known, to, a, a)) return
  const { bits, bounds } = known
  const x = a * 4
  const least = Math.floor(bounds[x]! / WORD)
  const greatest = Math.min(WORD - 1, Math.floor(bounds[x + 1]! / WORD))
  const signedLeast = Math.floor(bounds[x + 2]! / WORD)
  const signedGreatest = Math.min(WORD / 2 - 1, Math.floor(bounds[x + 3]! / WORD))
  known.setBits(to, bits[x + 1]!, 0, bits[x + 3]!, 0)
  known.setBounds(to, least, greatest, signedLeast, signedGreatest)
  known.settle(to, false)
}

/** A word, zero-extended. */
export function zeroExtend(known: KnownValues, to: number, a: number): void {
  if (empty(known, to, a, a)) return
  copyIf(known, to, a)
  known.bounds[to * 4 + 2] = known.minimum(to)
  known.bounds[to * 4 + 3] = known.maximum(to)
}

/** The low `from` bits (8, 16, 32), sign-extended. */
export function signExtend(known: KnownValues, to: number, a: number, from: number, wide: boolean): void {
  if (empty(known, to, a, a)) return
  const { bits, bounds } = known
  const x = a * 4
  const least = bounds[x + 2]!
  const greatest = bounds[x + 3]!
  const half = powers[from - 1]!
  const up = 32 - from
  const low = (bits[x]! << up) >> up
  const unknown = (bits[x + 2]! << up) >> up
  known.setBits(to, low, wide ? low >> 31 : 0, unknown, wide ? unknown >> 31 : 0)
  unbounded(known, to, wide)
  if (least >= -half && greatest < half) setSigned(known, to, least, greatest, wide)
  else setSigned(known, to, -half, half - 1, wide)
  known.settle(to, wide)
}

/** A 64-bit value of two words. */
export function concatenate(known: KnownValues, to: number, low: number, upper: number): void {
  if (empty(known, to, low, upper)) return
  const { bits, bounds } = known
  const x = low * 4
  const y = upper * 4
  const least = bounds[y]! * WORD + bounds[x]!
  const greatest = bounds[y + 1]! * WORD + bounds[x + 1]!
  const signedLeast = bounds[y + 2]! * WORD + bounds[x]!
  const signedGreatest = bounds[y + 3]! * WORD + bounds[x + 1]!
  known.setBits(to, bits[x]!, bits[y]!, bits[x + 2]!, bits[y + 2]!)
  unbounded(known, to, true)
  setUnsigned(known, to, least, greatest, true)
  setSigned(known, to, signedLeast, signedGreatest, true)
  known.settle(to, true)
}

function swapped(word: number): number {
  return (word << 24) | ((word & 0xff00) << 8) | ((word >>> 8) & 0xff00) | (word >>> 24)
}

/** Bytes in the other order: of all, or of the low 2, above which are zeros then. */
export function swapBytes(known: KnownValues, to: number, a: number, bytes: 2 | 4 | 8): void {
  if (empty(known, to, a, a)) return
  const { bits } = known
  const x = a * 4
  const low = swapped(bits[x]!)
  const unknown = swapped(bits[x + 2]!)
  const wide = bytes === 8
  if (wide) known.setBits(to, swapped(bits[x + 1]!), low, swapped(bits[x + 3]!), unknown)
  else if (bytes === 4) known.setBits(to, low, 0, unknown, 0)
  else known.setBits(to, low >>> 16, 0, unknown >>> 16, 0)
  unbounded(known, to, wide)
  known.settle(to, wide)
}
