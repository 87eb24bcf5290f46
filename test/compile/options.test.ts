// What the options of the compiler change, and what they may not.

import { describe, expect, it } from 'vitest'
import { assemble } from '../../src/bpf/asm.ts'
import { compile } from '../../src/compile.ts'
import { listing } from '../../src/image/listing.ts'
import { instantiate } from '../../src/machine/instance.ts'
import { Simulator } from '../../src/machine/sim/simulator.ts'
import { compareRuns, makeContext } from '../support/differential.ts'
import { CONTEXT_BYTES, HELPERS, randomProgram } from '../support/random-program.ts'

const helpers = new Set(HELPERS)
const texts = (source: string, fullPrologue = false): string[] =>
  listing(compile(assemble(source), { fullPrologue })).map((line) => line.text)

describe('compile', () => {
  it('gives the same bytes for the same input', () => {
    for (let seed = 1; seed <= 20; seed++) {
      const { text } = randomProgram(seed, 40, 2)
      const first = compile(text, { helpers })
      const second = compile(text.slice(), { helpers })
      expect(Buffer.from(second.code).equals(Buffer.from(first.code)), `seed ${seed}`).toBe(true)
      expect(second.lines).toEqual(first.lines)
    }
  })
  it('saves only what is used, and with fullPrologue everything', () => {
    const source = 'r0 = r1\nr0 += r2\nexit\n'
    expect(texts(source).findLast((text) => text !== 'nop')).toBe('bx lr')
    const full = texts(source, true)
    expect(full[0]).toBe('push.w {r4-r11, lr}')
    expect(full.findLast((text) => text !== 'nop')).toBe('pop.w {r4-r11, pc}')
  })
  it('fullPrologue changes no result', async () => {
    const machine = new Simulator()
    for (let seed = 100; seed < 130; seed++) {
      const { text } = randomProgram(seed, 30, 2)
      const { equal } = await compareRuns(text, makeContext(CONTEXT_BYTES, seed), machine, { fullPrologue: true })
      expect(equal, `seed ${seed}`).toBe(true)
    }
  })
  it('large programs: long branches, far literals, deep spilling', { timeout: 60_000 }, async () => {
    const machine = new Simulator()
    for (const [seed, length] of [
      [1, 1500],
      [2, 3000],
    ] as const) {
      const { text } = randomProgram(seed, length, 3)
      const { equal } = await compareRuns(text, makeContext(CONTEXT_BYTES, seed), machine, { check: false })
      expect(equal, `seed ${seed}`).toBe(true)
    }
  })
})

describe('optimize s', () => {
  const divide = (signed: boolean, rest: boolean): string =>
    `r3 = *(u64 *)(r1 + 0)\nr4 = *(u64 *)(r1 + 8)\nr3 ${signed ? 's' : ''}${rest ? '%' : '/'}= r4\nr0 = r3\nexit\n`

  it('divides 64 bits by a smaller routine, with the same results', async () => {
    const machine = new Simulator()
    const text = assemble(divide(false, false))
    expect(compile(text, { optimize: 's' }).code.length).toBeLessThan(compile(text).code.length / 2)
    const words = [0n, 1n, 2n, 10n, 0x7fff_ffffn, 0xffff_ffffn, 0x1_0000_0000n, 0x1_0000_0001n, 1n << 62n, 1n << 63n]
    const values = [...words, ...words.map((word) => BigInt.asUintN(64, ~word)), 0x0123_4567_89ab_cdefn]
    const signedOf = (value: bigint): bigint => BigInt.asIntN(64, value)
    for (const rest of [false, true]) {
      for (const signed of [false, true]) {
        const instance = await instantiate(
          compile(assemble(divide(signed, rest)), { optimize: 's', check: true }),
          machine,
        )
        for (const dividend of values) {
          for (const divisor of values) {
            const [a, b] = signed ? [signedOf(dividend), signedOf(divisor)] : [dividend, divisor]
            const expected = b === 0n ? (rest ? a : 0n) : rest ? a % b : a / b
            const { outcome } = await instance.call({
              ctx: new Uint8Array(new BigUint64Array([dividend, divisor]).buffer),
            })
            expect(outcome, `${a} ${rest ? '%' : '/'} ${b}`).toEqual({
              kind: 'returned',
              r0: BigInt.asUintN(64, expected),
            })
          }
        }
      }
    }
  })
})
