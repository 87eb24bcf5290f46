// The last look at a function's flow before it is laid out: branches to branches and to the next block, branches over
// branches, returns that are as short as the branch to them, blocks that nothing reaches. Blocks stay in their order and
// become lists of codes; targets become positions in that order.

import { int32 } from '../base/arrays.ts'
import { unreachable } from '../base/errors.ts'
import { sizeOf } from '../thumb/encode.ts'
import { F } from '../thumb/forms.ts'
import { Cond } from '../thumb/instruction.ts'
import { PC } from '../thumb/registers.ts'
import { Code, type CodeFunction, P } from './code.ts'
import { isBranch } from './operands.ts'

/** Control does not go on to what follows. */
export function endsFlow(code: Code): boolean {
  switch (code.form) {
    case F.B:
    case F.BX:
      return code.cond === Cond.AL
    case F.LDM:
    case F.LDMDB:
      return code.cond === Cond.AL && code.imm >>> PC === 1
    case F.LDR_i:
    case F.LDR_r:
    case F.MOV_r:
      return code.cond === Cond.AL && code.d === PC
    case F.UDF:
    case P.UNREACHABLE:
    case P.TABLE_BRANCH:
      return true
    default:
      return false
  }
}

function isJump(code: Code | undefined): code is Code {
  return code !== undefined && code.form === F.B && code.cond === Cond.AL
}

function isConditional(code: Code | undefined): code is Code {
  return (
    code !== undefined && ((code.form === F.B && code.cond !== Cond.AL) || code.form === F.CBZ || code.form === F.CBNZ)
  )
}

/** Turns a conditional branch into the one that is taken when it is not. */
export function invert(code: Code): void {
  if (code.form === F.B) code.cond ^= 1
  else code.form = code.form === F.CBZ ? F.CBNZ : F.CBZ
}

/** The function's blocks as lists, without what emits nothing; UNREACHABLE stays where it ends a block. */
function toLists(func: CodeFunction): Code[][] {
  let most = 0
  for (const { index } of func.blocks) most = Math.max(most, index)
  const position = int32(most + 1).fill(-1)
  for (let at = 0; at < func.blocks.length; at++) position[func.blocks[at]!.index] = at
  const at = (index: number): number => {
    const place = position[index] ?? -1
    return place >= 0 ? place : unreachable(`branch to block ${index}`)
  }
  return func.blocks.map(({ code: codes }) => {
    let end = 0
    while (end < codes.length) {
      const code = codes[end]!
      if (code.form === P.ENTRY) {
        codes.splice(end, 1)
        continue
      }
      if (code.form >= P.PARALLEL_MOVE && !isEmitted(code.form)) unreachable(`pseudo-form ${code.form} reaches emit`)
      if (code.target >= 0) code.target = at(code.target)
      if (code.form === P.TABLE_BRANCH) code.targets = code.targets.map(at)
      end++
      if (endsFlow(code)) break
    }
    return end === codes.length ? codes : codes.slice(0, end)
  })
}

function isEmitted(form: number): boolean {
  return form === P.CALL || form === P.CONSTANT || form === P.UNREACHABLE || form === P.TABLE_BRANCH
}

/** Where a branch to each block ends up after blocks that are empty or only branch on. */
function threads(lists: readonly Code[][]): Int32Array {
  const ends = int32(lists.length)
  for (let at = lists.length - 1; at >= 0; at--) {
    let end = at
    for (let hops = 0; hops < 32; hops++) {
      const list = lists[end]
      // Dead blocks at the end are empty: nothing branches there.
      if (list === undefined) break
      if (list.length === 0) end++
      else if (list.length === 1 && isJump(list[0]) && list[0].target !== end) end = list[0].target
      else break
    }
    ends[at] = end
  }
  return ends
}

/** A list that is nothing but a return. */
function soleReturn(list: readonly Code[]): Code | undefined {
  const [code] = list
  return list.length === 1 && code !== undefined && (code.form === F.BX || code.form === F.LDM) ? code : undefined
}

