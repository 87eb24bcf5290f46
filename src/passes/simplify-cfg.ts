// Straightens the graph: branches on constants become jumps, blocks that nothing reaches go, a block whose only
// predecessor only leads to it is joined to it, empty blocks are jumped over; phis with one operand go. Needs and leaves: any
// stage.

import { removeUnreachable } from '../ir/cfg.ts'
import { type Block, type Func, disconnect, replaceValues } from '../ir/func.ts'
import { Op } from '../ir/op.ts'

export function simplifyCfg(func: Func): void {
  for (const block of func.blocks) {
    const { terminator, successors } = block
    if (terminator.op !== Op.branch) continue
    const condition = terminator.args[0]!
    if (condition.op === Op.const) disconnect(block, condition.imm !== 0 ? 1 : 0)
    else if (successors[0] === successors[1] && !hasPhi(successors[0]!)) disconnect(block, 1)
    else continue
    terminator.op = Op.jump
    terminator.args = []
  }
  removeUnreachable(func)
  let replaced = false
  for (const block of func.blocks) {
    if (block.predecessors.length !== 1) continue
    // With one way in, a phi is what comes that way.
    for (const value of block.values) {
      if (value.op !== Op.phi) break
      value.replacement = value.args[0]!
      replaced = true
    }
  }
  if (replaced) replaceValues(func)
  const entry = func.blocks[0]!
  for (const block of func.blocks) {
    if (block.values.length === 0) continue // joined to another already
    while (block.terminator.op === Op.jump) {
      const next = block.successors[0]!
      if (next.predecessors.length !== 1 || next === block || next === entry) break
      block.values.pop()
      for (const value of next.values) {
        value.block = block
        block.values.push(value)
      }
      next.values = []
      block.successors = next.successors
      for (const to of next.successors) to.predecessors[to.predecessors.indexOf(next)] = block
      if (next.successors.length === 2 && next.successors[0] === next.successors[1]) {
        const to = next.successors[1]!
        const again = to.predecessors.indexOf(next)
        if (again >= 0) to.predecessors[again] = block
      }
      next.successors = []
      next.predecessors = []
    }
  }
  let joined = false
  for (const { values } of func.blocks) if (values.length === 0) joined = true
  if (joined) func.blocks = func.blocks.filter((block) => block.values.length > 0)
  skipEmpty(func)
}

function hasPhi(block: Block): boolean {
  return block.values[0]!.op === Op.phi
}

/** Blocks that hold a jump alone: whoever jumps there jumps on, unless phis would no longer tell the ways apart. */
function skipEmpty(func: Func): void {
  let skipped = false
  for (const block of func.blocks) {
    if (block.values.length !== 1 || block.terminator.op !== Op.jump || block === func.blocks[0]) continue
    const target = block.successors[0]!
    if (target === block || hasPhi(target)) continue
    for (const from of block.predecessors) {
      for (let index = 0; index < from.successors.length; index++) {
        if (from.successors[index] !== block) continue
        from.successors[index] = target
        target.predecessors.push(from)
      }
    }
    block.predecessors = []
    skipped = true
  }
  if (skipped) removeUnreachable(func)
}
