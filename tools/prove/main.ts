// `npm run prove`: shows every rewrite rule and every lowering right for all inputs, or says which are only tested. Exit
// status 1 if one is wrong. `npm run prove -- SECONDS` sets the time limit for each, 10 without it.

import { allRules } from '../../src/passes/rules/rules.ts'
import { I64 } from '../../src/ir/op.ts'
import { divisions, nameOf, proveDivision } from './division.ts'
import { lowerings, proveLowering } from './lowering.ts'
import { proveRule } from './rules.ts'
import { type Verdict, openSolver } from './solver.ts'

const rules = allRules()

const milliseconds = Number(process.argv[2] ?? 10) * 1000
const solver = await openSolver()
if (solver === undefined) throw new Error('z3-solver is not installed: npm ci')

const counts = { proved: 0, wrong: 0, unknown: 0 }
const begin = performance.now()

function report(name: string, verdict: Verdict, since: number): void {
  counts[verdict.kind]++
  const took = `${((performance.now() - since) / 1000).toFixed(1)} s`
  if (verdict.kind === 'wrong') console.log(`WRONG        ${name}\n             ${verdict.message}`)
  else if (verdict.kind === 'unknown') console.log(`tested only  ${name} (${verdict.message || took})`)
  else if (performance.now() - since > 1000) console.log(`proved       ${name} (${took})`)
}

console.log(`${rules.length} rules`)
for (const rule of rules) {
  const since = performance.now()
  const wide = rule.pattern.kind === 'operation' && rule.pattern.args.some((arg) => arg.type === I64)
  report(`${rule.text}${wide ? ' [64 bits]' : ''}`, await proveRule(solver, rule, milliseconds), since)
}
console.log(`${lowerings.length} lowerings`)
for (const lowering of lowerings) {
  const since = performance.now()
  report(lowering.name, await proveLowering(solver, lowering, milliseconds), since)
}
console.log(`${divisions.length} divisions by constants`)
for (const division of divisions) {
  const since = performance.now()
  report(nameOf(division), await proveDivision(solver, division, milliseconds), since)
}
const total = ((performance.now() - begin) / 1000).toFixed(0)
console.log(`${counts.proved} proved, ${counts.unknown} tested only, ${counts.wrong} wrong, in ${total} s`)
solver.close()
process.exit(counts.wrong > 0 ? 1 : 0)
