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
  const below = depth - 1
  switch (op) {
    case Op.and:
      return Math.min(significantBits(args[0]!, below), significantBits(args[1]!, below))
    case Op.or:
    case Op.xor:
      return Math.max(significantBits(args[0]!, below), significantBits(args[1]!, below))
    case Op.add:
      return Math.min(32, Math.max(significantBits(args[0]!, below), significantBits(args[1]!, below)) + 1)
    case Op.mul:
      return Math.min(32, significantBits(args[0]!, below) + significantBits(args[1]!, below))
    case Op.udiv:
      return significantBits(args[0]!, below)
    case Op.urem: {
      // x % 0 is x.
      const divisor = args[1]!
      return divisor.op === Op.const && divisor.imm !== 0
        ? Math.min(significantBits(args[0]!, below), significantBits(args[1]!, below))
        : significantBits(args[0]!, below)
    }
    case Op.lsr: {
      const amount = args[1]!
      return amount.op === Op.const
        ? Math.max(0, significantBits(args[0]!, below) - (amount.imm & 0xff))
        : significantBits(args[0]!, below)
    }
    case Op.lsl: {
      const amount = args[1]!
      return amount.op === Op.const ? Math.min(32, significantBits(args[0]!, below) + (amount.imm & 0xff)) : 32
    }
    case Op.select:
      return Math.max(significantBits(args[1]!, below), significantBits(args[2]!, below))
    default:
      return 32
  }
}
