// Which memory accesses may touch the same bytes, and what calls read and write.
//
// An address that is not followed (UNKNOWN) may be of the context, a section, a map's elements, or of a stack from the byte on
// that was given away. The context is whatever the caller gave: it may be a section or a map's element too. Never the same are
// two sections, two stacks, a section and elements, and env, a map's structure (no program has addresses of them that it
// writes to) or a stack that was not given away and anything else.

import { type Value, callsHelper } from '../ir/func.ts'
import { Op } from '../ir/op.ts'
import { type Addresses, FAR, Kind, STACK_BYTES, accessBytes, atomicBytes, isAtomic, isStore } from './regions.ts'

/** An access: `size` bytes at `root` + `offset`. */
export interface Access {
  readonly root: Value
  readonly offset: number
  readonly size: number
}

/** Where a load, store or atomic operation is, constants of its address added up; one root for what is exact in a region. */
export function accessOf(addresses: Addresses, value: Value): Access {
  let root = value.args[0]!
  let offset = value.imm
  while (root.op === Op.add && root.args[1]!.op === Op.const) {
    offset += root.args[1]!.imm
    root = root.args[0]!
  }
  const number = addresses.of(root)
  if (number > 0 && addresses.isExact(root)) {
    const base = (addresses.bases[number] ??= root)
    offset += addresses.from[root.id]! - addresses.from[base.id]!
    root = base
  }
  return { root, offset, size: isAtomic(value.op) ? atomicBytes(value) : accessBytes[value.op]! }
}

/** Whether `inner` is all inside of `outer`, for sure. */
export function covers(outer: Access, inner: Access): boolean {
  return (
    outer.root === inner.root && outer.offset <= inner.offset && inner.offset + inner.size <= outer.offset + outer.size
  )
}

/** Whether a byte of one may be one of the other. */
export function mayMeet(addresses: Addresses, a: Access, b: Access): boolean {
  if (a.root === b.root) {
    // Modulo 2^32, offsets this small are apart as they seem.
    if (Math.abs(a.offset) > FAR || Math.abs(b.offset) > FAR) return true
    return overlap(a.offset, a.offset + a.size, b.offset, b.offset + b.size)
  }
  const x = addresses.of(a.root)
  const y = addresses.of(b.root)
  if (x !== y || x <= 0) return regionsMeet(addresses, a, b)
  const [from, to] = [addresses.from, addresses.to]
  const [i, j] = [a.root.id, b.root.id]
  if (from[i]! <= -FAR || from[j]! <= -FAR || to[i]! >= FAR || to[j]! >= FAR) return true
  return overlap(from[i]! + a.offset, to[i]! + a.offset + a.size, from[j]! + b.offset, to[j]! + b.offset + b.size)
}

function overlap(a: number, aEnd: number, b: number, bEnd: number): boolean {
  return a < bEnd && b < aEnd
}

function regionsMeet(addresses: Addresses, a: Access, b: Access): boolean {
  const x = Math.max(0, addresses.of(a.root))
  const y = Math.max(0, addresses.of(b.root))
  if (addresses.regions[x]!.kind === Kind.STACK) return x === y || (y === 0 && isGiven(addresses, a))
  if (addresses.regions[y]!.kind === Kind.STACK) return x === 0 && isGiven(addresses, b)
  return x === y || (meets[addresses.regions[x]!.kind]! & (1 << addresses.regions[y]!.kind)) !== 0
}

/** By kind: the kinds that may be the same memory, as bits. What is of one region is decided before. */
const meets = new Uint8Array(8)
meets[Kind.UNKNOWN] = (1 << Kind.UNKNOWN) | (1 << Kind.CONTEXT) | (1 << Kind.SECTION) | (1 << Kind.ELEMENTS)
meets[Kind.CONTEXT] = meets[Kind.UNKNOWN]!
meets[Kind.SECTION] = (1 << Kind.UNKNOWN) | (1 << Kind.CONTEXT)
meets[Kind.ELEMENTS] = (1 << Kind.UNKNOWN) | (1 << Kind.CONTEXT) | (1 << Kind.ELEMENTS)

/** Whether an access may be where others than this function have the address of. */
export function isGiven(addresses: Addresses, access: Access): boolean {
  const number = addresses.of(access.root)
  if (number <= 0) return true
  const region = addresses.regions[number]!
  if (region.kind !== Kind.STACK) return true
  if (region.given === 0) return false
  return region.given <= -STACK_BYTES || addresses.to[access.root.id]! + access.offset + access.size > region.given
}

/** What an operation may change: nothing, the bytes of its access, or what a call reaches. */
export const Effect = { NONE: 0, ACCESS: 1, HELPER: 2, FUNCTION: 3 } as const
export type Effect = (typeof Effect)[keyof typeof Effect]

export function effectOf(value: Value): Effect {
  if (isStore(value.op) || isAtomic(value.op)) return Effect.ACCESS
  if (value.op !== Op.call) return Effect.NONE
  if (callsHelper(value)) return Effect.HELPER
  return value.callee!.kind === 'routine' ? Effect.NONE : Effect.FUNCTION
}

/** Whether a call reads and writes the bytes of an access. Helpers see neither env nor maps' structures change. */
export function callReaches(addresses: Addresses, effect: Effect, access: Access): boolean {
  if (effect === Effect.NONE) return false
  const kind = addresses.regions[Math.max(0, addresses.of(access.root))]!.kind
  if (kind === Kind.MAP) return false
  if (kind === Kind.ENV) return effect === Effect.FUNCTION
  return isGiven(addresses, access)
}
