// A phi of 1 and 0 where the two ways of a branch meet again is the branch's condition: bytecode has no other way to write a
// comparison's result into a register. Branches that decide nothing any more go. Needs and leaves: any stage; what it makes
// (zext, eq with 0) is what fold likes to see.

import { type Block, type Func, type Value, disconnect, replaceValues, resolve } from '../ir/func.ts'
import { COMPARE, I32, I64, Op, attributes } from '../ir/op.ts'
import { simplifyCfg } from './simplify-cfg.ts'

/** A branch and where its ways meet. */
interface Meeting {
  readonly from: Block
  /** Index among the predecessors of the block where they meet of the way that is taken if the condition holds. */
  readonly taken: number
}

export function foldBooleans(func: Func): void {
  let replaced = false
  const done: { readonly block: Block; readonly from: Block }[] = []
  for (const block of func.blocks) {
    if (block.predecessors.length !== 2 || block.values[0]!.op !== Op.phi) continue
    const meeting = meetingOf(block)
    if (meeting === undefined) continue
    const condition = meeting.from.terminator.args[0]!
    if ((attributes[condition.op]! & COMPARE) === 0) continue
    let all = true
    // What is put behind the phis is no phi itself.
    for (const phi of block.values.slice()) {
      if (phi.op !== Op.phi) break
      // As slots leave them: what comes both ways.
      const same = resolve(phi.args[0]!)
      if (same === resolve(phi.args[1]!) && same !== phi) {
        phi.replacement = same
        continue
      }
      const sense = senseOf(phi, meeting.taken)
      if (sense < 0) {
        all = false
        continue
      }
      phi.replacement = asValue(func, block, phi, condition, sense === 1)
      replaced = true
    }
    if (all) done.push({ block, from: meeting.from })
  }
  if (!replaced) return
  replaceValues(func)
  let straightened = false
  for (const { block, from } of done) {
    if (!isEmptyBetween(from, block)) continue
    const { terminator } = from
    disconnect(from, from.successors[0] === block ? 1 : 0)
    terminator.op = Op.jump
    terminator.args = []
    straightened = true
  }
  if (straightened) simplifyCfg(func)
}

/** The branch whose ways are the two predecessors of a block, each directly or by one block. */
function meetingOf(block: Block): Meeting | undefined {
  const [one, other] = block.predecessors as [Block, Block]
  const from = armOf(one) === other ? other : armOf(other) === one ? one : armOf(one)
  if (from === undefined || from === block || from.terminator.op !== Op.branch) return undefined
  if (from !== one && from !== armOf(one)) return undefined
  if (from !== other && from !== armOf(other)) return undefined
  const [yes, no] = from.successors as [Block, Block]
  if (yes === no) return undefined
  const way = yes === block ? from : yes
  return { from, taken: way === one ? 0 : 1 }
}

/** The block before, of one that has one way in and one out. */
function armOf(block: Block): Block | undefined {
  return block.predecessors.length === 1 && block.successors.length === 1 ? block.predecessors[0] : undefined
}

/** 1: the phi is 1 if the condition holds and else 0; 0: the other way round; -1: neither. */
function senseOf(phi: Value, taken: number): number {
  const yes = phi.args[taken]!
  const no = phi.args[1 - taken]!
  if (yes.op !== Op.const || no.op !== Op.const || yes.immHigh !== 0 || no.immHigh !== 0) return -1
  if (yes.imm === 1 && no.imm === 0) return 1
  return yes.imm === 0 && no.imm === 1 ? 0 : -1
}

/** The condition, or its opposite, in the type of the phi. */
function asValue(func: Func, block: Block, phi: Value, condition: Value, sense: boolean): Value {
  let result = condition
  const put = (value: Value): Value => {
    let at = 0
    while (block.values[at]!.op === Op.phi) at++
    block.values.splice(at, 0, value)
    return value
  }
  // Each goes before what was put there: the last first.
  const wide = phi.type === I64 ? put(func.create(block, Op.zext, I64, [condition], 0, phi.origin)) : undefined
  if (!sense) {
    result = put(func.create(block, Op.eq, I32, [condition, func.word(0)], 0, phi.origin))
    if (wide !== undefined) wide.args[0] = result
  }
  return wide ?? result
}

/** Nothing happens on the ways from a branch to where they meet. */
function isEmptyBetween(from: Block, block: Block): boolean {
  for (const next of from.successors) if (next !== block && next.values.length !== 1) return false
  return block.values[0]!.op !== Op.phi
}
