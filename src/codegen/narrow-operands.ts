// Which operands of a Code must be in r0-r7 for its 16-bit encoding, before it is known in which registers they are: what the
// allocator weighs where bytes are to be saved.

import { FIELD, F, formNames, reads, writes } from '../thumb/forms.ts'
import { chooseRow } from '../thumb/encode.ts'
import { Cond, Index, Instruction } from '../thumb/instruction.ts'
import { SP } from '../thumb/registers.ts'
import { type Code, P } from './code.ts'

/** The greatest constant that has a 16-bit MOV. */
const MOV_LIMIT = 255

/** The Code in question, in such registers as are asked about. */
const probe = new Instruction(F.NOP)

/** FIELD bits of the operands for which r8-r12 or LR make `code` 4 bytes instead of 2. */
export function narrowOperands(code: Code): number {
  const { form } = code
  if (form >= formNames.length) return narrowPseudo(code)
  // MOV takes any registers, and no indexed access has 16 bits.
  if (form === F.MOV_r || code.index !== Index.OFFSET) return 0
  const sum = form === F.ADD_i || form === F.SUB_i
  probe.form = sum && code.imm < 0 ? F.ADD_i + F.SUB_i - form : form
  probe.imm = sum && code.imm < 0 ? -code.imm : code.imm
  probe.cond = code.cond
  probe.s = code.s
  probe.shift = code.shift
  probe.amount = code.amount
  if (!isNarrow(code, 0)) return 0
  const fields = reads[form]! | (writes[form]! & ~(code.n === SP ? FIELD.n : 0))
  let wanted = 0
  for (let field: number = FIELD.d; field <= FIELD.a; field <<= 1) {
    if ((fields & field) !== 0 && !isNarrow(code, field)) wanted |= field
  }
  return wanted
}

/** Has 16 bits if the `high` operands are in high registers, the others in low ones, and what can be one register is one. */
function isNarrow(code: Code, high: number): boolean {
  probe.d = (high & FIELD.d) !== 0 ? 8 : 0
  probe.n = code.n === SP ? SP : (high & (FIELD.n | FIELD.d)) !== 0 ? 8 : 0
  probe.m = (high & FIELD.m) !== 0 ? 9 : 1
  probe.a = (high & FIELD.a) !== 0 ? 10 : 2
  if (chooseRow(probe, code.cond !== Cond.AL, false)?.size === 2) return true
  if ((high & FIELD.n) !== 0 || (high & FIELD.d) === 0) return false
  probe.n = code.n === SP ? SP : 0
  return chooseRow(probe, code.cond !== Cond.AL, false)?.size === 2
}

function narrowPseudo({ form, symbol, imm }: Code): number {
  switch (form) {
    case P.CONSTANT:
      return symbol >= 0 || imm >>> 16 !== 0 || imm <= MOV_LIMIT ? FIELD.d : 0
    case P.FRAME_ADDRESS:
    case P.ARGUMENT_LOAD:
    case P.ARGUMENT_STORE:
      return FIELD.d
    default:
      return 0
  }
}
