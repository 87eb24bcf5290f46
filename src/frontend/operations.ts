// The operations of the IR that BPF's are, where one is one.

import type { AtomicOp } from '../bpf/isa.ts'
import { Op } from '../ir/op.ts'

/** By name of the ALU operation. */
export const binary = {
  add: Op.add,
  sub: Op.sub,
  mul: Op.mul,
  div: Op.udiv,
  sdiv: Op.sdiv,
  mod: Op.urem,
  smod: Op.srem,
  or: Op.or,
  and: Op.and,
  xor: Op.xor,
} as const

/** By name of the atomic operation. */
export const atomics: Record<AtomicOp, number> = {
  add: Op.atomicadd,
  or: Op.atomicor,
  and: Op.atomicand,
  xor: Op.atomicxor,
  xchg: Op.atomicxchg,
  cmpxchg: Op.atomiccmpxchg,
}
