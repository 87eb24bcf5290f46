// The language of rewrite rules: `(add (add x C) D) => (add x (add C D)) if (ult C 9), ...`, one a line. Lower-case names
// are any value, upper-case ones a constant; an operation of constants alone is computed when the rule applies. Comments
// begin with `;`. docs/passes.md describes it for readers; matcher.ts makes it fast, tools/prove/ proves it.

import { unreachable } from '../../base/errors.ts'
import { COMMUTATIVE, COMPARE, I32, I64, Op, type OpName, type Type, VOID, attributes } from '../../ir/op.ts'

/** A pattern, a replacement or a condition, with the type of each part. */
export type Term =
  | { readonly kind: 'value'; readonly name: string; readonly type: Type }
  | { readonly kind: 'constant'; readonly name: string; readonly type: Type }
  | { readonly kind: 'literal'; readonly value: bigint; readonly type: Type }
  | {
      readonly kind: 'operation'
      readonly op: number
      readonly imm: number
      readonly args: Term[]
      readonly type: Type
    }
  /** log2: of a power of two; bits: the least n that is known for which a word is below 2^n. Not in patterns. */
  | { readonly kind: 'log2'; readonly args: Term[]; readonly type: Type }
  | { readonly kind: 'bits'; readonly args: Term[]; readonly type: Type }

export interface Rule {
  /** The line it stands on. */
  readonly text: string
  readonly pattern: Term
  readonly replacement: Term
  /** Words, all not 0 where the rule may be used. */
  readonly conditions: Term[]
}

/** Operands' types and the result's: I32, I64, or 0 for the one type that is free. */
type Signature = readonly [args: readonly Type[], result: Type]
const FREE = 0
const free2: Signature = [[FREE, FREE], FREE]
const shift: Signature = [[FREE, I32], FREE]
const word1: Signature = [[I32], I32]
const comparison: Signature = [[FREE, FREE], I32]
const pairs: Signature = [[I32, I32, I32, I32], I64]
const pairComparison: Signature = [[I32, I32, I32, I32], I32]
const store: Signature = [[I32, I32], VOID]

const signatures: Partial<Record<OpName, Signature>> = {
  add: free2,
  sub: free2,
  mul: free2,
  udiv: free2,
  sdiv: free2,
  urem: free2,
  srem: free2,
  and: free2,
  or: free2,
  xor: free2,
  lsl: shift,
  lsr: shift,
  asr: shift,
  ror: [[I32, I32], I32],
  bswap: [[FREE], FREE],
  bswap16: word1,
  clz: word1,
  sext8: word1,
  sext16: word1,
  trunc: [[I64], I32],
  high: [[I64], I32],
  zext: [[I32], I64],
  sext: [[I32], I64],
  concat: [[I32, I32], I64],
  eq: comparison,
  ne: comparison,
  ult: comparison,
  ule: comparison,
  slt: comparison,
  sle: comparison,
  select: [[I32, FREE, FREE], FREE],
  branch: [[I32], VOID],
  store8: store,
  store16: store,
  add2: pairs,
  sub2: pairs,
  umul: [[I32, I32], I64],
  smul: [[I32, I32], I64],
  umla: pairs,
  smla: pairs,
  umaal: pairs,
  eq2: pairComparison,
  ne2: pairComparison,
  ult2: pairComparison,
  ule2: pairComparison,
  slt2: pairComparison,
  sle2: pairComparison,
}

/** A type that is not known yet: another of them, or FREE in the end. */
interface TypeVariable {
  type: Type | undefined
  same: TypeVariable | undefined
}

interface Node {
  readonly word: string
  readonly args: Node[]
  readonly type: TypeVariable
}

const fresh = (type?: Type): TypeVariable => ({ type, same: undefined })

function find(variable: TypeVariable): TypeVariable {
  let at = variable
  while (at.same !== undefined) at = at.same
  return at
}

/** A rule's words as trees, and what their types must be. */
class Reader {
  readonly text: string
  private readonly words: string[]
  private at = 0
  private readonly names = new Map<string, TypeVariable>()

