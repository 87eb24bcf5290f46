// Loops, all of which end: by counters of any type, up and down and over their type's end, by pointers, and out of two at once.

import { type CDraft, inside, POINTED_BYTES, type Scope } from './draft.ts'
import { condition, constant, expression, variable, writable } from './expressions.ts'
import { BYTES, SIGNED, TYPES, UNSIGNED } from './prelude.ts'

/** A loop's block, in which it knows its counter, if that has a name. */
function body(draft: CDraft, scope: Scope, levels: number, counter?: string, maximum?: number): string {
  const inner = inside(scope, { depth: scope.depth + 1, within: 'loop', continues: true })
  if (counter !== undefined) {
    inner.variables.push({ name: counter, writable: false, ...(maximum === undefined ? {} : { maximum }) })
  }
  return draft.block(inner, 1 + draft.random.below(4), levels - 1)
}

function upward(draft: CDraft, scope: Scope, levels: number, turns: number): string {
  const { random } = draft
  const counter = draft.name()
  const first = random.below(4)
  const step = random.pick([1, 1, 1, 2, 3])
  const head = `${random.pick(TYPES)} ${counter} = ${first}; ${counter} ${random.pick(['<', '<='])} ${first + turns}`
  return `for (${head}; ${counter} += ${step}) ${body(draft, scope, levels, counter, first + turns)}`
}

function downward(draft: CDraft, scope: Scope, levels: number, turns: number): string {
  const { random } = draft
  const counter = draft.name()
  const text = body(draft, scope, levels, counter, turns)
  if (random.chance(50))
    return `for (${random.pick(TYPES)} ${counter} = ${turns}; ${counter} > 0; ${counter}--) ${text}`
  const type = random.pick(SIGNED)
  return `for (${type} ${counter} = ${turns}; ${counter} >= 0; ${counter} -= ${random.pick([1, 1, 2])}) ${text}`
}

function overTheEnd(draft: CDraft, scope: Scope, levels: number, turns: number): string {
  const { random } = draft
  const counter = draft.name()
  const type = random.pick(UNSIGNED)
  const last = random.chance(50) ? 0 : random.below(3)
  return `for (${type} ${counter} = -${turns}; ${counter} != ${last}; ${counter}++) ${body(draft, scope, levels, counter)}`
}

/** As often as data says. */
function byData(draft: CDraft, scope: Scope, levels: number, turns: number): string {
  const { random } = draft
  const counter = draft.name()
  const bound = draft.name()
  const type = random.pick(['u32', 'u64', 's32', 'u8'])
  const count = random.chance(50)
    ? `(u32)(${variable(draft, scope)}) % ${turns}u`
    : `(${expression(draft, scope, 1)}) & 7`
  const text = body(draft, scope, levels, counter, Math.max(turns, 8))
  return `{ ${type} ${bound} = ${count};\nfor (${type} ${counter} = 0; ${counter} < ${bound}; ${counter}++) ${text}}\n`
}

/** A pointer that goes over the memory behind the scope's, up or down. */
function byPointer(draft: CDraft, scope: Scope): string {
  const { random } = draft
  const type = random.pick(TYPES)
  const count = 1 + random.below(POINTED_BYTES / BYTES[type])
  const pointer = draft.name()
  const sum = writable(draft, scope)
  const start = `(${type} *)${scope.pointer}`
  const use = random.pick([
    `${sum} = ${random.pick(['mix', 'rol32'])}(${sum}, *${pointer});`,
    `${sum} = ${random.pick(['mix', 'rol32'])}(${sum}, *${pointer});`,
    `*${pointer} ${random.pick(['+=', '^='])} ${sum};`,
    `*${pointer} = ${expression(draft, scope, 1)};`,
  ])
  if (random.chance(30)) {
    const rest = random.chance(30) ? ` if (${sum} & 1) continue; ${sum}++;` : ''
    return `for (${type} *${pointer} = ${start} + ${count}; ${pointer} != ${start};) { ${pointer}--; ${use}${rest} }\n`
  }
  const rest = random.chance(30) ? ` if (${sum} == ${constant(draft)}) break;` : ''
  const head = `${type} *${pointer} = ${start}, *end = ${start} + ${count}; ${pointer} < end; ${pointer}++`
  return `for (${head}) { ${use}${rest} }\n`
}

function doWhile(draft: CDraft, scope: Scope, levels: number, turns: number): string {
  const counter = draft.name()
  const text = body(draft, scope, levels)
  const more = draft.random.chance(40) ? ` && ${condition(draft, scope, 1)}` : ''
  return `{ u32 ${counter} = ${turns};\ndo ${text}while (--${counter}${more}); }\n`
}

/** Until nothing is left of a value: its digits, or its bits. */
function consume(draft: CDraft, scope: Scope, turns: number): string {
  const value = draft.name()
  const count = draft.name()
  const inner = inside(scope, { depth: scope.depth + 1, within: 'loop', continues: true })
  inner.variables.push({ name: value, writable: false }, { name: count, writable: false, maximum: turns })
  const step = draft.random.pick(['>>= 1', '>>= 3', '/= 10', `&= ${value} - 1`, `-= ${value} & -${value}`])
  const head = `while (${value} && ${count} < ${turns}) { ${count}++; ${value} ${step};`
  return `{ u64 ${value} = ${expression(draft, scope, 1)}, ${count} = 0;\n${head}\n${draft.statement(inner, 0)}} }\n`
}

/** Two loops and a way out of both. */
function nested(draft: CDraft, scope: Scope): string {
  const { random } = draft
  const [outer, inner] = [draft.name(), draft.name()]
  const label = `out_${outer}`
  const both = inside(scope, { depth: scope.depth + 2, within: 'loop', continues: true, label })
  both.variables.push({ name: outer, writable: false, maximum: 6 }, { name: inner, writable: false, maximum: 6 })
  const heads = `for (u32 ${outer} = 0; ${outer} < ${1 + random.below(6)}; ${outer}++)
for (u32 ${inner} = ${random.chance(30) ? outer : 0}; ${inner} < ${1 + random.below(6)}; ${inner}++)`
  return `{ ${heads} ${draft.block(both, 1 + random.below(3), 0)}${label}:; }\n`
}

/** A loop; those that are not in another have up to 40 turns, others fewer. */
export function loop(draft: CDraft, scope: Scope, levels: number): string {
  const { random } = draft
  const turns = 1 + random.below(scope.depth === 0 && random.chance(20) ? 40 : 9)
  const kind = random.below(11)
  if (kind < 3) return upward(draft, scope, levels, turns)
  if (kind < 5) return downward(draft, scope, levels, turns)
  if (kind < 6) return overTheEnd(draft, scope, levels, turns)
  if (kind < 7) return byData(draft, scope, levels, turns)
  if (kind < 8) return byPointer(draft, scope)
  if (kind < 9) return doWhile(draft, scope, levels, turns)
  return kind < 10 ? consume(draft, scope, turns) : nested(draft, scope)
}
