// Accesses of bytes and halfwords side by side become one of a word or halfword: compilers for BPF take memory at unknown alignment byte by
// byte, and the target reads and writes words and halfwords anywhere (at an odd address 1 or 2 cycles more than else). Only
// what is known to be the stack, the context, a section or a map's: a device's accesses keep number, order and width.
// Needs: words, numbered, loads that repeat removed. Leaves: dead loads and what joined them.

import { removeUnreachable } from '../ir/cfg.ts'
import { type Func, type Value, countUses, replaceValues } from '../ir/func.ts'
import { Op } from '../ir/op.ts'
import { Edit } from './combine-edit.ts'
import { combineLoads } from './combine-loads.ts'
import { combineStores } from './combine-stores.ts'
import { Addresses } from './regions.ts'

/** Bytes between narrow stores that may be neighbours. */
const NEAR = 4

/** Whether anything changed. */
export function combineAccesses(func: Func, isEntry: boolean): boolean {
  const loads = hasParts(func)
  const stores = hasRuns(func)
  if (!loads && !stores) return false
  countUses(func)
  const order = removeUnreachable(func)
  const edit = new Edit(func, new Addresses(func, order, isEntry))
  for (const block of order) {
    if (loads && edit.enter(block)) combineLoads(edit)
    edit.leave()
    if (stores && edit.enter(block)) combineStores(edit)
    edit.leave()
  }
  if (edit.changed) replaceValues(func)
  return edit.changed
}

/** Whether a narrow load is shifted by bytes and joined with something. */
function hasParts(func: Func): boolean {
  for (const block of func.blocks) {
    const { values } = block
    for (let index = 0; index < values.length; index++) {
      const value = values[index]!
      if (value.op === Op.or && (isPart(value.args[0]!) || isPart(value.args[1]!))) return true
    }
  }
  return false
}

function isPart({ op, args }: Value): boolean {
  if (op !== Op.lsl || args[1]!.op !== Op.const || (args[1]!.imm & 7) !== 0) return false
  return args[0]!.op === Op.load8 || args[0]!.op === Op.load16
}

/** Whether two narrow stores in a row are close to each other. */
function hasRuns(func: Func): boolean {
  for (const block of func.blocks) {
    const { values } = block
    let last: Value | undefined
    for (let index = 0; index < values.length; index++) {
      const value = values[index]!
      if (value.op !== Op.store8 && value.op !== Op.store16) continue
      if (last !== undefined && isNear(last, value)) return true
      last = value
    }
  }
  return false
}

function isNear(one: Value, other: Value): boolean {
  const [a] = one.args as [Value]
  const [b] = other.args as [Value]
  if (a === b) return Math.abs(one.imm - other.imm) <= NEAR
  // Offsets of a frame, or sums with constants.
  return a.op === b.op && (a.op === Op.frame || (a.op === Op.add && a.args[0] === b.args[0]))
}
