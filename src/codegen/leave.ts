// The routine that leaves a program from any call depth: r0 is env, r1 the outcome, LR an address in the code that calls it.
// It stores both, goes back to the entry's frame as it was behind its first PUSH, and returns 0 from there.

import { Env } from '../base/abi.ts'
import { F } from '../thumb/forms.ts'
import { Flags, Index } from '../thumb/instruction.ts'
import { CALLEE_SAVED, LR, PC, SP } from '../thumb/registers.ts'
import { Code, CodeBlock, CodeFunction } from './code.ts'

export const LEAVE = 'leave'

/** Over real registers already: nothing of it is for the allocator. */
export function leaveRoutine(): CodeFunction {
  const fn = new CodeFunction(LEAVE)
  const block = new CodeBlock(0)
  const put = (form: number, d: number, n: number, m: number, imm = 0): Code => {
    const code = new Code(form)
    code.d = d
    code.n = n
    code.m = m
    code.imm = imm
    block.code.push(code)
    return code
  }
  put(F.STR_i, 1, 0, -1, Env.outcome)
  put(F.STR_i, LR, 0, -1, Env.pc)
  put(F.LDR_i, 2, 0, -1, Env.sp)
  put(F.MOV_r, SP, -1, 2)
  put(F.MOV_i, 0, -1, -1).s = Flags.ANY
  put(F.MOV_i, 1, -1, -1).s = Flags.ANY
  put(F.LDM, -1, SP, -1, CALLEE_SAVED | (1 << PC)).index = Index.PRE
  fn.blocks.push(block)
  return fn
}
