// What each operation on words becomes, with what its operands allow: immediates, shifted operands, addresses,
// multiply-accumulate, extends and bit fields.

import { Env } from '../base/abi.ts'
import { unreachable } from '../base/errors.ts'
import type { Value } from '../ir/func.ts'
import { significantBits } from '../ir/known.ts'
import { COMPARE, Op, attributes } from '../ir/op.ts'
import { F } from '../thumb/forms.ts'
import { fitsAdd, fitsModified, fitsOffset } from '../thumb/immediates.ts'
import { Flags, Index, Shift } from '../thumb/instruction.ts'
import { isAlignedAddress } from './alignment.ts'
import { Code, Memory, P } from './code.ts'
import { frameOffset } from './frame-extent.ts'
import type { Selector } from './selector.ts'
import { testOf } from './select-compare.ts'
import { type Shifted, isConst, shiftedOperand } from './select-operand.ts'
import { lowerShiftPair } from './select-shift-pair.ts'

/** Emits code for a value that is needed, or for a store. */
export function lowerValue(selector: Selector, value: Value): void {
  const { op, args } = value
  const a = args[0]!
  const b = args[1]!
  if ((attributes[op]! & COMPARE) !== 0) return lowerComparison(selector, value)
  switch (op) {
    case Op.frame: {
      const code = new Code(P.FRAME_ADDRESS)
      code.d = selector.use(value)
      code.imm = frameOffset(selector.frame, value)
      selector.put(code)
      return
    }
    case Op.tableaddress: {
      const table = selector.newRegister()
      selector.emit(F.LDR_i, table, selector.use(a), -1, Env.table)
      lowerOffset(selector, selector.use(value), table, 4 * value.imm)
      return
    }
    case Op.add:
      return lowerAdd(selector, value)
    case Op.sub:
      return lowerSub(selector, value)
    case Op.and:
      return lowerAnd(selector, value)
    case Op.or:
      return lowerLogical(selector, value, F.ORR_r, F.ORR_i, F.ORN_r, F.ORN_i)
    case Op.xor:
      if (isConst(b) && b.imm === -1) {
        const shifted = shiftedOperand(selector, a)
        const code = selector.emit(F.MVN_r, selector.use(value), -1, selector.use(shifted?.value ?? a))
        return finish(code, shifted)
      }
      return lowerLogical(selector, value, F.EOR_r, F.EOR_i, -1, -1)
    case Op.lsl:
    case Op.lsr:
    case Op.asr:
    case Op.ror:
      return lowerShift(selector, value)
    case Op.mul:
      any(selector.emit(F.MUL, selector.use(value), selector.use(a), selector.use(b)))
      return
    case Op.udiv:
      selector.emit(F.UDIV, selector.use(value), selector.use(a), selector.use(b))
      return
    case Op.sdiv:
      selector.emit(F.SDIV, selector.use(value), selector.use(a), selector.use(b))
      return
    case Op.urem:
    case Op.srem: {
      // By 0 the quotient is 0 and the remainder what was divided, as RFC 9669 wants.
      const quotient = selector.newRegister()
      const dividend = selector.use(a)
      const divisor = selector.use(b)
      selector.emit(op === Op.urem ? F.UDIV : F.SDIV, quotient, dividend, divisor)
      selector.emit(F.MLS, selector.use(value), quotient, divisor).a = dividend
      return
    }
    case Op.bswap:
      selector.emit(F.REV, selector.use(value), -1, selector.use(a))
      return
    case Op.bswap16: {
      if (significantBits(a) <= 16) {
        selector.emit(F.REV16, selector.use(value), -1, selector.use(a))
        return
      }
      const swapped = selector.newRegister()
      selector.emit(F.REV16, swapped, -1, selector.use(a))
      selector.emit(F.UXTH, selector.use(value), -1, swapped)
      return
    }
    case Op.clz:
      selector.emit(F.CLZ, selector.use(value), -1, selector.use(a))
      return
    case Op.sext8:
      return lowerExtend(selector, value, F.SXTB)
    case Op.sext16:
      return lowerExtend(selector, value, F.SXTH)
    case Op.select:
      return lowerSelect(selector, value)
    case Op.load8:
      return lowerAccess(selector, value, selector.use(value), F.LDRB_i, F.LDRB_r)
    case Op.load8s:
      return lowerAccess(selector, value, selector.use(value), F.LDRSB_i, F.LDRSB_r)
    case Op.load16:
      return lowerAccess(selector, value, selector.use(value), F.LDRH_i, F.LDRH_r)
    case Op.load16s:
      return lowerAccess(selector, value, selector.use(value), F.LDRSH_i, F.LDRSH_r)
    case Op.load32:
      return lowerAccess(selector, value, selector.use(value), F.LDR_i, F.LDR_r)
    case Op.store8:
      return lowerAccess(selector, value, selector.use(b), F.STRB_i, F.STRB_r)
    case Op.store16:
      return lowerAccess(selector, value, selector.use(b), F.STRH_i, F.STRH_r)
    case Op.store32:
      return lowerAccess(selector, value, selector.use(b), F.STR_i, F.STR_r)
    case Op.umul:
    case Op.smul: {
      const code = selector.emit(
        op === Op.umul ? F.UMULL : F.SMULL,
        selector.half(value, 0),
        selector.use(a),
        selector.use(b),
      )
      code.a = selector.half(value, 1)
      return
    }
    case Op.umla:
    case Op.umaal:
    case Op.smla: {
      const low = selector.half(value, 0)
      const high = selector.half(value, 1)
      const from = [selector.use(a), selector.use(b)] as const
      const factors = [selector.use(args[2]!), selector.use(args[3]!)] as const
      // The accumulator may not be overwritten before the factors are read: they are operands of the same instruction.
      selector.emit(F.MOV_r, low, -1, from[0])
      selector.emit(F.MOV_r, high, -1, from[1])
      const form = op === Op.umla ? F.UMLAL : op === Op.smla ? F.SMLAL : F.UMAAL
      selector.emit(form, low, factors[0], factors[1]).a = high
      return
    }
    case Op.add2:
    case Op.sub2:
      return lowerPair(selector, value)
    default:
      unreachable(`select: operation ${op}`)
  }
}