  constructor(text: string) {
    this.text = text
    this.words = text.match(/[()]|=>|,|[^\s(),]+/g) ?? []
  }

  fail(message: string): never {
    return unreachable(`rule '${this.text}': ${message}`)
  }

  private unify(a: TypeVariable, b: TypeVariable): void {
    const x = find(a)
    const y = find(b)
    if (x === y) return
    if (x.type !== undefined && y.type !== undefined && x.type !== y.type) this.fail('types do not agree')
    x.type ??= y.type
    y.same = x
  }

  take(): string | undefined {
    return this.words[this.at++]
  }

  expect(word: string): void {
    if (this.take() !== word) this.fail(`expected '${word}'`)
  }

  node(): Node {
    const word = this.take() ?? this.fail('ends early')
    if (word !== '(') return this.leaf(word)
    const name = this.take() ?? this.fail('ends early')
    const args: Node[] = []
    while (this.words[this.at] !== ')') args.push(this.node())
    this.at++
    const signature = signatureOf(name) ?? this.fail(`no operation '${name}'`)
    if (args.length !== signature[0].length) this.fail(`'${name}' has ${signature[0].length} operands`)
    const open = fresh()
    for (const [index, arg] of args.entries()) {
      const type = signature[0][index]!
      this.unify(arg.type, type === FREE ? open : fresh(type))
    }
    // VOID and FREE are the same number; what gives nothing has operands of known types.
    const nothing = name === 'branch' || name.startsWith('store')
    const result = nothing ? fresh(VOID) : signature[1] === FREE ? open : fresh(signature[1])
    return { word: name, args, type: result }
  }

  private leaf(word: string): Node {
    if (/^-?\d/.test(word)) return { word, args: [], type: fresh() }
    const [name, type] = word.split(':')
    if (!/^[a-z]+$|^[A-Z]$/.test(name!)) this.fail(`'${word}' is no name`)
    let variable = this.names.get(name!)
    if (variable === undefined) {
      variable = fresh()
      this.names.set(name!, variable)
    }
    if (type !== undefined) this.unify(variable, fresh(type === 'i64' ? I64 : I32))
    return { word: name!, args: [], type: variable }
  }

  rule(): { pattern: Node; replacement: Node; conditions: Node[] } {
    const pattern = this.node()
    this.expect('=>')
    const replacement = this.node()
    this.unify(pattern.type, replacement.type)
    const conditions: Node[] = []
    if (this.at < this.words.length) {
      this.expect('if')
      do {
        const condition = this.node()
        this.unify(condition.type, fresh(I32))
        conditions.push(condition)
      } while (this.take() === ',')
    }
    return { pattern, replacement, conditions }
  }
}

function signatureOf(name: string): Signature | undefined {
  if (name === 'word0' || name === 'word1') return [[I64], I32]
  if (name === 'bits') return [[I32], I32]
  if (name === 'log2') return [[FREE], I32]
  return signatures[name as OpName]
}

/** The term of a node, where `type` is that of all types that are free. */
function term(node: Node, type: Type): Term {
  const own = find(node.type).type ?? type
  const { word } = node
  if (node.args.length === 0) {
    if (/^-?\d/.test(word)) {
      const value = word.startsWith('-') ? -BigInt(word.slice(1)) : BigInt(word)
      return { kind: 'literal', value: BigInt.asUintN(own === I64 ? 64 : 32, value), type: own }
    }
    return /^[A-Z]/.test(word) ? { kind: 'constant', name: word, type: own } : { kind: 'value', name: word, type: own }
  }
  const args = node.args.map((arg) => term(arg, type))
  if (word === 'log2' || word === 'bits') return { kind: word, args, type: own }
  return { kind: 'operation', op: opOf(word)!, imm: word === 'word1' ? 1 : 0, args, type: own }
}

/** Whether some type in the tree is free. */
function isFree(node: Node): boolean {
  return find(node.type).type === undefined || node.args.some(isFree)
}

/** A rule as it is written, not read yet. */
export interface RuleLine {
  readonly text: string
  /** The type that the rule holds for where types are free; without it, either. */
  readonly type: Type | undefined
}

