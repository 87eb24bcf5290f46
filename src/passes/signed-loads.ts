// A narrow load that only a sign extension reads is a sign-extending load. After fold, which knows no uses.
// Needs and leaves: legal.

import { type Func, type Value, countUses, replaceValues } from '../ir/func.ts'
import { Op } from '../ir/op.ts'

/** Changes the loads and takes the extensions out. */
export function signLoads(func: Func): void {
  const extensions: Value[] = []
  for (const block of func.blocks) {
    const { values } = block
    for (let index = 0; index < values.length; index++) {
      const value = values[index]!
      if (value.op !== Op.sext8 && value.op !== Op.sext16) continue
      if (value.args[0]!.op === (value.op === Op.sext8 ? Op.load8 : Op.load16)) extensions.push(value)
    }
  }
  if (extensions.length === 0) return
  countUses(func)
  for (const extension of extensions) {
    const load = extension.args[0]!
    if (load.uses !== 1) continue
    load.op = extension.op === Op.sext8 ? Op.load8s : Op.load16s
    extension.replacement = load
  }
  replaceValues(func)
}
