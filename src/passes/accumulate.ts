// A sum of a pair with a product that is used for nothing else becomes a multiply-accumulate. Needs and leaves: legal.

import { type Func, type Value, countUses } from '../ir/func.ts'
import { Op } from '../ir/op.ts'

/** Whether anything changed: then the products are dead code. */
export function accumulate(func: Func): boolean {
  const sums: Value[] = []
  let products = false
  for (const { values } of func.blocks) {
    for (let index = 0; index < values.length; index++) {
      const value = values[index]!
      if (value.op === Op.add2) sums.push(value)
      else if (value.op === Op.umul || value.op === Op.smul) products = true
    }
  }
  if (!products || sums.length === 0) return false
  countUses(func)
  let changed = false
  for (const sum of sums) {
    const [aLow, aHigh, bLow, bHigh] = sum.args as [Value, Value, Value, Value]
    const product = productOf(aLow, aHigh) ?? productOf(bLow, bHigh)
    if (product === undefined) continue
    const rest = product === aLow.args[0] ? [bLow, bHigh] : [aLow, aHigh]
    sum.op = product.op === Op.umul ? Op.umla : Op.smla
    sum.args = [...rest, product.args[0]!, product.args[1]!]
    changed = true
  }
  return changed
}

/** The product whose two words these are, each used once. */
function productOf(low: Value, high: Value): Value | undefined {
  if (low.op !== Op.word || high.op !== Op.word || low.imm !== 0 || high.imm !== 1) return undefined
  const product = low.args[0]!
  if (product !== high.args[0] || low.uses !== 1 || high.uses !== 1 || product.uses !== 2) return undefined
  return product.op === Op.umul || product.op === Op.smul ? product : undefined
}
