// Holds a function to the rules of the IR: run after each pass in tests, and by `--dump`. Throws through `unreachable`.

import { unreachable } from '../base/errors.ts'
import { dominators, reversePostorder } from './cfg.ts'
import type { Block, Func, Value } from './func.ts'
import { formatValue } from './print.ts'
import { COMPARE, I32, I64, Op, TERMINATOR, type Type, VOID, arity, attributes } from './op.ts'

/** Types that operands must have: a list, or nothing where the rule is in `checkTypes`. */
function expected(value: Value): readonly Type[] | undefined {
  switch (value.op) {
    case Op.lsl:
    case Op.lsr:
    case Op.asr:
      return [value.type, I32]
    case Op.trunc:
    case Op.high:
    case Op.word:
      return [I64]
    case Op.zext:
    case Op.sext:
      return [I32]
    case Op.concat:
      return [I32, I32]
    case Op.select:
      return [I32, value.type, value.type]
    case Op.store64:
      return [I32, I64]
    case Op.phi:
      return value.args.map(() => value.type)
    case Op.call:
    case Op.keep:
    case Op.ret:
    case Op.eq:
    case Op.ne:
    case Op.ult:
    case Op.ule:
    case Op.slt:
    case Op.sle:
    case Op.atomicadd:
    case Op.atomicor:
    case Op.atomicand:
    case Op.atomicxor:
    case Op.atomicxchg:
    case Op.atomiccmpxchg:
      return undefined
    case Op.add:
    case Op.sub:
    case Op.mul:
    case Op.udiv:
    case Op.sdiv:
    case Op.urem:
    case Op.srem:
    case Op.and:
    case Op.or:
    case Op.xor:
    case Op.bswap:
      return value.args.map(() => value.type)
    default:
      return value.args.map(() => I32)
  }
}

/** Every rule: places, operands, types, dominance, edges on both sides. */
export function check(func: Func): void {
  const order = reversePostorder(func)
  const idom = dominators(order)
  const fail = (what: string, value?: Value): never =>
    unreachable(`ir check, ${func.name}: ${what}${value ? ` in '${formatValue(value)}' of b${value.block.id}` : ''}`)
  const position = new Map<Value, number>()
  for (const block of func.blocks) for (const [index, value] of block.values.entries()) position.set(value, index)
  const dominates = (above: Block, below: Block): boolean => {
    let at = below.order
    while (at > above.order) at = idom[at]!
    return at === above.order
  }
  for (const block of func.blocks) {
    for (const to of block.successors) {
      const there = to.predecessors.filter((from) => from === block).length
      if (there !== block.successors.filter((each) => each === to).length)
        fail(`edges b${block.id} -> b${to.id} disagree`)
    }
    let phis = true
    for (const [index, value] of block.values.entries()) {
      if (value.block !== block) fail('wrong block', value)
      const last = index === block.values.length - 1
      if (((attributes[value.op]! & TERMINATOR) !== 0) !== last) fail('terminator out of place', value)
      if (value.op === Op.phi) {
        if (!phis) fail('phi after another value', value)
        if (value.args.length !== block.predecessors.length) fail('phi and predecessors differ', value)
      } else {
        phis = false
      }
      if (arity[value.op]! >= 0 && arity[value.op] !== value.args.length) fail('number of operands', value)
      if ((attributes[value.op]! & COMPARE) !== 0 && value.type !== I32) fail('type of comparison', value)
      const types = expected(value)
      for (const [at, arg] of value.args.entries()) {
        if (types !== undefined && types[at] !== arg.type) fail(`type of operand ${at}`, value)
        if (arg.type === VOID) fail(`operand ${at} has no value`, value)
        if (arg.op === Op.const) continue
        const from = value.op === Op.phi ? block.predecessors[at]! : block
        if (block.order < 0 || from.order < 0) continue
        const place = position.get(arg)
        if (place === undefined) fail(`operand ${at} (v${arg.id}) is in no block`, value)
        else if (arg.block === from && value.op !== Op.phi) {
          if (place >= index) fail(`operand ${at} comes later`, value)
        } else if (!dominates(arg.block, from)) fail(`operand ${at} (v${arg.id}) does not dominate`, value)
      }
    }
    if (block.values.length === 0) fail(`b${block.id} is empty`)
    if (block.terminator.op === Op.switch) {
      checkSwitch(block, fail)
      continue
    }
    const wants = block.terminator.op === Op.jump ? 1 : block.terminator.op === Op.branch ? 2 : 0
    if (block.successors.length !== wants) fail('number of successors', block.terminator)
  }
}

/** Two distinct successors or more, each of them in the table. */
function checkSwitch({ terminator, successors }: Block, fail: (what: string, value: Value) => never): void {
  const [, ...cases] = terminator.args
  for (const each of cases) {
    if (each.op !== Op.const || successors[each.imm] === undefined) fail('case', terminator)
  }
  if (successors.length < 2) fail('number of successors', terminator)
  for (const [at, to] of successors.entries()) {
    if (successors.indexOf(to) !== at || !cases.some(({ imm }) => imm === at)) fail('successors of switch', terminator)
  }
}
