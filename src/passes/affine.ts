// Words as sums: a multiple of an induction variable, multiples of what a loop does not change, and a constant. Modulo 2^32,
// so that every rewriting between such sums is exact.

import type { Value } from '../ir/func.ts'
import { Op } from '../ir/op.ts'
import { type Induction, type LoopForest, lowSum } from './loops.ts'

export interface Term {
  readonly value: Value
  times: number
}

export interface Affine {
  readonly induction: Induction
  /** Multiple of the induction variable, not 0. */
  readonly scale: number
  /** Values from before the loop, or of the stack frame or a section, each once. */
  readonly terms: readonly Term[]
  readonly constant: number
}

const MAXIMUM_DEPTH = 8
const MAXIMUM_TERMS = 4

/** The value as a sum with a multiple of one of these induction variables of the loop that the forest has entered. */
export function affineOf(value: Value, forest: LoopForest, inductions: readonly Induction[]): Affine | undefined {
  const sum = new Sum(forest, inductions)
  if (!sum.add(value, 1, 0) || sum.induction === undefined || sum.scale === 0) return undefined
  const terms = sum.terms.filter(({ times }) => times !== 0)
  terms.sort((a, b) => a.value.id - b.value.id)
  return { induction: sum.induction, scale: sum.scale, terms, constant: sum.constant }
}

/** Whether two differ by a constant alone. */
export function sameTerms(a: Affine, b: Affine): boolean {
  return (
    a.induction === b.induction &&
    a.scale === b.scale &&
    a.terms.length === b.terms.length &&
    a.terms.every(({ value, times }, index) => b.terms[index]!.value === value && b.terms[index]!.times === times)
  )
}

class Sum {
  readonly #forest: LoopForest
  readonly #inductions: readonly Induction[]
  induction: Induction | undefined
  scale = 0
  constant = 0
  readonly terms: Term[] = []

  constructor(forest: LoopForest, inductions: readonly Induction[]) {
    this.#forest = forest
    this.#inductions = inductions
  }

  /** Adds a multiple of a value; false if it is no such sum. */
  add(value: Value, times: number, depth: number): boolean {
    if (value.op === Op.const) {
      this.constant = (this.constant + Math.imul(value.imm, times)) | 0
      return true
    }
    if (value.op === Op.frame || value.op === Op.address || !this.#forest.isInside(value))
      return this.#term(value, times)
    for (const induction of this.#inductions) {
      if (value !== induction.phi && value !== induction.next) continue
      if (this.induction !== undefined && this.induction !== induction) return false
      this.induction = induction
      this.scale = (this.scale + times) | 0
      return value === induction.phi || this.add(induction.step, times, depth)
    }
    if (depth === MAXIMUM_DEPTH) return false
    const pair = lowSum(value)
    if (pair !== undefined) return this.add(pair[0], times, depth + 1) && this.add(pair[1], times, depth + 1)
    const [a, b] = value.args as [Value, Value]
    switch (value.op) {
      case Op.sub:
        return this.add(a, times, depth + 1) && this.add(b, -times | 0, depth + 1)
      case Op.lsl:
        return b.op === Op.const && b.imm >= 0 && b.imm < 32 && this.add(a, times << b.imm, depth + 1)
      case Op.mul:
        return b.op === Op.const && this.add(a, Math.imul(times, b.imm), depth + 1)
      default:
        return false
    }
  }

  #term(value: Value, times: number): boolean {
    for (const term of this.terms) {
      if (term.value !== value) continue
      term.times = (term.times + times) | 0
      return true
    }
    if (this.terms.length === MAXIMUM_TERMS) return false
    this.terms.push({ value, times })
    return true
  }
}
