// Two words shifted right by one: the high one's shift leaves in the carry what RRX puts on top of the low one. That is 2 instructions
// for 3, and no register in between.

import type { Value } from '../ir/func.ts'
import { Op } from '../ir/op.ts'
import { F } from '../thumb/forms.ts'
import { Flags } from '../thumb/instruction.ts'
import type { Selector } from './selector.ts'

/** Values before the high word's shift that are looked at for the low one's. */
const NEAR = 6

/** Selects `value`, the shift of a high word by one, and with it that of the low word if it stands shortly before. */
export function lowerShiftPair(selector: Selector, value: Value): boolean {
  const { op, args } = value
  if (op === Op.lsl || !isOne(args[1]!) || selector.keepsFlags) return false
  const high = args[0]!
  const { values } = selector.block
  const end = selector.position
  for (let at = end - 1; at >= 0 && at >= end - NEAR; at--) {
    const low = values[at]!
    if (low.op !== Op.or) continue
    const from = lowWord(low.args[0]!, low.args[1]!, high) ?? lowWord(low.args[1]!, low.args[0]!, high)
    if (from === undefined || !selector.needed(low)) continue
    for (let between = at + 1; between < end; between++) if (values[between]!.args.includes(low)) return false
    const form = op === Op.asr ? F.ASR_i : F.LSR_i
    selector.emit(form, selector.use(value), -1, selector.use(high), 1).s = Flags.SET
    selector.emit(F.RRX, selector.use(low), -1, selector.use(from)).origin = low.origin
    selector.drop(low)
    return true
  }
  return false
}

/** The word of which `right`, joined with `left`, is the low half shifted by one. */
function lowWord(right: Value, left: Value, high: Value): Value | undefined {
  if (right.op !== Op.lsr || !isOne(right.args[1]!)) return undefined
  if (left.op !== Op.lsl || left.args[0] !== high) return undefined
  const by = left.args[1]!
  return by.op === Op.const && (by.imm & 0xff) === 31 ? right.args[0] : undefined
}

function isOne({ op, imm }: Value): boolean {
  return op === Op.const && (imm & 0xff) === 1
}
