// Soundness: what is known of a result holds for the results of all values that the operands may be. Precision: on examples.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Comparison, decide, refine } from '../../src/domain/compare.ts'
import { KnownValues, LIMIT, SIGNED_TOP } from '../../src/domain/known-values.ts'
import * as transfer from '../../src/domain/transfer.ts'

const u64 = (value: bigint): bigint => BigInt.asUintN(64, value)
const s64 = (value: bigint): bigint => BigInt.asIntN(64, value)
const low = (value: bigint): number => Number(BigInt.asIntN(32, value))
const highOf = (value: bigint): number => Number(BigInt.asIntN(32, value >> 32n))

/** Numbers where something happens: around powers of two, of either sign, and any. */
const word64 = fc.oneof(
  fc
    .tuple(fc.integer({ min: 0, max: 63 }), fc.integer({ min: -3, max: 3 }), fc.boolean())
    .map(([power, near, negative]) => u64((negative ? -1n : 1n) * (1n << BigInt(power)) + BigInt(near))),
  fc.constantFrom(0n, 1n << 31n, (1n << 32n) - 1n, 1n << 52n, 1n << 63n, (1n << 63n) - 1n, (1n << 64n) - 1n),
  fc.bigInt({ min: 0n, max: 300n }),
  fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
)

interface Sample {
  readonly values: readonly bigint[]
  /** 0: as precise as the values allow; 1: bounds alone; 2: bits alone. */
  readonly loss: number
}
const sample = fc.record({
  values: fc.array(word64, { minLength: 1, maxLength: 5 }),
  loss: fc.integer({ min: 0, max: 2 }),
})

function load(known: KnownValues, slot: number, { values, loss }: Sample, wide: boolean): bigint[] {
  const own = values.map((value) => (wide ? value : BigInt.asUintN(32, value)))
  const scratch = 9
  for (const value of own) {
    known.setConstant(scratch, low(value), highOf(value), wide)
    known.join(slot, scratch)
  }
  if (loss > 0) {
    known.setUnknown(scratch, wide)
    if (loss === 1) known.setBits(slot, known.bits[scratch * 4]!, known.bits[scratch * 4 + 1]!, -1, wide ? -1 : 0)
    else {
      const [a, b, c, d] = known.bounds.subarray(scratch * 4, scratch * 4 + 4)
      known.setBounds(slot, a!, b!, c!, d!)
    }
  }
  known.settle(slot, wide)
  return own
}

/** Why a value is not among what is known, undefined if it is. */
function outside(known: KnownValues, slot: number, value: bigint, wide: boolean): string | undefined {
  const bits = known.bits.subarray(slot * 4, slot * 4 + 4)
  const [least, greatest, signedLeast, signedGreatest] = known.bounds.subarray(slot * 4, slot * 4 + 4)
  const show = `${value}: bits ${[...bits].map((word) => (word >>> 0).toString(16)).join(' ')} bounds ${least} ${greatest} ${signedLeast} ${signedGreatest}`
  if (((low(value) ^ bits[0]!) & ~bits[2]!) !== 0 || ((highOf(value) ^ bits[1]!) & ~bits[3]!) !== 0)
    return `bits ${show}`
  if ((bits[0]! & bits[2]!) !== 0 || (bits[1]! & bits[3]!) !== 0) return `form ${show}`
  const signed = wide ? s64(value) : BigInt.asIntN(32, value)
  if (value < BigInt(least!) || value > BigInt(greatest!)) return `unsigned ${show}`
  if (signed < BigInt(signedLeast!) || signed > BigInt(signedGreatest!)) return `signed ${show}`
  for (const bound of [least!, greatest!, signedLeast!, signedGreatest!]) {
    if (!Number.isInteger(bound) || (Math.abs(bound) > LIMIT && Math.abs(bound) < 2 ** 63)) return `inexact ${show}`
  }
  return undefined
}

function holdsOf(known: KnownValues, slot: number, value: bigint, wide: boolean): void {
  const wrong = outside(known, slot, value, wide)
  if (wrong !== undefined) throw new Error(wrong)
}

type Two = (known: KnownValues, to: number, a: number, b: number, wide: boolean) => void
type Meaning = (a: bigint, b: bigint, width: bigint) => bigint

const signedOf = (value: bigint, width: bigint): bigint => BigInt.asIntN(Number(width), value)

/** Results are cut to the width. */
const binary: Record<string, [Two, Meaning]> = {
  add: [transfer.add, (a, b) => a + b],
  sub: [transfer.sub, (a, b) => a - b],
  mul: [transfer.mul, (a, b) => a * b],
  udiv: [transfer.udiv, (a, b) => (b === 0n ? 0n : a / b)],
  urem: [transfer.urem, (a, b) => (b === 0n ? a : a % b)],
  sdiv: [transfer.sdiv, (a, b, w) => (b === 0n ? 0n : signedOf(a, w) / signedOf(b, w))],
  srem: [transfer.srem, (a, b, w) => (b === 0n ? a : signedOf(a, w) % signedOf(b, w))],
  and: [transfer.and, (a, b) => a & b],
  or: [transfer.or, (a, b) => a | b],
  xor: [transfer.xor, (a, b) => a ^ b],
}

