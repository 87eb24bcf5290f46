// 64-bit values -> pairs of words. Needs: SSA of either width. Leaves: every value a word, but for pair operations (add2,
// umul, calls, ...), whose I64 results only `word` reads. What nobody needs is not made.

import { unreachable } from '../base/errors.ts'
import { emptySlots } from '../base/arrays.ts'
import { removeUnreachable } from '../ir/cfg.ts'
import type { Block, Func, Value } from '../ir/func.ts'
import { I32, I64, Op, type Type, VOID } from '../ir/op.ts'
import { BOTH, LOW, type Needs, SIGN, ZERO, findNeeds, knownHigh, needsLowAlone } from './demand.ts'
import { divideByConstant } from './divide.ts'
import { type Emitter, type Pair, multiplyPairs, shiftPair } from './pairs.ts'
import { type Ranges, findRanges } from './ranges.ts'

/**
 * `routine` is told the name of each routine that a call was made to; `needs`: of findNeeds, else as if it stood alone. `follow` is
 * told what stands for a value, where somebody wants to know.
 */
export function legalize(
  func: Func,
  routine: (name: string) => void,
  needs?: Needs,
  follow?: (from: Value, to: Value) => void,
): void {
  new Legalizer(func, routine, needs ?? findNeeds([{ func, ranges: findRanges(func) }], [])[0]!, follow).run()
}

const pairComparison: Record<number, number> = {
  [Op.eq]: Op.eq2,
  [Op.ne]: Op.ne2,
  [Op.ult]: Op.ult2,
  [Op.ule]: Op.ule2,
  [Op.slt]: Op.slt2,
  [Op.sle]: Op.sle2,
}

const pairAtomic: Record<number, number> = {
  [Op.atomicadd]: Op.atomicadd2,
  [Op.atomicor]: Op.atomicor2,
  [Op.atomicand]: Op.atomicand2,
  [Op.atomicxor]: Op.atomicxor2,
  [Op.atomicxchg]: Op.atomicxchg2,
  [Op.atomiccmpxchg]: Op.atomiccmpxchg2,
}

class Legalizer {
  private readonly func: Func
  private readonly routine: (name: string) => void
  private readonly follow: ((from: Value, to: Value) => void) | undefined
  private readonly facts: Uint8Array
  private readonly ranges: Ranges
  private readonly demand: Uint8Array
  private readonly result: number
  private readonly order: Block[]
  /** By id of an I64 value: its words. By id of a trunc or a high: in `lows`, the word that it reads. */
  private readonly lows: (Value | undefined)[]
  private readonly highs: (Value | undefined)[]
  private out: Value[] = []
  private current: Value
  /** Quotients of the current block: one call gives the remainder as well. */
  private divisions = new Map<string, Value>()
  /** 64-bit values that become the word of their low half, once all that read them are done. */
  private readonly words32: Value[] = []

  constructor(func: Func, routine: (name: string) => void, needs: Needs, follow?: (from: Value, to: Value) => void) {
    this.func = func
    this.follow = follow
    this.routine = routine
    this.order = removeUnreachable(func)
    this.lows = emptySlots(func.valueCount)
    this.highs = emptySlots(func.valueCount)
    this.facts = needs.facts
    this.ranges = needs.ranges
    this.demand = needs.demand
    this.result = needs.result
    this.current = func.blocks[0]!.values[0]!
  }

  run(): void {
    const { func } = this
    const phis: { from: Value[]; low: Value; high: Value | undefined }[] = []
    const wordPhis: Value[] = []
    this.parameters()
    for (const block of this.order) {
      this.out = []
      if (this.divisions.size > 0) this.divisions.clear()
      const signs: Value[] = []
      const { values } = block
      let index = 0
      for (; values[index]!.op === Op.phi; index++) {
        const value = values[index]!
        if (this.demand[value.id] === 0) continue
        this.out.push(value)
        if (value.type !== I64) {
          wordPhis.push(value)
          continue
        }
        // The phi itself becomes the low word's.
        const facts = this.facts[value.id]!
        const from = value.args
        this.words32.push(value)
        value.args = []
        let high: Value | undefined
        if ((facts & ZERO) !== 0 || !this.wantsHigh(value)) this.set(value, value, func.word(0))
        else if ((facts & SIGN) !== 0) {
          const sign = func.create(block, Op.asr, I32, [value, func.word(31)], 0, value.origin)
          signs.push(sign)
          this.set(value, value, sign)
        } else {
          high = func.create(block, Op.phi, I32, [], 0, value.origin)
          this.out.push(high)
          this.set(value, value, high)
        }
        phis.push({ from, low: value, high })
      }
      for (const sign of signs) this.out.push(sign)
      for (; index < values.length; index++) {
        const value = values[index]!
        if (this.demand[value.id] === 0) continue
        this.current = value
        this.value(value)
      }
      block.values = this.out
    }
    for (const phi of wordPhis) phi.args = phi.args.map((arg) => this.plain(arg))
    for (const { from, low, high } of phis) {
      low.args = from.map((arg) => this.low(arg))
      if (high !== undefined) high.args = from.map((arg) => this.high(arg))
    }
    for (const value of this.words32) value.type = I32
  }

