// Statements: assignments, declarations, if and switch, calls, copies, atomic operations.

import { type CDraft, inside, POINTED_BYTES, type Scope } from './draft.ts'
import { access, condition, constant, expression, place, struct, variable, writable } from './expressions.ts'
import { copyUntil, checksum, parse, search, sort } from './idioms.ts'
import { loop } from './loops.ts'
import { TYPES } from './prelude.ts'

/** Loops that may be in each other. */
const DEEPEST = 3
const ASSIGNMENTS = ['=', '=', '+=', '-=', '^=', '|=', '&=', '*=']

export function statement(draft: CDraft, scope: Scope, levels: number): string {
  const { random } = draft
  const kind = random.below(100)
  if (kind < 30) return assignment(draft, scope)
  if (kind < 36) return declaration(draft, scope)
  if (kind < 46 && levels > 0) return conditional(draft, scope, levels)
  if (kind < 59 && levels > 0 && scope.depth < DEEPEST) return loop(draft, scope, levels)
  if (kind < 66 && levels > 0) return choice(draft, scope, levels)
  if (kind < 70 && scope.within !== 'nothing') return leave(draft, scope)
  if (kind < 72) return `if (${condition(draft, scope, 1)}) return ${expression(draft, scope, 1)};\n`
  if (kind < 78 && scope.callees.length > 0 && scope.depth < 2) return call(draft, scope)
  if (kind < 82) return copy(draft, scope)
  if (kind < 86) return atomic(draft, scope)
  if (kind < 92) return random.pick([checksum, parse, parse, copyUntil, search, sort])(draft, scope)
  if (kind < 94) return `${writable(draft, scope)}${random.pick(['++', '--'])};\n`
  if (kind < 97 && scope.buffers.length > 0) {
    const bytes = access(draft, random.pick(scope.buffers), POINTED_BYTES)
    return random.chance(50) ? `${bytes} = ${expression(draft, scope, 2)};\n` : `${place(draft, scope)} += ${bytes};\n`
  }
  if (scope.label !== undefined) return `if (${condition(draft, scope, 1)}) goto ${scope.label};\n`
  return assignment(draft, scope)
}

function assignment(draft: CDraft, scope: Scope): string {
  const { random } = draft
  return `${place(draft, scope)} ${random.pick(ASSIGNMENTS)} ${expression(draft, scope, 2 + random.below(2))};\n`
}

/** A variable that the statements behind it know. */
export function declaration(draft: CDraft, scope: Scope): string {
  const { random } = draft
  const name = draft.name()
  const text = `${random.chance(6) ? 'volatile ' : ''}${random.pick(TYPES)} ${name} = ${expression(draft, scope, 2)};\n`
  scope.variables.push({ name, writable: true })
  return text
}

function conditional(draft: CDraft, scope: Scope, levels: number): string {
  const { random } = draft
  const arm = (): string => draft.block(scope, 1 + random.below(3), levels - 1)
  return `if (${condition(draft, scope, 2)}) ${arm()}${random.chance(50) ? `else ${arm()}` : ''}`
}

function leave(draft: CDraft, scope: Scope): string {
  const word = scope.continues && draft.random.chance(50) ? 'continue' : 'break'
  return `if (${condition(draft, scope, 1)}) ${word};\n`
}

function choice(draft: CDraft, scope: Scope, levels: number): string {
  const { random } = draft
  const first = random.pick([0, 0, 1, 10, -3, 97, 1000])
  const sparse = random.chance(30)
  const type = random.pick(['u8', 's32', 'u32', 'u64', 's64', 's16'])
  const value = random.chance(50) ? `((${expression(draft, scope, 1)}) & 15) + (${first})` : expression(draft, scope, 2)
  let text = `switch ((${type})(${value})) {\n`
  const labels = new Set<number>()
  const inner = inside(scope, { within: 'switch' })
  for (let cases = 2 + random.below(10); cases > 0; cases--) {
    let label = first + labels.size
    if (sparse) label = random.pick([0, 1, 5, 17, 100, 1000, 4096, 65535, 70000, 255, 64, 32]) + random.below(12)
    if (type === 'u8') label &= 255
    else if (type === 's16') label = (label << 16) >> 16
    else if (type.startsWith('u')) label = Math.abs(label)
    const isNew = !labels.has(label)
    // A label that is left out makes a hole, once.
    labels.add(!sparse && isNew && random.chance(10) ? 2000 + label : label)
    if (!isNew || !labels.has(label)) continue
    text += `case ${label}: `
    if (random.chance(15)) continue
    text += draft.block(inner, random.below(3), levels - 1)
    if (random.chance(20)) text += `${place(draft, scope)} = ${constant(draft)};\n`
    if (random.chance(80)) text += 'break;\n'
  }
  const otherwise = random.chance(60) ? `${place(draft, scope)} ^= ${expression(draft, scope, 1)};` : ';'
  return `${text};\ndefault: ${otherwise}\n}\n`
}

function call(draft: CDraft, scope: Scope): string {
  const { random } = draft
  const callee = random.pick(scope.callees)
  const passed = callee.parameters.map((parameter) => {
    if (parameter !== 'pointer') return expression(draft, scope, 1)
    return random.chance(50) && scope.buffers.length > 0 ? random.pick(scope.buffers) : scope.pointer
  })
  const entry = callee.table === undefined ? '' : `[(u32)(${variable(draft, scope)}) & ${callee.table - 1}]`
  const text = `${callee.name}${entry}(${passed.join(', ')});\n`
  return random.chance(80) ? `${writable(draft, scope)} ${random.pick(['=', '+=', '^='])} ${text}` : text
}

/** Of structures as a whole, and of bytes. */
function copy(draft: CDraft, scope: Scope): string {
  const { random } = draft
  const to = struct(draft, scope)
  const from = struct(draft, scope)
  const kind = random.below(4)
  if (kind === 0) {
    return `${to.pointer ? '*' : ''}${to.name} = ${from.pointer ? '*' : ''}${from.name};\n`
  }
  if (kind === 1) {
    const at = to.pointer ? to.name : `&${to.name}`
    return `__builtin_memset(${at}, ${random.pick(['0', '255', '1', '0x5a'])}, sizeof *(${at}));\n`
  }
  const bytes = 1 + random.below(16)
  const offset = (): number => random.below(POINTED_BYTES + 1 - bytes)
  const source = kind === 2 ? draft.global('array0') : `${scope.pointer} + ${offset()}`
  return `__builtin_memmove(${scope.pointer} + ${offset()}, ${source}, ${bytes});\n`
}

function atomic(draft: CDraft, scope: Scope): string {
  const { random } = draft
  const [type, name] = random.pick([
    ['u64', 'wide'],
    ['u32', 'narrow'],
  ] as const)
  const at = `${draft.global('shared')}.${name}`
  const value = `(${type})(${expression(draft, scope, 1)})`
  if (random.chance(30)) return `__sync_fetch_and_add(&${at}, ${value});\n`
  const result = random.chance(60) ? `${writable(draft, scope)} = ` : '(void)'
  const kind = random.below(7)
  if (kind < 5) return `${result}FETCH_${['ADD', 'SUB', 'AND', 'OR', 'XOR'][kind]}(&${at}, ${value});\n`
  if (kind === 5) return `${result}EXCHANGE(&${at}, ${value});\n`
  const expected = random.chance(50) ? at : `(${type})(${expression(draft, scope, 1)})`
  return `${result}COMPARE_EXCHANGE(&${at}, ${expected}, ${value});\n`
}
