// The rewrite rules on random values: what each says (evaluated without the matcher), and what the folder makes of it.

import { describe, expect, it } from 'vitest'
import { parse } from '../../src/ir/parse.ts'
import { I64, type Type, VOID, opNames } from '../../src/ir/op.ts'
import { fold } from '../../src/passes/fold.ts'
import { type Rule, type Term, heads, readRules } from '../../src/passes/rules/language.ts'
import { allRules } from '../../src/passes/rules/rules.ts'
import { evaluateFunc, evaluateOp } from '../support/evaluate-ir.ts'
import { Random } from '../support/random.ts'

const rules = allRules()

const small = [0n, 1n, 2n, 3n, 7n, 8n, 15n, 16n, 24n, 31n, 32n, 33n, 48n, 63n, 0xffn, 0xffffn, 0x10000n, 0x80000000n]
const width = (type: Type): number => (type === I64 ? 64 : 32)

function number(random: Random, type: Type): bigint {
  const any = (BigInt(random.word()) << 32n) | BigInt(random.word())
  const shape = random.below(8)
  const base =
    shape < 3 ? random.pick(small) : shape === 3 ? -random.pick(small) : shape === 4 ? 1n << (any & 63n) : any
  // Values of few bits, and those of which one word says all.
  const few = shape === 5 ? base & 0xffn : shape === 6 ? BigInt.asIntN(32, base) : base
  return BigInt.asUintN(width(type), few)
}

function evaluate(term: Term, names: ReadonlyMap<string, bigint>): bigint {
  if (term.kind === 'value' || term.kind === 'constant') return names.get(term.name)!
  if (term.kind === 'literal') return term.value
  if (term.kind === 'bits') {
    const value = evaluate(term.args[0]!, names)
    return value === 0n ? 0n : BigInt(value.toString(2).length)
  }
  if (term.kind === 'log2') return BigInt(evaluate(term.args[0]!, names).toString(2).length - 1)
  const of = term.args[opNames[term.op] === 'select' ? 1 : 0]!
  return evaluateOp(
    term.op,
    term.imm,
    term.args.map((arg) => evaluate(arg, names)),
    of.type === I64,
  )
}

function leaves(term: Term, kind: 'value' | 'constant', found = new Map<string, Type>()): Map<string, Type> {
  if (term.kind === kind) found.set(term.name, term.type)
  else if (term.kind === 'operation') for (const arg of term.args) leaves(arg, kind, found)
  return found
}

/** Numbers for a rule's names that its conditions allow; the constants as given where they are. */
function sample(rule: Rule, random: Random, fixed = new Map<string, bigint>()): Map<string, bigint> | undefined {
  const types = [...leaves(rule.pattern, 'constant'), ...leaves(rule.pattern, 'value')]
  for (let attempt = 0; attempt < 3000; attempt++) {
    const names = new Map(types.map(([name, type]) => [name, fixed.get(name) ?? number(random, type)]))
    if (rule.conditions.every((condition) => evaluate(condition, names) !== 0n)) return names
  }
  return undefined
}

/** The pattern as a function of its values, masked as far as the conditions need it to know their bits. */
function functionOf(rule: Rule, constants: ReadonlyMap<string, bigint>): string {
  const lines: string[] = []
  const numbers = new Map<string, number>()
  let next = 0
  const names = [...leaves(rule.pattern, 'value')]
  for (const [name, type] of names) {
    lines.push(`v${next}:i64 = param #${next}`)
    numbers.set(name, next++)
    if (type === I64) continue
  }
  for (const [name, type] of names) {
    if (type === I64) continue
    lines.push(`v${next}:i32 = trunc v${numbers.get(name)!}`)
    numbers.set(name, next++)
  }
  const put = (term: Term): string => {
    if (term.kind === 'value') return `v${numbers.get(term.name)!}`
    if (term.kind !== 'operation') {
      const value = term.kind === 'literal' ? term.value : constants.get(term.kind === 'constant' ? term.name : '')!
      return term.type === I64 ? `${value}L` : `${BigInt.asIntN(32, value)}`
    }
    const args = term.args.map(put).join(', ')
    const imm = opNames[term.op] === 'word' ? `, #${term.imm}` : ''
    lines.push(`v${next}:${term.type === I64 ? 'i64' : 'i32'} = ${opNames[term.op]} ${args}${imm}`)
    return `v${next++}`
  }
  const result = put(rule.pattern)
  const types = names.map(() => 'i64').join(', ')
  return [`func f(${types})`, 'b0:', ...lines.map((line) => `  ${line}`), `  ret ${result}`].join('\n')
}

describe('rewrite rules', () => {
  it('say what is true, on random values', () => {
    const random = new Random(1)
    for (const rule of rules) {
      let constants = sample(rule, random)
      for (let run = 0; run < 60; run++) {
        // Constants that the conditions allow are rare: keep them for a while.
        if (run % 10 === 0) constants = sample(rule, random) ?? constants
        const kept = new Map([...leaves(rule.pattern, 'constant').keys()].map((name) => [name, constants!.get(name)!]))
        const names = sample(rule, random, kept)
        expect(names, rule.text).toBeDefined()
        const shown = [...names!].map(([name, value]) => `${name} = ${value}`).join(', ')
        expect(evaluate(rule.replacement, names!), `${rule.text} for ${shown}`).toBe(evaluate(rule.pattern, names!))
      }
    }
  })

  it('make the folder rewrite their patterns, and to what gives the same', () => {
    const random = new Random(2)
    let rewritten = 0
    for (const rule of rules) {
      if (rule.pattern.type === VOID) continue
      const names = sample(rule, random)!
      const text = functionOf(rule, names)
      const folded = parse(text)
      const changed = fold(folded)
      if (changed) rewritten++
      const asksBits = rule.text.includes('(bits ')
      expect(changed || asksBits, text).toBe(true)
      const types = [...leaves(rule.pattern, 'value')]
      for (let run = 0; run < 20; run++) {
        const params = types.map(([name]) => (run === 0 ? names.get(name)! : number(random, I64)))
        expect(evaluateFunc(folded, params), text).toBe(evaluateFunc(parse(text), params))
      }
    }
    expect(rewritten).toBeGreaterThan(200)
  })

  it('are known at first sight by their operations', () => {
    const shown = (text: string): string[] => heads({ text, type: undefined })
    expect(shown('(sub (add x (lsl y 1)) low) => (add x y) if (ult x 9)')).toEqual(['(sub', '(add', 'low'])
    expect(shown('(select C (xor x -1) (add x 0)) => x')).toEqual(['(select', 'C', '(xor', '(add'])
    expect(shown('(word1 (zext x:i32)) => 0')).toEqual(['(word1', '(zext'])
    expect(shown('(add -1 (sub x y)) => x')).toEqual(['(add', '-1', '(sub'])
  })

  it('are told apart by types, and refused where those do not agree', () => {
    expect(readRules('(add x 0) => x').map((rule) => rule.pattern.type)).toHaveLength(2)
    expect(readRules('(trunc (zext x)) => x')).toHaveLength(1)
    expect(() => readRules('(zext x) => x')).toThrow('types do not agree')
    expect(() => readRules('(add x) => x')).toThrow('operands')
    expect(() => readRules('(plus x y) => x')).toThrow("no operation 'plus'")
  })
})