  /** Parameters of 64 bits become two of a word each. */
  private parameters(): void {
    const { func } = this
    const first: number[] = []
    const words: Type[] = []
    for (const type of func.params) {
      first.push(words.length)
      words.push(I32)
      if (type === I64) words.push(I32)
    }
    func.params = words
    for (const value of func.blocks[0]!.values) if (value.op === Op.param) value.imm = first[value.imm]!
  }

  private wantsHigh(value: Value): boolean {
    return this.demand[value.id] === BOTH
  }

  /** A high word that nobody needs may be any. */
  private set(value: Value, low: Value, high: Value): void {
    this.lows[value.id] = low
    this.follow?.(value, low)
    this.highs[value.id] = high
  }

  private low(value: Value): Value {
    if (value.op === Op.const) return this.func.word(value.imm)
    return this.lows[value.id] ?? unreachable(`v${value.id} has no low word`)
  }

  private high(value: Value): Value {
    if (value.op === Op.const) return this.func.word(value.immHigh)
    return this.highs[value.id] ?? unreachable(`v${value.id} has no high word`)
  }

  private both(value: Value): Pair {
    return [this.low(value), this.high(value)]
  }

  private known(value: Value): number {
    return value.op === Op.const ? knownHigh(value) : this.facts[value.id]!
  }

  private add(op: number, args: Value[], imm = 0, type: Type = I32): Value {
    const { current } = this
    const value = this.func.create(current.block, op, type, args, imm, current.origin)
    this.out.push(value)
    return value
  }

  private readonly emitter: Emitter = {
    add: (op, args, imm, type) => this.add(op, args, imm, type),
    word: (constant) => this.func.word(constant),
  }

  /** A pair operation and its two words. */
  private pair(value: Value, op: number, args: Value[]): void {
    const made = this.add(op, args, value.imm, I64)
    this.follow?.(value, made)
    this.words(value, made)
  }

  private words(value: Value, pair: Value): void {
    const low = this.add(Op.word, [pair], 0)
    this.set(value, low, this.wantsHigh(value) ? this.add(Op.word, [pair], 1) : this.func.word(0))
  }

  /** Operands as words, those of 64 bits as two. */
  private flatten(args: readonly Value[]): Value[] {
    const words: Value[] = []
    for (const arg of args) {
      if (arg.type === I64) words.push(this.low(arg), this.high(arg))
      else words.push(this.plain(arg))
    }
    return words
  }

  /** A word operand: itself, unless it was a trunc or a high and is now the word that it reads. */
  private plain(value: Value): Value {
    return value.type === I32 ? (this.lows[value.id] ?? value) : value
  }

  private value(value: Value): void {
    if (value.type === I64) {
      this.double(value)
      return
    }
    const { op, args } = value
    const a = args[0]
    switch (op) {
      case Op.trunc:
        this.lows[value.id] = this.low(a!)
        this.follow?.(value, this.lows[value.id]!)
        return
      case Op.high:
        this.lows[value.id] = this.high(a!)
        this.follow?.(value, this.lows[value.id]!)
        return
      case Op.word:
        this.out.push(value)
        return
      case Op.store64: {
        const address = this.plain(a!)
        const low = this.add(Op.store32, [address, this.low(args[1]!)], value.imm, VOID)
        this.follow?.(value, low)
        this.add(Op.store32, [address, this.high(args[1]!)], value.imm + 4, VOID)
        return
      }
      case Op.keep:
        for (const word of this.flatten(args)) if (word.op !== Op.const) this.add(Op.keep, [word], 0, VOID)
        return
      case Op.ret:
        if (this.result !== LOW || args.length !== 1) break
        value.args = [a!.type === I64 ? this.low(a!) : this.plain(a!)]
        this.out.push(value)
        return
      case Op.eq:
      case Op.ne:
      case Op.ult:
      case Op.ule:
      case Op.slt:
      case Op.sle:
        if (a!.type === I64) return this.compare(value, a!, args[1]!)
        break
      default:
        break
    }
    if (!this.replaceWords(args)) value.args = this.flatten(args)
    this.out.push(value)
  }

