// Expressions, conditions and places in memory. All operands of C's operators are defined: shifts are by less than the width, indices
// are inside, and what is not aligned is accessed by a type that need not be.

import { type CDraft, POINTED_BYTES, type Scope } from './draft.ts'
import { BYTES, SIGNED, type Type, TYPES } from './prelude.ts'

/** Constants at an edge, and such as programs have. */
export const CONSTANTS = `
0 1 2 3 5 7 8 10 15 16 31 32 33 63 64 100 127
128 255 256 257 1000 1023 4095 4096 0x7fff 0x8000 0xffff 0x10000 65537 1000000 -1 -2 -7
-128 -129 -32768 0x7fffffff 0x80000000u 0xffffffffu 0xedb88320u 0x1021 0x100000000ull 0x123456789abcdefull 0x8000000000000000ull 0xffffffff00000000ull 1000000007ull`
  .trim()
  .split(/\s+/)
const DIVISORS = [
  '2',
  '3',
  '4',
  '5',
  '7',
  '8',
  '10',
  '13',
  '16',
  '60',
  '100',
  '255',
  '256',
  '1000',
  '65535',
  '-3',
  '-8',
]
const QUOTIENTS = ['udiv', 'umod', 'udiv32', 'umod32', 'sdiv', 'smod', 'sdiv32', 'smod32']

export function constant({ random }: CDraft): string {
  if (random.chance(70)) return random.pick(CONSTANTS)
  return random.chance(50) ? `${random.word()}u` : `${random.below(300) - 100}`
}

/** A variable's name. */
export function variable({ random }: CDraft, scope: Scope): string {
  return scope.variables.length > 0 ? random.pick(scope.variables).name : '3'
}

/** A variable that may be written; a word of the memory behind the pointer where there is none. */
export function writable({ random }: CDraft, scope: Scope): string {
  const found = scope.variables.filter((each) => each.writable)
  return found.length > 0 ? random.pick(found).name : `*(u32 *)${scope.pointer}`
}

/** An access to one of `bytes` at a pointer: aligned, mostly. */
export function access({ random }: CDraft, pointer: string, bytes: number, type: Type = random.pick(TYPES)): string {
  const size = BYTES[type]
  const offset = random.chance(70) ? random.below(bytes / size) * size : random.below(bytes - size + 1)
  const any = offset % size === 0 ? '' : '_any'
  return `*(${random.chance(15) ? 'volatile ' : ''}${type}${any} *)(${pointer} + ${offset})`
}

function index(draft: CDraft, scope: Scope, length: number): string {
  const { random } = draft
  if (random.chance(35)) return `${random.below(length)}`
  const counters = scope.variables.filter(({ maximum }) => maximum !== undefined && maximum < length)
  if (counters.length > 0 && random.chance(70)) return random.pick(counters).name
  return `(${variable(draft, scope)}) & ${length - 1}`
}

function element(draft: CDraft, scope: Scope): string {
  const { name, length } = draft.random.pick(scope.arrays)
  return `${name}[${index(draft, scope, length)}]`
}

/** A structure: a variable, or an array's element. */
export function struct(draft: CDraft, scope: Scope): { readonly name: string; readonly pointer: boolean } {
  const { name, pointer, length } = draft.random.pick(scope.structs)
  return { name: length === undefined ? name : `${name}[${index(draft, scope, length)}]`, pointer }
}

function field(draft: CDraft, scope: Scope): string {
  const { name, pointer } = struct(draft, scope)
  return `${name}${pointer ? '->' : '.'}${draft.random.pick(draft.fields)}`
}

function load(draft: CDraft, scope: Scope): string {
  const kind = draft.random.below(12)
  if (kind < 3) return access(draft, scope.pointer, POINTED_BYTES)
  if (kind < 4) return `${scope.pointer}[(u32)(${variable(draft, scope)}) & 63]`
  if (kind < 8) return element(draft, scope)
  return kind < 11 ? field(draft, scope) : `${draft.global('table')}[${index(draft, scope, 16)}]`
}

