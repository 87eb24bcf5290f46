// Compiles a rule: its pattern to a short flat program that is run on a value, its conditions and its replacement to closures.

import { unreachable } from '../../base/errors.ts'
import type { Value } from '../../ir/func.ts'
import { I64, Op, type Type } from '../../ir/op.ts'
import { type Double, type Word, double, word } from './compute.ts'
import { type Rule, type Term, isComparison, isComputed } from './language.ts'

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

/** A rule that can be tried on values: `matches`, then `build`. */
export interface Compiled {
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

/** A rule with one order of its pattern's operands. */
export function compileRule(rule: Rule, pattern: Term): Compiled {
  const compiler = new RuleCompiler()
  compiler.match(pattern, 0, true)
  if (compiler.size > SLOTS) unreachable(`rule '${rule.text}' is too long`)
  return {
    code: Int32Array.from(compiler.code),
    conditions: rule.conditions.map((condition) => word(condition, compiler.slotOf)),
    build: compiler.build(rule.replacement, true),
  }
}

/** Whether the rule holds for the value in the first slot; its first two operands are in the next two. Fills the others. */
export function matches(slots: Value[], base: number, rule: Compiled): boolean {
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
