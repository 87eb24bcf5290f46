// Random C programs: `u64 NAME(u8 *ctx, u64 len)`, with functions and data of their own. They end, mostly soon, and nothing in them is
// undefined as long as DIALECT holds, so that what clang makes of them natively says what they must give. random-c/ has the parts.

import { CDraft, type Callee, type Scope, type StructVariable } from './random-c/draft.ts'
import { CONSTANTS, expression } from './random-c/expressions.ts'
import { BYTES, type Type, TYPES } from './random-c/prelude.ts'
import { declaration, statement } from './random-c/statements.ts'

export { DIALECT, PRELUDE } from './random-c/prelude.ts'
export { POINTED_BYTES } from './random-c/draft.ts'

interface Data {
  readonly text: string
  readonly arrays: readonly { readonly name: string; readonly length: number }[]
  readonly structs: readonly StructVariable[]
}

/** Up to `most` values, as an initializer or none at all. */
function initializer({ random }: CDraft, most: number, always = false): string {
  if (!always && random.chance(50)) return ''
  const small = CONSTANTS.filter((each) => !each.endsWith('ull'))
  const values = Array.from({ length: most }, () =>
    random.chance(50) ? random.pick(small) : `${random.word() >>> random.below(32)}`,
  )
  return ` = {${values.join(', ')}}`
}

/** The program's type of structures, and what lies outside of functions. */
function data(draft: CDraft): Data {
  const { random } = draft
  const struct = draft.global('struct')
  draft.fields = Array.from({ length: 2 + random.below(7) }, (_, index) => `f${index}`)
  const fields = draft.fields.map((name) => {
    const type = random.pick(TYPES)
    return ` ${type} ${name}${random.chance(40) ? ` : ${1 + random.below(Math.min(8 * BYTES[type], 40))}` : ''};\n`
  })
  const [one, four, table] = [draft.global('one'), draft.global('four'), draft.global('table')]
  let text = `struct ${struct} {\n${fields.join('')}}${random.chance(15) ? ' __attribute__((packed))' : ''};
static struct ${struct} ${one}${initializer(draft, 2)};
static struct ${struct} ${four}[4];
static const ${random.pick(TYPES)} ${table}[16]${initializer(draft, 16, true)};
static struct { u64 wide; u32 narrow; } ${draft.global('shared')} = {${random.word()}u, ${random.word()}u};
static u64 ${draft.global('array0')}[8]${initializer(draft, 5)};\n`
  const arrays = [{ name: draft.global('array0'), length: 8 }]
  for (let count = 1 + random.below(3); count > 0; count--) {
    const length = random.pick([2, 4, 8, 16, 32])
    const name = draft.global(`array${count}`)
    const kind = random.chance(15) ? 'volatile ' : ''
    text += `static ${kind}${random.pick(TYPES)} ${name}[${length}]${initializer(draft, Math.min(length, 8))};\n`
    arrays.push({ name, length })
  }
  return {
    text,
    arrays,
    structs: [
      { name: one, pointer: false },
      { name: four, pointer: false, length: 4 },
    ],
  }
}

/** Declares an array that is filled; one of 64 bytes is a buffer too. */
function localArray(draft: CDraft, scope: Scope): string {
  const { random } = draft
  const type = random.pick(TYPES)
  const length = random.pick([4, 8, 8, 16, 64 / BYTES[type]])
  const name = draft.name()
  const bytes = BYTES[type] * length
  if (bytes > 64) return ''
  const declared = `${type} ${name}[${length}] __attribute__((aligned(8)))`
  let text = `${declared} = {0};\n`
  const kind = random.below(4)
  if (kind < 2) {
    const value = expression(draft, { ...scope, variables: [{ name: 'index', writable: false }] }, 1)
    text = `${declared};\nfor (u32 index = 0; index < ${length}; index++) ${name}[index] = ${value};\n`
  } else if (kind < 3) {
    text = `${declared};\n__builtin_memcpy(${name}, ${scope.pointer}, ${bytes});\n`
  }
  scope.arrays.push({ name, length })
  if (bytes === 64) scope.buffers.push(`(u8 *)${name}`)
  return text
}

function localStructs(draft: CDraft, scope: Scope): string {
  const { random } = draft
  const type = `struct ${draft.global('struct')}`
  let text = ''
  if (random.chance(50)) {
    const name = draft.name()
    text += `${type} ${name};\n__builtin_memset(&${name}, 0, sizeof ${name});\n`
    scope.structs.push({ name, pointer: false })
  }
  if (random.chance(30)) {
    const name = draft.name()
    text += `${type} *${name} = &${draft.global('one')};\n`
    scope.structs.push({ name, pointer: true })
  }
  return text
}

