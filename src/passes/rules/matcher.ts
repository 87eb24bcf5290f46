// Makes rules fast: for each operation a table over the operations of its first two operands says which rules can match
// at all (mostly none), and those are checked by short flat programs. Tables are filled, and rules read, when a value asks for
// them: a program meets few of them.

import { unreachable } from '../../base/errors.ts'
import type { Value } from '../../ir/func.ts'
import { COMMUTATIVE, I64, Op, type Type, attributes, opNames } from '../../ir/op.ts'
import { type Rule, type RuleLine, type Term, heads, opOf, orders, readRule } from './language.ts'
import { type Compiled, type Rewriter, compileRule, matches } from './rule-compiler.ts'

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

/** An operand that patterns say nothing of. */
const ANY = -1

/** States of an operation. */
const WITHOUT = 0
const UNREAD = 1
const READY = 2

/** Cells of the table: not looked at yet, no rule can match, or an index of lists. */
const UNKNOWN = 0
const NONE = 1

/** A rule in one of its orders. */
interface Entry {
  readonly rule: Rule
  readonly pattern: Term & { kind: 'operation' }
  compiled: Compiled | undefined
}

interface Line {
  readonly line: RuleLine
  /** Kinds of the first two operands as they are written: an operation, Op.const for any constant, or ANY. */
  readonly first: number
  readonly second: number
  /** In each order and for each type, once it was read. */
  entries: Entry[] | undefined
}

export class Matcher {
  /** By operation: the rules for it. */
  private readonly unread: (RuleLine[] | undefined)[] = opNames.map(() => undefined)
  /** By operation that is in the tables: the same, and what they begin with. */
  private readonly lines: (Line[] | undefined)[] = opNames.map(() => undefined)
  /** By operation: WITHOUT rules, UNREAD, or in the tables. */
  private readonly states = new Uint8Array(COUNT)
  /** By root and first operand: where its cells begin. */
  private readonly first = new Uint16Array(2 * COUNT * KINDS)
  /** By root and second operand: its class, to be added. */
  private readonly second = new Uint8Array(2 * COUNT * KINDS)
  private cells = new Uint16Array(4096)
  private used = 0
  private readonly lists: (readonly Compiled[])[] = [[], []]

  constructor(lines: readonly RuleLine[]) {
    for (const line of lines) {
      const { text } = line
      const op = opOf(text.slice(1, text.indexOf(' '))) ?? unreachable(`rule '${text}': no operation`)
      this.states[op] = UNREAD
      const own = this.unread[op]
      if (own === undefined) this.unread[op] = [line]
      else own.push(line)
    }
  }

  /** The value, rewritten in place or as it is, or another that stands for it, by the first rule that matches. */
  rewrite(rewriter: Rewriter, value: Value): Value {
    const { op, args } = value
    if (this.states[op] !== READY) {
      if (this.states[op] === WITHOUT) return value
      this.prepare(op)
    }
    const a = args[0]!
    const root = value.type === I64 || a.type === I64 ? op + COUNT : op
    const first = a.op === Op.const ? kindOf(a) : a.op
    let second = ANY
    let at = this.first[root * KINDS + first]!
    if (args.length > 1) {
      const b = args[1]!
      second = b.op === Op.const ? kindOf(b) : b === a ? AGAIN : b.op
      at += this.second[root * KINDS + second]!
    }
    let list = this.cells[at]!
    if (list === UNKNOWN) {
      list = this.find(root, first, second)
      this.cells[at] = list
    }
    return list === NONE ? value : this.tryRules(this.lists[list]!, rewriter, value)
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

  /** Gives the operation its part of the tables. */
  private prepare(op: number): void {
    const lines = this.unread[op]!.map((line) => {
      const [, first, second] = heads(line)
      return { line, first: kindOfHead(first), second: kindOfHead(second), entries: undefined }
    })
    this.lines[op] = lines
    const exchanged = (attributes[op]! & COMMUTATIVE) !== 0
    // What operands are told apart by, after a first class for all else.
    const firsts = new Set([ANY, ZERO, ONE, ONES, Op.const])
    const seconds = new Set([ANY, ZERO, ONE, ONES, Op.const, AGAIN])
    for (const { first, second } of lines) {
      firsts.add(first)
      seconds.add(second)
      if (exchanged) firsts.add(second)
      if (exchanged) seconds.add(first)
    }
    for (const root of [op, op + COUNT]) {
      const row = root * KINDS
      this.first.fill(this.used, row, row + KINDS)
      for (const kind of firsts) {
        if (kind !== ANY) this.first[row + kind] = this.used
        this.used += seconds.size
      }
      let index = 0
      for (const kind of seconds) {
        if (kind !== ANY) this.second[row + kind] = index
        index++
      }
    }
    if (this.used > 0xffff) unreachable('more rules than the table has room for')
    if (this.used > this.cells.length) {
      const cells = new Uint16Array(2 * this.used)
      cells.set(this.cells)
      this.cells = cells
    }
    this.states[op] = READY
  }

  /** The cell for values of a root whose operands are of these kinds: NONE, or the list of what can match. */
  private find(root: number, first: number, second: number): number {
    const op = root % COUNT
    const exchanged = (attributes[op]! & COMMUTATIVE) !== 0
    const list: Compiled[] = []
    for (const line of this.lines[op]!) {
      const able = may(line.first, first) && may(line.second, second)
      if (!able && !(exchanged && may(line.second, first) && may(line.first, second))) continue
      line.entries ??= entriesOf(line.line)
      for (const entry of line.entries) {
        const { type, args } = entry.pattern
        if (isWide(type, args[0]!.type) !== root >= COUNT) continue
        if (!accepts(args[0], first) || !accepts(args[1], second, args[0], first)) continue
        entry.compiled ??= compileRule(entry.rule, entry.pattern)
        list.push(entry.compiled)
      }
    }
    return list.length === 0 ? NONE : this.lists.push(list) - 1
  }
}

function entriesOf(line: RuleLine): Entry[] {
  const entries: Entry[] = []
  for (const rule of readRule(line)) {
    for (const pattern of orders(rule)) {
      if (pattern.kind === 'operation') entries.push({ rule, pattern, compiled: undefined })
    }
  }
  return entries
}

/** The kind of an operand as it is written. */
function kindOfHead(head: string | undefined): number {
  if (head === undefined) return ANY
  if (head.startsWith('(')) return opOf(head.slice(1)) ?? unreachable(`no operation '${head}'`)
  return /^[a-z]/.test(head) ? ANY : Op.const
}

/** Whether an operand that is written like this may be of a kind, at first sight. */
function may(head: number, kind: number): boolean {
  if (head === ANY || head === kind || kind === AGAIN) return true
  return head === Op.const && (kind === ZERO || kind === ONE || kind === ONES)
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
