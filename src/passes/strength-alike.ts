// Pointers that step alike: an address that a loop derives from an induction variable may be a constant away from a pointer that
// the loop steps already, as unrolled loops have them. Then it takes that one, and no register more.

import type { Value } from '../ir/func.ts'
import { Op } from '../ir/op.ts'
import type { Affine, Term } from './affine.ts'
import type { Induction, LoopForest } from './loops.ts'

export interface Alike {
  readonly induction: Induction
  /** From its phi to the sum without its constant part. */
  readonly distance: number
}

/** Of these induction variables of one loop, the one that the sum differs from by a constant in every turn. */
export function alikeOf(affine: Affine, inductions: readonly Induction[]): Alike | undefined {
  const { induction, scale } = affine
  if (induction.step.op !== Op.const || inductions.length < 2) return undefined
  const step = Math.imul(induction.step.imm, scale)
  let own: Start | undefined
  for (const other of inductions) {
    if (other === induction || other.step.op !== Op.const || other.step.imm !== step) continue
    if (own === undefined) {
      own = new Start()
      own.add(induction.start, scale)
      for (const { value, times } of affine.terms) own.add(value, times)
    }
    const start = new Start()
    start.add(other.start, 1)
    if (start.hasTermsOf(own)) return { induction: other, distance: (own.constant - start.constant) | 0 }
  }
  return undefined
}

/** Whether a value of the loop is computed before the variable steps. */
export function isBeforeStep(value: Value, { next }: Induction, forest: LoopForest): boolean {
  if (value.block !== next.block) return forest.dominates(value.block, next.block)
  const { values } = value.block
  return values.indexOf(value) < values.indexOf(next)
}

/** What a variable starts from, as a sum of multiples and a constant. */
class Start {
  constant = 0
  readonly terms: Term[] = []

  add(value: Value, times: number): void {
    while (value.op === Op.add && value.args[1]!.op === Op.const) {
      this.constant = (this.constant + Math.imul(value.args[1]!.imm, times)) | 0
      value = value.args[0]!
    }
    if (value.op === Op.const) {
      this.constant = (this.constant + Math.imul(value.imm, times)) | 0
      return
    }
    const known = this.terms.find((term) => term.value === value)
    if (known === undefined) this.terms.push({ value, times })
    else known.times = (known.times + times) | 0
  }

  hasTermsOf({ terms }: Start): boolean {
    return (
      terms.length === this.terms.length &&
      terms.every(({ value, times }) => this.terms.some((term) => term.value === value && term.times === times))
    )
  }
}