  /** If all operands are words, replaces those that are words of others now. */
  private replaceWords(args: Value[]): boolean {
    for (let at = 0; at < args.length; at++) if (args[at]!.type === I64) return false
    for (let at = 0; at < args.length; at++) {
      const word = this.lows[args[at]!.id]
      if (word !== undefined) args[at] = word
    }
    return true
  }

  /** Comparisons of two words that are extended alike are comparisons of words. */
  private compare(value: Value, a: Value, b: Value): void {
    const facts = this.known(a) & this.known(b)
    if (facts === 0 && this.sameLow(a, b)) value.args = [this.high(a), this.high(b)]
    else if (facts === 0) {
      value.op = pairComparison[value.op]!
      value.args = [this.low(a), this.high(a), this.low(b), this.high(b)]
    } else {
      if ((facts & SIGN) === 0 && value.op >= Op.slt) value.op = value.op === Op.slt ? Op.ult : Op.ule
      value.args = [this.low(a), this.low(b)]
    }
    this.out.push(value)
  }

  /** Both low words are the same constant. */
  private sameLow(a: Value, b: Value): boolean {
    const { ranges } = this
    const low = ranges.lowMaximum(a)
    return ranges.lowMinimum(a) === low && ranges.lowMinimum(b) === low && ranges.lowMaximum(b) === low
  }

  private double(value: Value): void {
    const { func } = this
    const { op, args } = value
    switch (op) {
      case Op.param: {
        // The value stays as the low word's parameter.
        this.words32.push(value)
        this.out.push(value)
        this.set(value, value, this.wantsHigh(value) ? this.add(Op.param, [], value.imm + 1) : func.word(0))
        return
      }
      case Op.zext:
        this.set(value, this.plain(args[0]!), func.word(0))
        return
      case Op.sext: {
        const word = this.plain(args[0]!)
        this.set(value, word, this.wantsHigh(value) ? this.add(Op.asr, [word, func.word(31)]) : func.word(0))
        return
      }
      case Op.concat:
        this.set(value, this.plain(args[0]!), this.plain(args[1]!))
        return
      case Op.umul:
      case Op.add2:
      case Op.sub2:
        // Routines are written with pairs where they need them; `word` reads them.
        value.args = this.flatten(args)
        this.out.push(value)
        return
      case Op.call:
        value.args = this.flatten(args)
        this.out.push(value)
        this.words(value, value)
        return
      case Op.load64: {
        const address = this.plain(args[0]!)
        const low = this.add(Op.load32, [address], value.imm)
        this.set(value, low, this.wantsHigh(value) ? this.add(Op.load32, [address], value.imm + 4) : func.word(0))
        return
      }
      case Op.atomicadd:
      case Op.atomicor:
      case Op.atomicand:
      case Op.atomicxor:
      case Op.atomicxchg:
      case Op.atomiccmpxchg:
        this.pair(value, pairAtomic[op]!, this.flatten(args))
        return
      default:
        break
    }
    const a = args[0]!
    const b = args[1]!
    if (needsLowAlone(op) && (!this.wantsHigh(value) || this.facts[value.id] !== 0)) {
      const low =
        op === Op.select
          ? this.add(op, [this.plain(a), this.low(b), this.low(args[2]!)])
          : this.add(op, [this.low(a), op === Op.lsl ? this.plain(b) : this.low(b)])
      const zero = !this.wantsHigh(value) || (this.facts[value.id]! & ZERO) !== 0
      this.set(value, low, zero ? func.word(0) : this.add(Op.asr, [low, func.word(31)]))
      return
    }
    const aLow = op === Op.select ? a : this.low(a)
    const aHigh = op === Op.select ? a : this.high(a)
    switch (op) {
      case Op.add:
        // Without a carry, two sums.
        if (this.ranges.lowMaximum(a) + this.ranges.lowMaximum(b) >= 2 ** 32) {
          return this.pair(value, Op.add2, this.flatten(args))
        }
        this.set(value, this.add(op, [aLow, this.low(b)]), this.add(op, [aHigh, this.high(b)]))
        return
      case Op.sub:
        if (this.ranges.lowMinimum(a) < this.ranges.lowMaximum(b)) {
          return this.pair(value, Op.sub2, this.flatten(args))
        }
        this.set(value, this.add(op, [aLow, this.low(b)]), this.add(op, [aHigh, this.high(b)]))
        return
      case Op.and:
      case Op.or:
      case Op.xor:
        this.set(value, this.add(op, [aLow, this.low(b)]), this.add(op, [aHigh, this.high(b)]))
        return
      case Op.mul:
        return this.multiply(value, a, b)
      case Op.udiv:
      case Op.urem:
      case Op.sdiv:
      case Op.srem:
        return this.divide(value, a, b)
      case Op.lsl:
      case Op.lsr:
      case Op.asr:
        // What shifts in is known.
        if ((op === Op.asr ? SIGN : ZERO) & this.known(a) && op !== Op.lsl) {
          const low = this.add(op, [aLow, this.plain(b)])
          this.set(
            value,
            low,
            op === Op.asr && this.wantsHigh(value) ? this.add(op, [low, func.word(31)]) : func.word(0),
          )
          return
        }
        this.set(value, ...shiftPair(this.emitter, op, [aLow, aHigh], this.plain(b)))
        return
      case Op.bswap:
        this.set(value, this.add(Op.bswap, [aHigh]), this.add(Op.bswap, [aLow]))
        return
      case Op.select: {
        const condition = this.plain(a)
        const c = args[2]!
        const low = this.add(Op.select, [condition, this.low(b), this.low(c)])
        this.set(value, low, this.add(Op.select, [condition, this.high(b), this.high(c)]))
        return
      }
      default:
        unreachable(`legalize: operation ${op}`)
    }
  }

