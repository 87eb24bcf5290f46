// Constant folding, copies and algebra: walks the blocks in reverse postorder and rewrites each value by the rules for its
// type (fold-word.ts, fold-double.ts), until nothing changes. Needs and leaves: any stage.

import { removeUnreachable } from '../ir/cfg.ts'
import { type Func, type Value, replaceValues } from '../ir/func.ts'
import { I64, Op, type Type } from '../ir/op.ts'
import { foldDouble } from './fold-double.ts'
import { foldWord } from './fold-word.ts'

/** What the rules may do: make values before the one that they rewrite. */
export class Folder {
  readonly func: Func
  /** The values of the current block as they will be. */
  out: Value[] = []
  current: Value
  changed = false
  constructor(func: Func) {
    this.func = func
    this.current = func.blocks[0]!.values[0]!
  }
  make(op: number, type: Type, args: Value[], imm = 0): Value {
    const value = this.func.create(this.current.block, op, type, args, imm, this.current.origin)
    // Made values obey the rules too.
    const before = this.current
    this.current = value
    const result = foldOne(this, value)
    this.current = before
    if (result === value) this.out.push(value)
    return result
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

/** The value, rewritten in place, or another that stands for it. */
function foldOne(folder: Folder, value: Value): Value {
  const first = value.args[0]
  if (value.op === Op.phi) return foldPhi(value)
  // What a comparison or a narrowing does depends on its operand's type.
  if (value.type === I64 || first?.type === I64) return foldDouble(folder, value)
  return foldWord(folder, value)
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

const ROUNDS = 8

export function fold(func: Func): void {
  const order = removeUnreachable(func)
  for (let round = 0; round < ROUNDS; round++) {
    const replacement: (Value | undefined)[] = []
    const folder = new Folder(func)
    const find = (value: Value): Value => {
      let target = value
      for (let next = replacement[target.id]; next !== undefined; next = replacement[target.id]) target = next
      return target
    }
    let replaced = false
    for (const block of order) {
      const { values } = block
      folder.out = []
      for (const value of values) {
        const { args } = value
        for (let index = 0; index < args.length; index++) {
          const arg = args[index]!
          if (replacement[arg.id] !== undefined) args[index] = find(arg)
        }
        folder.current = value
        const result = foldOne(folder, value)
        if (result === value) {
          folder.out.push(value)
        } else {
          replacement[value.id] = result
          replaced = true
        }
      }
      block.values = folder.out
    }
    if (replaced) replaceValues(func, replacement)
    if (!replaced && !folder.changed) return
  }
}