/** d = word at n + offset. */
function lowerOffset(selector: Selector, d: number, n: number, offset: number): void {
  if (fitsOffset(offset)) selector.emit(F.LDR_i, d, n, -1, offset)
  else selector.emit(F.LDR_r, d, n, selector.constant(offset))
}

function any(code: Code): void {
  code.s = Flags.ANY
}

function finish(code: Code, shifted: Shifted | undefined): void {
  code.s = Flags.ANY
  if (shifted === undefined) return
  code.shift = shifted.shift
  code.amount = shifted.amount
}

/** d = n op m, where the second, or if `swaps` the first, may be a shifted register. */
function binary(selector: Selector, d: number, form: number, a: Value, b: Value, swapped: number): Code {
  let shifted = shiftedOperand(selector, b)
  if (shifted !== undefined) {
    const code = selector.emit(form, d, selector.use(a), selector.use(shifted.value))
    finish(code, shifted)
    return code
  }
  if (swapped >= 0) {
    shifted = shiftedOperand(selector, a)
    if (shifted !== undefined) {
      const code = selector.emit(swapped, d, selector.use(b), selector.use(shifted.value))
      finish(code, shifted)
      return code
    }
  }
  const code = selector.emit(form, d, selector.use(a), selector.use(b))
  code.s = Flags.ANY
  return code
}

function lowerAdd(selector: Selector, value: Value): void {
  if (selector.writebacks.isGiven(value)) return
  const d = selector.use(value)
  const a = value.args[0]!
  const b = value.args[1]!
  if (addCondition(selector, F.ADD_i, d, a, b) || addCondition(selector, F.ADD_i, d, b, a)) return
  if (isConst(b)) {
    if (fitsAdd(b.imm)) return any(selector.emit(F.ADD_i, d, selector.use(a), -1, b.imm))
    if (fitsAdd(-b.imm)) return any(selector.emit(F.SUB_i, d, selector.use(a), -1, -b.imm))
  }
  if (addProduct(selector, d, a, b) || addProduct(selector, d, b, a)) return
  if (addExtended(selector, d, a, b) || addExtended(selector, d, b, a)) return
  binary(selector, d, F.ADD_r, a, b, F.ADD_r)
}