/** What may stand left of an assignment. */
export function place(draft: CDraft, scope: Scope): string {
  const kind = draft.random.below(100)
  if (kind < 60) return writable(draft, scope)
  if (kind < 72) return access(draft, scope.pointer, POINTED_BYTES)
  return kind < 86 ? element(draft, scope) : field(draft, scope)
}

/** An expression without operators. */
export function operand(draft: CDraft, scope: Scope): string {
  const kind = draft.random.below(100)
  if (kind < 52) return variable(draft, scope)
  return kind < 70 ? constant(draft) : load(draft, scope)
}

function shift(draft: CDraft, scope: Scope, levels: number): string {
  const { random } = draft
  const width = random.pick([32, 64])
  const type = `${random.pick(['u', 's'])}${width}`
  const value = expression(draft, scope, levels)
  const by = random.chance(60)
    ? `${random.below(width)}`
    : `((u32)(${expression(draft, scope, levels)}) & ${width - 1})`
  return random.chance(50) ? `((${type})((u${width})(${value}) << ${by}))` : `((${type})(${value}) >> ${by})`
}

/** An expression with up to `levels` of operators in each other; in parentheses, or a call. */
export function expression(draft: CDraft, scope: Scope, levels: number): string {
  const { random } = draft
  if (levels <= 0 || random.chance(15)) return operand(draft, scope)
  const part = (): string => expression(draft, scope, levels - 1)
  const type = random.pick(TYPES)
  const kind = random.below(100)
  if (kind < 34) return `(${part()} ${random.pick(['+', '-', '*', '&', '|', '^', '+', '-', '^'])} ${part()})`
  if (kind < 42) return shift(draft, scope, levels - 1)
  if (kind < 48) return `${random.pick(QUOTIENTS)}(${part()}, ${random.chance(50) ? random.pick(DIVISORS) : part()})`
  if (kind < 58) return `((${type})(${part()}))`
  if (kind < 66) return `(${condition(draft, scope, levels - 1)} ? ${part()} : ${part()})`
  if (kind < 72) return `${random.pick(['MIN', 'MAX'])}((${type})(${part()}), (${type})(${part()}))`
  if (kind < 74) return `ABS((${random.pick(SIGNED)})(${operand(draft, scope)}))`
  if (kind < 76) {
    const low = random.below(50)
    return `CLAMP((${type})(${part()}), (${type})${low}, (${type})${low + random.below(70)})`
  }
  if (kind < 80) return `__builtin_bswap${random.pick([16, 32, 64])}(${part()})`
  if (kind < 84) {
    return `${random.pick(['rol32', 'ror32', 'rol64', 'rol8'])}(${part()}, ${random.chance(60) ? 1 + random.below(31) : part()})`
  }
  if (kind < 86) return `ones(${random.chance(50) ? '(u8)' : ''}(${part()}))`
  if (kind < 92) return `(${condition(draft, scope, levels - 1)})`
  if (kind < 97) return `(${random.pick(['-', '~', '!', '~'])}(${part()}))`
  return `((u64)(${part()}) * (u64)(${part()}))`
}

/** What an `if` may ask. */
export function condition(draft: CDraft, scope: Scope, levels: number): string {
  const { random } = draft
  const part = (): string => expression(draft, scope, levels - 1)
  const kind = random.below(100)
  if (levels > 0 && kind < 20) {
    return `(${condition(draft, scope, levels - 1)} ${random.pick(['&&', '||'])} ${condition(draft, scope, levels - 1)})`
  }
  if (kind < 26) return `!(${part()})`
  if (kind < 36) {
    const mask = random.chance(50) ? `${2 ** random.below(31)}u` : constant(draft)
    return `((${part()}) & ${mask}) ${random.pick(['!=', '=='])} 0`
  }
  if (kind < 46) {
    const first = random.pick(["'0'", "'a'", '10', '1'])
    return `(${random.pick(TYPES)})(${part()} - ${first}) ${random.pick(['<', '<=', '>'])} ${random.pick([9, 26, 10, 3])}`
  }
  const cast = random.chance(50) ? `(${random.pick(TYPES)})` : ''
  const right = random.chance(50) ? constant(draft) : part()
  return `(${cast}(${part()}) ${random.pick(['<', '<=', '>', '>=', '==', '!='])} ${cast}(${right}))`
}
