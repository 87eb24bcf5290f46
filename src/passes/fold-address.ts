// Addresses of the stack and of data with constants added, and constants in the address of an access: what the
// algebraic rules can't say, since it is about what values stand for.

import type { Value } from '../ir/func.ts'
import { I32, I64, Op } from '../ir/op.ts'
import type { Rewriter } from './rules/rule-compiler.ts'

/** Addresses of the stack and of data stay addresses within this distance: no carry can leave their word. */
const REACH = 1 << 15
/** Bytes from r10 within which an address of the stack is one. */
const FRAME_REACH = 512

/** The operations that foldAddress has rules for. */
export const addressed: Uint8Array = new Uint8Array(256)
const accesses = [Op.load8, Op.load8s, Op.load16, Op.load16s, Op.load32, Op.store8, Op.store16, Op.store32]
for (const op of [Op.add, Op.and, ...accesses]) addressed[op] = 1

export function foldAddress(rewriter: Rewriter, value: Value): Value {
  const { op, args } = value
  const a = args[0]!
  const b = args[1]!
  if (op === Op.add) {
    if (b.op !== Op.const) return value
    if (value.type === I64) {
      if (a.op !== Op.zext || b.immHigh !== b.imm >> 31) return value
      const place = a.args[0]!
      if (Math.abs(place.imm + b.imm) > REACH) return value
      const moved = displaced(rewriter, place, b.imm, REACH)
      return moved === undefined ? value : rewriter.make(Op.zext, I64, [moved], 0)
    }
    return displaced(rewriter, a, b.imm, FRAME_REACH) ?? value
  }
  if (op === Op.and) {
    // The low bits of a stack address: r10 is a multiple of 8.
    const low = a.op === Op.frame && b.op === Op.const && b.imm > 0 && b.imm < 8
    return low ? rewriter.word(a.imm & b.imm) : value
  }
  // Constant parts of an address go into the offset, as far as the target's addressing reaches.
  if (a.op !== Op.add || a.args[1]!.op !== Op.const) return value
  const offset = value.imm + a.args[1]!.imm
  if (offset <= -256 || offset >= 4096) return value
  return rewriter.become(value, op, [a.args[0]!, ...args.slice(1)], offset)
}

/** A place of the stack (up to `reach` from r10) or of data, so many bytes on. */
function displaced(rewriter: Rewriter, place: Value, bytes: number, reach: number): Value | undefined {
  const imm = place.imm + bytes
  // Farther away is nothing that the frame must hold.
  const kept =
    place.op === Op.frame ? Math.abs(imm) <= reach : place.op === Op.address && place.callee!.kind !== 'function'
  if (!kept) return undefined
  const moved = rewriter.make(place.op, I32, [], imm)
  moved.callee = place.callee
  return moved
}
