// Removes what nobody needs: marks from effects and terminators on, so that phis that only feed each other go too. A pair
// operation of which only the low word is needed becomes a plain one, and what fed its high word goes.
// Needs and leaves: any stage.

import { uint8 } from '../base/arrays.ts'
import { type Func, type Value, replaceValues } from '../ir/func.ts'
import { EFFECT, I32, Op, TERMINATOR, attributes } from '../ir/op.ts'

const LIVE = 1
/** Of a pair operation, the high word is needed too. */
const HIGH = 2

/** The plain operation that gives the low word, by pair operation; it takes the first operand and this one. */
const plain: Record<number, { readonly op: number; readonly second: number }> = {
  [Op.add2]: { op: Op.add, second: 2 },
  [Op.sub2]: { op: Op.sub, second: 2 },
  [Op.umul]: { op: Op.mul, second: 1 },
  [Op.smul]: { op: Op.mul, second: 1 },
}

/** Whether a pair operation became a plain one: there may be more to fold. */
export function removeDeadCode(func: Func): boolean {
  const live = findLive(func)
  let simplified = false
  for (const block of func.blocks) {
    const { values } = block
    let kept = 0
    for (let index = 0; index < values.length; index++) {
      const value = values[index]!
      const state = live[value.id]!
      if (state === 0) continue
      values[kept++] = value
      if (state !== LIVE) continue
      if (value.op === Op.umla || value.op === Op.smla) {
        const [sum, , x, y] = value.args as [Value, Value, Value, Value]
        const product = func.create(block, Op.mul, I32, [x, y], 0, value.origin)
        // Before the sum, in the place of something dead if there was any.
        if (kept > index) values.splice(index++, 0, product)
        else values[kept - 1] = product
        values[kept++] = value
        value.op = Op.add
        value.type = I32
        value.args = [sum, product]
        simplified = true
        continue
      }
      const low = value.op >= Op.add2 && value.op <= Op.smul ? plain[value.op] : undefined
      if (low === undefined) continue
      value.op = low.op
      value.type = I32
      value.args = [value.args[0]!, value.args[low.second]!]
      simplified = true
    }
    if (kept < values.length) values.length = kept
  }
  if (!simplified) return false
  for (const block of func.blocks) {
    for (const value of block.values) {
      if (value.op === Op.word && value.args[0]!.type === I32) value.replacement = value.args[0]!
    }
  }
  replaceValues(func)
  return true
}

/** By id: LIVE, with HIGH or without, or 0. */
export function findLive(func: Func): Uint8Array {
  const live = uint8(func.valueCount)
  const work: Value[] = []
  for (const block of func.blocks) {
    const { values } = block
    for (let index = 0; index < values.length; index++) {
      const value = values[index]!
      if ((attributes[value.op]! & (EFFECT | TERMINATOR)) !== 0) {
        live[value.id] = LIVE
        work.push(value)
      }
    }
  }
  for (let value = work.pop(); value !== undefined; value = work.pop()) {
    const { args } = value
    const half = value.op === Op.word ? value.imm : -1
    if (half >= 0) {
      const pair = args[0]!
      const before = live[pair.id]!
      const now = before | LIVE | (half > 0 ? HIGH : 0)
      if (now === before) continue
      live[pair.id] = now
      const sum = pair.op === Op.add2 || pair.op === Op.sub2
      const accumulates = pair.op === Op.umla || pair.op === Op.smla
      for (let index = 0; index < pair.args.length; index++) {
        // The high operands of a sum are needed only where its high word is.
        if (half === 0 && (sum ? (index & 1) === 1 : accumulates && index === 1)) continue
        mark(pair.args[index]!, live, work)
      }
    } else {
      for (let index = 0; index < args.length; index++) mark(args[index]!, live, work)
    }
  }
  return live
}

function mark(value: Value, live: Uint8Array, work: Value[]): void {
  if (live[value.id] !== 0 || value.op === Op.const) return
  live[value.id] = LIVE
  work.push(value)
}
