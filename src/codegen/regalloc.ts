// Register allocation: virtual registers get r0-r12, LR and spill slots. Needs non-SSA code as select leaves it: critical
// edges split, phis as PARALLEL_MOVEs before the branch, fixed operands in fixedUses and fixedDefs. Leaves real registers
// in all fields, no PARALLEL_MOVE, and `spillWords`, `written`, `calls` set. Nothing that it inserts changes flags.

import { CALLEE_SAVED, LR } from '../thumb/registers.ts'
import type { CodeFunction } from './code.ts'
import { liveness } from './liveness.ts'
import { Assignment } from './regalloc-assign.ts'
import { coalesce } from './regalloc-bundles.ts'
import { rewrite } from './regalloc-rewrite.ts'

export interface AllocateOptions {
  /** All callee-saved registers are pushed whatever happens, so that they cost nothing to use. */
  readonly fullPrologue?: boolean
  /** Few bytes count for more than few cycles. */
  readonly small?: boolean
}

/** Gives every virtual register of `fn` a place, and rewrites it. Always succeeds; the same input gives the same output. */
export function allocate(fn: CodeFunction, options: AllocateOptions = {}): void {
  const small = options.small === true
  const live = liveness(fn, small)
  fn.calls = live.losesLink
  const all = options.fullPrologue === true || fn.savesAll
  const saved = (all ? CALLEE_SAVED : 0) | (all || fn.calls ? 1 << LR : 0)
  const assignment = new Assignment(fn, live, coalesce(fn, live), saved, small)
  assignment.run()
  rewrite(fn, assignment)
}
