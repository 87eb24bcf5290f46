// What an operation gives on constants: RFC 9669 section 4.1 in both widths, and the target's shifts.

import { Op } from '../ir/op.ts'

/** A word operation on words; undefined if it is not one that can be evaluated. Signed 32-bit result. */
export function evaluateWord(op: number, a: number, b: number): number | undefined {
  switch (op) {
    case Op.add:
      return (a + b) | 0
    case Op.sub:
      return (a - b) | 0
    case Op.mul:
      return Math.imul(a, b)
    case Op.udiv:
      return b === 0 ? 0 : ((a >>> 0) / (b >>> 0)) | 0
    case Op.sdiv:
      return b === 0 ? 0 : (a / b) | 0
    case Op.urem:
      return b === 0 ? a : ((a >>> 0) % (b >>> 0)) | 0
    case Op.srem:
      return b === 0 ? a : (a % b) | 0
    case Op.and:
      return a & b
    case Op.or:
      return a | b
    case Op.xor:
      return a ^ b
    case Op.lsl:
      return (b & 0xff) > 31 ? 0 : a << (b & 31)
    case Op.lsr:
      return (b & 0xff) > 31 ? 0 : (a >>> (b & 31)) | 0
    case Op.asr:
      return (b & 0xff) > 31 ? a >> 31 : a >> (b & 31)
    case Op.ror:
      return (a >>> (b & 31)) | (a << (-b & 31)) | 0
    case Op.bswap:
      return (a << 24) | ((a & 0xff00) << 8) | ((a >>> 8) & 0xff00) | (a >>> 24)
    case Op.bswap16:
      return ((a & 0xff) << 8) | ((a >>> 8) & 0xff)
    case Op.clz:
      return Math.clz32(a)
    case Op.sext8:
      return (a << 24) >> 24
    case Op.sext16:
      return (a << 16) >> 16
    case Op.eq:
      return a === b ? 1 : 0
    case Op.ne:
      return a !== b ? 1 : 0
    case Op.ult:
      return a >>> 0 < b >>> 0 ? 1 : 0
    case Op.ule:
      return a >>> 0 <= b >>> 0 ? 1 : 0
    case Op.slt:
      return a < b ? 1 : 0
    case Op.sle:
      return a <= b ? 1 : 0
    default:
      return undefined
  }
}

/** A 64-bit operation or comparison on 64-bit numbers (unsigned; a shift's amount as it is); undefined as above. */
export function evaluateDouble(op: number, a: bigint, b: bigint): bigint | undefined {
  const u = (value: bigint): bigint => BigInt.asUintN(64, value)
  const s = (value: bigint): bigint => BigInt.asIntN(64, value)
  const amount = b & 0xffn
  switch (op) {
    case Op.add:
      return u(a + b)
    case Op.sub:
      return u(a - b)
    case Op.mul:
      return u(a * b)
    case Op.udiv:
      return b === 0n ? 0n : a / b
    case Op.sdiv:
      return b === 0n ? 0n : u(s(a) / s(b))
    case Op.urem:
      return b === 0n ? a : a % b
    case Op.srem:
      return b === 0n ? a : u(s(a) % s(b))
    case Op.and:
      return a & b
    case Op.or:
      return a | b
    case Op.xor:
      return a ^ b
    case Op.lsl:
      return u(a << amount)
    case Op.lsr:
      return a >> amount
    case Op.asr:
      return u(s(a) >> amount)
    case Op.eq:
      return a === b ? 1n : 0n
    case Op.ne:
      return a !== b ? 1n : 0n
    case Op.ult:
      return a < b ? 1n : 0n
    case Op.ule:
      return a <= b ? 1n : 0n
    case Op.slt:
      return s(a) < s(b) ? 1n : 0n
    case Op.sle:
      return s(a) <= s(b) ? 1n : 0n
    default:
      return undefined
  }
}
