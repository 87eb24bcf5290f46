// Constant folding, copies and algebra: walks the blocks in reverse postorder and rewrites each value by the rules for its
// type (fold-word.ts, fold-double.ts), until nothing changes. Needs and leaves: any stage.

import { removeUnreachable } from '../ir/cfg.ts'
import { type Func, type Value, replaceValues, resolve } from '../ir/func.ts'
import { I32, I64, Op, type Type } from '../ir/op.ts'
import { foldDouble } from './fold-double.ts'
import { foldWord } from './fold-word.ts'

/** What the rules may do: make values before the one that they rewrite. */
export class Folder {
  readonly func: Func
  /** The values of the current block as they will be. */
  out: Value[] = []
  current: Value
  /** The value at hand was rewritten in place. */
  changed = false
  /** Some value was. */
  rewritten = false
  constructor(func: Func) {
    this.func = func
    this.current = func.blocks[0]!.values[0]!
  }
  make(op: number, type: Type, args: Value[], imm = 0): Value {
    const value = this.func.create(this.current.block, op, type, args, imm, this.current.origin)
    // Made values obey the rules too.
    const before = this.current
    const { changed } = this
    this.current = value
    const result = foldOne(this, value)
    this.current = before
    this.changed = changed
    if (result === value) this.out.push(value)
    return result
  }
  /** The `address` or `frame` of what another is of, at a different offset. */
  address(of: Value, imm: number): Value {
    const value = this.make(of.op, I32, [], imm)
    value.callee = of.callee
    return value
  }
  /** The value itself becomes another operation. */
  become(value: Value, op: number, args: Value[], imm = 0): Value {
    value.op = op
    value.args = args
    value.imm = imm
    this.changed = true
    return value
  }
}

/** Rewrites of one value in a row. */
const MAXIMUM_STEPS = 32

/** The value, rewritten in place, or another that stands for it. */
function foldOne(folder: Folder, value: Value): Value {
  if (value.op === Op.phi) return foldPhi(value)
  // Each rule leads towards a simpler form; should two ever lead to each other, this ends it.
  for (let step = 0; step < MAXIMUM_STEPS; step++) {
    folder.changed = false
    // What a comparison or a narrowing does depends on its operand's type.
    const wide = value.type === I64 || value.args[0]?.type === I64
    const result = wide ? foldDouble(folder, value) : foldWord(folder, value)
    if (result !== value) return result
    if (!folder.changed) return value
    folder.rewritten = true
  }
  return value
}

/** A phi of one value, itself aside, is that value. */
function foldPhi(phi: Value): Value {
  let only: Value | undefined
  for (const arg of phi.args) {
    if (arg === phi || arg === only) continue
    if (only !== undefined) return phi
    only = arg
  }
  return only ?? phi
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
    for (const block of order) {
      const { values } = block
      folder.out = []
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
          folder.out.push(value)
        } else {
          value.replacement = result
          replaced = true
        }
      }
      block.values = folder.out
    }
    if (!replaced) break
    changed = true
    replaceValues(func)
    for (const block of order) {
      for (const value of block.values) {
        if (value.op !== Op.phi) break
        if (foldPhi(value) !== value) again = true
      }
    }
  }
  return changed || folder.rewritten
}
