// The stack frame: where everything relative to SP is, prologue and epilogues. Needs allocated code; leaves no pseudo-form
// that touches the frame, no RETURN and no TAIL_CALL. AAPCS (IHI 0042): SP is a multiple of 8 at calls; r4-r11 are found as they were.
//
// From SP upwards:  outgoing stack arguments | a word to borrow, in huge frames | BPF stack, 8-aligned | spill slots |
// padding | saved registers | incoming stack arguments

import { unreachable } from '../base/errors.ts'
import { F } from '../thumb/forms.ts'
import { Cond, Index } from '../thumb/instruction.ts'
import { CALLEE_SAVED, LR, PC, SP } from '../thumb/registers.ts'
import { Base, Code, type CodeFunction, Memory, P } from './code.ts'

export interface FrameOptions {
  /** The textbook's workflow: every function pushes r4-r11 and LR, and pops them. */
  readonly fullPrologue?: boolean
}

/** Greatest offset of the word and byte accesses' 12-bit immediates, and of ADDW and SUBW. */
const IMM12 = 4095
/** Where TAIL_CALL's target is: no epilogue changes it. */
const TAIL_TARGET = 12
/** Frames over this get a word to borrow a register with. */
const HUGE = 4000

/** Lays out the frame and makes its accesses concrete. `stackBytes`: what SP goes down by, saved registers included. */
export function layoutFrame(fn: CodeFunction, options: FrameOptions = {}): { stackBytes: number } {
  const frame = new Frame(fn, options)
  for (const block of fn.blocks) {
    if (!block.code.some(isOfFrame)) continue
    const out: Code[] = []
    for (const code of block.code) frame.lower(code, out)
    block.code = out
  }
  const prologue: Code[] = []
  frame.prologue(prologue)
  if (prologue.length > 0) {
    const entry = fn.blocks[0]!
    if (entry.predecessors.length > 0) unreachable('entry block with predecessors')
    entry.code.unshift(...prologue)
  }
  return { stackBytes: frame.savedBytes + frame.localBytes }
}

function isOfFrame(code: Code): boolean {
  if (code.base === Base.FRAME) return true
  switch (code.form) {
    case P.RETURN:
    case P.FRAME_ADDRESS:
    case P.SPILL_LOAD:
    case P.SPILL_STORE:
    case P.ARGUMENT_LOAD:
    case P.ARGUMENT_STORE:
    case P.ENTRY_SP:
    case P.TAIL_CALL:
      return true
    default:
      return false
  }
}

function roundUp(value: number, multiple: number): number {
  return Math.ceil(value / multiple) * multiple
}

class Frame {
  /** Mask of what is pushed. */
  readonly saved: number
  readonly savedBytes: number
  /** Everything below the saved registers. */
  readonly localBytes: number
  readonly #borrow: number
  readonly #bpf: number
  readonly #spills: number
  #origin = -1
  #out: Code[] = []

  constructor(fn: CodeFunction, options: FrameOptions) {
    const all = options.fullPrologue === true || fn.savesAll
    let saved = all ? CALLEE_SAVED | (1 << LR) : fn.written & (CALLEE_SAVED | (1 << LR))
    if (fn.calls) saved |= 1 << LR
    let savedBytes = 4 * bits(saved)
    const aligned = fn.calls || fn.frameBytes > 0
    const outgoing = roundUp(4 * fn.outgoingWords, fn.frameBytes > 0 ? 8 : 4)
    const huge = outgoing + fn.frameBytes + 4 * fn.spillWords > HUGE
    this.#borrow = outgoing
    this.#bpf = outgoing + (huge ? 8 : 0)
    this.#spills = this.#bpf + fn.frameBytes
    let local = this.#spills + 4 * fn.spillWords
    if (aligned && (savedBytes + local) % 8 !== 0) {
      // One more register costs no instruction, where some are pushed anyway. One that is kept over calls: a routine's
      // results may be in all of r0-r3.
      const spare = CALLEE_SAVED & ~saved
      if (local === 0 && spare !== 0) {
        saved |= spare & -spare
        savedBytes += 4
      } else {
        local += 4
      }
    }
    this.saved = saved
    this.savedBytes = savedBytes
    this.localBytes = local
  }

  prologue(out: Code[]): void {
    this.#out = out
    this.#origin = -1
    if (this.saved !== 0) this.#multiple(this.saved, true)
    this.#adjust(F.SUB_i)
  }

  /** Appends what `code` becomes. */
  lower(code: Code, out: Code[]): void {
    this.#out = out
    this.#origin = code.origin
    switch (code.form) {
      case P.RETURN:
        this.#epilogue(true)
        return
      case P.FRAME_ADDRESS:
        this.#address(code.d, this.#bpf + code.imm, code.cond)
        return
      case P.SPILL_LOAD:
        this.#load(F.LDR_i, code.d, this.#spills + 4 * code.imm, code.cond, Memory.SPILL)
        return
      case P.SPILL_STORE:
        this.#store(F.STR_i, code.d, this.#spills + 4 * code.imm, code.cond, Memory.SPILL)
        return
      case P.ARGUMENT_LOAD:
        this.#load(F.LDR_i, code.d, this.localBytes + this.savedBytes + 4 * code.imm, code.cond)
        return
      case P.ARGUMENT_STORE:
        this.#store(F.STR_i, code.d, 4 * code.imm, code.cond)
        return
      case P.ENTRY_SP:
        this.#address(code.d, this.localBytes, Cond.AL)
        return
      case P.TAIL_CALL:
        this.#epilogue(false)
        this.#push(F.BX, -1, -1, 0).m = TAIL_TARGET
        return
      default:
        if (code.base === Base.FRAME) this.#access(code)
        else out.push(code)
    }
  }

