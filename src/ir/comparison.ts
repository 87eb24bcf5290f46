// What is the opposite of a comparison.

import { Op } from './op.ts'

/** The comparison that holds when this one does not, of the operands exchanged where `exchange`. */
export const inverse: Record<number, { op: number; exchange: boolean }> = {
  [Op.eq]: { op: Op.ne, exchange: false },
  [Op.ne]: { op: Op.eq, exchange: false },
  [Op.ult]: { op: Op.ule, exchange: true },
  [Op.ule]: { op: Op.ult, exchange: true },
  [Op.slt]: { op: Op.sle, exchange: true },
  [Op.sle]: { op: Op.slt, exchange: true },
  [Op.eq2]: { op: Op.ne2, exchange: false },
  [Op.ne2]: { op: Op.eq2, exchange: false },
  [Op.ult2]: { op: Op.ule2, exchange: true },
  [Op.ule2]: { op: Op.ult2, exchange: true },
  [Op.slt2]: { op: Op.sle2, exchange: true },
  [Op.sle2]: { op: Op.slt2, exchange: true },
}
