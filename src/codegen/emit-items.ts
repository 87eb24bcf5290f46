// A function as a row of items, each some bytes of code whose size may still depend on distances: what is laid out
// (emit-layout.ts) and then written (emit.ts). Here constants become moves or literals, compares and branches are fused,
// and conditional instructions are put into IT blocks.

import { int32, uint8 } from '../base/arrays.ts'
import { unreachable } from '../base/errors.ts'
import { fits, mustChoose } from '../thumb/encode.ts'
import type { Row } from '../thumb/encodings.ts'
import { F, formNames, writes } from '../thumb/forms.ts'
import { encodeModified } from '../thumb/immediates.ts'
import { Cond, Flags, Index } from '../thumb/instruction.ts'
import { SP } from '../thumb/registers.ts'
import { endsFlow, tidyBranches } from './emit-branches.ts'
import { settleFlags } from './emit-flags.ts'
import { Code, type CodeFunction, P } from './code.ts'
import { pairAccesses } from './pair-accesses.ts'
import { schedule } from './schedule.ts'

export const Kind = {
  /** One instruction of a known size. */
  PLAIN: 0,
  /** B, with a condition or without: 2 or 4 bytes, or 6 as a branch over B.W. */
  BRANCH: 1,
  /** CBZ or CBNZ: 2 bytes, or CMP with 0 and what BRANCH takes. */
  ZERO_BRANCH: 2,
  /** BL to a symbol. */
  CALL: 3,
  /** LDR from the literal pool. */
  LITERAL: 4,
  /** TBB or TBH with its table and the branches that its entries reach what is far by. */
  TABLE: 5,
} as const

/** A word of a literal pool. */
export class Literal {
  readonly value: number
  /** Symbol whose address it is, with `value` as addend; -1 for none. */
  readonly symbol: number
  /** Byte offset in the function, set by the layout. */
  offset = -1
  constructor(value: number, symbol: number) {
    this.value = value
    this.symbol = symbol
  }
}

/** Items of a function in order, as parallel arrays; the first `count` elements of each count. */
export class Items {
  count = 0
  readonly codes: Code[] = []
  /** The smallest encoding of an instruction, where it is known. */
  readonly rows: (Row | undefined)[] = []
  readonly kinds: Uint8Array
  /** Bytes. */
  readonly sizes: Int32Array
  /** Inside an IT block; the IT itself is not. 1 or 0. */
  readonly inIT: Uint8Array
  /** Control does not go on after it: a pool may follow. 1 or 0. */
  readonly ends: Uint8Array
  /** The 32-bit encoding is to be taken. 1 or 0. */
  readonly wide: Uint8Array
  /** Nesting of loops that it is in. */
  readonly depths: Uint8Array
  /** Item of each block's start, by its position; one more for the end. */
  readonly starts: Int32Array
  /** By item: literal that it loads. Filled by the layout. */
  readonly literals = new Map<number, Literal>()

  constructor(blocks: number, capacity: number) {
    this.kinds = uint8(capacity)
    this.sizes = int32(capacity)
    this.inIT = uint8(capacity)
    this.ends = uint8(capacity)
    this.wide = uint8(capacity)
    this.depths = uint8(capacity)
    this.starts = int32(blocks + 1)
  }

  /** An instruction in its smallest encoding. */
  pushPlain(code: Code, inIT: boolean): void {
    const row = mustChoose(code, inIT)
    if (inIT) this.inIT[this.count] = 1
    this.push(code, Kind.PLAIN, row.size, row)
  }

  push(code: Code, kind: number, size: number, row?: Row): void {
    this.codes.push(code)
    this.rows.push(row)
    this.kinds[this.count] = kind
    this.sizes[this.count] = size
    if (endsFlow(code)) this.ends[this.count] = 1
    this.count++
  }
}

/** PUSH and POP of one high register have encodings as single store and load only. */
function splitSingle(code: Code): void {
  if (code.n !== SP || code.index !== Index.PRE) return
  const register = 31 - Math.clz32(code.imm)
  if (code.imm !== 1 << register || fits(code)) return
  const load = code.form === F.LDM
  code.form = load ? F.LDR_i : F.STR_i
  code.d = register
  code.imm = load ? 4 : -4
  code.index = load ? Index.POST : Index.PRE
}

