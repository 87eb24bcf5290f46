// What all ways into a block do last is done once, at the block's head: mostly moves and reloads that allocation put on edges. It
// costs no cycles, and leaves shorter arms for if-conversion. After allocation. Needs and leaves: every block ends in a jump.

import { emptySlots, int32 } from '../base/arrays.ts'
import { F } from '../thumb/forms.ts'
import { Cond, Flags, Shift } from '../thumb/instruction.ts'
import { type Code, type CodeBlock, P, isJump } from './code.ts'
import { type Flow } from './frequency.ts'

/** Moves common tails into the blocks where they meet. */
export function mergeTails({ blocks, first, to, edgeCount, from }: Flow): void {
  const entries = int32(blocks.length)
  for (let edge = 0; edge < edgeCount; edge++) entries[to[edge]!]!++
  const ways = emptySlots<CodeBlock[]>(blocks.length)
  for (let edge = 0; edge < edgeCount; edge++) {
    if (entries[to[edge]!]! < 2) continue
    const block = blocks[from[edge]!]!
    const branches = first[from[edge]! + 1]! - first[from[edge]!]!
    if (branches !== 1 || !isJump(block.code[block.code.length - 1]!)) continue
    const known = ways[to[edge]!]
    if (known === undefined) ways[to[edge]!] = [block]
    else known.push(block)
  }
  for (let at = 1; at < blocks.length; at++) {
    const into = ways[at]
    if (into === undefined || into.length !== entries[at] || into.includes(blocks[at]!)) continue
    const common = commonTail(into)
    if (common === 0) continue
    const { code } = into[0]!
    blocks[at]!.code.unshift(...code.slice(code.length - 1 - common, code.length - 1))
    for (const each of into) each.code.splice(each.code.length - 1 - common, common)
  }
}

/** How many instructions before their jumps the blocks have in common. */
function commonTail(blocks: readonly CodeBlock[]): number {
  const [one, ...others] = blocks
  let length = 0
  for (;;) {
    const code = one!.code[one!.code.length - 2 - length]
    if (code === undefined || !movable(code)) return length
    for (const other of others) {
      const same = other.code[other.code.length - 2 - length]
      if (same === undefined || !equal(code, same)) return length
    }
    length++
  }
}

/** Neither sets flags for others nor reads them, and is no call. */
function movable({ form, cond, s, shift }: Code): boolean {
  if (cond !== Cond.AL || s === Flags.SET || shift === Shift.RRX) return false
  switch (form) {
    case P.CONSTANT:
    case P.FRAME_ADDRESS:
    case P.SPILL_LOAD:
    case P.SPILL_STORE:
      return true
    case F.ADC_i:
    case F.ADC_r:
    case F.SBC_i:
    case F.SBC_r:
    case F.RRX:
      return false
    default:
      return form <= F.UHSUB16 || (form >= F.LDR_i && form <= F.STRD_i)
  }
}

/** The same instruction, targets and origins apart. */
export function equal(one: Code, other: Code): boolean {
  return (
    one.form === other.form &&
    one.cond === other.cond &&
    one.s === other.s &&
    one.d === other.d &&
    one.n === other.n &&
    one.m === other.m &&
    one.a === other.a &&
    one.imm === other.imm &&
    one.shift === other.shift &&
    one.amount === other.amount &&
    one.index === other.index &&
    one.base === other.base &&
    one.memory === other.memory &&
    one.symbol === other.symbol
  )
}