const shifts: Record<string, [Two, Meaning]> = {
  lsl: [transfer.lsl, (a, b) => a << (b & 255n)],
  lsr: [transfer.lsr, (a, b) => a >> (b & 255n)],
  asr: [transfer.asr, (a, b, w) => signedOf(a, w) >> (b & 255n)],
}

const swap = (value: bigint, bytes: number): bigint => {
  let result = 0n
  for (let at = 0; at < bytes; at++) result = (result << 8n) | ((value >> BigInt(8 * at)) & 0xffn)
  return result
}

/** [what, width of the operand, width of the result, what it gives] */
type One = [(known: KnownValues, to: number, a: number) => void, boolean, boolean, (a: bigint) => bigint]
const unary: Record<string, One> = {
  truncate: [transfer.truncate, true, false, (a) => a],
  highWord: [transfer.highWord, true, false, (a) => a >> 32n],
  zeroExtend: [transfer.zeroExtend, false, true, (a) => a],
  signExtend32: [(k, to, a) => transfer.signExtend(k, to, a, 32, true), false, true, (a) => BigInt.asIntN(32, a)],
  signExtend16: [(k, to, a) => transfer.signExtend(k, to, a, 16, false), false, false, (a) => BigInt.asIntN(16, a)],
  signExtend8: [(k, to, a) => transfer.signExtend(k, to, a, 8, false), false, false, (a) => BigInt.asIntN(8, a)],
  signExtend8Wide: [(k, to, a) => transfer.signExtend(k, to, a, 8, true), true, true, (a) => BigInt.asIntN(8, a)],
  swap2: [(k, to, a) => transfer.swapBytes(k, to, a, 2), false, false, (a) => swap(a, 2)],
  swap4: [(k, to, a) => transfer.swapBytes(k, to, a, 4), false, false, (a) => swap(a, 4)],
  swap8: [(k, to, a) => transfer.swapBytes(k, to, a, 8), true, true, (a) => swap(a, 8)],
}

const comparisons: [Comparison, (a: bigint, b: bigint, w: bigint) => boolean][] = [
  [Comparison.EQUAL, (a, b) => a === b],
  [Comparison.NOT_EQUAL, (a, b) => a !== b],
  [Comparison.BELOW, (a, b) => a < b],
  [Comparison.BELOW_OR_EQUAL, (a, b) => a <= b],
  [Comparison.LESS, (a, b, w) => signedOf(a, w) < signedOf(b, w)],
  [Comparison.LESS_OR_EQUAL, (a, b, w) => signedOf(a, w) <= signedOf(b, w)],
]

const runs = { numRuns: 400 }

describe('what is known of a result holds', () => {
  for (const wide of [false, true]) {
    const width = wide ? 64n : 32n
    const cut = (value: bigint): bigint => BigInt.asUintN(Number(width), value)
    for (const [name, [operation, meaning]] of Object.entries({ ...binary, ...shifts })) {
      it(`of ${name}, ${width} bits`, () => {
        fc.assert(
          fc.property(sample, sample, fc.boolean(), (a, b, aliased) => {
            const known = new KnownValues(10)
            const left = load(known, 0, a, wide)
            // A shift's amount is a word, mostly a small one.
            const amount = name in shifts
            const right = load(
              known,
              1,
              amount ? { ...b, values: b.values.map((x) => x & (aliased ? 255n : 63n)) } : b,
              wide && !amount,
            )
            const to = aliased ? 0 : 2
            operation(known, to, 0, 1, wide)
            for (const x of left) for (const y of right) holdsOf(known, to, cut(meaning(x, y, width)), wide)
          }),
          runs,
        )
      })
    }

    it(`after a comparison, ${width} bits`, () => {
      fc.assert(
        fc.property(sample, sample, fc.constantFrom(...comparisons), (a, b, [comparison, holds]) => {
          const known = new KnownValues(10)
          const left = load(known, 0, a, wide)
          const right = load(known, 1, b, wide)
          const decided = decide(known, comparison, 0, 1)
          refine(known, comparison, 0, 1, wide)
          for (const x of left) {
            for (const y of right) {
              const truth = holds(x, y, width)
              if (decided >= 0 && truth !== (decided === 1)) throw new Error(`decided ${decided} of ${x} and ${y}`)
              if (!truth) continue
              holdsOf(known, 0, x, wide)
              holdsOf(known, 1, y, wide)
            }
          }
        }),
        { numRuns: 2000 },
      )
    })

    it(`of what two have in common, and of widening, ${width} bits`, () => {
      fc.assert(
        fc.property(sample, sample, fc.boolean(), (a, b, far) => {
          const known = new KnownValues(10)
          const left = load(known, 0, a, wide)
          const right = load(known, 1, { ...b, values: [...b.values, ...a.values.slice(0, 1)] }, wide)
          known.copy(2, 0)
          known.meet(2, 1, wide)
          for (const x of left) if (right.includes(x)) holdsOf(known, 2, x, wide)
          known.copy(2, 0)
          known.join(2, 1)
          known.widen(2, 0, wide, far)
          for (const x of [...left, ...right]) holdsOf(known, 2, x, wide)
        }),
        runs,
      )
    })
  }

  for (const [name, [operation, from, to, meaning]] of Object.entries(unary)) {
    it(`of ${name}`, () => {
      fc.assert(
        fc.property(sample, (a) => {
          const known = new KnownValues(10)
          const values = load(known, 0, a, from)
          operation(known, 1, 0)
          for (const x of values) holdsOf(known, 1, BigInt.asUintN(to ? 64 : 32, meaning(x)), to)
        }),
        runs,
      )
    })
  }

  it('of two words put together', () => {
    fc.assert(
      fc.property(sample, sample, (a, b) => {
        const known = new KnownValues(10)
        const lows = load(known, 0, a, false)
        const highs = load(known, 1, b, false)
        transfer.concatenate(known, 2, 0, 1)
        for (const x of lows) for (const y of highs) holdsOf(known, 2, (y << 32n) | x, true)
      }),
      runs,
    )
  })
})