/** Adding a small negative number is subtracting a positive one, with the same flags, and that has 16-bit encodings. */
function turnAround(code: Code): void {
  if (code.imm >= 0 || code.imm < -255) return
  if (code.form === F.ADD_i) code.form = F.SUB_i
  else if (code.form === F.SUB_i) code.form = F.ADD_i
  else return
  code.imm = -code.imm
}

/** Turns a CONSTANT into the one instruction that makes it, if there is one. */
function turnIntoMove(code: Code): void {
  if (code.symbol >= 0) return
  const { imm } = code
  if (imm >>> 16 === 0 || encodeModified(imm) >= 0) {
    code.form = F.MOV_i
    code.imm = imm | 0
  } else if (encodeModified(~imm) >= 0) {
    code.form = F.MVN_i
    code.imm = ~imm
  }
}

/** By form: 1 for loads and stores that a load before them overlaps with. */
const pipelined = new Uint8Array(formNames.length)
for (const form of [F.LDR_i, F.LDRB_i, F.LDRH_i, F.LDRSB_i, F.LDRSH_i, F.STR_i, F.STRB_i, F.STRH_i]) pipelined[form] = 1
for (const form of [F.LDR_r, F.LDRB_r, F.LDRH_r, F.LDRSB_r, F.LDRSH_r]) pipelined[form] = 1

function half(code: Code, form: number, imm: number): Code {
  const part = new Code(form)
  part.d = code.d
  part.imm = imm
  part.origin = code.origin
  part.cond = code.cond
  return part
}

function literalKey(code: Code): string | number {
  return code.symbol >= 0 ? `${code.symbol}+${code.imm}` : code.imm
}

/** One function's codes become items. */
class Builder {
  readonly items: Items
  private readonly lists: readonly Code[][]
  private readonly func: CodeFunction
  /** How many constants want each literal. */
  private readonly wanted = new Map<string | number, number>()

  private readonly small: boolean

  constructor(func: CodeFunction, small: boolean) {
    this.func = func
    this.small = small
    this.lists = tidyBranches(func, small)
    let codes = 0
    for (const list of this.lists) codes += list.length
    // At most IT, MOVW and MOVT stand for one code.
    this.items = new Items(this.lists.length, 3 * codes)
  }

  build(): Items {
    const { items, lists } = this
    for (const list of lists) {
      for (const code of list) {
        if (code.form === P.CONSTANT) {
          turnIntoMove(code)
          if (code.form !== P.CONSTANT) continue
          const key = literalKey(code)
          this.wanted.set(key, (this.wanted.get(key) ?? 0) + 1)
        } else if (code.form === F.LDM || code.form === F.STMDB) splitSingle(code)
        else turnAround(code)
      }
      settleFlags(list)
      // What moved to where flags are live must leave them alone.
      if (schedule(list)) settleFlags(list)
      pairAccesses(list, this.small)
    }
    for (let at = 0; at < lists.length; at++) {
      items.starts[at] = items.count
      this.addList(lists[at]!, at)
      const depth = Math.min(this.func.blocks[at]!.loopDepth, 255)
      if (depth > 0) items.depths.fill(depth, items.starts[at], items.count)
    }
    items.starts[lists.length] = items.count
    return items
  }

  private addList(list: readonly Code[], at: number): void {
    const fused = fuseCompare(list, at)
    for (let i = 0; i < list.length;) {
      const code = list[i]!
      if (code === fused) i++
      else if (isConditional(code)) i = this.addBlock(list, i)
      else {
        this.addCode(code, list[i + 1])
        i++
      }
    }
  }

  private addCode(code: Code, next: Code | undefined): void {
    const { items } = this
    switch (code.form) {
      case P.CALL:
        if (code.m >= 0) {
          code.form = F.BLX_r
          items.push(code, Kind.PLAIN, 2)
        } else items.push(code, Kind.CALL, 4)
        return
      case P.UNREACHABLE:
        items.push(code, Kind.PLAIN, 0)
        return
      case P.TABLE_BRANCH:
        items.push(code, Kind.TABLE, 0)
        return
      case P.CONSTANT:
        this.addConstant(code, next)
        return
      case F.B:
        items.push(code, Kind.BRANCH, 2)
        return
      case F.CBZ:
      case F.CBNZ:
        items.push(code, Kind.ZERO_BRANCH, 2)
        return
      default:
        items.pushPlain(code, false)
    }
  }