/** d = a, and one more or less (`form`) if a comparison holds that is read by this alone. */
function addCondition(selector: Selector, form: number, d: number, a: Value, condition: Value): boolean {
  if ((attributes[condition.op]! & COMPARE) === 0 || !selector.foldable(condition)) return false
  if (isConst(a)) selector.emit(P.CONSTANT, d, -1, -1, a.imm)
  else selector.emit(F.MOV_r, d, -1, selector.use(a))
  const cond = testOf(selector, condition)
  selector.emit(form, d, d, -1, 1).cond = cond
  return true
}

/** d = a + a product that is read by this sum alone. */
function addProduct(selector: Selector, d: number, a: Value, product: Value): boolean {
  if (product.op !== Op.mul || !selector.foldable(product)) return false
  selector.emit(F.MLA, d, selector.use(product.args[0]!), selector.use(product.args[1]!)).a = selector.use(a)
  return true
}

/** d = a + extension of a byte or halfword. */
function addExtended(selector: Selector, d: number, a: Value, b: Value): boolean {
  if (!selector.foldable(b)) return false
  let form = -1
  if (b.op === Op.sext8) form = F.SXTAB
  else if (b.op === Op.sext16) form = F.SXTAH
  else if (b.op === Op.and && isConst(b.args[1]!) && b.args[1]!.imm === 0xff) form = F.UXTAB
  else if (b.op === Op.and && isConst(b.args[1]!) && b.args[1]!.imm === 0xffff) form = F.UXTAH
  if (form < 0) return false
  selector.emit(form, d, selector.use(a), selector.use(b.args[0]!))
  return true
}

function lowerSub(selector: Selector, value: Value): void {
  const d = selector.use(value)
  const a = value.args[0]!
  const b = value.args[1]!
  if (addCondition(selector, F.SUB_i, d, a, b)) return
  if (isConst(a) && fitsModified(a.imm)) return any(selector.emit(F.RSB_i, d, selector.use(b), -1, a.imm))
  if (b.op === Op.mul && selector.foldable(b)) {
    selector.emit(F.MLS, d, selector.use(b.args[0]!), selector.use(b.args[1]!)).a = selector.use(a)
    return
  }
  binary(selector, d, F.SUB_r, a, b, F.RSB_r)
}

/** The width of a mask of low bits, 0 if it is not one. */
function maskWidth(mask: number): number {
  return mask !== 0 && (mask & (mask + 1)) === 0 ? 32 - Math.clz32(mask) : 0
}

function lowerAnd(selector: Selector, value: Value): void {
  const d = selector.use(value)
  const a = value.args[0]!
  const b = value.args[1]!
  if (isConst(b)) {
    const mask = b.imm
    const width = maskWidth(mask)
    if (width > 0 && (a.op === Op.lsr || a.op === Op.asr) && selector.foldable(a) && isConst(a.args[1]!)) {
      const lsb = a.args[1]!.imm
      if (lsb > 0 && lsb + width <= 32) {
        selector.emit(F.UBFX, d, selector.use(a.args[0]!), -1, lsb).amount = width
        return
      }
    }
    if (mask === 0xff || mask === 0xffff) {
      selector.emit(mask === 0xff ? F.UXTB : F.UXTH, d, -1, selector.use(a))
      return
    }
    if (fitsModified(mask)) return any(selector.emit(F.AND_i, d, selector.use(a), -1, mask))
    if (fitsModified(~mask)) return any(selector.emit(F.BIC_i, d, selector.use(a), -1, ~mask))
    if (width > 0) {
      selector.emit(F.UBFX, d, selector.use(a), -1, 0).amount = width
      return
    }
    if (maskWidth(~mask) > 0) {
      selector.emit(F.MOV_r, d, -1, selector.use(a))
      selector.emit(F.BFC, d, -1, -1, 0).amount = maskWidth(~mask)
      return
    }
  }
  if (withInverted(selector, d, F.BIC_r, a, b) || withInverted(selector, d, F.BIC_r, b, a)) return
  binary(selector, d, F.AND_r, a, b, F.AND_r)
}

/** d = a op ~x, where b is ~x. */
function withInverted(selector: Selector, d: number, form: number, a: Value, b: Value): boolean {
  if (form < 0 || b.op !== Op.xor || !selector.foldable(b) || !isConst(b.args[1]!) || b.args[1]!.imm !== -1)
    return false
  any(selector.emit(form, d, selector.use(a), selector.use(b.args[0]!)))
  return true
}

