// What can be known of values of 32 and 64 bits: which bits are set and which are not (a tristate number), and between what
// bounds the value is, read as unsigned and as signed. A store of numbered values, in typed arrays; operations on them are
// in transfer.ts and compare.ts. Knows neither SSA nor bytecode: optimizer and verifier share it.

import { float64, int32 } from '../base/arrays.ts'

/** Bounds up to this magnitude are exact; greater ones are replaced by the next of those below, outwards. */
export const LIMIT = 2 ** 52
const WORD = 2 ** 32
export const UNSIGNED_TOP = 2 ** 64
export const SIGNED_TOP = 2 ** 63
const SIGN = 0x80000000 | 0

/** A lower bound that is right and can be kept: an unsigned one. */
export function lowerUnsigned(bound: number): number {
  return bound > LIMIT ? LIMIT : bound
}
export function upperUnsigned(bound: number): number {
  return bound > LIMIT ? UNSIGNED_TOP : bound
}
export function lowerSigned(bound: number): number {
  return bound < -LIMIT ? -SIGNED_TOP : bound > LIMIT ? LIMIT : bound
}
export function upperSigned(bound: number): number {
  return bound > LIMIT ? SIGNED_TOP : bound < -LIMIT ? -LIMIT : bound
}

/**
 * Numbered values ("slots"). A word is kept as a 64-bit value whose high word is known to be 0, but for its signed bounds, which
 * are those of 32 bits. A slot is empty where nothing can be the value: code that is not reached, conditions that contradict each
 * other. New slots are empty.
 */
export class KnownValues {
  /** Per slot: bits known to be 1 (low word, high word), then bits that are not known (low, high). The two are disjoint. */
  bits: Int32Array
  /** Per slot: least and greatest as unsigned, least and greatest as signed. Greater than 2^53: see LIMIT. */
  bounds: Float64Array

  constructor(count: number) {
    this.bits = int32(count * 4)
    this.bounds = float64(count * 4)
    for (let at = 0; at < count * 4; at += 2) this.bounds[at] = 1
  }

  /** Makes room for as many slots. */
  reserve(count: number): void {
    const before = this.bits.length
    if (count * 4 <= before) return
    const { bits, bounds } = this
    const size = count * 6
    this.bits = int32(size)
    this.bounds = float64(size)
    this.bits.set(bits)
    this.bounds.set(bounds)
    for (let at = before; at < size; at += 2) this.bounds[at] = 1
  }

  /** Unsigned bounds; the maximum is UNSIGNED_TOP where it is above LIMIT. */
  minimum(slot: number): number {
    return this.bounds[slot * 4]!
  }
  maximum(slot: number): number {
    return this.bounds[slot * 4 + 1]!
  }
  signedMinimum(slot: number): number {
    return this.bounds[slot * 4 + 2]!
  }
  signedMaximum(slot: number): number {
    return this.bounds[slot * 4 + 3]!
  }

  isEmpty(slot: number): boolean {
    return this.bounds[slot * 4]! > this.bounds[slot * 4 + 1]!
  }
  /** One value alone, whose words are then `bits`. */
  isConstant(slot: number): boolean {
    const at = slot * 4
    return (this.bits[at + 2]! | this.bits[at + 3]!) === 0 && this.bounds[at]! <= this.bounds[at + 1]!
  }
  /** Bits of the low word that may be 1. */
  possible(slot: number): number {
    return this.bits[slot * 4]! | this.bits[slot * 4 + 2]!
  }

  setEmpty(slot: number): void {
    this.setBits(slot, 0, 0, 0, 0)
    this.setBounds(slot, 1, 0, 1, 0)
  }

  /** Nothing is known but the width. */
  setUnknown(slot: number, wide: boolean): void {
    this.setBits(slot, 0, 0, -1, wide ? -1 : 0)
    this.setBounds(
      slot,
      0,
      wide ? UNSIGNED_TOP : WORD - 1,
      wide ? -SIGNED_TOP : -WORD / 2,
      wide ? SIGNED_TOP : WORD / 2 - 1,
    )
  }

  setConstant(slot: number, low: number, high: number, wide: boolean): void {
    const at = slot * 4
    const { bounds } = this
    this.setBits(slot, low, wide ? high : 0, 0, 0)
    if (wide) {
      const unsigned = (high >>> 0) * WORD + (low >>> 0)
      const signed = high * WORD + (low >>> 0)
      bounds[at] = lowerUnsigned(unsigned)
      bounds[at + 1] = upperUnsigned(unsigned)
      bounds[at + 2] = lowerSigned(signed)
      bounds[at + 3] = upperSigned(signed)
    } else {
      bounds[at] = bounds[at + 1] = low >>> 0
      bounds[at + 2] = bounds[at + 3] = low | 0
    }
  }

  /** Between unsigned bounds, both within LIMIT. */
  setRange(slot: number, least: number, greatest: number, wide: boolean): void {
    this.setUnknown(slot, wide)
    this.bounds[slot * 4] = least
    this.bounds[slot * 4 + 1] = greatest
    this.settle(slot, wide)
  }

