// Proofs by Z3 (tools/prove): of every rule, of a share of the lowerings (`npm run prove` has all, and more time), and that what
// they rest on, the SMT meaning of each operation, is what executing it gives.

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { I32, I64, Op, type OpName, type Type } from '../../src/ir/op.ts'
import { readRules } from '../../src/passes/rules/language.ts'
import { allRules } from '../../src/passes/rules/rules.ts'
import { divisions, nameOf, proveDivision } from '../../tools/prove/division.ts'
import { lowerings, proveLowering } from '../../tools/prove/lowering.ts'
import { literal, meaning, widthOf } from '../../tools/prove/meaning.ts'
import { proveRule } from '../../tools/prove/rules.ts'
import { type Solver, openSolver } from '../../tools/prove/solver.ts'
import { evaluateOp } from '../support/evaluate-ir.ts'
import { Random } from '../support/random.ts'
import { compileOp } from '../support/run-ir.ts'
import { requireTools } from '../support/tools.ts'

const rules = allRules()

const solver = await openSolver()
if (solver === undefined && requireTools) throw new Error('z3-solver is not installed')

const binary: OpName[] = ['add', 'sub', 'mul', 'udiv', 'sdiv', 'urem', 'srem', 'and', 'or', 'xor']
const shifts: OpName[] = ['lsl', 'lsr', 'asr']
const comparisons: OpName[] = ['eq', 'ne', 'ult', 'ule', 'slt', 'sle']
const wordPairs: OpName[] = ['add2', 'sub2', 'umla', 'smla', 'umaal', 'eq2', 'ne2', 'ult2', 'ule2', 'slt2', 'sle2']

/** Operations with the types of their operands. */
const operations: [OpName, Type[]][] = [
  ...[...binary, ...comparisons].flatMap((op): [OpName, Type[]][] => [
    [op, [I32, I32]],
    [op, [I64, I64]],
  ]),
  ...shifts.flatMap((op): [OpName, Type[]][] => [
    [op, [I32, I32]],
    [op, [I64, I32]],
  ]),
  ['ror', [I32, I32]],
  ['bswap', [I32]],
  ['bswap', [I64]],
  ['bswap16', [I32]],
  ['clz', [I32]],
  ['sext8', [I32]],
  ['sext16', [I32]],
  ['trunc', [I64]],
  ['high', [I64]],
  ['zext', [I32]],
  ['sext', [I32]],
  ['concat', [I32, I32]],
  ['select', [I32, I32, I32]],
  ['select', [I32, I64, I64]],
  ['umul', [I32, I32]],
  ['smul', [I32, I32]],
  ['branch', [I32]],
  ['store8', [I32, I32]],
  ['store16', [I32, I32]],
  ...wordPairs.map((op): [OpName, Type[]] => [op, [I32, I32, I32, I32]]),
]

const interesting = [0n, 1n, 2n, 31n, 32n, 33n, 63n, 64n, 255n, 256n, 0x7fffffffn, 0x80000000n, 0xffffffffn, -1n, -2n]

describe.skipIf(solver === undefined)('proofs', () => {
  let z3: Solver
  beforeAll(() => {
    z3 = solver!
  })
  afterAll(() => solver?.close())

  it('rest on meanings that agree with execution', { timeout: 120_000 }, async () => {
    const random = new Random(3)
    const number = (type: Type): bigint => {
      const any = (BigInt(random.word()) << 32n) | BigInt(random.word())
      return BigInt.asUintN(widthOf(type), random.chance(40) ? random.pick(interesting) : any)
    }
    for (const [name, types] of operations) {
      const op = Op[name]
      const wide = types[name === 'select' ? 1 : 0] === I64
      const result = widthOfResult(name, types)
      // Of 64-bit divisions legalization makes calls; the others are not values.
      const runs = (!wide || !/div|rem/.test(name)) && !/branch|store/.test(name)
      const run = runs ? await compileOp(name, types, result === 64 ? I64 : I32) : undefined
      const claims: string[] = []
      for (let index = 0; index < 40; index++) {
        const args = types.map((type, at) => (index > 4 && at > 0 && random.chance(10) ? 0n : number(type)))
        const texts = args.map((arg, at) => literal(arg, widthOf(types[at]!)))
        const expected = evaluateOp(op, 0, args, wide)
        // Legalization asks for amounts below 64, which the frontend sees to.
        const defined = !wide || !shifts.includes(name) || args[1]! < 64n
        if (run !== undefined && defined && index < 20)
          expect([name, args, await run(args)]).toEqual([name, args, expected])
        claims.push(`(= ${meaning(op, 0, texts, wide ? 64 : 32)} (_ bv${expected} ${result}))`)
      }
      const script = `(assert (not (and ${claims.join('\n')})))`
      expect([name, (await z3.check(script, 20_000)).answer]).toEqual([name, 'unsat'])
    }
  })

  it('find no rule wrong', { timeout: 300_000 }, async () => {
    const open: string[] = []
    for (const rule of rules) {
      const { kind, message } = await proveRule(z3, rule, 1000)
      expect(`${rule.text} ${kind === 'wrong' ? message : ''}`).toBe(`${rule.text} `)
      if (kind === 'unknown') open.push(rule.text)
    }
    // `npm run prove` gives them more time.
    expect(open.length, open.join('\n')).toBeLessThan(rules.length / 20)
  })

  it('find no lowering wrong', { timeout: 300_000 }, async () => {
    const amounts = /by (?!(?:0|1|31|32|33|63)$)\d/
    let proved = 0
    for (const lowering of lowerings) {
      if (amounts.test(lowering.name) || lowering.name.startsWith('mul with')) continue
      const { kind, message } = await proveLowering(z3, lowering, 1000)
      expect(`${lowering.name} ${kind === 'wrong' ? message : ''}`).toBe(`${lowering.name} `)
      if (kind === 'proved') proved++
    }
    expect(proved).toBeGreaterThan(100)
  })

  it('find no factor of a division wrong', { timeout: 300_000 }, async () => {
    for (const division of divisions) {
      const { kind } = await proveDivision(z3, division, 10_000)
      expect([nameOf(division), kind]).toEqual([nameOf(division), 'proved'])
    }
  })

  it.each([
    ['(sub (add x y) y) => y', 'y'],
    ['(ult x C) => 1 if (ule C 5)', 'C'],
    ['(lsl (lsl x C) D) => (lsl x (add C D))', 'C'],
    ['(and x C) => x if (eq (and C (bits x)) (bits x))', 'bits_x'],
    ['(add x C) => x if (ult C 0)', 'never'],
  ])('show the wrong rule %s with a counterexample', async (text, named) => {
    const [rule] = readRules(text, I32)
    const { kind, message } = await proveRule(z3, rule!, 10_000)
    expect(kind).toBe('wrong')
    expect(message).toContain(named)
  })
})

function widthOfResult(name: OpName, types: readonly Type[]): number {
  if (name === 'store8') return 40
  if (name === 'store16') return 48
  if (['zext', 'sext', 'concat', 'umul', 'smul', 'add2', 'sub2', 'umla', 'smla', 'umaal'].includes(name)) return 64
  if (name === 'trunc' || name === 'high' || comparisons.includes(name)) return 32
  return widthOf(types[name === 'select' ? 1 : 0]!)
}
