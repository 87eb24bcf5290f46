// Constant folding, copies and algebra: walks the blocks in reverse postorder and rewrites each value by the rules of
// rules/, until nothing changes. Needs and leaves: any stage.

import { removeUnreachable } from '../ir/cfg.ts'
import { type Block, type Func, type Value, resolve } from '../ir/func.ts'
import { COMMUTATIVE, I32, I64, Op, type Type, attributes } from '../ir/op.ts'
import { evaluateDouble, evaluateWord } from './evaluate.ts'
import { addressed, foldAddress } from './fold-address.ts'
import { Rewriting } from './rewriting.ts'
import { Matcher } from './rules/matcher.ts'
import { type Rewriter, SLOTS } from './rules/rule-compiler.ts'
import { lines } from './rules/rules.ts'

const matcher = new Matcher(lines)

/** What the rules may do: make values before the one that they rewrite. */
class Folder implements Rewriter {
  readonly func: Func
  readonly slots: Value[] = []
  base = 0
  /** The values of the current block as they will be. */
  readonly list = new Rewriting()
  current: Value
  /** The value at hand was rewritten in place. */
  changed = false
  /** Some value was. */
  rewritten = false
  constructor(func: Func) {
    this.func = func
    this.current = func.blocks[0]!.values[0]!
  }
  make(op: number, type: Type, args: Value[], imm: number): Value {
    const value = this.func.create(this.current.block, op, type, args, imm, this.current.origin)
    // Made values obey the rules too.
    const before = this.current
    const { changed } = this
    this.current = value
    this.base += SLOTS
    const result = foldOne(this, value)
    this.base -= SLOTS
    this.current = before
    this.changed = changed
    if (result === value) this.list.insert(value)
    return result
  }
  /** The value itself becomes another operation. */
  become(value: Value, op: number, args: Value[], imm: number): Value {
    value.op = op
    value.args = args
    value.imm = imm
    this.changed = true
    return value
  }
  word(value: number): Value {
    return this.func.word(value)
  }
  double(low: number, high: number): Value {
    return this.func.double(low, high)
  }
}

/** Rewrites of one value in a row. */
const MAXIMUM_STEPS = 32

/** The value, rewritten in place, or another that stands for it. */
function foldOne(folder: Folder, value: Value): Value {
  if (value.op === Op.phi) return foldPhi(value)
  // Each rule leads towards a simpler form; should two ever lead to each other, this ends it.
  for (let step = 0; step < MAXIMUM_STEPS; step++) {
    const { args } = value
    if (args.length === 0) return value
    folder.changed = false
    const a = args[0]!
    if (a.op === Op.const && args.length <= 2) {
      const constant = args.length === 1 || args[1]!.op === Op.const ? evaluate(folder, value) : undefined
      if (constant !== undefined) return constant
      // Constants stand on the right.
      if (args.length === 2 && (attributes[value.op]! & COMMUTATIVE) !== 0 && args[1]!.op !== Op.const) {
        folder.become(value, value.op, [args[1]!, a], value.imm)
      }
    }
    if (addressed[value.op] !== 0) {
      const result = foldAddress(folder, value)
      if (result !== value) return result
    }
    const result = matcher.rewrite(folder, value)
    if (result !== value) return result
    if (!folder.changed) return value
    folder.rewritten = true
  }
  return value
}

/** What an operation on constants gives, where it can be computed. */
function evaluate(folder: Folder, { op, type, args }: Value): Value | undefined {
  const a = args[0]!
  const b = args[1]
  if (a.type === I32) {
    if (type !== I32) return undefined
    const result = evaluateWord(op, a.imm, b === undefined ? 0 : b.imm)
    return result === undefined ? undefined : folder.word(result)
  }
  if (b === undefined) return undefined
  const result = evaluateDouble(op, wide(a), wide(b))
  if (result === undefined) return undefined
  const low = Number(BigInt.asIntN(32, result))
  return type === I64 ? folder.double(low, Number(BigInt.asIntN(32, result >> 32n))) : folder.word(low)
}

/** A constant as an unsigned number. */
function wide(value: Value): bigint {
  // A shift's amount is a word.
  if (value.type !== I64) return BigInt(value.imm >>> 0)
  return (BigInt(value.immHigh >>> 0) << 32n) | BigInt(value.imm >>> 0)
}

/** A phi of one value, itself aside, is that value. */
function foldPhi(phi: Value): Value {
  const { args } = phi
  let only: Value | undefined
  for (let index = 0; index < args.length; index++) {
    const arg = args[index]!
    if (arg === phi || arg === only) continue
    if (only !== undefined) return phi
    only = arg
  }
  return only ?? phi
}

/**
 * Operands of phis become what stands for them; those of all else are that already, for they came before what reads them. True if a
 * phi is of one value alone now.
 */
function replaceInPhis(order: readonly Block[]): boolean {
  let found = false
  for (let at = 0; at < order.length; at++) {
    const { values } = order[at]!
    for (let index = 0; index < values.length && values[index]!.op === Op.phi; index++) {
      const phi = values[index]!
      const { args } = phi
      for (let edge = 0; edge < args.length; edge++) {
        const arg = args[edge]!
        if (arg.replacement !== null) args[edge] = resolve(arg)
      }
      if (foldPhi(phi) !== phi) found = true
    }
  }
  return found
}

/** Whether anything changed. */
export function fold(func: Func): boolean {
  const order = removeUnreachable(func)
  const folder = new Folder(func)
  let changed = false
  for (let again = true; again;) {
    // Operands come before what reads them, but for those of phis: only a phi that turns out to be a copy asks for more.
    again = false
    let replaced = false
    for (let place = 0; place < order.length; place++) {
      const block = order[place]!
      const { values } = block
      folder.list.begin(values)
      for (let at = 0; at < values.length; at++) {
        const value = values[at]!
        const { args } = value
        for (let index = 0; index < args.length; index++) {
          const arg = args[index]!
          if (arg.replacement !== null) args[index] = resolve(arg)
        }
        folder.current = value
        const result = foldOne(folder, value)
        if (result === value) {
          folder.list.keep(value)
        } else {
          value.replacement = result
          replaced = true
        }
      }
      block.values = folder.list.end()
    }
    if (!replaced) break
    changed = true
    again = replaceInPhis(order)
  }
  return changed || folder.rewritten
}
