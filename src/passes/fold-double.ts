// Rules on 64-bit values: what shows that a value is really a word, since words are what the target has.

import type { Value } from '../ir/func.ts'
import { COMMUTATIVE, I32, I64, Op, attributes } from '../ir/op.ts'
import { evaluateDouble } from './evaluate.ts'
import type { Folder } from './fold.ts'

function wide(value: Value): bigint {
  // A shift's amount is a word.
  if (value.type !== I64) return BigInt(value.imm >>> 0)
  return (BigInt(value.immHigh >>> 0) << 32n) | BigInt(value.imm >>> 0)
}

const isConst = (value: Value | undefined): boolean => value !== undefined && value.op === Op.const
const isZero = (value: Value): boolean => value.op === Op.const && value.imm === 0 && value.immHigh === 0
const isOnes = (value: Value): boolean => value.op === Op.const && value.imm === -1 && value.immHigh === -1

/** Addresses of the stack and of data stay addresses within this distance: no carry can leave their word. */
const REACH = 1 << 15

export function foldDouble(folder: Folder, value: Value): Value {
  const { func } = folder
  const { op, args } = value
  const a = args[0]!
  const b = args[1]!
  if (args.length === 2 && isConst(a) && isConst(b)) {
    const result = evaluateDouble(op, wide(a), wide(b))
    if (result !== undefined) {
      const low = Number(result & 0xffffffffn) | 0
      return value.type === I64 ? func.double(low, Number(result >> 32n) | 0) : func.word(low)
    }
  }
  if (args.length === 2 && (attributes[op]! & COMMUTATIVE) !== 0 && isConst(a) && !isConst(b)) {
    return foldDouble(folder, folder.become(value, op, [b, a]))
  }
  switch (op) {
    case Op.trunc:
      if (a.op === Op.zext || a.op === Op.sext || a.op === Op.concat) return a.args[0]!
      if (a.op === Op.const) return func.word(a.imm)
      break
    case Op.high:
      if (a.op === Op.zext) return func.word(0)
      if (a.op === Op.concat) return a.args[1]!
      if (a.op === Op.const) return func.word(a.immHigh)
      break
    case Op.zext:
      if (a.op === Op.const) return func.double(a.imm, 0)
      break
    case Op.sext:
      if (a.op === Op.const) return func.double(a.imm, a.imm >> 31)
      break
    case Op.concat:
      if (isConst(a) && isConst(b)) return func.double(a.imm, b.imm)
      if (isConst(b) && b.imm === 0) return folder.become(value, Op.zext, [a])
      break
    case Op.add:
      if (isZero(b)) return a
      if (b.op !== Op.const) break
      if (a.op === Op.add && isConst(a.args[1])) {
        return foldDouble(folder, folder.become(value, Op.add, [a.args[0]!, sum(folder, a.args[1]!, b)]))
      }
      if (a.op === Op.zext && b.immHigh === b.imm >> 31) {
        const place = a.args[0]!
        const offset = place.imm + b.imm
        if (Math.abs(offset) > REACH) break
        if (place.op === Op.frame) return folder.make(Op.zext, I64, [folder.address(place, offset)])
        if (place.op === Op.address && place.callee!.kind !== 'function')
          return folder.make(Op.zext, I64, [folder.address(place, offset)])
      }
      break
    case Op.sub:
      if (isZero(b)) return a
      if (a === b) return func.double(0, 0)
      // a - c is a + -c: one form of it.
      if (b.op === Op.const) {
        const negated = -wide(b)
        const constant = func.double(Number(negated & 0xffffffffn) | 0, Number((negated >> 32n) & 0xffffffffn) | 0)
        return foldDouble(folder, folder.become(value, Op.add, [a, constant]))
      }
      break
    case Op.mul:
      if (isZero(b)) return b
      if (b.op === Op.const) {
        if (b.imm === 1 && b.immHigh === 0) return a
        const power = powerOfTwo(wide(b))
        if (power >= 0) return foldDouble(folder, folder.become(value, Op.lsl, [a, func.word(power)]))
      }
      break
    case Op.udiv:
    case Op.urem:
      if (b.op === Op.const) {
        const power = powerOfTwo(wide(b))
        if (power >= 0 && op === Op.udiv) return foldDouble(folder, folder.become(value, Op.lsr, [a, func.word(power)]))
        if (power >= 0) {
          const mask = (1n << BigInt(power)) - 1n
          const constant = func.double(Number(mask & 0xffffffffn) | 0, Number(mask >> 32n) | 0)
          return foldDouble(folder, folder.become(value, Op.and, [a, constant]))
        }
      }
      break
    case Op.and:
      if (a === b || isOnes(b)) return a
      if (isZero(b)) return b
      if (b.op === Op.const && b.immHigh === 0) {
        const word = folder.make(Op.trunc, I32, [a])
        return folder.make(Op.zext, I64, [folder.make(Op.and, I32, [word, func.word(b.imm)])])
      }
      break
    case Op.or:
      if (a === b || isZero(b)) return a
      if (isOnes(b)) return b
      break
    case Op.xor:
      if (isZero(b)) return a
      if (a === b) return func.double(0, 0)
      break
    case Op.lsl:
      if (b.op !== Op.const) break
      if (b.imm === 0) return a
      if (b.imm >= 32) {
        const word = folder.make(Op.lsl, I32, [folder.make(Op.trunc, I32, [a]), func.word(b.imm - 32)])
        return folder.become(value, Op.concat, [func.word(0), word])
      }
      break
    case Op.lsr:
      if (b.op !== Op.const) break
      if (b.imm === 0) return a
      if (b.imm >= 32) {
        const word = folder.make(Op.high, I32, [a])
        return folder.become(value, Op.zext, [folder.make(Op.lsr, I32, [word, func.word(b.imm - 32)])])
      }
      if (a.op === Op.zext) return folder.become(value, Op.zext, [folder.make(Op.lsr, I32, [a.args[0]!, b])])
      break
    case Op.asr:
      if (b.op !== Op.const) break
      if (b.imm === 0) return a
      if (b.imm >= 32) {
        const word = folder.make(Op.high, I32, [a])
        return folder.become(value, Op.sext, [folder.make(Op.asr, I32, [word, func.word(b.imm - 32)])])
      }
      if (a.op === Op.sext) return folder.become(value, Op.sext, [folder.make(Op.asr, I32, [a.args[0]!, b])])
      break
    case Op.eq:
    case Op.ne:
    case Op.ult:
    case Op.ule:
    case Op.slt:
    case Op.sle:
      return foldComparison(folder, value)
    case Op.select:
      break
    default:
      break
  }
  return value
}

