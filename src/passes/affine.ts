// Words as sums: a multiple of an induction variable, multiples of what a loop does not change, and a constant. Modulo 2^32,
// so that every rewriting between such sums is exact.

import type { Block, Func, Value } from '../ir/func.ts'
import { I32, Op } from '../ir/op.ts'
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

/** Builds a sum of multiples at the end of a block. */
export class SumBuilder {
  readonly #func: Func
  readonly #block: Block
  readonly #origin: number
  #sum: Value | undefined
  #constant = 0

  constructor(func: Func, block: Block, origin: number) {
    this.#func = func
    this.#block = block
    this.#origin = origin
  }

  add(value: Value, times: number): void {
    if (times === 0) return
    if (value.op === Op.const) {
      this.#constant = (this.#constant + Math.imul(value.imm, times)) | 0
      return
    }
    if (value.op === Op.frame || value.op === Op.address) {
      const address = this.#put(value.op, [])
      address.imm = value.imm
      address.callee = value.callee
      value = address
    }
    const power = 31 - Math.clz32(times)
    let multiple = value
    if (times === -1) {
      this.#sum = this.#put(Op.sub, [this.#sum ?? this.#func.word(0), value])
      return
    }
    if (times !== 1) {
      multiple =
        times > 0 && (times & (times - 1)) === 0
          ? this.#put(Op.lsl, [value, this.#func.word(power)])
          : this.#put(Op.mul, [value, this.#func.word(times)])
    }
    this.#sum = this.#sum === undefined ? multiple : this.#put(Op.add, [this.#sum, multiple])
  }

  result(constant: number): Value {
    const total = (this.#constant + constant) | 0
    if (this.#sum === undefined) return this.#func.word(total)
    return total === 0 ? this.#sum : this.#put(Op.add, [this.#sum, this.#func.word(total)])
  }

  #put(op: number, args: Value[]): Value {
    const value = this.#func.create(this.#block, op, I32, args, 0, this.#origin)
    this.#block.values.splice(this.#block.values.length - 1, 0, value)
    return value
  }
}
