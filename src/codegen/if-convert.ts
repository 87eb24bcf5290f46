// Short arms of branches become conditional instructions, where by the target's costs (a skipped instruction 1 cycle, IT less than
// 1, a branch 1 or 2) that is no slower. After allocation, when it is known what an arm really is: most are a move or two
// into the register of a phi. What is joined by this is one block; a comparison made again there goes.
// Needs and leaves: every block that is not empty ends in a jump.

import { int32 } from '../base/arrays.ts'
import { F } from '../thumb/forms.ts'
import { encodeModified } from '../thumb/immediates.ts'
import { Cond, Flags } from '../thumb/instruction.ts'
import { type Code, type CodeBlock, P } from './code.ts'
import { dropRepeatedCompares } from './compares.ts'
import { type Flow, firstBranch, positions } from './frequency.ts'

/** Instructions of both arms, at most. */
const LONGEST = 4
/** IT costs nothing behind a 16-bit instruction. */
const IT = 0.5
/** A taken branch, with what the alignment of its target costs on average. */
const TAKEN = 2.15
/** What must be gained on average: arms are rarer than the guess says. */
const MARGIN = 0.1
/** What CBZ saves against a comparison. */
const ZERO_BRANCH = 0.75

/** Converts what pays; with `small` in bytes, also if it is slower. Leaves the arms empty. True if it did anything. */
export function ifConvert(flow: Flow, small = false): boolean {
  return new Converter(flow, small).run()
}

class Converter {
  readonly flow: Flow
  /** Bytes are to be saved. */
  readonly small: boolean
  readonly blocks: readonly CodeBlock[]
  readonly position: Int32Array
  /** By block: how many edges lead to it. */
  readonly entries: Int32Array

  constructor(flow: Flow, small: boolean) {
    this.small = small
    this.flow = flow
    this.blocks = flow.blocks
    this.position = positions(flow.blocks)
    this.entries = int32(flow.blocks.length)
    for (let edge = 0; edge < flow.edgeCount; edge++) this.entries[flow.to[edge]!]!++
  }

  run(): boolean {
    const { blocks, flow } = this
    let changed = false
    // From the end, so that what follows a branch is converted before, and can be joined to it.
    for (let at = blocks.length - 1; at >= 0; at--) {
      if (flow.first[at + 1]! - flow.first[at]! !== 2 || flow.table[at] === 1) continue
      if (this.convert(at)) changed = true
      // The value of what the branch asks is made beside it.
      else dropRepeatedCompares(blocks[at]!.code)
    }
    return changed
  }

  private convert(at: number): boolean {
    const { blocks, entries } = this
    const { code } = blocks[at]!
    const branch = code[code.length - 2]
    if (branch === undefined || branch.form !== F.B || branch.cond === Cond.AL) return false
    const then = this.position[branch.target]!
    const otherwise = this.position[code[code.length - 1]!.target]!
    if (then === otherwise || then === at || otherwise === at) return false
    const join = this.joinOf(at, then, otherwise, branch.cond <= Cond.NE && testsZero(code))
    if (join < 0) return false
    const { cond } = branch
    const jump = code.pop()!
    code.pop()
    if (join !== then) this.take(then, cond, code)
    if (join !== otherwise) this.take(otherwise, cond ^ 1, code)
    entries[join]!--
    if (entries[join] === 1) {
      const next = blocks[join]!
      for (const each of next.code) code.push(each)
      next.code = []
      entries[join] = 0
    } else {
      jump.target = blocks[join]!.index
      code.push(jump)
    }
    dropRepeatedCompares(code)
    return true
  }

