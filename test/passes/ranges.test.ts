// What findRanges says of the values of random programs holds when they run; bounds of typical loops are as they should be.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readProgram } from '../../src/bpf/read.ts'
import { buildSsa } from '../../src/frontend/build.ts'
import type { Func, Value } from '../../src/ir/func.ts'
import { I64 } from '../../src/ir/op.ts'
import { parse } from '../../src/ir/parse.ts'
import { print } from '../../src/ir/print.ts'
import { fold } from '../../src/passes/fold.ts'
import { type Ranges, findRanges } from '../../src/passes/ranges.ts'
import { simplifyCfg } from '../../src/passes/simplify-cfg.ts'
import { promoteStackSlots } from '../../src/passes/stack-slots.ts'
import { Random } from '../support/random.ts'
import { HELPERS, randomProgram } from '../support/random-program.ts'
import { runFunction } from '../support/run-function.ts'

/** Why a value is not among what is known, undefined if it is. */
function outside({ known }: Ranges, value: Value, is: bigint): string | undefined {
  const at = value.id * 4
  const [low, high, unknownLow, unknownHigh] = known.bits.subarray(at, at + 4)
  const [least, greatest, signedLeast, signedGreatest] = known.bounds.subarray(at, at + 4)
  const wide = value.type === I64
  const signed = BigInt.asIntN(wide ? 64 : 32, is)
  const wrongLow = (Number(BigInt.asIntN(32, is)) ^ low!) & ~unknownLow!
  const wrongHigh = wide ? (Number(BigInt.asIntN(32, is >> 32n)) ^ high!) & ~unknownHigh! : 0
  if ((wrongLow | wrongHigh) !== 0) return `v${value.id} is ${is}: bits`
  if (is < BigInt(least!) || is > BigInt(greatest!)) return `v${value.id} is ${is}, not ${least} to ${greatest}`
  if (signed >= BigInt(signedLeast!) && signed <= BigInt(signedGreatest!)) return undefined
  return `v${value.id} is ${signed}, not ${signedLeast} to ${signedGreatest}`
}

function program(seed: number, length: number): Func {
  const module = buildSsa(readProgram(randomProgram(seed, length, 0).text), { helpers: new Set(HELPERS) })
  simplifyCfg(module.entry)
  promoteStackSlots(module.entry, true)
  return module.entry
}

const runs = Number(process.env['THUMBPF_FUZZ_RUNS'] ?? 200)

describe('ranges', () => {
  it('hold of the values of random programs', { timeout: 600_000 }, () => {
    let seen = 0
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: 1, max: 60 }), fc.boolean(), (seed, length, folded) => {
        const func = program(seed, length)
        if (folded) fold(func)
        const ranges = findRanges(func)
        const random = new Random(seed)
        for (const len of [256n, BigInt(random.word())]) {
          runFunction(
            func,
            [BigInt(random.word()), len, 0n],
            () => random.word(),
            3000,
            (value, is) => {
              seen++
              const why = outside(ranges, value, is)
              if (why !== undefined) throw new Error(`${why}\n${print(func)}`)
            },
          )
        }
      }),
      { numRuns: runs },
    )
    expect(seen).toBeGreaterThan(runs * 10)
  })

  const boundsOf = (text: string, name: number): number[] => {
    const func = parse(text)
    const { known } = findRanges(func)
    const value = func.blocks.flatMap(({ values }) => values).filter(({ origin }) => origin === name)[0]!
    return [...known.bounds.subarray(value.id * 4, value.id * 4 + 4)]
  }

  it('say nothing of what is made behind an access from the turn before', () => {
    const func = parse(`func f(i32)
b0:
  v0:i32 = frame #-292
  v1:i64 = zext v0
  jump b1
b1: <- b0 b1
  v2:i64 = phi v1, v6
  v3:i32 = trunc v2
  store16 v3, 5
  v5:i64 = add v2, 4L @1
  v6:i64 = add v5, 2L @2
  v7:i32 = load8 v0
  branch v7 b1 b2
b2: <- b1
  ret v5
`)
    const { known } = findRanges(func)
    for (const { id, origin } of func.blocks.flatMap(({ values }) => values)) {
      // Of a pointer that steps by 6 the lowest bit alone is known.
      if (origin > 0) expect(known.bits[id * 4 + 2]).toBe(~1)
    }
  })

  it('bound counters by the tests of their loops', () => {
    const loop = (start: string, step: number, test: string): string =>
      `func f(i32, i32)
b0:
  v0:i32 = param #0
  v9:i32 = and v0, 1023
  v1:i64 = zext v9
  v8:i32 = ult 0, v9
  branch v8 b1 b3
b1: <- b0
  jump b2
b2: <- b1 b2
  v2:i64 = phi ${start}, v3 @1
  v3:i64 = add v2, ${step}L @2
  v4:i32 = ${test}
  branch v4 b2 b3
b3: <- b0 b2
  ret 0
`
    expect(boundsOf(loop('0L', 1, 'ult v3, v1'), 1)).toEqual([0, 1022, 0, 1022])
    expect(boundsOf(loop('0L', 1, 'slt v3, v1'), 2)).toEqual([1, 1023, 1, 1023])
    expect(boundsOf(loop('0L', 1, 'ne v3, v1'), 2)).toEqual([1, 1023, 1, 1023])
    expect(boundsOf(loop('v1', -1, 'ne v3, 0L'), 1)).toEqual([1, 1023, 1, 1023])
    expect(boundsOf(loop('15L', -1, 'ne v3, -1L'), 2).slice(2)).toEqual([-1, 14])
    expect(boundsOf(loop('0L', 4, 'ne v3, 64L'), 1)).toEqual([0, 60, 0, 60])
    expect(boundsOf(loop('0L', 4, 'ne v3, 66L'), 1)[1]).toBe(2 ** 64)
  })
})