/** What stands in a function's braces, but its end, and the scope there. */
function body(
  draft: CDraft,
  { arrays, structs }: Data,
  pointer: string,
  variables: Scope['variables'],
  callees: readonly Callee[],
  size: number,
): { readonly text: string; readonly scope: Scope } {
  const { random } = draft
  draft.budget = size * 3
  const scope: Scope = {
    pointer,
    variables,
    arrays: [...arrays],
    structs: [...structs],
    buffers: [],
    callees,
    depth: 0,
    within: 'nothing',
    continues: false,
  }
  let text = random.chance(60) ? localArray(draft, scope) : ''
  text += localStructs(draft, scope)
  for (let count = 1 + random.below(4); count > 0; count--) text += declaration(draft, scope)
  for (let count = 0; count < size; count++) text += draft.statement(scope, pointer === 'ctx' ? 3 : 2)
  return { text, scope }
}

/** A function besides the entry; it may call those before it. */
function localFunction(
  draft: CDraft,
  all: Data,
  name: string,
  parameters: Callee['parameters'],
  result: Type,
  callees: readonly Callee[],
): string {
  const { random } = draft
  const variables = parameters.flatMap((parameter, index) =>
    parameter === 'pointer' ? [] : [{ name: `a${index}`, writable: true }],
  )
  const given = parameters.indexOf('pointer')
  const pointer = given < 0 ? `(u8 *)${draft.global('array0')}` : `a${given}`
  const { text, scope } = body(draft, all, 'memory', variables, callees, 1 + random.below(6))
  const list = parameters.map((parameter, index) => `${parameter === 'pointer' ? 'u8 *' : parameter} a${index}`)
  return `${random.chance(85) ? 'CALLED' : 'INLINE'} ${result} ${name}(${list.join(', ') || 'void'}) {
u8 *memory = ${pointer}; u64 len = ${random.pick([17, 48, 64, 90])};
${text}return ${expression(draft, scope, 2)};\n}\n`
}

function functions(draft: CDraft, all: Data): { readonly text: string; readonly callees: readonly Callee[] } {
  const { random } = draft
  const callees: Callee[] = []
  let text = ''
  for (let count = random.below(4); count > 0; count--) {
    const parameters: (Type | 'pointer')[] = Array.from({ length: random.below(6) }, () => random.pick(TYPES))
    if (parameters.length > 0 && random.chance(60)) parameters[random.below(parameters.length)] = 'pointer'
    const name = draft.global(`function${count}`)
    const known = random.chance(60) ? [...callees] : []
    text += localFunction(draft, all, name, parameters, random.pick(TYPES), known)
    callees.push({ name, parameters })
  }
  if (random.chance(12)) {
    const parameters = ['u32', 'pointer', 'u64'] as const
    const names = [draft.global('first'), draft.global('second')]
    for (const name of names) text += localFunction(draft, all, name, parameters, 'u64', [])
    const table = draft.global('functions')
    const entries = [0, 1, 1, 0].map((index) => names[index]).join(', ')
    text += `static u64 (*const ${table}[4])(u32, u8 *, u64) = {${entries}};\n`
    callees.push({ name: table, parameters, table: 4 })
  }
  return { text, callees }
}

/** The same seed gives the same program. `name` is the entry's, and other names outside of functions begin with it. PRELUDE goes before it. */
export function randomC(seed: number, name: string): string {
  const draft = new CDraft(seed, name, statement)
  const all = data(draft)
  const { text: called, callees } = functions(draft, all)
  const size = 3 + draft.random.below(12)
  const { text, scope } = body(draft, all, 'ctx', [{ name: 'len', writable: false }], callees, size)
  // The result has all that there is in it.
  const values = scope.variables.map((each) => `h = mix(h, ${each.name});\n`)
  for (const { name, length } of scope.arrays) {
    values.push(`for (u32 i = 0; i < ${length}; i++) h = mix(h, ${name}[i]);\n`)
  }
  for (const { name, pointer, length } of scope.structs) {
    const [each, loop] = length === undefined ? [name, ''] : [`${name}[i]`, `for (u32 i = 0; i < ${length}; i++) `]
    for (const field of draft.fields) values.push(`${loop}h = mix(h, ${each}${pointer ? '->' : '.'}${field});\n`)
  }
  for (const field of ['wide', 'narrow']) values.push(`h = mix(h, ${draft.global('shared')}.${field});\n`)
  return `${all.text}${called}__attribute__((section("prog"), used)) u64 ${name}(u8 *ctx, u64 len) {
${text}u64 h = 0;\n${values.join('')}return h;\n}\n`
}
