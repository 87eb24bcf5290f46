// What bits and bounds make simpler: values that can only be one, masks and extensions that change nothing, signed operations
// on what is never negative. Makes no values, so that what is known stays true of those there are.
// Needs and leaves: the stage that the ranges were found at.

import { type Func, type Value, replaceValues } from '../ir/func.ts'
import { EFFECT, I64, Op, PURE, READS, VOID, attributes } from '../ir/op.ts'
import { type Ranges, keeps } from './ranges.ts'

/** Whether anything changed. */
export function narrow(func: Func, ranges: Ranges): boolean {
  const { known } = ranges
  let replaced = false
  for (const block of func.blocks) {
    const { values } = block
    for (let index = 0; index < values.length; index++) {
      const value = values[index]!
      if (value.type === VOID || (attributes[value.op]! & (EFFECT | READS)) !== 0 || known.isEmpty(value.id)) continue
      const other = simpler(func, value, ranges)
      if (other === value) continue
      value.replacement = other
      replaced = true
    }
  }
  if (replaced) replaceValues(func)
  return replaced
}

/** A value that stands for this one, or itself, rewritten in place or not. */
function simpler(func: Func, value: Value, ranges: Ranges): Value {
  const { known } = ranges
  const { op, id, args } = value
  if ((attributes[op]! & PURE) === 0 || op === Op.param) return value
  if (known.isConstant(id)) {
    const low = known.bits[id * 4]!
    return value.type === I64 ? func.double(low, known.bits[id * 4 + 1]!) : func.word(low)
  }
  const a = args[0]!
  switch (op) {
    case Op.and:
      if (ranges.isKept(value)) return a
      return keeps(known, args[1]!, a) ? args[1]! : value
    case Op.sext8:
    case Op.sext16: {
      const half = op === Op.sext8 ? 0x80 : 0x8000
      return known.signedMinimum(a.id) >= -half && known.signedMaximum(a.id) < half ? a : value
    }
    case Op.asr:
      if (isNatural(a, ranges)) value.op = Op.lsr
      return value
    case Op.sdiv:
    case Op.srem:
      if (!isNatural(a, ranges) || !isNatural(args[1]!, ranges)) return value
      value.op = op === Op.sdiv ? Op.udiv : Op.urem
      return simpler(func, value, ranges)
    case Op.urem:
      return ranges.maximum(a) < ranges.minimum(args[1]!) ? a : value
    case Op.ult:
    case Op.ule:
      if (a.type !== I64) dropMask(value, ranges)
      return value
    case Op.select: {
      if (ranges.minimum(a) > 0) return args[1]!
      return ranges.maximum(a) === 0 ? args[2]! : value
    }
    default:
      return value
  }
}

/**
 * `(u8)(c - 'a') < 26`: a mask before an unsigned comparison with a constant goes, if negative numbers are above the constant with
 * and without it.
 */
function dropMask(value: Value, { known }: Ranges): void {
  const masked = value.args[0]!.op === Op.const ? 1 : 0
  const bound = value.args[1 - masked]!
  const { op, args } = value.args[masked]!
  if (bound.op !== Op.const || op !== Op.and || args[1]!.op !== Op.const || args[0]!.op === Op.const) return
  const size = (args[1]!.imm >>> 0) + 1
  if ((args[1]!.imm & size) !== 0) return
  // The least that counts as above.
  const above = (bound.imm >>> 0) + ((value.op === Op.ult) === (masked === 1) ? 1 : 0)
  const { id } = args[0]!
  if (known.signedMinimum(id) < above - size || known.signedMaximum(id) >= size) return
  value.args = value.args.with(masked, args[0]!)
}

/** Never negative. */
function isNatural(value: Value, { known }: Ranges): boolean {
  if (value.op === Op.const) return (value.type === I64 ? value.immHigh : value.imm) >= 0
  return known.signedMinimum(value.id) >= 0
}
