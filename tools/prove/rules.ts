// Each rule as a question to the solver: do its conditions make pattern and replacement equal for all inputs?

import type { Rule, Term } from '../../src/passes/rules/language.ts'
import { literal, namesOf, termMeaning } from './meaning.ts'
import { type Solver, type Verdict, prove } from './solver.ts'

/** A constant of which a power of two is asked: each power is a case of its own, which a solver does at once. */
function powerOf(term: Term): string | undefined {
  if (term.kind === 'log2') return term.args[0]!.kind === 'constant' ? term.args[0]!.name : undefined
  if (term.kind !== 'operation') return undefined
  for (const arg of term.args) {
    const found = powerOf(arg)
    if (found !== undefined) return found
  }
  return undefined
}

/** Proves a rule; a rule that can never apply is wrong too. */
export async function proveRule(solver: Solver, rule: Rule, milliseconds: number): Promise<Verdict> {
  const names = new Map<string, number>()
  for (const term of [rule.pattern, rule.replacement, ...rule.conditions]) namesOf(term, names)
  const lines = [...names].map(([name, bits]) => `(declare-const ${name} (_ BitVec ${bits}))`)
  for (const name of names.keys()) {
    if (!name.startsWith('bits_')) continue
    lines.push(`(assert (bvule ${name} ${literal(32, 32)}))`)
    lines.push(`(assert (= (bvlshr ${name.slice(5)} ${name}) ${literal(0, 32)}))`)
  }
  for (const condition of rule.conditions) {
    lines.push(`(assert (not (= ${termMeaning(condition)} ${literal(0, 32)})))`)
  }
  const given = lines.join('\n')
  if ((await solver.check(given, milliseconds)).answer === 'unsat')
    return { kind: 'wrong', message: 'it can never apply' }
  const equal = `(= ${termMeaning(rule.pattern)} ${termMeaning(rule.replacement)})`
  const power = powerOf(rule.replacement)
  if (power === undefined) return prove(solver, given, equal, milliseconds)
  const bits = names.get(power)!
  const powers = Array.from({ length: bits }, (_, bit) => literal(1n << BigInt(bit), bits))
  const among = `(or ${powers.map((each) => `(= ${power} ${each})`).join(' ')})`
  const verdict = await prove(solver, given, among, milliseconds)
  if (verdict.kind !== 'proved') return verdict
  for (const each of powers) {
    const single = await prove(solver, `${given}\n(assert (= ${power} ${each}))`, equal, milliseconds)
    if (single.kind !== 'proved') return single
  }
  return { kind: 'proved', message: '' }
}