  setSignedRange(slot: number, least: number, greatest: number, wide: boolean): void {
    this.setUnknown(slot, wide)
    this.bounds[slot * 4 + 2] = least
    this.bounds[slot * 4 + 3] = greatest
    this.settle(slot, wide)
  }

  setBits(slot: number, low: number, high: number, unknownLow: number, unknownHigh: number): void {
    const at = slot * 4
    const { bits } = this
    bits[at] = low
    bits[at + 1] = high
    bits[at + 2] = unknownLow
    bits[at + 3] = unknownHigh
  }

  setBounds(slot: number, least: number, greatest: number, signedLeast: number, signedGreatest: number): void {
    const at = slot * 4
    const { bounds } = this
    bounds[at] = least
    bounds[at + 1] = greatest
    bounds[at + 2] = signedLeast
    bounds[at + 3] = signedGreatest
  }

  copy(to: number, from: number): void {
    const { bits, bounds } = this
    const at = from * 4
    this.setBits(to, bits[at]!, bits[at + 1]!, bits[at + 2]!, bits[at + 3]!)
    this.setBounds(to, bounds[at]!, bounds[at + 1]!, bounds[at + 2]!, bounds[at + 3]!)
  }

  same(a: number, b: number): boolean {
    const { bits, bounds } = this
    for (let index = 0; index < 4; index++) {
      if (bits[a * 4 + index] !== bits[b * 4 + index] || bounds[a * 4 + index] !== bounds[b * 4 + index]) return false
    }
    return true
  }

  /** `to` may also be what `from` may be. */
  join(to: number, from: number): void {
    if (this.isEmpty(from)) return
    if (this.isEmpty(to)) return this.copy(to, from)
    const { bits, bounds } = this
    const a = to * 4
    const b = from * 4
    for (let word = 0; word < 2; word++) {
      const ones = bits[a + word]!
      const unknown = bits[a + word + 2]! | bits[b + word + 2]! | (ones ^ bits[b + word]!)
      bits[a + word] = ones & ~unknown
      bits[a + word + 2] = unknown
    }
    for (let index = 0; index < 4; index += 2) {
      if (bounds[b + index]! < bounds[a + index]!) bounds[a + index] = bounds[b + index]!
      if (bounds[b + index + 1]! > bounds[a + index + 1]!) bounds[a + index + 1] = bounds[b + index + 1]!
    }
  }

  /** `to` is also something that `from` may be. */
  meet(to: number, from: number, wide: boolean): void {
    if (this.isEmpty(to)) return
    if (this.isEmpty(from)) return this.setEmpty(to)
    const { bits, bounds } = this
    const a = to * 4
    const b = from * 4
    for (let word = 0; word < 2; word++) {
      const both = ~bits[a + word + 2]! & ~bits[b + word + 2]!
      if (((bits[a + word]! ^ bits[b + word]!) & both) !== 0) return this.setEmpty(to)
      bits[a + word]! |= bits[b + word]!
      bits[a + word + 2]! &= bits[b + word + 2]!
    }
    for (let index = 0; index < 4; index += 2) {
      if (bounds[b + index]! > bounds[a + index]!) bounds[a + index] = bounds[b + index]!
      if (bounds[b + index + 1]! < bounds[a + index + 1]!) bounds[a + index + 1] = bounds[b + index + 1]!
    }
    this.settle(to, wide)
  }

  /**
   * Makes a chain of joins end: where `slot` knows less than `before`, which it contains, its bounds go to the next of a few, and
   * of bits the lowest that changed leaves all above it unknown. Nothing is left at all if `far`.
   */
  widen(slot: number, before: number, wide: boolean, far: boolean): void {
    if (far) return this.setUnknown(slot, wide)
    const { bits, bounds } = this
    const at = slot * 4
    const old = before * 4
    const lostLow = bits[at + 2]! & ~bits[old + 2]!
    const lostHigh = bits[at + 3]! & ~bits[old + 3]!
    if (lostLow !== 0) this.forget(at, -(lostLow & -lostLow), wide ? -1 : 0)
    else if (lostHigh !== 0) this.forget(at, 0, -(lostHigh & -lostHigh))
    if (bounds[at]! < bounds[old]!) bounds[at] = bounds[at]! >= 1 ? 1 : 0
    if (bounds[at + 1]! > bounds[old + 1]!) {
      // Half a word first: a word that is added to then does not wrap, and a test of the sum tells something.
      const greatest = bounds[at + 1]!
      bounds[at + 1] = greatest < WORD / 2 ? WORD / 2 - 1 : greatest < WORD ? WORD - 1 : UNSIGNED_TOP
    }
    if (bounds[at + 2]! < bounds[old + 2]!) {
      const least = bounds[at + 2]!
      bounds[at + 2] = least >= 0 ? 0 : least >= -1 ? -1 : least >= -WORD / 2 ? -WORD / 2 : -SIGNED_TOP
    }
    if (bounds[at + 3]! > bounds[old + 3]!) {
      const greatest = bounds[at + 3]!
      bounds[at + 3] = greatest < WORD / 2 ? WORD / 2 - 1 : greatest < WORD ? WORD - 1 : SIGNED_TOP
    }
  }