describe('enough is known', () => {
  const bounds = (known: KnownValues, slot: number): number[] => [...known.bounds.subarray(slot * 4, slot * 4 + 4)]
  const M = 2 ** 32

  it('of sums that stay within their width', () => {
    const known = new KnownValues(4)
    known.setRange(0, 1, 10, true)
    known.setConstant(1, -1, -1, true)
    transfer.add(known, 2, 0, 1, true)
    expect(bounds(known, 2)).toEqual([0, 9, 0, 9])
    // The high word, and the bits above 9, are 0.
    expect([...known.bits.subarray(8, 12)]).toEqual([0, 0, 15, 0])
    known.setUnknown(0, false)
    transfer.zeroExtend(known, 0, 0)
    transfer.add(known, 2, 0, 0, true)
    expect(bounds(known, 2)).toEqual([0, 2 * (M - 1), 0, 2 * (M - 1)])
  })

  it('of words that wrap as one', () => {
    const known = new KnownValues(4)
    known.setRange(0, 3, 10, false)
    known.setConstant(1, -3, 0, false)
    transfer.add(known, 2, 0, 1, false)
    expect(bounds(known, 2)).toEqual([0, 7, 0, 7])
    transfer.sub(known, 2, 1, 0, false)
    expect(bounds(known, 2)).toEqual([M - 13, M - 6, -13, -6])
  })

  it('of sign-extended words', () => {
    const known = new KnownValues(4)
    known.setUnknown(0, false)
    transfer.signExtend(known, 0, 0, 32, true)
    expect(bounds(known, 0).slice(2)).toEqual([-M / 2, M / 2 - 1])
    transfer.xor(known, 1, 0, 0, true)
    expect(bounds(known, 1).slice(2)).toEqual([-M / 2, M / 2 - 1])
    known.setUnknown(1, true)
    known.setConstant(2, 32, 0, false)
    transfer.asr(known, 1, 1, 2, true)
    expect(bounds(known, 1).slice(2)).toEqual([-M / 2, M / 2 - 1])
    transfer.mul(known, 3, 0, 0, true)
    expect(known.signedMinimum(3)).toBe(-SIGNED_TOP)
  })

  it('of shifts and masks', () => {
    const known = new KnownValues(4)
    known.setUnknown(0, true)
    known.setConstant(1, 0xff, 0, true)
    transfer.and(known, 2, 0, 1, true)
    expect(bounds(known, 2)).toEqual([0, 255, 0, 255])
    known.setConstant(1, 32, 0, false)
    transfer.lsr(known, 2, 0, 1, true)
    expect(bounds(known, 2)).toEqual([0, M - 1, 0, M - 1])
    known.setConstant(1, 2, 0, false)
    transfer.lsl(known, 2, 0, 1, true)
    expect(known.possible(2)).toBe(-4)
  })

  it('after comparisons', () => {
    const known = new KnownValues(4)
    known.setUnknown(0, true)
    known.setRange(1, 0, 100, true)
    refine(known, Comparison.BELOW, 0, 1, true)
    expect(bounds(known, 0)).toEqual([0, 99, 0, 99])
    expect(bounds(known, 1)).toEqual([1, 100, 1, 100])
    known.setConstant(1, 0, 0, true)
    refine(known, Comparison.NOT_EQUAL, 0, 1, true)
    expect(bounds(known, 0)).toEqual([1, 99, 1, 99])
    expect(decide(known, Comparison.LESS, 1, 0)).toBe(1)
    refine(known, Comparison.EQUAL, 0, 1, true)
    expect(known.isEmpty(0) && known.isEmpty(1)).toBe(true)
  })
})