function lowerLogical(
  selector: Selector,
  value: Value,
  form: number,
  imm: number,
  inverted: number,
  invertedImm: number,
): void {
  const d = selector.use(value)
  const a = value.args[0]!
  const b = value.args[1]!
  if (isConst(b)) {
    if (fitsModified(b.imm)) return any(selector.emit(imm, d, selector.use(a), -1, b.imm))
    if (invertedImm >= 0 && fitsModified(~b.imm)) return any(selector.emit(invertedImm, d, selector.use(a), -1, ~b.imm))
  }
  if (withInverted(selector, d, inverted, a, b) || withInverted(selector, d, inverted, b, a)) return
  binary(selector, d, form, a, b, form)
}

function lowerShift(selector: Selector, value: Value): void {
  const { op } = value
  if (lowerShiftPair(selector, value)) return
  const d = selector.use(value)
  const a = value.args[0]!
  const amount = value.args[1]!
  if (!isConst(amount)) {
    const form = op === Op.lsl ? F.LSL_r : op === Op.lsr ? F.LSR_r : op === Op.asr ? F.ASR_r : F.ROR_r
    return any(selector.emit(form, d, selector.use(a), selector.use(amount)))
  }
  const count = amount.imm & 0xff
  if (count > 31 || count === 0) {
    // Only unoptimized code asks for these.
    if (count === 0 || op === Op.ror) {
      const by = count & 31
      if (by === 0) selector.emit(F.MOV_r, d, -1, selector.use(a))
      else selector.emit(F.ROR_i, d, -1, selector.use(a), by)
    } else if (op === Op.asr) {
      any(selector.emit(F.ASR_i, d, -1, selector.use(a), 31))
    } else {
      selector.emit(P.CONSTANT, d)
    }
    return
  }
  if ((op === Op.lsr || op === Op.asr) && a.op === Op.lsl && selector.foldable(a) && isConst(a.args[1]!)) {
    const left = a.args[1]!.imm
    if (left > 0 && left <= count) {
      const code = selector.emit(op === Op.lsr ? F.UBFX : F.SBFX, d, selector.use(a.args[0]!), -1, count - left)
      code.amount = 32 - count
      return
    }
  }
  const form = op === Op.lsl ? F.LSL_i : op === Op.lsr ? F.LSR_i : op === Op.asr ? F.ASR_i : F.ROR_i
  any(selector.emit(form, d, -1, selector.use(a), count))
}

/** Sign extension, of a byte or halfword that a shift by whole bytes brings down too. */
function lowerExtend(selector: Selector, value: Value, form: number): void {
  const a = value.args[0]!
  const d = selector.use(value)
  const shift = a.args[1]
  if ((a.op === Op.lsr || a.op === Op.asr) && selector.foldable(a) && isConst(shift!)) {
    const lsb = shift!.imm
    const width = form === F.SXTB ? 8 : 16
    if (lsb > 0 && lsb + width <= 32) {
      selector.emit(F.SBFX, d, selector.use(a.args[0]!), -1, lsb).amount = width
      return
    }
  }
  selector.emit(form, d, -1, selector.use(a))
}

function lowerComparison(selector: Selector, value: Value): void {
  const d = selector.use(value)
  const a = value.args[0]!
  const b = value.args[1]!
  if (value.op === Op.eq && isConst(b) && b.imm === 0) {
    // 32 leading zeros, and only then bit 5 of their number is set.
    const zeros = selector.newRegister()
    selector.emit(F.CLZ, zeros, -1, selector.use(a))
    any(selector.emit(F.LSR_i, d, -1, zeros, 5))
    return
  }
  any(selector.emit(F.MOV_i, d))
  const cond = testOf(selector, value)
  selector.emit(F.MOV_i, d, -1, -1, 1).cond = cond
}

function lowerSelect(selector: Selector, value: Value): void {
  const d = selector.use(value)
  let [condition, then, otherwise] = value.args as [Value, Value, Value]
  const exchange = isConst(then) && !isConst(otherwise) && !fitsModified(then.imm)
  if (exchange) [then, otherwise] = [otherwise, then]
  const immediate = isConst(then) && fitsModified(then.imm)
  const source = immediate ? -1 : selector.use(then)
  if (isConst(otherwise)) selector.emit(P.CONSTANT, d, -1, -1, otherwise.imm)
  else selector.emit(F.MOV_r, d, -1, selector.use(otherwise))
  const cond = testOf(selector, condition)
  const move = immediate ? selector.emit(F.MOV_i, d, -1, -1, then.imm) : selector.emit(F.MOV_r, d, -1, source)
  move.cond = exchange ? cond ^ 1 : cond
}

