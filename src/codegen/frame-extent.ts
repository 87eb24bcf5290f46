// Where the stacks that BPF code sees are in a function's frame: its own, and below it those of the functions that were taken in.
// Each is as deep as its accesses go where all of them are at constant offsets, all 512 bytes (RFC 9669 leaves the size open; it
// is the kernel's), or as many as its code takes addresses of, where an address goes anywhere else. Of two at the same depth of calls, one is never used while the other
// is: they share their place, as the calls would have had it.

import { type Func, type Value, callsHelper } from '../ir/func.ts'
import { Op } from '../ir/op.ts'

export interface FrameExtent {
  /** All of them together: a multiple of 8. */
  readonly bytes: number
  /** By depth of calls, 0 the function's own: where its R10 is, from the lowest byte of all. A multiple of 8. */
  readonly tops: readonly number[]
}

export function frameExtent(func: Func): FrameExtent {
  const lowest: number[] = [0]
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
        const from = access ? arg.imm + value.imm : given ? arg.imm : -func.stackBytes
        const depth = depthOf(arg)
        while (lowest.length <= depth) lowest.push(0)
        lowest[depth] = Math.min(lowest[depth]!, from)
      }
    }
  }
  let bytes = 0
  for (const from of lowest) bytes += (-from + 7) & ~7
  const tops: number[] = []
  let top = bytes
  for (const from of lowest) {
    tops.push(top)
    top -= (-from + 7) & ~7
  }
  return { bytes, tops }
}

/** Bytes from the lowest one of all stacks to the address that `frame` is. */
export function frameOffset(extent: FrameExtent, frame: Value): number {
  return extent.tops[depthOf(frame)]! + frame.imm
}

function depthOf(frame: Value): number {
  return frame.callee?.kind === 'area' ? frame.callee.depth : 0
}