function sum(folder: Folder, a: Value, b: Value): Value {
  const total = wide(a) + wide(b)
  return folder.func.double(Number(total & 0xffffffffn) | 0, Number((total >> 32n) & 0xffffffffn) | 0)
}

function powerOfTwo(value: bigint): number {
  if (value === 0n || (value & (value - 1n)) !== 0n) return -1
  return value.toString(2).length - 1
}

/** Comparisons of values that are words become comparisons of words. */
function foldComparison(folder: Folder, value: Value): Value {
  const { func } = folder
  const a = value.args[0]!
  const b = value.args[1]!
  if (a === b) return func.word(value.op === Op.eq || value.op === Op.ule || value.op === Op.sle ? 1 : 0)
  const unsignedWord = (each: Value): Value | undefined =>
    each.op === Op.zext ? each.args[0] : each.op === Op.const && each.immHigh === 0 ? func.word(each.imm) : undefined
  const signedWord = (each: Value): Value | undefined =>
    each.op === Op.sext
      ? each.args[0]
      : each.op === Op.const && each.immHigh === each.imm >> 31
        ? func.word(each.imm)
        : undefined
  const left = unsignedWord(a)
  const right = unsignedWord(b)
  if (left !== undefined && right !== undefined) {
    // Both are below 2^32: signed and unsigned order are the same there, that of unsigned words.
    const op = value.op === Op.slt ? Op.ult : value.op === Op.sle ? Op.ule : value.op
    return folder.become(value, op, [left, right])
  }
  // Sign extension keeps both orders.
  const leftSigned = signedWord(a)
  const rightSigned = signedWord(b)
  if (leftSigned !== undefined && rightSigned !== undefined) {
    return folder.become(value, value.op, [leftSigned, rightSigned])
  }
  return value
}