  /** A load, store or addition that select made relative to the BPF stack's lowest byte. */
  #access(code: Code): void {
    const offset = this.#bpf + code.imm
    if (code.n !== SP || code.index !== Index.OFFSET) unreachable('frame access without SP')
    switch (code.form) {
      case F.ADD_i:
        this.#address(code.d, offset, code.cond)
        return
      case F.LDR_i:
      case F.LDRB_i:
      case F.LDRH_i:
      case F.LDRSB_i:
      case F.LDRSH_i:
        this.#load(code.form, code.d, offset, code.cond)
        return
      case F.STR_i:
      case F.STRB_i:
      case F.STRH_i:
        this.#store(code.form, code.d, offset, code.cond)
        return
      case F.LDRD_i:
      case F.STRD_i:
        if (Math.abs(offset) <= 1020 && offset % 4 === 0) break
        if (code.form === F.LDRD_i) {
          this.#load(F.LDR_i, code.d, offset, code.cond)
          this.#load(F.LDR_i, code.a, offset + 4, code.cond)
        } else {
          this.#store(F.STR_i, code.d, offset, code.cond)
          this.#store(F.STR_i, code.a, offset + 4, code.cond)
        }
        return
      default:
        if (offset < 0 || offset > 1020) unreachable('frame access out of reach')
    }
    code.imm = offset
    code.base = Base.NONE
    this.#out.push(code)
  }

  #push(form: number, d: number, n: number, imm: number): Code {
    const code = new Code(form)
    code.d = d
    code.n = n
    code.imm = imm
    code.origin = this.#origin
    this.#out.push(code)
    return code
  }

  /** d = SP + offset, without other registers or flags. */
  #address(d: number, offset: number, cond: Cond): void {
    if (offset >= 0 && offset <= IMM12) {
      this.#push(F.ADD_i, d, SP, offset).cond = cond
    } else if (offset < 0 && offset >= -IMM12) {
      this.#push(F.SUB_i, d, SP, -offset).cond = cond
    } else {
      this.#push(F.MOV_i, d, -1, offset & 0xffff).cond = cond
      this.#push(F.MOVT, d, -1, offset >>> 16).cond = cond
      const sum = this.#push(F.ADD_r, d, SP, 0)
      sum.m = d
      sum.cond = cond
    }
  }

  #load(form: number, d: number, offset: number, cond: Cond, memory: number = Memory.ANY): void {
    if (reaches(offset)) {
      const load = this.#push(form, d, SP, offset)
      load.cond = cond
      load.memory = memory
    } else {
      this.#address(d, offset, cond)
      this.#push(form, d, d, 0).cond = cond
    }
  }

  #store(form: number, d: number, offset: number, cond: Cond, memory: number = Memory.ANY): void {
    if (reaches(offset)) {
      const store = this.#push(form, d, SP, offset)
      store.cond = cond
      store.memory = memory
      return
    }
    const borrowed = d === 0 ? 1 : 0
    this.#push(F.STR_i, borrowed, SP, this.#borrow)
    this.#address(borrowed, offset, Cond.AL)
    this.#push(form, d, borrowed, 0).cond = cond
    this.#push(F.LDR_i, borrowed, SP, this.#borrow)
  }

  /** SP moves by the local part. */
  #adjust(form: number): void {
    const local = this.localBytes
    const rest = local & IMM12
    if (local > IMM12) this.#push(form, SP, SP, local - rest)
    if (rest > 0) this.#push(form, SP, SP, rest)
  }

  /** With `leave` to the caller; without, LR is as the caller set it. */
  #epilogue(leave: boolean): void {
    this.#adjust(F.ADD_i)
    const { saved } = this
    if (!leave) {
      if (saved !== 0) this.#multiple(saved, false)
      return
    }
    const link = (saved >> LR) & 1
    if (saved !== 0) this.#multiple(link === 1 ? (saved & ~(1 << LR)) | (1 << PC) : saved, false)
    if (link === 1) return
    const back = this.#push(F.BX, -1, -1, 0)
    back.m = LR
  }

  /** PUSH or POP. One high register alone has no such encoding and is a store or load with write-back. */
  #multiple(mask: number, push: boolean): void {
    const high = mask & 0x1f00
    if (mask === high && bits(mask) === 1) {
      const register = 31 - Math.clz32(mask)
      const one = this.#push(push ? F.STR_i : F.LDR_i, register, SP, push ? -4 : 4)
      one.index = push ? Index.PRE : Index.POST
      return
    }
    this.#push(push ? F.STMDB : F.LDM, -1, SP, mask).index = Index.PRE
  }
}

function reaches(offset: number): boolean {
  return offset >= 0 && offset <= IMM12
}

function bits(mask: number): number {
  let count = 0
  for (let rest = mask; rest !== 0; rest &= rest - 1) count++
  return count
}