  /** Where the ways meet again, if it pays to do without the branch, or -1. */
  private joinOf(at: number, then: number, otherwise: number, zero: boolean): number {
    const { frequency, first } = this.flow
    const start = first[at]!
    const whole = frequency[start]! + frequency[start + 1]!
    const likely = whole > 0 ? frequency[start]! / whole : 0.5
    const thenArm = this.arm(then)
    const otherwiseArm = this.arm(otherwise)
    let join = -1
    let before = 0
    let after = IT
    if (thenArm >= 0 && otherwiseArm >= 0 && this.leadsTo(then) === this.leadsTo(otherwise)) {
      join = this.leadsTo(then)
      if (thenArm + otherwiseArm > LONGEST) return -1
      // One arm falls through to where they meet.
      before = TAKEN + Math.min(likely, 1 - likely)
      after += likely * otherwiseArm + (1 - likely) * thenArm
    } else if (thenArm >= 0 && this.leadsTo(then) === otherwise) {
      join = otherwise
      before = triangle(likely)
      after += (1 - likely) * thenArm
    } else if (otherwiseArm >= 0 && this.leadsTo(otherwise) === then) {
      join = then
      before = triangle(1 - likely)
      after += likely * otherwiseArm
    }
    if (zero) after += ZERO_BRANCH
    if (join === at || join === 0) return -1
    // IT takes no more bytes than a branch, but for one that needs no comparison.
    return (this.small && !zero) || after + MARGIN <= before ? join : -1
  }

  /** Number of instructions that the block is, before a jump, if they can be made conditional and only one edge leads to it; or -1. */
  private arm(at: number): number {
    const { code } = this.blocks[at]!
    const last = code.length - 1
    if (last > LONGEST || this.entries[at] !== 1 || firstBranch(code) !== last) return -1
    let count = 0
    for (let i = 0; i < last; i++) {
      if (!canBeConditional(code[i]!)) return -1
      count += instructions(code[i]!)
    }
    return count
  }

  /** Target of the block's last jump. */
  private leadsTo(at: number): number {
    const { code } = this.blocks[at]!
    return this.position[code[code.length - 1]!.target]!
  }

  /** Moves an arm to the end of `code`, on a condition. */
  private take(at: number, cond: number, code: Code[]): void {
    const block = this.blocks[at]!
    block.code.pop()
    for (const each of block.code) {
      each.cond = cond
      if (each.s === Flags.ANY) each.s = Flags.KEEP
      code.push(each)
    }
    block.code = []
    this.entries[at] = 0
  }
}

/** Cycles of the branches where an arm runs as often as `likely` says: in line, or elsewhere with a jump back. */
function triangle(likely: number): number {
  return Math.min(likely + TAKEN * (1 - likely), 2 * TAKEN * likely + 1 - likely)
}

function canBeConditional(code: Code): boolean {
  const { form, cond, s } = code
  if (cond !== Cond.AL || s === Flags.SET) return false
  if (form === P.CONSTANT) return code.symbol < 0
  if (form === P.SPILL_LOAD || form === P.SPILL_STORE || form === P.FRAME_ADDRESS) return true
  return form < convertible.length && convertible[form] === 1
}

function instructions(code: Code): number {
  if (code.form !== P.CONSTANT) return 1
  return code.imm >>> 16 === 0 || encodeModified(code.imm) >= 0 || encodeModified(~code.imm) >= 0 ? 1 : 2
}

/** Forms that compute a value, load or store, without touching anything else. */
const convertible = new Uint8Array(F.STRD_i + 1)
convertible.fill(1, F.AND_i, F.UHSUB16 + 1)
convertible.fill(1, F.LDR_i, F.LDRSH_r + 1)
convertible.fill(1, F.STR_i, F.STRD_i + 1)
for (const form of [F.TST_i, F.TEQ_i, F.CMP_i, F.CMN_i, F.ADR, F.TST_r, F.TEQ_r, F.CMP_r, F.CMN_r])
  convertible[form] = 0

/** The block's branch follows a comparison with 0 that CBZ makes as well. */
function testsZero(code: readonly Code[]): boolean {
  for (let i = code.length - 3; i >= 0; i--) {
    const { form, s, cond, imm, n } = code[i]!
    if (form === F.CMP_i) return s === Flags.SET && cond === Cond.AL && imm === 0 && n < 8
    if (s === Flags.SET) return false
  }
  return false
}
