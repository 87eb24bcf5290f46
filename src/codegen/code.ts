// Code before it is bytes: Thumb instructions over virtual registers, then over real ones. What select leaves,
// the allocator rewrites and emit encodes.

import { type Form, F } from '../thumb/forms.ts'
import { Instruction } from '../thumb/instruction.ts'

/** Registers from here on are virtual. Below are r0-r15. */
export const FIRST_VIRTUAL = 16

/** Pseudo-forms, numbered after the real ones. */
const FIRST_PSEUDO = 1000
export const P = {
  /** moves: dst and src pairs in `defs` and `uses`, all at once (reads before writes). A phi's moves and calls' arguments. */
  PARALLEL_MOVE: FIRST_PSEUDO,
  /** Call of `symbol`: `uses`, `defs` and `clobbers` say all. Emitted as BL or MOVW/MOVT or literal + BLX (register m). */
  CALL: FIRST_PSEUDO + 1,
  /** Return: `uses` are the results. Emitted with the epilogue. */
  RETURN: FIRST_PSEUDO + 2,
  /** d = the word `imm` or the address of `symbol`, however it is cheapest. Never changes flags. Rematerialisable. */
  CONSTANT: FIRST_PSEUDO + 3,
  /** d = SP + frame offset of the BPF stack + imm. Rematerialisable. */
  FRAME_ADDRESS: FIRST_PSEUDO + 4,
  /** Reads nothing and ends the code path: after a trap's call. */
  UNREACHABLE: FIRST_PSEUDO + 5,
  /** TBB or TBH, `n` is the index, known to be below the length of `targets`. */
  TABLE_BRANCH: FIRST_PSEUDO + 6,
  /** Load and store of a spill slot `imm` (0, 1, ... words), made by the allocator; d is the register. */
  SPILL_LOAD: FIRST_PSEUDO + 7,
  SPILL_STORE: FIRST_PSEUDO + 8,
  /** d = incoming stack argument word `imm`. */
  ARGUMENT_LOAD: FIRST_PSEUDO + 9,
  /** Outgoing stack argument word `imm` = d. */
  ARGUMENT_STORE: FIRST_PSEUDO + 10,
  /** d = SP as it is behind the prologue's PUSH: where the trap path finds the saved registers. */
  ENTRY_SP: FIRST_PSEUDO + 11,
  /** First instruction of a function: `fixedDefs` are its parameters in registers. Emits nothing. */
  ENTRY: FIRST_PSEUDO + 12,
  /** The epilogue, then a branch to the address in r12: `uses` are the arguments. Whoever called this function gets that one's result. */
  TAIL_CALL: FIRST_PSEUDO + 13,
} as const

/** What an operand in `SP + imm` addressing is relative to, until the frame is laid out (n is SP then). */
export const Base = { NONE: 0, FRAME: 1 } as const

/** What a load or store is known to reach, beyond BPF's memory as such: ordinary memory at a multiple of 4; a spill slot. */
export const Memory = { ANY: 0, ALIGNED: 1, SPILL: 2 } as const

/** A use or a definition that must be in a given real register at this instruction. */
export interface Fixed {
  /** Virtual register. */
  vreg: number
  /** Real register, 0..14. */
  register: number
}

const NO_FIXED: readonly Fixed[] = []
const NO_NUMBERS: readonly number[] = []

/**
 * A Thumb or pseudo instruction. Register fields d, n, m, a hold virtual registers (or real SP) before allocation and
 * real registers after. A conditional instruction (cond not AL) that writes d also reads it.
 */
export class Code extends Instruction {
  /** Uses in fixed registers, in addition to the fields. */
  fixedUses: readonly Fixed[] = NO_FIXED
  /** Definitions in fixed registers. */
  fixedDefs: readonly Fixed[] = NO_FIXED
  /** PARALLEL_MOVE: destinations and, at the same index, sources. */
  defs: readonly number[] = NO_NUMBERS
  uses: readonly number[] = NO_NUMBERS
  /** Mask of real registers whose values are lost. */
  clobbers = 0
  /** Branches: index of the target block. */
  target = -1
  /** TABLE_BRANCH: blocks. */
  targets: readonly number[] = NO_NUMBERS
  /** CALL, CONSTANT: index in the module's symbols, -1 for none. */
  symbol = -1
  /** n is SP and imm relative to this part of the frame. */
  base = 0
  /** Loads and stores: a Memory. */
  memory: number = Memory.ANY
  /** BPF slot that it serves, -1 for none. */
  origin = -1
}

export class CodeBlock {
  index: number
  code: Code[] = []
  predecessors: number[] = []
  successors: number[] = []
  /** Nesting of loops, 0 outside. */
  loopDepth = 0
  constructor(index: number) {
    this.index = index
  }
}

/** One function. Blocks are in layout order; a block that does not end in an unconditional branch falls into the next. */
export class CodeFunction {
  readonly name: string
  blocks: CodeBlock[] = []
  /** Virtual registers are FIRST_VIRTUAL .. nextVirtual - 1. */
  nextVirtual = FIRST_VIRTUAL
  /** Bytes of BPF stack, a multiple of 8. */
  frameBytes = 0
  /** Words of the outgoing stack arguments of its calls. */
  outgoingWords = 0
  /** Words of spill slots; set by the allocator. */
  spillWords = 0
  /** Mask of the real registers that it writes; set by the allocator. */
  written = 0
  /** Contains calls: LR is lost and SP must be 8-aligned. */
  calls = false
  /** The entry of an image that needs env: all callee-saved registers are pushed so that the trap path can restore them. */
  savesAll = false
  constructor(name: string) {
    this.name = name
  }
}

/** Enters an edge between two blocks, once. */
export function join(from: CodeBlock, to: CodeBlock): void {
  if (from.successors.includes(to.index)) return
  from.successors = withOne(from.successors, to.index)
  to.predecessors = withOne(to.predecessors, from.index)
}

/** The numbers and one more. An array that grows takes room for 17 at once, and most never have more than two. */
function withOne(numbers: number[], number: number): number[] {
  if (numbers.length === 0) return [number]
  if (numbers.length === 1) return [numbers[0]!, number]
  numbers.push(number)
  return numbers
}

/** A copy that the allocator may coalesce away. */
export function isMove(code: Code): boolean {
  return code.form === F.MOV_r && code.cond === 14 && code.s !== 1
}

/** Nothing of the block comes after it. */
export function isJump(code: Code): boolean {
  if (code.form === F.B) return code.cond === 14
  return code.form === P.RETURN || code.form === P.UNREACHABLE || code.form === P.TAIL_CALL
}

export function isPseudo(form: Form): boolean {
  return form >= FIRST_PSEUDO
}