  /**
   * A literal takes 2 cycles and 6 bytes (8 for a high register), 4 bytes of them shared, and 1 cycle before a load or
   * store that does not need it; MOVW and MOVT take 2 cycles and 8 bytes.
   */
  private addConstant(code: Code, next: Code | undefined): void {
    const { items } = this
    const hidden = next !== undefined && pipelined[next.form] === 1 && next.n !== code.d && next.m !== code.d
    const shared = this.wanted.get(literalKey(code))! > 1
    if (code.symbol >= 0 || shared || hidden || code.d < 8) {
      items.push(code, Kind.LITERAL, code.d < 8 ? 2 : 4)
      return
    }
    for (const part of [half(code, F.MOV_i, code.imm & 0xffff), half(code, F.MOVT, code.imm >>> 16)]) {
      items.pushPlain(part, false)
    }
  }

  /** An IT block: from `first` on up to four codes under one condition or its inverse. Gives the index after them. */
  private addBlock(list: readonly Code[], first: number): number {
    const { items } = this
    const { cond } = list[first]!
    const members: Code[] = []
    let i = first
    for (; i < list.length && members.length < 4; i++) {
      const code = list[i]!
      if (!isConditional(code) || code.cond >> 1 !== cond >> 1) break
      if (code.form !== P.CONSTANT) members.push(code)
      else if (members.length > 2) break
      else members.push(half(code, F.MOV_i, code.imm & 0xffff), half(code, F.MOVT, code.imm >>> 16))
      if (code.form === P.CONSTANT && code.symbol >= 0) unreachable('conditional address')
    }
    const it = new Code(F.IT)
    it.cond = cond
    it.origin = list[first]!.origin
    it.imm = 1 << (4 - members.length)
    for (let slot = 1; slot < members.length; slot++) it.imm |= (members[slot]!.cond & 1) << (4 - slot)
    items.push(it, Kind.PLAIN, 2)
    for (const member of members) {
      if (member.s === Flags.ANY) member.s = Flags.KEEP
      items.pushPlain(member, true)
    }
    return i
  }
}

function isConditional(code: Code): boolean {
  return code.cond !== Cond.AL && code.form !== F.B
}

/** Codes that may stand between a comparison and its branch without touching the compared register or flags. */
function leavesAlone(code: Code, register: number): boolean {
  if (code.cond !== Cond.AL) return false
  switch (code.form) {
    case F.MOV_r:
    case F.MOV_i:
    case F.MVN_i:
    case F.LDR_i:
    case F.STR_i:
      return code.s !== Flags.SET && (writes[code.form] === 0 || code.d !== register) && code.index === Index.OFFSET
    case F.LDRD_i:
      return code.d !== register && code.a !== register
    case F.STRD_i:
      return true
    case P.CONSTANT:
      return code.d !== register
    default:
      return false
  }
}

/**
 * Turns `CMP n, #0` and BEQ or BNE forward at the end of the list into CBZ or CBNZ, and gives the CMP that is to be left
 * out. Nothing after reads the flags: they are dead where a block ends, and no other conditional branch is near.
 */
function fuseCompare(list: readonly Code[], at: number): Code | undefined {
  let i = list.length - 1
  if (i >= 1 && list[i]!.form === F.B && list[i]!.cond === Cond.AL) i--
  const branch = list[i]
  if (branch === undefined || branch.form !== F.B || branch.cond > Cond.NE || branch.target <= at) return undefined
  for (let back = i - 1; back >= 0 && back >= i - 8; back--) {
    const compare = list[back]!
    if (compare.form === F.CMP_i) {
      const { n } = compare
      if (compare.imm !== 0 || n > 7 || compare.cond !== Cond.AL) return undefined
      for (let between = back + 1; between < i; between++) if (!leavesAlone(list[between]!, n)) return undefined
      branch.form = branch.cond === Cond.EQ ? F.CBZ : F.CBNZ
      branch.cond = Cond.AL
      branch.n = n
      // Flags are dead now where the comparison stood.
      for (let between = back + 1; between < i; between++)
        if (list[between]!.form !== F.MOV_r) list[between]!.s = Flags.ANY
      return compare
    }
    if (!leavesAlone(compare, -1)) return undefined
  }
  return undefined
}

/** Items of a function whose codes have real registers, frame and epilogue. `small`: bytes are not spent on cycles. Changes the codes. */
export function buildItems(func: CodeFunction, small = false): Items {
  return new Builder(func, small).build()
}