  private forget(at: number, low: number, high: number): void {
    const { bits } = this
    bits[at]! &= ~low
    bits[at + 1]! &= ~high
    bits[at + 2]! |= low
    bits[at + 3]! |= high
  }

  /** Lets bits, unsigned and signed bounds tell each other what they know; empties the slot where they contradict each other. */
  settle(slot: number, wide: boolean): void {
    const { bits, bounds } = this
    const at = slot * 4
    let least = bounds[at]!
    let greatest = bounds[at + 1]!
    let signedLeast = bounds[at + 2]!
    let signedGreatest = bounds[at + 3]!
    let low = bits[at]!
    let high = bits[at + 1]!
    let unknownLow = bits[at + 2]!
    let unknownHigh = bits[at + 3]!
    // Nothing is known, as of most values.
    if (least === 0 && (unknownLow & (wide ? unknownHigh : -1)) === -1) {
      if (wide ? greatest === UNSIGNED_TOP : greatest === WORD - 1) {
        const most = wide ? SIGNED_TOP : WORD / 2
        if (signedLeast === -most && signedGreatest >= most - 1) return
      }
    }
    for (let round = 0; round < 2; round++) {
      // Signed and unsigned order are one where the sign is known.
      if (signedLeast >= 0) {
        if (signedLeast > least) least = signedLeast
        if (signedGreatest < greatest && signedGreatest <= LIMIT) greatest = signedGreatest
      } else if (signedGreatest < 0) {
        if (wide) least = LIMIT
        else {
          if (signedLeast + WORD > least) least = signedLeast + WORD
          if (signedGreatest + WORD < greatest) greatest = signedGreatest + WORD
        }
      }
      if (wide ? greatest <= LIMIT : greatest < WORD / 2) {
        if (least > signedLeast) signedLeast = least
        if (greatest < signedGreatest) signedGreatest = greatest
      } else if (!wide && least >= WORD / 2) {
        if (least - WORD > signedLeast) signedLeast = least - WORD
        if (greatest - WORD < signedGreatest) signedGreatest = greatest - WORD
      }
      if (round > 0 || least > greatest || signedLeast > signedGreatest) break
      if ((unknownLow | unknownHigh) !== 0) {
        // The bits that the bounds have in common, from the highest down.
        const signed = greatest > LIMIT
        const from = signed ? signedLeast : least
        const to = signed ? signedGreatest : greatest
        let knownLow = 0
        let knownHigh = 0
        let fromHigh = 0
        let fromLow = 0
        if (from >= -LIMIT && to <= LIMIT) {
          fromHigh = Math.floor(from / WORD)
          const toHigh = Math.floor(to / WORD)
          fromLow = (from - fromHigh * WORD) | 0
          const differentHigh = fromHigh ^ toHigh
          if (differentHigh !== 0) knownHigh = ~(-1 >>> Math.clz32(differentHigh))
          else {
            knownHigh = -1
            const different = fromLow ^ ((to - toHigh * WORD) | 0)
            knownLow = different === 0 ? -1 : ~(-1 >>> Math.clz32(different))
          }
          fromHigh |= 0
        } else if (signedLeast >= 0) knownHigh = SIGN
        else if (signedGreatest < 0) knownHigh = fromHigh = SIGN
        if (((low ^ fromLow) & knownLow & ~unknownLow) !== 0 || ((high ^ fromHigh) & knownHigh & ~unknownHigh) !== 0) {
          return this.setEmpty(slot)
        }
        low |= fromLow & knownLow
        high |= fromHigh & knownHigh
        unknownLow &= ~knownLow
        unknownHigh &= ~knownHigh
      }
      if ((unknownLow & (wide ? unknownHigh : -1)) === -1) break
      // The least and the greatest that the bits allow.
      const mostLow = (low | unknownLow) >>> 0
      const mostHigh = high | unknownHigh
      const bottom = (high >>> 0) * WORD + (low >>> 0)
      const top = (mostHigh >>> 0) * WORD + mostLow
      if (bottom > least) least = lowerUnsigned(bottom)
      if (top < greatest) greatest = top > LIMIT ? greatest : top
      const sign = (wide ? unknownHigh : unknownLow) & SIGN
      if (wide) {
        const signedBottom = (high | sign) * WORD + (low >>> 0)
        const signedTop = (mostHigh & ~sign) * WORD + mostLow
        if (signedBottom > signedLeast) signedLeast = Math.max(signedLeast, lowerSigned(signedBottom))
        if (signedTop < signedGreatest) signedGreatest = Math.min(signedGreatest, upperSigned(signedTop))
      } else {
        const signedBottom = low | sign
        const signedTop = (low | unknownLow) & ~sign
        if (signedBottom > signedLeast) signedLeast = signedBottom
        if (signedTop < signedGreatest) signedGreatest = signedTop
      }
    }
    if (least > greatest || signedLeast > signedGreatest) return this.setEmpty(slot)
    this.setBits(slot, low, high, unknownLow, unknownHigh)
    this.setBounds(slot, least, greatest, signedLeast, signedGreatest)
  }
}
