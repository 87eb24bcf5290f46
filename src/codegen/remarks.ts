// Why instructions lose the code that was selected for them, and what is to be said of each of them in the end. Nothing of this runs
// where nobody asks for it.

import type { Fates, Remark } from '../base/remark.ts'
import { F } from '../thumb/forms.ts'
import { type CodeFunction, P } from './code.ts'

/** By slot, the forms of its code. */
type Forms = ReadonlyMap<number, ReadonlySet<number>>

const jumps = [F.B]
const moves = [F.MOV_r, F.MOV_i, P.PARALLEL_MOVE, P.CONSTANT, P.FRAME_ADDRESS]
const words = [F.LDR_i, F.STR_i, P.SPILL_LOAD, P.SPILL_STORE]
const tests = [F.B, F.CMP_r, F.CMP_i, F.CMN_r, F.CMN_i, F.TST_r, F.TST_i, F.TEQ_r, F.TEQ_i]

/** Passes that make one of what was several. */
const joins = new Set(['accumulate', 'countdown'])

/** Most instructions that a sentence names. */
const MOST_NAMED = 3

/** Follows the code of one compilation, a function after the other. */
export class CodeFollower {
  /** Of the function that is at work, and of all as they are emitted. */
  #forms: Forms = new Map()
  readonly #final = new Map<number, ReadonlySet<number>>()
  readonly #lost = new Map<number, Remark>()

  /** Selection: an access does an addition as well. */
  readonly steps = (slot: number, access: number): void => {
    this.#lost.set(slot, { slot, stage: 'select', text: `part of insn ${access}` })
  }

  /** A function is selected. */
  begin(fn: CodeFunction): void {
    this.#forms = formsOf(fn)
  }

  /** Behind each stage. */
  after(stage: string, fn: CodeFunction): void {
    const now = formsOf(fn)
    for (const [slot, forms] of this.#forms) if (!now.has(slot)) this.#lose(slot, stage, forms)
    this.#forms = now
  }

  /** The function is done. */
  end(): void {
    for (const [slot, forms] of this.#forms) this.#final.set(slot, forms)
  }

  #lose(slot: number, stage: string, forms: ReadonlySet<number>): void {
    const all = (of: readonly number[]): boolean => [...forms].every((form) => of.includes(form))
    let text = `removed by ${stage}`
    if (stage === 'merge-tails') text = 'the same code stands elsewhere'
    else if (stage === 'if-convert') text = 'what it jumps over is conditional'
    else if (all(jumps)) text = 'no jump is needed'
    else if (all(moves)) text = 'no move is needed'
    else if (stage === 'emit' && all(words)) text = 'one access with the word beside it'
    else if (all(tests)) text = 'the flags are set already'
    this.#lost.set(slot, { slot, stage, text })
  }

  /** What is to be said of each instruction, in order; `emitted`: those that the code serves. */
  remarks(slots: readonly number[], fates: Fates, emitted: ReadonlySet<number>): Remark[] {
    for (const [slot, forms] of this.#final) if (!emitted.has(slot)) this.#lose(slot, 'emit', forms)
    const remarks = slots.map((slot): Remark | undefined => {
      const { gone, unneeded, changed, read, readers } = fates
      if (emitted.has(slot)) return changed.get(slot)
      const reason = gone.get(slot)
      if (reason === undefined) return this.#lost.get(slot) ?? partOf(slot, nearest(slot, readers, emitted))
      const without = unneeded.has(slot) ? nearest(slot, read, emitted) : []
      if (without.length === 0) return reason
      const form = without.map((other) => changed.get(other)).find((one) => one !== undefined && joins.has(one.stage))
      if (form?.stage === 'countdown') return { ...form, slot }
      return form ? partOf(slot, without) : { ...reason, text: `not needed for ${named(without)}` }
    })
    return remarks.filter((remark) => remark !== undefined)
  }
}

function partOf(slot: number, others: readonly number[]): Remark | undefined {
  return others.length === 0 ? undefined : { slot, stage: 'select', text: `part of ${named(others)}` }
}

function named(slots: readonly number[]): string {
  const more = slots.length > MOST_NAMED ? ' and others' : ''
  return `insn ${slots.slice(0, MOST_NAMED).join(', ')}${more}`
}

/** The instructions with code that read what this one gives, some through others without. */
function nearest(
  slot: number,
  readers: ReadonlyMap<number, readonly number[]>,
  emitted: ReadonlySet<number>,
): number[] {
  const seen = new Set([slot])
  const found = new Set<number>()
  for (const at of seen) {
    for (const reader of readers.get(at) ?? []) {
      if (emitted.has(reader)) found.add(reader)
      else seen.add(reader)
    }
  }
  return [...found].toSorted((a, b) => a - b)
}

function formsOf(fn: CodeFunction): Forms {
  const forms = new Map<number, Set<number>>()
  for (const { code } of fn.blocks) {
    for (const { origin, form } of code) {
      if (origin < 0 || form === P.ENTRY) continue
      const known = forms.get(origin)
      if (known === undefined) forms.set(origin, new Set([form]))
      else known.add(form)
    }
  }
  return forms
}
