// After allocation many blocks hold nothing but a branch, since their moves were coalesced: whoever goes there goes on to
// where they lead. Needs: allocated code. Leaves: no such block but where it is a loop of its own.

import { int32, uint8 } from '../base/arrays.ts'
import { F } from '../thumb/forms.ts'
import { Cond } from '../thumb/instruction.ts'
import { type CodeBlock, type CodeFunction, P, isJump } from './code.ts'
import { branchesFrom } from './operands.ts'

export function straighten(fn: CodeFunction): void {
  const { blocks } = fn
  const target = (block: CodeBlock): number => {
    const only = block.code[0]
    if (only === undefined) return block.index + 1
    return block.code.length === 1 && only.form === F.B && only.cond === Cond.AL ? only.target : -1
  }
  const final = int32(blocks.length)
  for (const block of blocks) {
    let at = block.index
    // As many steps as there are blocks at most: a loop of empty blocks has no end.
    for (let steps = 0; steps <= blocks.length; steps++) {
      const next = at < blocks.length ? target(blocks[at]!) : -1
      if (next < 0 || next === at) break
      at = next
    }
    final[block.index] = at
  }
  for (const { code } of blocks) {
    for (let i = branchesFrom(code); i < code.length; i++) {
      const branch = code[i]!
      if (branch.target >= 0) branch.target = final[branch.target]!
      else branch.targets = branch.targets.map((each) => final[each]!)
    }
  }
  // Reached from the entry by falling or branching.
  const reached = uint8(blocks.length)
  const work = [0]
  reached[0] = 1
  const visit = (index: number): void => {
    if (reached[index] === 1) return
    reached[index] = 1
    work.push(index)
  }
  for (let index = work.pop(); index !== undefined; index = work.pop()) {
    const { code } = blocks[index]!
    for (let i = branchesFrom(code); i < code.length; i++) {
      const branch = code[i]!
      if (branch.target >= 0) visit(branch.target)
      else for (const each of branch.targets) visit(each)
    }
    const last = code[code.length - 1]
    if (last === undefined || !(isJump(last) || last.form === P.TABLE_BRANCH)) visit(index + 1)
  }
  for (const block of blocks) if (reached[block.index] === 0) block.code = []
}
