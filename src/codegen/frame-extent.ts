// How many bytes of BPF stack a function needs: as deep as its accesses go where all of them are at constant offsets, all
// 512 (RFC 9669 leaves the size open; it is the kernel's) where an address of the stack goes anywhere else.

import { type Func, callsHelper } from '../ir/func.ts'
import { Op } from '../ir/op.ts'

export const BPF_STACK_BYTES = 512

/** A multiple of 8. */
export function frameExtent(func: Func): number {
  let lowest = 0
  for (const block of func.blocks) {
    for (const value of block.values) {
      const { args } = value
      for (let index = 0; index < args.length; index++) {
        const arg = args[index]!
        if (arg.op !== Op.frame) continue
        const access =
          index === 0 &&
          ((value.op >= Op.load8 && value.op <= Op.store64) ||
            (value.op >= Op.atomicadd && value.op <= Op.atomiccmpxchg) ||
            (value.op >= Op.atomicadd2 && value.op <= Op.atomiccmpxchg2))
        // A helper is given the address of an object: it may use what lies from there up.
        const given = callsHelper(value)
        if (access) lowest = Math.min(lowest, arg.imm + value.imm)
        else if (given) lowest = Math.min(lowest, arg.imm)
        else lowest = Math.min(lowest, -BPF_STACK_BYTES)
      }
    }
  }
  return (-lowest + 7) & ~7
}