/** The lines of a text that are rules. */
export function ruleLines(text: string, type?: Type): RuleLine[] {
  const lines: RuleLine[] = []
  for (const raw of text.split('\n')) {
    const comment = raw.indexOf(';')
    const line = (comment < 0 ? raw : raw.slice(0, comment)).trim()
    if (line !== '') lines.push({ text: line, type })
  }
  return lines
}

/** The rule of a line; one that holds for either type once for each. Faults in the text are faults of ours. */
export function readRule({ text, type }: RuleLine): Rule[] {
  const { pattern, replacement, conditions } = new Reader(text).rule()
  const nodes = [pattern, replacement, ...conditions]
  const types: Type[] = nodes.some(isFree) ? (type === undefined ? [I32, I64] : [type]) : [I32]
  return types.map((each) => ({
    text,
    pattern: term(pattern, each),
    replacement: term(replacement, each),
    conditions: conditions.map((condition) => term(condition, each)),
  }))
}

/** The rules of a text, those that hold for either type once for each, or for `type` alone. */
export const readRules = (text: string, type?: Type): Rule[] => ruleLines(text, type).flatMap(readRule)

/** What a line's pattern is and what its operands are at first sight: names, numbers, or operations with their `(`. */
export function heads({ text }: RuleLine): string[] {
  const words: string[] = []
  let depth = 0
  let at = 0
  do {
    const begin = at
    if (text[at] === '(') depth++
    else if (text[at] === ')') depth--
    at++
    if (text[begin] === ' ' || text[begin] === ')') continue
    while (at < text.length && !' ()'.includes(text[at]!)) at++
    // Not what is within an operand.
    if (depth === 1 || (depth === 2 && text[begin] === '(')) words.push(text.slice(begin, at))
  } while (depth > 0 && at < text.length)
  return words
}

/** The operation that a word of a pattern names. */
export const opOf = (word: string): number | undefined => (/^word[01]$/.test(word) ? Op.word : Op[word as OpName])

/** Whether a term is made of constants alone, so that it can be computed when the rule applies. */
export function isComputed(each: Term): boolean {
  if (each.kind === 'value') return false
  if (each.kind === 'literal' || each.kind === 'constant' || each.kind === 'bits') return true
  return each.args.every(isComputed)
}

function countNames(each: Term, counts: Map<string, number>): void {
  if (each.kind === 'value') counts.set(each.name, (counts.get(each.name) ?? 0) + 1)
  else if (each.kind !== 'literal' && each.kind !== 'constant') for (const arg of each.args) countNames(arg, counts)
}

function permute(each: Term, counts: Map<string, number>): Term[] {
  if (each.kind !== 'operation') return [each]
  let variants: Term[][] = [[]]
  for (const arg of each.args) {
    const forms = permute(arg, counts)
    variants = variants.flatMap((before) => forms.map((form) => [...before, form]))
  }
  const [a, b] = each.args as [Term, Term | undefined]
  // Two names that nothing else speaks of match either way.
  const free = (arg: Term): boolean => arg.kind === 'value' && counts.get(arg.name) === 1
  const same = a.kind === 'value' && b?.kind === 'value' && a.name === b.name
  const exchange =
    (attributes[each.op]! & COMMUTATIVE) !== 0 &&
    !isComputed(a) &&
    b !== undefined &&
    !isComputed(b) &&
    !same &&
    !(free(a) && free(b))
  if (exchange) variants = [...variants, ...variants.map(([x, y]) => [y!, x!])]
  return variants.map((args) => ({ ...each, args }))
}

/**
 * The rule's pattern with the operands of commutative operations in each order that the matcher may meet: constants
 * stand on the right by then.
 */
export function orders(rule: Rule): Term[] {
  const counts = new Map<string, number>()
  for (const each of [rule.pattern, ...rule.conditions]) countNames(each, counts)
  return permute(rule.pattern, counts)
}

/** Comparisons can be of either type inside of a pattern: their operands' type has to be looked at. */
export const isComparison = (op: number): boolean => (attributes[op]! & COMPARE) !== 0
