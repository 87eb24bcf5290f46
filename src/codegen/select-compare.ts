// Comparisons as flags: what sets them and the condition that then holds. Whatever reads the flags stands right behind.

import type { Value } from '../ir/func.ts'
import { COMPARE, Op, attributes } from '../ir/op.ts'
import { F } from '../thumb/forms.ts'
import { fitsModified } from '../thumb/immediates.ts'
import { Cond, Flags } from '../thumb/instruction.ts'
import type { Selector } from './selector.ts'
import { compareBySum, testByShift } from './select-merged.ts'
import { shiftedOperand } from './select-operand.ts'

/** Values before a branch that are looked at for the difference of what it compares. */
const NEAR = 12

const unswapped: Record<number, number> = {
  [Op.eq]: Cond.EQ,
  [Op.ne]: Cond.NE,
  [Op.ult]: Cond.CC,
  [Op.ule]: Cond.LS,
  [Op.slt]: Cond.LT,
  [Op.sle]: Cond.LE,
}
const exchanged: Record<number, number> = {
  [Op.eq]: Cond.EQ,
  [Op.ne]: Cond.NE,
  [Op.ult]: Cond.HI,
  [Op.ule]: Cond.CS,
  [Op.slt]: Cond.GT,
  [Op.sle]: Cond.GE,
}

/** By condition: that which holds of the constant `by` more where it holds of one. */
const beside: Record<number, { readonly cond: number; readonly by: number; readonly signed: boolean }> = {
  [Cond.GT]: { cond: Cond.GE, by: 1, signed: true },
  [Cond.LE]: { cond: Cond.LT, by: 1, signed: true },
  [Cond.LT]: { cond: Cond.LE, by: -1, signed: true },
  [Cond.GE]: { cond: Cond.GT, by: -1, signed: true },
  [Cond.HI]: { cond: Cond.CS, by: 1, signed: false },
  [Cond.LS]: { cond: Cond.CC, by: 1, signed: false },
  [Cond.CC]: { cond: Cond.LS, by: -1, signed: false },
  [Cond.CS]: { cond: Cond.HI, by: -1, signed: false },
}

/** Sets the flags, and gives the condition that holds if the word is not 0. */
export function testOf(selector: Selector, condition: Value): number {
  if (!comparesHere(selector, condition)) {
    flags(selector, F.CMP_i, selector.use(condition), -1, 0)
    return Cond.NE
  }
  if (condition.args.length === 4) return comparePairs(selector, condition)
  return compareWords(selector, condition.op, condition.args[0]!, condition.args[1]!)
}

/**
 * Whether a condition is compared where it is asked for. In another block than its own this costs as much as a comparison with 0,
 * and nothing before; of pairs, only where no register must live longer for it.
 */
function comparesHere(selector: Selector, condition: Value): boolean {
  if ((attributes[condition.op]! & COMPARE) === 0) return false
  if (condition.block === selector.block || condition.args.length === 2) return true
  const [, , low, high] = condition.args as [Value, Value, Value, Value]
  if (low.op === Op.const && high.op === Op.const) return true
  return condition.args.every((arg) => arg.op === Op.const || selector.isNeeded(arg))
}

function flags(selector: Selector, form: number, n: number, m: number, imm: number): void {
  selector.emit(form, -1, n, m, imm).s = Flags.SET
}

function compareWords(selector: Selector, op: number, left: Value, right: Value): number {
  if (op === Op.slt && right.op === Op.const && right.imm === 0 && testSign(selector, left)) return Cond.NE
  if (op === Op.sle && left.op === Op.const && left.imm === 0 && testSign(selector, right)) return Cond.EQ
  const sum = compareBySum(selector, op, left, right)
  if (sum >= 0) return sum
  if (right.op === Op.const) {
    const c = right.imm
    if (c === 0 && (op === Op.eq || op === Op.ne) && left.op === Op.and && selector.foldable(left)) {
      const shift = testByShift(selector, left)
      if (shift >= 0) return op === Op.ne ? shift : shift ^ 1
      test(selector, left)
      return unswapped[op]!
    }
    return compareWithConstant(selector, left, right, unswapped[op]!)
  }
  if (left.op === Op.const) return compareWithConstant(selector, right, left, exchanged[op]!)
  if (!compareBySubtraction(selector, left, right)) compare(selector, left, right)
  return unswapped[op]!
}

/** Tests the sign bit of what is extended for this alone: Z is set if it is 0. */
function testSign(selector: Selector, value: Value): boolean {
  if ((value.op !== Op.sext8 && value.op !== Op.sext16) || !selector.foldable(value)) return false
  flags(selector, F.TST_i, selector.use(value.args[0]!), -1, value.op === Op.sext8 ? 0x80 : 0x8000)
  return true
}

