// Division and remainder by constants: every form of them, for special and random divisors and dividends.

import { describe, expect, it } from 'vitest'
import { Op } from '../../src/ir/op.ts'
import { parse } from '../../src/ir/parse.ts'
import { multiplier } from '../../src/passes/divide.ts'
import { lower } from '../../tools/prove/lowering.ts'
import { evaluateFunc } from '../support/evaluate-ir.ts'
import { Random } from '../support/random.ts'

const special = [1n, 2n, 3n, 5n, 6n, 7n, 9n, 10n, 11n, 12n, 14n, 25n, 28n, 60n, 100n, 125n, 255n, 625n, 641n, 1000n]
const large = [3600n, 65535n, 65537n, 86400n, 1000000n, 1000000007n]
const edges = [31n, 32n, 33n, 62n, 63n].flatMap((power) => [(1n << power) - 1n, 1n << power, (1n << power) + 1n])

function divisors(random: Random, bits: number): bigint[] {
  const any = Array.from({ length: 60 }, () => {
    const wide = (BigInt(random.word()) << 32n) | BigInt(random.word())
    return BigInt.asUintN(bits, wide) >> BigInt(random.below(bits - 1))
  })
  const all = [...special, ...large, ...edges, ...any].flatMap((d) => [d, -d])
  return [...new Set(all.map((d) => BigInt.asUintN(bits, d)))].filter((d) => d !== 0n)
}

function dividends(random: Random, d: bigint, bits: number): bigint[] {
  const top = 1n << BigInt(bits)
  const near = [0n, top >> 1n, top - 1n].flatMap((x) => [x - 1n, x, x + 1n])
  const largest = (top / d) * d
  const multiples = [d, 2n * d, largest, largest - d, ((top >> 1n) / d) * d].flatMap((x) => [
    x - 1n,
    x,
    x + 1n,
    -x,
    1n - x,
  ])
  const any = Array.from({ length: 6 }, () => (BigInt(random.word()) << 32n) | BigInt(random.word()))
  return [...near, ...multiples, ...any].map((x) => BigInt.asUintN(bits, x))
}

describe('division by constants', () => {
  it('has multipliers that are exact', () => {
    const random = new Random(5)
    for (const [bits, most] of [
      [32, (1n << 32n) - 1n],
      [32, 1n << 31n],
      [32, 1000n],
      [64, (1n << 64n) - 1n],
      [64, 1n << 63n],
    ] as const) {
      for (const d of divisors(random, bits)) {
        const { factor, shift } = multiplier(d, most, bits)
        const power = 1n << BigInt(bits + shift)
        // What the proof in divide.ts asks for.
        expect(factor * d - power, `${d}`).toBeGreaterThanOrEqual(0n)
        expect((factor * d - power) * most, `${d}`).toBeLessThan(power)
        for (const x of [most, (most / d) * d, (most / d) * d - 1n, d, d - 1n]) {
          if (x >= 0n && x <= most) expect((factor * x) / power, `${x} / ${d}`).toBe(x / d)
        }
      }
    }
  })

  it.each(['urem', 'srem'])('%s by anything is made of the quotient', (op) => {
    const random = new Random(8)
    const lines = ['  v0:i64 = param #0', '  v1:i64 = param #1', '  v2:i32 = trunc v0', '  v3:i32 = trunc v1']
    const text = ['func f(i64, i64)', 'b0:', ...lines, `  v4:i32 = ${op} v2, v3`, '  ret v4'].join('\n')
    const after = lower(text)
    expect(after.blocks[0]!.values.some((value) => value.op === Op.urem || value.op === Op.srem)).toBe(false)
    for (const d of [0n, ...divisors(random, 32)]) {
      for (const x of dividends(random, d || 1n, 32)) {
        expect(evaluateFunc(after, [x, d])).toBe(evaluateFunc(parse(text), [x, d]))
      }
    }
  })

  for (const op of ['udiv', 'urem', 'sdiv', 'srem']) {
    it(`${op} of words`, () => {
      const random = new Random(6)
      for (const d of divisors(random, 32)) {
        const lines = ['v1:i32 = trunc v0', `v2:i32 = ${op} v1, ${BigInt.asIntN(32, d)}`, 'ret v2']
        compare(lines, dividends(random, d, 32))
        // A dividend of few bits, which the factor can be smaller for.
        const narrow = [
          'v1:i32 = trunc v0',
          'v2:i32 = lsr v1, 7',
          `v3:i32 = ${op} v2, ${BigInt.asIntN(32, d)}`,
          'ret v3',
        ]
        compare(narrow, dividends(random, d, 32))
      }
    })

    it(`${op} of 64 bits`, () => {
      const random = new Random(7)
      for (const d of divisors(random, 64)) {
        compare([`v1:i64 = ${op} v0, ${BigInt.asIntN(64, d)}L`, 'ret v1'], dividends(random, d, 64))
        // Dividends that are words, extended.
        for (const extension of ['zext', 'sext']) {
          const lines = [
            'v1:i32 = trunc v0',
            `v2:i64 = ${extension} v1`,
            `v3:i64 = ${op} v2, ${BigInt.asIntN(64, d)}L`,
            'ret v3',
          ]
          compare(lines, dividends(random, BigInt.asUintN(32, d) || 1n, 32))
        }
      }
    })
  }
})

function compare(lines: readonly string[], inputs: readonly bigint[]): void {
  const text = ['func f(i64)', 'b0:', '  v0:i64 = param #0', ...lines.map((line) => `  ${line}`)].join('\n')
  const before = parse(text)
  const after = lower(text)
  for (const { op } of after.blocks[0]!.values) {
    expect([Op.udiv, Op.sdiv, Op.urem, Op.srem, Op.call].includes(op), text).toBe(false)
  }
  for (const x of inputs) {
    const expected = evaluateFunc(before, [x])
    if (evaluateFunc(after, [x]) !== expected) expect([text, x, evaluateFunc(after, [x])]).toEqual([text, x, expected])
  }
}
