// Which spill slots are side by side: those whose accesses pair-accesses.ts can then make one, the most bytes first. Needs
// allocated code, before its frame is laid out; changes nothing but the slots' numbers.

import { Cond } from '../thumb/instruction.ts'
import { type CodeFunction, P } from './code.ts'
import { bytesSaved, isHalf, isLoad, partners } from './pair-accesses.ts'

/** Partners of an access that are counted. */
const PARTNERS = 3
/** What the bytes of the next partner count for, as each access has but one. */
const NEARER = 0.8
/** Slots of a function that are ordered at all. */
const SLOTS = 1 << 12

const found = new Int32Array(PARTNERS)

/** Numbers the spill slots of `fn` anew. `small`: stores become one too, though that takes a cycle more. */
export function orderSpills(fn: CodeFunction, small: boolean): void {
  const { spillWords, blocks } = fn
  if (spillWords < 2 || spillWords > SLOTS) return
  /** Bytes that two slots side by side save, by the two. */
  const saved = new Map<number, number>()
  for (const { code: codes } of blocks) {
    for (let at = 0; at + 1 < codes.length; at++) {
      const one = codes[at]!
      if (!isSpill(one.form) || one.cond !== Cond.AL || !isHalf(one) || (!small && !isLoad(one))) continue
      const count = partners(codes, at, found)
      for (let i = 0; i < count; i++) {
        const other = codes[Math.abs(found[i]!)]!
        const bytes = bytesSaved(one, other)
        if (bytes <= 0 || one.imm === other.imm) continue
        const key = Math.min(one.imm, other.imm) * SLOTS + Math.max(one.imm, other.imm)
        // The nearest first: of several only one can be had.
        saved.set(key, (saved.get(key) ?? 0) + bytes * NEARER ** i)
      }
    }
  }
  if (saved.size === 0) return
  const place = new Int32Array(spillWords).fill(-1)
  let next = 0
  for (const [key] of [...saved].toSorted((a, b) => b[1] - a[1] || a[0] - b[0])) {
    const low = Math.trunc(key / SLOTS)
    const high = key % SLOTS
    if (place[low]! >= 0 || place[high]! >= 0) continue
    place[low] = next++
    place[high] = next++
  }
  for (let slot = 0; slot < spillWords; slot++) if (place[slot]! < 0) place[slot] = next++
  for (const { code } of blocks) for (const each of code) if (isSpill(each.form)) each.imm = place[each.imm]!
}

function isSpill(form: number): boolean {
  return form === P.SPILL_LOAD || form === P.SPILL_STORE
}
