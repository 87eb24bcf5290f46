// Tests that an instruction the block needs anyhow makes, if it sets the flags: x against C where x - C, or next to it, is computed,
// and a bit of x where a shift of x pushes it out into the carry. Only for the branch at the block's end, behind which the value
// is read: so it may be computed there.

import type { Value } from '../ir/func.ts'
import { Op } from '../ir/op.ts'
import { F } from '../thumb/forms.ts'
import { fitsModified } from '../thumb/immediates.ts'
import { Cond, Flags } from '../thumb/instruction.ts'
import type { Selector } from './selector.ts'

/** Values before a branch that are looked at. */
const NEAR = 12
const LEAST = -0x80000000
const MOST = 0x7fffffff

/** The comparison of `left` that the block's branch asks for, if it is that which is being selected. */
function testAtEnd(selector: Selector, left: Value): Value | undefined {
  const { terminator, values } = selector.block
  if (terminator.op !== Op.branch || selector.position !== values.length - 1) return undefined
  const test = terminator.args[0]!
  return test.args[0] === left ? test : undefined
}

/** May be made at the block's end instead of its place `at`. */
function isLate(selector: Selector, at: number): boolean {
  const { values } = selector.block
  const value = values[at]!
  if (!selector.needed(value) || selector.writebacks.isGiven(value)) return false
  for (let after = at + 1; after < values.length; after++) if (values[after]!.args.includes(value)) return false
  return true
}

/** Sets the flags by the difference of the two operands of a comparison; the condition that then holds, -1 if there is none. */
export function compareBySum(selector: Selector, op: number, left: Value, right: Value): number {
  const swapped = left.op === Op.const
  const x = swapped ? right : left
  const c = swapped ? left : right
  if (c.op !== Op.const || x.op === Op.const || testAtEnd(selector, left)?.args[1] !== right) return -1
  const { values } = selector.block
  for (let at = values.length - 2; at >= 0 && at > values.length - NEAR; at--) {
    const value = values[at]!
    const by = value.args[1]
    if (value.op !== Op.add || value.args[0] !== x || by!.op !== Op.const) continue
    const subtracted = -by!.imm | 0
    // Adding -D sets the flags as taking away D does, but for 0 and the least number.
    if (subtracted === 0 || subtracted === LEAST) continue
    const cond = conditionAt(op, swapped, c.imm | 0, subtracted)
    if (cond < 0 || !isLate(selector, at)) continue
    const d = selector.use(value)
    const n = selector.use(x)
    const code = fitsModified(subtracted)
      ? selector.emit(F.SUB_i, d, n, -1, subtracted)
      : fitsModified(-subtracted)
        ? selector.emit(F.ADD_i, d, n, -1, -subtracted)
        : selector.emit(F.SUB_r, d, n, selector.constant(subtracted))
    code.s = Flags.SET
    code.origin = value.origin
    selector.merged = value
    return cond
  }
  return -1
}

/** What holds after x - `by` if x `op` c, or c `op` x where they are `swapped`; -1 if that does not tell. */
function conditionAt(op: number, swapped: boolean, c: number, by: number): number {
  const signed = op === Op.slt || op === Op.sle
  if (c === by) {
    switch (op) {
      case Op.eq:
        return Cond.EQ
      case Op.ne:
        return Cond.NE
      case Op.slt:
        return swapped ? Cond.GT : Cond.LT
      case Op.sle:
        return swapped ? Cond.GE : Cond.LE
      case Op.ult:
        return swapped ? Cond.HI : Cond.CC
      case Op.ule:
        return swapped ? Cond.CS : Cond.LS
      default:
        return -1
    }
  }
  if (by === c + 1 && c !== (signed ? MOST : -1)) {
    // x <= c is x < c + 1, c < x is c + 1 <= x.
    if (!swapped && (op === Op.sle || op === Op.ule)) return signed ? Cond.LT : Cond.CC
    if (swapped && (op === Op.slt || op === Op.ult)) return signed ? Cond.GE : Cond.CS
  } else if (by === c - 1 && c !== (signed ? LEAST : 0)) {
    // x < c is x <= c - 1, c <= x is c - 1 < x.
    if (!swapped && (op === Op.slt || op === Op.ult)) return signed ? Cond.LE : Cond.LS
    if (swapped && (op === Op.sle || op === Op.ule)) return signed ? Cond.GT : Cond.HI
  }
  return -1
}

/**
 * Tests whether the `and` that is compared with 0 is 0. Gives the condition under which it is not, -1 if neither a shift that the
 * block needs tells it nor, where bytes are to be saved, one that is made for it and shorter than TST.
 */
export function testByShift(selector: Selector, and: Value): number {
  const [x, mask] = and.args as [Value, Value]
  if (mask.op !== Op.const || mask.imm === 0) return -1
  const bits = mask.imm >>> 0
  const isBit = (bits & (bits - 1)) === 0
  const bit = 31 - Math.clz32(bits)
  if (isBit && shiftsOut(selector, and, x, bit)) return Cond.CS
  if (selector.options.small !== true) return -1
  const low = (bits & (bits + 1)) === 0
  if ((!isBit && !low) || bit === 31) return -1
  selector.emit(F.LSL_i, selector.newRegister(), -1, selector.use(x), 31 - bit).s = Flags.SET
  return low ? Cond.NE : Cond.MI
}

/** Makes a shift of `x` at the block's end that pushes the bit into the carry, if there is one. */
function shiftsOut(selector: Selector, and: Value, x: Value, bit: number): boolean {
  if (testAtEnd(selector, and) === undefined) return false
  const { values } = selector.block
  for (let at = values.length - 2; at >= 0 && at > values.length - NEAR; at--) {
    const { op, args } = values[at]!
    if ((op !== Op.lsl && op !== Op.lsr && op !== Op.asr) || args[0] !== x || args[1]!.op !== Op.const) continue
    const by = args[1]!.imm & 0xff
    if (by === 0 || by > 31 || by !== (op === Op.lsl ? 32 - bit : bit + 1) || !isLate(selector, at)) continue
    const form = op === Op.lsl ? F.LSL_i : op === Op.lsr ? F.LSR_i : F.ASR_i
    const code = selector.emit(form, selector.use(values[at]!), -1, selector.use(x), by)
    code.s = Flags.SET
    code.origin = values[at]!.origin
    selector.merged = values[at]!
    return true
  }
  return false
}
