// What legalization makes of each operation, proved on the code that the compiler really makes of it: a function of the
// operation alone goes through legalize, fold, dead-code and accumulate, and must mean what it meant before.

import type { Func } from '../../src/ir/func.ts'
import { parse } from '../../src/ir/parse.ts'
import { accumulate } from '../../src/passes/accumulate.ts'
import { removeDeadCode } from '../../src/passes/dead-code.ts'
import { replaceDivisions } from '../../src/passes/divide.ts'
import { fold } from '../../src/passes/fold.ts'
import { legalize } from '../../src/passes/legalize.ts'
import { functionMeaning } from './meaning.ts'
import { type Solver, type Verdict, prove } from './solver.ts'

export interface Lowering {
  readonly name: string
  /** The IR of a function of one block with 64-bit parameters. */
  readonly text: string
}

function lowering(name: string, params: number, lines: readonly string[]): Lowering {
  const types = Array.from({ length: params }, () => 'i64').join(', ')
  const head = Array.from({ length: params }, (_, index) => `  v${index}:i64 = param #${index}`)
  return { name, text: [`func f(${types})`, 'b0:', ...head, ...lines.map((line) => `  ${line}`)].join('\n') }
}

function everyLowering(): Lowering[] {
  const all: Lowering[] = []
  const arithmetic = ['add', 'sub', 'mul', 'and', 'or', 'xor']
  const comparisons = ['eq', 'ne', 'ult', 'ule', 'slt', 'sle']
  for (const op of [...arithmetic, ...comparisons]) {
    const type = arithmetic.includes(op) ? 'i64' : 'i32'
    all.push(lowering(op, 2, [`v2:${type} = ${op} v0, v1`, 'ret v2']))
    for (const extension of ['zext', 'sext']) {
      all.push(
        lowering(`${op} of ${extension}`, 2, [
          'v2:i32 = trunc v0',
          'v3:i32 = trunc v1',
          `v4:i64 = ${extension} v2`,
          `v5:i64 = ${extension} v3`,
          `v6:${type} = ${op} v4, v5`,
          'ret v6',
        ]),
      )
    }
    for (const constant of ['0L', '1L', '-1L', '0x80000000L', '0xffffffffL', '0x100000000L', '0x7fffffffffffffffL']) {
      all.push(lowering(`${op} with ${constant}`, 1, [`v1:${type} = ${op} v0, ${constant}`, 'ret v1']))
      if (type === 'i32') {
        all.push(lowering(`${op} of ${constant}`, 1, [`v1:${type} = ${op} ${constant}, v0`, 'ret v1']))
      }
    }
  }
  for (const op of ['lsl', 'lsr', 'asr']) {
    // Rules add amounts up: 126 is the most.
    for (let amount = 0; amount <= 126; amount += amount < 66 ? 1 : 20) {
      all.push(lowering(`${op} by ${amount}`, 1, [`v1:i64 = ${op} v0, ${amount}`, 'ret v1']))
    }
    all.push(lowering(op, 2, ['v2:i32 = trunc v1', 'v3:i32 = and v2, 63', `v4:i64 = ${op} v0, v3`, 'ret v4']))
  }
  all.push(lowering('bswap', 1, ['v1:i64 = bswap v0', 'ret v1']))
  all.push(lowering('select', 3, ['v3:i32 = trunc v2', 'v4:i64 = select v3, v0, v1', 'ret v4']))
  for (const mul of ['zext', 'sext']) {
    all.push(
      lowering(`add to mul of ${mul}`, 3, [
        'v3:i32 = trunc v0',
        'v4:i32 = trunc v1',
        `v5:i64 = ${mul} v3`,
        `v6:i64 = ${mul} v4`,
        'v7:i64 = mul v5, v6',
        'v8:i64 = add v2, v7',
        'ret v8',
      ]),
    )
  }
  return all
}

export const lowerings: readonly Lowering[] = everyLowering()

/** The passes of the pipeline that make words of 64-bit values. */
export function lower(text: string): Func {
  const func = parse(text)
  legalize(func, () => {})
  replaceDivisions(func, false)
  fold(func)
  removeDeadCode(func)
  if (accumulate(func)) removeDeadCode(func)
  fold(func)
  return func
}

export async function proveLowering(solver: Solver, { text }: Lowering, milliseconds: number): Promise<Verdict> {
  const before = functionMeaning(parse(text), 'a')!
  const after = functionMeaning(lower(text), 'b')
  if (after === undefined) return { kind: 'unknown', message: 'calls a routine' }
  const params = parse(text).params.map((_, index) => `p${index}`)
  const declarations = [
    ...params.map((name) => `(declare-const ${name} (_ BitVec 64))`),
    before.definitions,
    after.definitions,
  ].join('\n')
  return prove(solver, declarations, `(= ${before.result} ${after.result})`, milliseconds)
}
