// Makes rules fast: for each operation a table over the operations of its first two operands says which rules can match
// at all (mostly none), and those are checked by short flat programs.

import { unreachable } from '../../base/errors.ts'
import type { Value } from '../../ir/func.ts'
import { I64, Op, type Type, opNames } from '../../ir/op.ts'
import { type Double, type Word, double, word } from './compute.ts'
import { type Rule, type Term, isComparison, isComputed, orders } from './language.ts'

/** Most values that a pattern may have. */
export const SLOTS = 24

/** What rules may do: make values before the one that they rewrite, or make another operation of that. */
export interface Rewriter {
  /** What was matched, from `base` on; a rule at work needs SLOTS of them, also while values that it makes are rewritten. */
  readonly slots: Value[]
  base: number
  make(op: number, type: Type, args: Value[], imm: number): Value
  become(value: Value, op: number, args: Value[], imm: number): Value
  word(value: number): Value
  double(low: number, high: number): Value
}

type Build = (rewriter: Rewriter, root: Value) => Value

interface Compiled {
  /** Instructions of four numbers each: what, and its operands. */
  readonly code: Int32Array
  readonly conditions: readonly Word[]
  readonly build: Build
}

// What the flat programs do with slots s: load an operand, or fail unless ...
const ARG = 0 // s[c] = s[a].args[b]
const OP = 1 // s[a].op is b
const IMM = 2 // s[a].imm is b
const HIGH = 3 // s[a].immHigh is b
const SAME = 4 // s[a] is s[b]
const OF = 5 // the type of s[a].args[0] is b

class RuleCompiler {
  readonly code: number[] = []
  readonly slotOf = new Map<string, number>()
  size = 1

  match(term: Term, slot: number, known: boolean): void {
    if (term.kind === 'value' || term.kind === 'constant') {
      if (term.kind === 'constant' && !known) this.code.push(OP, slot, Op.const, 0)
      const before = this.slotOf.get(term.name)
      if (before === undefined) this.slotOf.set(term.name, slot)
      else this.code.push(SAME, slot, before, 0)
      return
    }
    if (term.kind === 'literal') {
      // 0, 1 and -1 are kinds of their own.
      if (known && [0n, 1n, BigInt.asUintN(term.type === I64 ? 64 : 32, -1n)].includes(term.value)) return
      if (!known) this.code.push(OP, slot, Op.const, 0)
      this.code.push(IMM, slot, Number(BigInt.asIntN(32, term.value)), 0)
      if (term.type === I64) this.code.push(HIGH, slot, Number(BigInt.asIntN(32, term.value >> 32n)), 0)
      return
    }
    if (term.kind !== 'operation') return
    if (!known) this.code.push(OP, slot, term.op, 0)
    if (term.op === Op.word) this.code.push(IMM, slot, term.imm, 0)
    if (slot > 0 && isComparison(term.op)) this.code.push(OF, slot, term.args[0]!.type, 0)
    const slots = term.args.map(() => this.size++)
    for (const [index, each] of slots.entries()) {
      // The root's first two are there already.
      if (slot > 0 || index > 1) this.code.push(ARG, slot, index, each)
    }
    for (const [index, arg] of term.args.entries()) this.match(arg, slots[index]!, slot === 0 && index < 2)
  }

  build(term: Term, isRoot: boolean): Build {
    if (term.kind === 'value' || term.kind === 'constant') {
      const slot = this.slotOf.get(term.name)!
      return (rewriter) => rewriter.slots[rewriter.base + slot]!
    }
    if (isComputed(term)) {
      if (term.type === I64) {
        const compute: Double = double(term, this.slotOf)
        return (rewriter) => {
          const value = compute(rewriter.slots, rewriter.base)
          return rewriter.double(Number(BigInt.asIntN(32, value)), Number(BigInt.asIntN(32, value >> 32n)))
        }
      }
      const compute = word(term, this.slotOf)
      return (rewriter) => rewriter.word(compute(rewriter.slots, rewriter.base))
    }
    if (term.kind !== 'operation') return unreachable(`'${term.kind}' is no replacement`)
    const { op, type, imm } = term
    const parts = term.args.map((arg) => this.build(arg, false))
    const args: (rewriter: Rewriter, root: Value) => Value[] = (rewriter, root) =>
      parts.map((part) => part(rewriter, root))
    if (!isRoot) return (rewriter, root) => rewriter.make(op, type, args(rewriter, root), imm)
    // An access keeps its offset.
    const access = op === Op.store8 || op === Op.store16
    return (rewriter, root) => rewriter.become(root, op, args(rewriter, root), access ? root.imm : imm)
  }
}

/** Whether a value's rules are those of 64-bit values: what a comparison or a narrowing does depends on its operand's type. */
const isWide = (type: Type, first: Type | undefined): boolean => type === I64 || first === I64

const COUNT = opNames.length

// What an operand is told apart by: its operation, the constants 0, 1 and -1 from others, and being the first one again.
const ZERO = COUNT
const ONE = COUNT + 1
const ONES = COUNT + 2
const AGAIN = COUNT + 3
const KINDS = COUNT + 4

/** What a constant is told apart by. */
function kindOf(constant: Value): number {
  const { imm } = constant
  if (imm < -1 || imm > 1 || (constant.type === I64 && constant.immHigh !== imm >> 31)) return Op.const
  return imm === 0 ? ZERO : imm === 1 ? ONE : ONES
}

