// What an instruction can take in of an operand: a shift by a constant.

import type { Value } from '../ir/func.ts'
import { Op, attributes } from '../ir/op.ts'
import { Shift } from '../thumb/instruction.ts'
import type { Selector } from './selector.ts'

/** A constant word, which stands in no block. */
export function isConst(value: Value): boolean {
  return value.op === Op.const
}

/** A register that an instruction shifts by itself. */
export interface Shifted {
  readonly value: Value
  readonly shift: number
  readonly amount: number
}

/** By operation: its Shift, or -1. */
const shiftTypes = new Int8Array(attributes.length).fill(-1)
shiftTypes[Op.lsl] = Shift.LSL
shiftTypes[Op.lsr] = Shift.LSR
shiftTypes[Op.asr] = Shift.ASR
shiftTypes[Op.ror] = Shift.ROR

/** The operand as a register shifted by a constant, if it is such a shift and may be taken in. */
export function shiftedOperand(selector: Selector, value: Value): Shifted | undefined {
  const shift = shiftTypes[value.op]!
  if (shift < 0 || !selector.foldable(value)) return undefined
  const amount = value.args[1]!
  if (!isConst(amount) || amount.imm < 1 || amount.imm > 31) return undefined
  return { value: value.args[0]!, shift, amount: amount.imm }
}