/** Makes left - right by an instruction that sets the flags, if the block has that difference and needs it behind the branch. */
function compareBySubtraction(selector: Selector, left: Value, right: Value): boolean {
  const { values } = selector.block
  const branch = values[values.length - 1]!
  const test = branch.args[0]
  if (
    branch.op !== Op.branch ||
    test === undefined ||
    test.args[0] !== left ||
    test.args[1] !== right ||
    test.uses !== 1
  )
    return false
  if (right.op === Op.const) return false
  for (let at = values.length - 2; at >= 0 && at > values.length - NEAR; at--) {
    const value = values[at]!
    const [a, b] = value.args
    if (value.op !== Op.sub || a !== left || b !== right) continue
    if (!selector.needed(value) || selector.writebacks.isGiven(value)) return false
    for (let after = at + 1; after < values.length; after++) if (values[after]!.args.includes(value)) return false
    const d = selector.use(value)
    const n = selector.use(left)
    const code = selector.emit(F.SUB_r, d, n, selector.use(right))
    code.s = Flags.SET
    code.origin = value.origin
    selector.merged = value
    return true
  }
  return false
}

/** Compares with a constant, or the one next to it with the condition next to it, where that is cheaper and does not wrap. */
function compareWithConstant(selector: Selector, left: Value, right: Value, cond: number): number {
  const c = right.imm | 0
  const other = beside[cond]
  if (other !== undefined && !fitsModified(c) && !fitsModified(-c)) {
    const next = (c + other.by) | 0
    const wraps = next === (other.signed ? (other.by > 0 ? -0x80000000 : 0x7fffffff) : other.by > 0 ? 0 : -1)
    // What else needs the constant, as the bound that is taken instead, may share its register.
    const shared = right.uses > 1 && selector.options.small !== true
    if (!wraps && !shared && fitsModified(next)) {
      flags(selector, F.CMP_i, selector.use(left), -1, next)
      return other.cond
    }
    if (!wraps && !selector.hasConstant(c) && selector.hasConstant(next)) {
      flags(selector, F.CMP_r, selector.use(left), selector.constant(next), 0)
      return other.cond
    }
  }
  compare(selector, left, right)
  return cond
}

function compare(selector: Selector, left: Value, right: Value): void {
  if (right.op === Op.const) {
    if (fitsModified(right.imm)) return flags(selector, F.CMP_i, selector.use(left), -1, right.imm)
    // CMN adds: for 0 and the least number its carry or overflow would differ, and those fit above.
    if (right.imm !== 0 && fitsModified(-right.imm)) return flags(selector, F.CMN_i, selector.use(left), -1, -right.imm)
  }
  const shifted = shiftedOperand(selector, right)
  if (shifted !== undefined) {
    const code = selector.emit(F.CMP_r, -1, selector.use(left), selector.use(shifted.value))
    code.s = Flags.SET
    code.shift = shifted.shift
    code.amount = shifted.amount
    return
  }
  flags(selector, F.CMP_r, selector.use(left), selector.use(right), 0)
}

/** Z is set as `and` of the operands is 0. */
function test(selector: Selector, and: Value): void {
  const [left, right] = and.args as [Value, Value]
  if (right.op === Op.const && fitsModified(right.imm)) {
    flags(selector, F.TST_i, selector.use(left), -1, right.imm)
    return
  }
  const shifted = shiftedOperand(selector, right)
  const code = selector.emit(
    F.TST_r,
    -1,
    selector.use(left),
    selector.use(shifted === undefined ? right : shifted.value),
  )
  code.s = Flags.SET
  if (shifted !== undefined) {
    code.shift = shifted.shift
    code.amount = shifted.amount
  }
}

/** 64-bit comparisons: CMP and SBCS tell order, CMP and a second CMP where the first was equal tell equality. */
function comparePairs(selector: Selector, value: Value): number {
  const [aLow, aHigh, bLow, bHigh] = value.args as [Value, Value, Value, Value]
  switch (value.op) {
    case Op.eq2:
    case Op.ne2: {
      // The high words' operands must be there before the flags are.
      const high = operand(selector, bHigh)
      const highRegister = selector.use(aHigh)
      compare(selector, aLow, bLow)
      const code = selector.emit(high.imm ? F.CMP_i : F.CMP_r, -1, highRegister, high.register, high.value)
      code.s = Flags.SET
      code.cond = Cond.EQ
      return value.op === Op.eq2 ? Cond.EQ : Cond.NE
    }
    case Op.ult2:
      order(selector, aLow, aHigh, bLow, bHigh)
      return Cond.CC
    case Op.ule2:
      order(selector, bLow, bHigh, aLow, aHigh)
      return Cond.CS
    case Op.slt2:
      order(selector, aLow, aHigh, bLow, bHigh)
      return Cond.LT
    default:
      order(selector, bLow, bHigh, aLow, aHigh)
      return Cond.GE
  }
}

function operand(selector: Selector, value: Value): { imm: boolean; register: number; value: number } {
  if (value.op === Op.const && fitsModified(value.imm)) return { imm: true, register: -1, value: value.imm }
  return { imm: false, register: selector.use(value), value: 0 }
}

/** Flags of a - b over two words (Z is that of the high word alone). */
function order(selector: Selector, aLow: Value, aHigh: Value, bLow: Value, bHigh: Value): void {
  const low = operand(selector, bLow)
  flags(selector, low.imm ? F.CMP_i : F.CMP_r, selector.use(aLow), low.register, low.value)
  const high = operand(selector, bHigh)
  const difference = selector.newRegister()
  const code = selector.emit(high.imm ? F.SBC_i : F.SBC_r, difference, selector.use(aHigh), high.register, high.value)
  code.s = Flags.SET
}
