// Phis that bring one value alone, through whatever other phis, are that value; of phis of a block with equal operands one stays.
// Values that were spilled and loaded again leave rings of such phis, and an induction variable that is one of two equal phis
// is none for those who look. Needs and leaves: any stage.

import { type Block, type Func, type Value, replaceValues, resolve } from '../ir/func.ts'
import { Op } from '../ir/op.ts'

/** How many phis before it a phi is compared with. */
const WINDOW = 16
/** Turns over all phis; more are needed only where they lead from loop to loop against the order of blocks. */
const MOST_TURNS = 8

/** True if it changed anything. */
export function removeRedundantPhis(func: Func): boolean {
  const merged = mergeEqualPhis(func)
  return removeCopies(func) || merged
}

/** True if there were any. */
export function mergeEqualPhis(func: Func): boolean {
  let found = false
  for (const block of func.blocks) if (block.predecessors.length > 1 && mergeEqual(block)) found = true
  if (found) replaceValues(func)
  return found
}

/** Phis with the operands of one before are that. True if there are any. */
function mergeEqual({ values }: Block): boolean {
  let found = false
  for (let at = 1; at < values.length && values[at]!.op === Op.phi; at++) {
    const phi = values[at]!
    for (let other = at - 1; other >= 0 && other >= at - WINDOW; other--) {
      const before = values[other]!
      if (before.replacement !== null || before.type !== phi.type || before.args[0] !== phi.args[0]) continue
      if (!phi.args.every((arg, index) => arg === before.args[index])) continue
      phi.replacement = before
      found = true
      break
    }
  }
  return found
}

/**
 * Each phi is assumed to be what comes along its first edge that is known to bring anything, until another brings something else:
 * then it is itself. What is assumed when nothing changes any more holds, as every way in brings it.
 */
function removeCopies(func: Func): boolean {
  const phis: Value[] = []
  for (const block of func.blocks) {
    for (const value of block.values) {
      if (value.op !== Op.phi) break
      phis.push(value)
    }
  }
  if (phis.length === 0) return false
  /** By id of a phi: what it is assumed to be. */
  const source: (Value | undefined)[] = []
  source.length = func.valueCount
  const isOwn = new Uint8Array(func.valueCount)
  let changed = true
  for (let turn = 0; changed; turn++) {
    if (turn === MOST_TURNS) return false
    changed = false
    for (const phi of phis) {
      if (isOwn[phi.id] === 1) continue
      let only: Value | undefined
      for (const arg of phi.args) {
        const from = arg.op === Op.phi && isOwn[arg.id] === 0 ? source[arg.id] : arg
        if (from === undefined || from === only) continue
        if (only !== undefined) {
          isOwn[phi.id] = 1
          break
        }
        only = from
      }
      if (isOwn[phi.id] === 0 && only === source[phi.id]) continue
      source[phi.id] = only
      changed = true
    }
  }
  let found = false
  for (const phi of phis) {
    const from = source[phi.id]
    if (isOwn[phi.id] === 1 || from === undefined || resolve(from) === phi) continue
    phi.replacement = from
    found = true
  }
  if (found) replaceValues(func)
  return found
}
