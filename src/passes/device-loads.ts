// Keeps loads whose result nobody needs where they may be of a device's registers: reading these does something. What is known to
// be stack, context, a section, a map or env has no such registers. Each one kept becomes the operand of `keep`.
// Needs 64-bit SSA, folded: what is dead later was needed by somebody here.

import { removeUnreachable } from '../ir/cfg.ts'
import type { Func } from '../ir/func.ts'
import { Op, VOID } from '../ir/op.ts'
import { findLive } from './dead-code.ts'
import { Addresses, isLoad, isPlain, Kind } from './regions.ts'

/** `isEntry`: parameter 0 is the context. */
export function keepDeviceLoads(func: Func, isEntry: boolean): void {
  // Most functions load from what is plain to see, which is quickly seen.
  if (!loadsFromElsewhere(func, isEntry)) return
  const live = findLive(func)
  let addresses: Addresses | undefined
  for (const block of func.blocks) {
    const { values } = block
    for (let index = 0; index < values.length; index++) {
      const value = values[index]!
      if (live[value.id] !== 0 || !isLoad(value.op)) continue
      addresses ??= new Addresses(func, removeUnreachable(func), isEntry, false)
      const region = addresses.of(value.args[0]!)
      if (region > 0 && addresses.regions[region]!.kind !== Kind.UNKNOWN) continue
      values.splice(++index, 0, func.create(block, Op.keep, VOID, [value], 0, value.origin))
    }
  }
}

/** Whether a load is not plainly of memory that is known. */
function loadsFromElsewhere(func: Func, isEntry: boolean): boolean {
  for (const { values } of func.blocks) {
    for (let index = 0; index < values.length; index++) {
      const value = values[index]!
      if (isLoad(value.op) && !isPlain(func, value.args[0]!, isEntry)) return true
    }
  }
  return false
}