export class Matcher {
  /** By root and first operand: where its rules begin in `listAt`, 0 if there are none. */
  private readonly first = new Uint16Array(2 * COUNT * KINDS)
  /** By root and second operand: its class, to be added. */
  private readonly second = new Uint8Array(2 * COUNT * KINDS)
  /** Index in `lists`, 0 if no rule can match. */
  private readonly listAt: Uint16Array
  private readonly lists: (readonly Compiled[])[] = [[]]
  /** By operation: whether there are rules for it. */
  private readonly ruled = new Uint8Array(COUNT)

  constructor(rules: readonly Rule[]) {
    const listAt = [0]
    for (const [root, list] of byRoot(rules)) {
      this.ruled[root % COUNT] = 1
      const firsts = classes(list, 0)
      const seconds = classes(list, 1)
      for (let kind = 0; kind < KINDS; kind++) {
        this.first[root * KINDS + kind] = listAt.length + Math.max(0, firsts.indexOf(kind)) * seconds.length
        this.second[root * KINDS + kind] = Math.max(0, seconds.indexOf(kind))
      }
      for (const a of firsts) {
        for (const b of seconds) {
          const able = list.filter(({ pattern: { args } }) => accepts(args[0], a) && accepts(args[1], b, args[0], a))
          listAt.push(able.length === 0 ? 0 : this.lists.length)
          if (able.length > 0) this.lists.push(able.map(({ compiled }) => compiled))
        }
      }
    }
    this.listAt = Uint16Array.from(listAt)
  }

  /** The value, rewritten in place or as it is, or another that stands for it, by the first rule that matches. */
  rewrite(rewriter: Rewriter, value: Value): Value {
    const { op, args } = value
    if (this.ruled[op] === 0) return value
    const a = args[0]!
    const row = (value.type === I64 || a.type === I64 ? op + COUNT : op) * KINDS
    const first = a.op === Op.const ? kindOf(a) : a.op
    let at = this.first[row + first]!
    if (args.length > 1) {
      const b = args[1]!
      at += this.second[row + (b.op === Op.const ? kindOf(b) : b === a ? AGAIN : b.op)]!
    }
    at = this.listAt[at]!
    return at === 0 ? value : this.tryRules(this.lists[at]!, rewriter, value)
  }

  private tryRules(list: readonly Compiled[], rewriter: Rewriter, value: Value): Value {
    const { slots, base } = rewriter
    const { args } = value
    slots[base] = value
    slots[base + 1] = args[0]!
    if (args.length > 1) slots[base + 2] = args[1]!
    for (let index = 0; index < list.length; index++) {
      const rule = list[index]!
      if (matches(slots, base, rule)) return rule.build(rewriter, value)
    }
    return value
  }
}

interface Entry {
  readonly pattern: Term & { kind: 'operation' }
  readonly compiled: Compiled
}

function byRoot(rules: readonly Rule[]): Map<number, Entry[]> {
  const roots = new Map<number, Entry[]>()
  for (const rule of rules) {
    for (const pattern of orders(rule)) {
      if (pattern.kind !== 'operation') continue
      const compiler = new RuleCompiler()
      compiler.match(pattern, 0, true)
      if (compiler.size > SLOTS) unreachable(`rule '${rule.text}' is too long`)
      const compiled = {
        code: Int32Array.from(compiler.code),
        conditions: rule.conditions.map((condition) => word(condition, compiler.slotOf)),
        build: compiler.build(rule.replacement, true),
      }
      const root = pattern.op + (isWide(pattern.type, pattern.args[0]!.type) ? COUNT : 0)
      const list = roots.get(root)
      if (list === undefined) roots.set(root, [{ pattern, compiled }])
      else list.push({ pattern, compiled })
    }
  }
  return roots
}

function matches(slots: Value[], base: number, rule: Compiled): boolean {
  const { code, conditions } = rule
  for (let at = 0; at < code.length; at += 4) {
    const each = slots[base + code[at + 1]!]!
    const operand = code[at + 2]!
    switch (code[at]) {
      case ARG:
        slots[base + code[at + 3]!] = each.args[operand]!
        break
      case OP:
        if (each.op !== operand) return false
        break
      case IMM:
        if (each.imm !== operand) return false
        break
      case HIGH:
        if (each.immHigh !== operand) return false
        break
      case SAME:
        if (each !== slots[base + operand]) return false
        break
      default:
        if (each.args[0]!.type !== operand) return false
        break
    }
  }
  for (let index = 0; index < conditions.length; index++) {
    if (conditions[index]!(slots, base) === 0) return false
  }
  return true
}

/** What patterns tell operand `index` apart by, after a first class for all else. */
function classes(list: readonly Entry[], index: number): number[] {
  const named = new Set([-1, ZERO, ONE, ONES, AGAIN])
  for (const { pattern } of list) {
    const term = pattern.args[index]
    if (term !== undefined && term.kind !== 'value') named.add(term.kind === 'operation' ? term.op : Op.const)
  }
  return [...named]
}

/** Whether a pattern's operand, which follows `before` and what is of kind `first`, may be of a kind. */
function accepts(term: Term | undefined, kind: number, before?: Term, first?: number): boolean {
  if (term === undefined) return true
  switch (term.kind) {
    case 'operation':
      return term.op === (kind === AGAIN ? first : kind)
    case 'constant':
      return kind === Op.const || kind === ZERO || kind === ONE || kind === ONES
    case 'literal': {
      const value = BigInt.asIntN(term.type === I64 ? 64 : 32, term.value)
      return kind === (value === 0n ? ZERO : value === 1n ? ONE : value === -1n ? ONES : Op.const)
    }
    case 'value':
      return kind === AGAIN || before?.kind !== 'value' || before.name !== term.name
    default:
      return false
  }
}
