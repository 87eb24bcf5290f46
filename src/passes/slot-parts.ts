// Parts of a slot's value: what a load of some of its bytes gives, and what a store to some of them makes of it. A slot of up to 4
// bytes is a word, a wider one 64 bits, the byte at its lowest address the lowest.

import type { Func, Value } from '../ir/func.ts'
import { I32, I64, Op, type Type } from '../ir/op.ts'
import { accessBytes } from './regions.ts'

type Make = (op: number, type: Type, args: Value[]) => Value

/** What a load by `op` from byte `at` of the slot gives. */
export function extract(func: Func, make: Make, op: number, slot: Value, at: number): Value {
  if (op === Op.load64) return slot
  const bits = 8 * accessBytes[op]!
  let shift = 8 * at
  let word = slot
  if (slot.type === I64) {
    if (shift >= 32) {
      word = make(Op.high, I32, [slot])
      shift -= 32
    } else if (shift + bits <= 32) {
      word = make(Op.trunc, I32, [slot])
    } else {
      word = make(Op.trunc, I32, [make(Op.lsr, I64, [slot, func.word(shift)])])
      shift = 0
    }
  }
  if (shift > 0) word = make(Op.lsr, I32, [word, func.word(shift)])
  switch (op) {
    case Op.load8:
      return make(Op.and, I32, [word, func.word(0xff)])
    case Op.load16:
      return make(Op.and, I32, [word, func.word(0xffff)])
    case Op.load8s:
      return make(Op.sext8, I32, [word])
    case Op.load16s:
      return make(Op.sext16, I32, [word])
    default:
      return word
  }
}

/** The slot after `store` of fewer bytes than it has to byte `at`. */
export function insert(func: Func, make: Make, store: Value, slot: Value, at: number): Value {
  const bits = 8 * accessBytes[store.op]!
  const shift = 8 * at
  const value = store.args[1]!
  if (slot.type === I32) return insertWord(func, make, value, bits, slot, shift)
  if (shift >= 32) {
    const high = insertWord(func, make, value, bits, make(Op.high, I32, [slot]), shift - 32)
    return make(Op.concat, I64, [make(Op.trunc, I32, [slot]), high])
  }
  if (shift + bits <= 32) {
    const low = insertWord(func, make, value, bits, make(Op.trunc, I32, [slot]), shift)
    return make(Op.concat, I64, [low, make(Op.high, I32, [slot])])
  }
  // Over the middle: of 2 or 4 bytes.
  const mask = ((1n << BigInt(bits)) - 1n) << BigInt(shift)
  const kept = make(Op.and, I64, [slot, constant(func, ~mask)])
  const wide = make(Op.lsl, I64, [make(Op.zext, I64, [value]), func.word(shift)])
  return make(Op.or, I64, [kept, make(Op.and, I64, [wide, constant(func, mask)])])
}

function insertWord(func: Func, make: Make, value: Value, bits: number, word: Value, shift: number): Value {
  if (bits === 32) return value
  const mask = ((1 << bits) - 1) << shift
  const kept = make(Op.and, I32, [word, func.word(~mask)])
  let part = make(Op.and, I32, [value, func.word(mask >>> shift)])
  if (shift > 0) part = make(Op.lsl, I32, [part, func.word(shift)])
  return make(Op.or, I32, [kept, part])
}

function constant(func: Func, value: bigint): Value {
  return func.double(Number(value & 0xffffffffn) | 0, Number((value >> 32n) & 0xffffffffn) | 0)
}