function lowerAccess(selector: Selector, value: Value, register: number, immediate: number, indexed: number): void {
  const address = value.args[0]!
  const next = selector.writebacks.nextOf(value)
  if (next !== undefined) {
    // The base is read and written in place: a copy, which the allocator joins with it.
    const base = selector.use(next)
    const step = next.args[1]!.imm
    selector.options.steps?.(next.origin, value.origin)
    selector.emit(F.MOV_r, base, -1, selector.use(address))
    selector.emit(immediate, register, base, -1, step).index = value.imm === 0 ? Index.POST : Index.PRE
    return
  }
  if (value.imm === 0 && address.op === Op.add && selector.foldable(address) && !isConst(address.args[1]!)) {
    const x = address.args[0]!
    const y = address.args[1]!
    if (accessScaled(selector, indexed, register, x, y) || accessScaled(selector, indexed, register, y, x)) return
    if (!taken(selector, x) && !taken(selector, y)) {
      selector.emit(indexed, register, selector.use(x), selector.use(y))
      return
    }
  }
  const place = selector.address(address, value.imm, fitsOffset)
  const code = selector.emit(immediate, register, place.n, -1, place.imm)
  code.base = place.base
  const isWord = immediate === F.LDR_i || immediate === F.STR_i
  if (isWord && value.imm % 4 === 0 && isAlignedAddress(address, selector.symbols)) code.memory = Memory.ALIGNED
}

/** An access at base + (index << 0 to 3), if the index is such a shift. */
function accessScaled(selector: Selector, form: number, register: number, base: Value, index: Value): boolean {
  const shifted = shiftedOperand(selector, index)
  if (shifted === undefined || shifted.shift !== Shift.LSL || shifted.amount > 3) return false
  selector.emit(form, register, selector.use(base), selector.use(shifted.value)).amount = shifted.amount
  return true
}

/** An operand that an addition would take in, so that adding first is as good. */
function taken(selector: Selector, value: Value): boolean {
  return (value.op === Op.mul && selector.foldable(value)) || shiftedOperand(selector, value) !== undefined
}

function lowerPair(selector: Selector, value: Value): void {
  const [aLow, aHigh, bLow, bHigh] = value.args as [Value, Value, Value, Value]
  const add = value.op === Op.add2
  const low = selector.half(value, 0)
  const high = selector.half(value, 1)
  if (!add && isConst(aLow) && isConst(aHigh) && aLow.imm === 0 && aHigh.imm === 0) {
    // Negation: the high word is 0 - b - borrow, that is b - 2b - borrow.
    const upper = selector.use(bHigh)
    selector.emit(F.RSB_i, low, selector.use(bLow)).s = Flags.SET
    const code = selector.emit(F.SBC_r, high, upper, upper)
    code.shift = Shift.LSL
    code.amount = 1
    return
  }
  if (add && isConst(bLow) && isConst(bHigh) && !(fitsModified(bLow.imm) && fitsModified(bHigh.imm))) {
    // a + c is a - -c: choose the constant that the encodings hold.
    const negatedLow = -bLow.imm | 0
    const negatedHigh = (~bHigh.imm + (bLow.imm === 0 ? 1 : 0)) | 0
    if (fitsModified(negatedLow) && fitsModified(negatedHigh)) {
      const upper = selector.use(aHigh)
      selector.emit(F.SUB_i, low, selector.use(aLow), -1, negatedLow).s = Flags.SET
      any(selector.emit(F.SBC_i, high, upper, -1, negatedHigh))
      return
    }
  }
  half(selector, low, aLow, bLow, add ? F.ADD_i : F.SUB_i, add ? F.ADD_r : F.SUB_r, add, Flags.SET)
  half(selector, high, aHigh, bHigh, add ? F.ADC_i : F.SBC_i, add ? F.ADC_r : F.SBC_r, add, Flags.ANY)
}

function half(
  selector: Selector,
  d: number,
  a: Value,
  b: Value,
  imm: number,
  reg: number,
  commutes: boolean,
  flags: number,
): void {
  const code =
    isConst(b) && fitsModified(b.imm)
      ? selector.emit(imm, d, selector.use(a), -1, b.imm)
      : binary(selector, d, reg, a, b, commutes ? reg : -1)
  code.s = flags
}
