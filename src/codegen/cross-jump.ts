// Where bytes are to be saved, what several blocks end with stands once: the others jump there. Unlike merge-tails.ts this
// takes jumps, and not all ways into a block need to end alike. After allocation. Needs and leaves: every block ends in a jump.

import { F, formNames } from '../thumb/forms.ts'
import { chooseRow } from '../thumb/encode.ts'
import { Cond } from '../thumb/instruction.ts'
import { Code, CodeBlock, P, isJump } from './code.ts'
import { flagsBefore } from './emit-flags.ts'
import { equal } from './merge-tails.ts'

/** Blocks with the same last instruction that are compared with each other. */
const COMPARED = 24
/** Bytes of a jump. */
const JUMP = 2

/** What some blocks end with. */
interface Tail {
  readonly members: readonly CodeBlock[]
  /** Instructions. */
  readonly count: number
  /** The one that is nothing else. */
  readonly whole: CodeBlock | undefined
}

/** Puts equal ends of blocks in one place, where that saves bytes. Gives the blocks, new ones behind the old. The first is the entry. */
export function crossJump(blocks: readonly CodeBlock[]): CodeBlock[] {
  const result = blocks.slice()
  const groups = new Map<number, CodeBlock[]>()
  let label = 0
  for (const block of blocks) {
    label = Math.max(label, block.index + 1)
    const last = block.code[block.code.length - 1]!
    if (!isJump(last)) continue
    const key = last.target >= 0 ? last.target : -last.form
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [block])
    else group.push(block)
  }
  for (const group of groups.values()) {
    for (let best = bestTail(group, blocks[0]!); best !== undefined; best = bestTail(group, blocks[0]!)) {
      const { members, count } = best
      const tail = best.whole ?? new CodeBlock(label++)
      if (best.whole === undefined) {
        const { code, loopDepth } = members[0]!
        tail.code = code.slice(code.length - count)
        tail.loopDepth = loopDepth
        result.push(tail)
        group.push(tail)
      }
      for (const member of members) {
        if (member === tail) continue
        tail.loopDepth = Math.min(tail.loopDepth, member.loopDepth)
        jumpTo(tail, member.code, count)
        group.splice(group.indexOf(member), 1)
      }
    }
  }
  return result
}

/** Replaces the last `count` instructions. */
function jumpTo(tail: CodeBlock, code: Code[], count: number): void {
  const jump = new Code(F.B)
  jump.target = tail.index
  jump.origin = code[code.length - count]!.origin
  code.length -= count
  code.push(jump)
}

/** The tail that saves the most bytes. */
function bestTail(group: readonly CodeBlock[], entry: CodeBlock): Tail | undefined {
  const compared = Math.min(group.length, COMPARED)
  let best: Tail | undefined
  let most = 0
  for (let i = 0; i < compared; i++) {
    const { code } = group[i]!
    const counts = new Set<number>()
    for (let j = i + 1; j < compared; j++) counts.add(commonTail(code, group[j]!.code))
    for (const count of counts) {
      if (count === 0) continue
      const members = group.filter((other) => other === group[i] || commonTail(code, other.code) >= count)
      const whole = members.find((member) => member.code.length === count && member !== entry)
      const last = code[code.length - 1]!
      let bytes = last.form === F.B ? 0 : -JUMP
      for (let at = code.length - count; at < code.length; at++)
        if (at < code.length - 1 || last.form !== F.B) bytes += sizeOf(code[at]!)
      const saved = (members.length - 1) * bytes - (whole === undefined ? JUMP : 0)
      if (saved <= most) continue
      most = saved
      best = { members, count, whole }
    }
  }
  return best
}

/** How many instructions two blocks end with that are the same and into which no flags are live. */
function commonTail(one: readonly Code[], other: readonly Code[]): number {
  const most = Math.min(one.length, other.length)
  let flags = 0
  let common = 0
  for (let back = 1; back <= most; back++) {
    const code = one[one.length - back]!
    if (!same(code, other[other.length - back]!)) break
    flags = flagsBefore(code, flags)
    if (flags === 0) common = back
  }
  return common
}

function same(one: Code, other: Code): boolean {
  if (!equal(one, other) || one.target !== other.target || one.targets.length > 0 || one.form === P.ENTRY) return false
  // Where a call comes from is told when it traps.
  return one.form !== P.CALL || one.origin === other.origin
}

/** Bytes, roughly where it depends on the frame. */
function sizeOf(code: Code): number {
  const { form, d, imm } = code
  if (form < formNames.length) return form === F.B ? JUMP : (chooseRow(code, code.cond !== Cond.AL, false)?.size ?? 4)
  switch (form) {
    case P.CONSTANT:
      return d < 8 && (imm >>> 8 === 0 || imm >>> 16 !== 0) ? 2 : 4
    case P.CALL:
      return code.m >= 0 ? 2 : 4
    case P.UNREACHABLE:
      return 0
    default:
      return d < 8 ? 2 : 4
  }
}
