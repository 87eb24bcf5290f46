// Removes what nobody needs: marks from effects and terminators on, so that phis that only feed each other go too.
// Needs and leaves: any stage.

import type { Func, Value } from '../ir/func.ts'
import { EFFECT, Op, TERMINATOR, attributes } from '../ir/op.ts'

export function removeDeadCode(func: Func): void {
  const live = findLive(func)
  for (const block of func.blocks) {
    const { values } = block
    let kept = 0
    for (const value of values) {
      const state = live[value.id]!
      if (state === 0) continue
      values[kept++] = value
      if (state !== LIVE || (value.op !== Op.add2 && value.op !== Op.sub2)) continue
      value.args[1] = func.word(0)
      value.args[3] = func.word(0)
    }
    values.length = kept
  }
}

const LIVE = 1
/** Of the sum of two pairs, the high word is needed too. */
const HIGH = 2

/** By id: LIVE, with HIGH or without, or 0. The high operands of a sum of pairs are needed only where its high word is. */
export function findLive(func: Func): Uint8Array {
  const live = new Uint8Array(func.valueCount)
  const work: Value[] = []
  for (const block of func.blocks) {
    for (const value of block.values) {
      if ((attributes[value.op]! & (EFFECT | TERMINATOR)) !== 0) {
        live[value.id] = LIVE
        work.push(value)
      }
    }
  }
  const mark = (value: Value): void => {
    if (live[value.id] !== 0 || value.op === Op.const) return
    live[value.id] = LIVE
    work.push(value)
  }
  for (let value = work.pop(); value !== undefined; value = work.pop()) {
    const pair = value.op === Op.word ? value.args[0]! : undefined
    if (pair !== undefined && (pair.op === Op.add2 || pair.op === Op.sub2)) {
      live[pair.id]! |= value.imm === 1 ? LIVE | HIGH : LIVE
      for (const [index, arg] of pair.args.entries()) if (value.imm === 1 || (index & 1) === 0) mark(arg)
      continue
    }
    for (const arg of value.args) mark(arg)
  }
  return live
}