function copyReturn(code: Code, origin: number): Code {
  const copy = new Code(code.form)
  copy.n = code.n
  copy.m = code.m
  copy.imm = code.imm
  copy.index = code.index
  copy.origin = origin
  return copy
}

/** Puts returns in the place of branches to nothing but a return, unless those lead to what follows anyway. `small`: only those of 2 bytes. True if it did. */
function copyReturns(lists: readonly Code[][], small: boolean): boolean {
  let copied = false
  let next = lists.length
  for (let at = lists.length - 1; at >= 0; at--) {
    const list = lists[at]!
    if (list.length === 0) continue
    const last = list[list.length - 1]!
    const before = list[list.length - 2]
    const over = isConditional(before) && before.target === next
    const returns = isJump(last) && last.target !== next && !over ? soleReturn(lists[last.target]!) : undefined
    if (returns !== undefined && (!small || sizeOf(returns) === 2)) {
      list[list.length - 1] = copyReturn(returns, last.origin)
      copied = true
    }
    next = at
  }
  return copied
}

/** Index from which on a list has its branches. The last of them may have become a return. */
function tailOf(list: readonly Code[]): number {
  let at = Math.max(0, list.length - 1)
  while (at > 0 && isBranch(list[at - 1]!)) at--
  return at
}

/** Adds `by` to the uses of each target of the list's branches. */
function countUses(list: readonly Code[], uses: Int32Array, by: number): void {
  for (let i = tailOf(list); i < list.length; i++) {
    const code = list[i]!
    if (code.target >= 0) uses[code.target]! += by
    else for (const target of code.targets) uses[target]! += by
  }
}

/** Empties lists that control neither falls into nor branches to. */
function dropUnreached(lists: readonly Code[][]): void {
  const uses = int32(lists.length)
  for (const list of lists) countUses(list, uses, 1)
  let falls = true
  for (let at = 0; at < lists.length; at++) {
    const list = lists[at]!
    if (!falls && uses[at] === 0) {
      countUses(list, uses, -1)
      list.length = 0
    } else if (list.length > 0) falls = !endsFlow(list[list.length - 1]!)
    else falls ||= uses[at]! > 0
  }
}

/** Drops or turns around the last branches of each list that lead to what follows it anyway. */
function dropBranchesToNext(lists: Code[][]): void {
  // First position at or after each that is not empty: empty lists share their address.
  const real = int32(lists.length + 1).fill(lists.length)
  for (let at = lists.length - 1; at >= 0; at--) {
    const list = lists[at]!
    const next = real[at + 1]!
    const isNext = (target: number): boolean => target > at && real[target] === next
    let last = list[list.length - 1]
    const before = list[list.length - 2]
    if (isJump(last) && isConditional(before) && isNext(before.target)) {
      invert(before)
      before.target = last.target
      list.pop()
    } else if (isJump(last) && isNext(last.target)) list.pop()
    last = list[list.length - 1]
    if (isConditional(last) && isNext(last.target)) list.pop()
    real[at] = list.length > 0 ? at : next
  }
}

/** Lists of codes in layout order with tidy branches; targets are positions. `small`: nothing gets longer. Changes the function's codes. */
export function tidyBranches(func: CodeFunction, small = false): Code[][] {
  const lists = toLists(func)
  const ends = threads(lists)
  for (const list of lists) {
    for (let i = tailOf(list); i < list.length; i++) {
      const code = list[i]!
      if (code.target >= 0) code.target = ends[code.target]!
      else if (code.form === P.TABLE_BRANCH) code.targets = code.targets.map((target) => ends[target]!)
    }
    const last = list[list.length - 1]
    if (isJump(last) && isConditional(list[list.length - 2]) && list[list.length - 2]!.target === last.target)
      list.splice(-2, 1)
  }
  dropUnreached(lists)
  if (copyReturns(lists, small)) dropUnreached(lists)
  dropBranchesToNext(lists)
  return lists
}