  private multiply(value: Value, a: Value, b: Value): void {
    const facts = this.known(a) & this.known(b)
    if ((facts & ZERO) !== 0) return this.pair(value, Op.umul, [this.low(a), this.low(b)])
    if ((facts & SIGN) !== 0) return this.pair(value, Op.smul, [this.low(a), this.low(b)])
    this.set(value, ...multiplyPairs(this.emitter, this.both(a), this.both(b)))
  }

  private divide(value: Value, a: Value, b: Value): void {
    const { func } = this
    const { op } = value
    const facts = this.known(a) & this.known(b)
    const args = [this.low(a), this.low(b)]
    const signed = op === Op.sdiv || op === Op.srem
    if ((facts & ZERO) !== 0 && (!signed || (facts & SIGN) !== 0)) {
      this.set(value, this.add(op, args), func.word(0))
      return
    }
    // INT_MIN / -1 is no signed word.
    const isWord = op === Op.srem || (op === Op.sdiv && b.op === Op.const && b.imm !== -1)
    if (isWord && (facts & SIGN) !== 0) {
      const low = this.add(op, args)
      this.set(value, low, this.add(Op.asr, [low, func.word(31)]))
      return
    }
    if (b.op === Op.const && (b.imm | b.immHigh) !== 0) {
      const most = (this.known(a) & ZERO) !== 0 ? (1n << 32n) - 1n : (1n << 64n) - 1n
      this.set(value, ...divideByConstant(this.emitter, op, this.both(a), b, most))
      return
    }
    const name = signed ? 'sdivmod64' : 'udivmod64'
    const words = [this.low(a), this.high(a), this.low(b), this.high(b)]
    const key = `${name} ${words.map((word) => word.id).join(' ')}`
    let call = this.divisions.get(key)
    if (call === undefined) {
      call = this.add(Op.call, words, 0, I64)
      call.callee = { kind: 'routine', name }
      this.divisions.set(key, call)
      this.routine(name)
    }
    const first = op === Op.udiv || op === Op.sdiv ? 0 : 2
    this.set(value, this.add(Op.word, [call], first), this.add(Op.word, [call], first + 1))
  }
}
