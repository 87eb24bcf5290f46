// How many low bits of a word can be set: the simplest of facts, asked for where a rule needs it, to a small depth.

import type { Value } from './func.ts'
import { COMPARE, Op, attributes } from './op.ts'

/** The least n, 0 to 32, that is known for which value < 2^n (unsigned). */
export function significantBits(value: Value, depth = 4): number {
  const { op, args } = value
  if ((attributes[op]! & COMPARE) !== 0) return 1
  switch (op) {
    case Op.const:
      return 32 - Math.clz32(value.imm)
    case Op.load8:
      return 8
    case Op.load16:
    case Op.bswap16:
      return 16
    case Op.clz:
      return 6
    default:
      break
  }
  if (depth === 0) return 32
  const bits = (index: number): number => significantBits(args[index]!, depth - 1)
  switch (op) {
    case Op.and:
      return Math.min(bits(0), bits(1))
    case Op.or:
    case Op.xor:
      return Math.max(bits(0), bits(1))
    case Op.add:
      return Math.min(32, Math.max(bits(0), bits(1)) + 1)
    case Op.mul:
      return Math.min(32, bits(0) + bits(1))
    case Op.udiv:
      return bits(0)
    case Op.urem: {
      // x % 0 is x.
      const divisor = args[1]!
      return divisor.op === Op.const && divisor.imm !== 0 ? Math.min(bits(0), bits(1)) : bits(0)
    }
    case Op.lsr: {
      const amount = args[1]!
      return amount.op === Op.const ? Math.max(0, bits(0) - (amount.imm & 0xff)) : bits(0)
    }
    case Op.lsl: {
      const amount = args[1]!
      return amount.op === Op.const ? Math.min(32, bits(0) + (amount.imm & 0xff)) : 32
    }
    case Op.select:
      return Math.max(bits(1), bits(2))
    default:
      return 32
  }
}
