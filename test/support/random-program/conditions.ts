// Conditions, each a jump at its end: of random operands, and in the forms that compilers give to common questions (bits, shifts,
// classes of characters, differences).

import type { Draft } from './draft.ts'
import { place } from './memory.ts'

/** Puts a jump that depends on data, with `opcodeOffset` as its offset. */
export function condition(draft: Draft, opcodeOffset: number): void {
  const { random } = draft
  if (random.chance(8)) return bitCondition(draft, opcodeOffset)
  if (random.chance(15)) return besideCondition(draft, opcodeOffset)
  if (random.chance(10)) return shiftCondition(draft, opcodeOffset)
  if (random.chance(10)) return classCondition(draft, opcodeOffset)
  const op = random.pick([1, 2, 3, 4, 5, 6, 7, 10, 11, 12, 13])
  const cls = random.chance(50) ? 0x05 : 0x06
  if (random.chance(50)) draft.put((op << 4) | 0x08 | cls, draft.data(), draft.data(), opcodeOffset)
  else draft.put((op << 4) | cls, draft.data(), 0, opcodeOffset, draft.immediate())
}

/** `(u8)(byte - 'a') < 26` and the like. */
function classCondition(draft: Draft, opcodeOffset: number): void {
  const { random } = draft
  const register = draft.data()
  const [base, offset] = place(draft, 1)
  const cls = random.pick([0x04, 0x07])
  draft.put(0x71, register, base, offset)
  draft.put(cls, register, 0, 0, random.below(300) - 200)
  draft.put(0x50 | cls, register, 0, 0, random.pick([0xff, 0x7f, 0xffff, 0xfe]))
  const op = random.pick([1, 2, 3, 5, 10, 11, 6, 7])
  draft.put((op << 4) | random.pick([0x05, 0x06]), register, 0, opcodeOffset, random.below(300) - 20)
}

/** `x >> k` beside a comparison of x with 2^k, or the sign of what is extended. */
function shiftCondition(draft: Draft, opcodeOffset: number): void {
  const { random } = draft
  const value = draft.data()
  const shifted = draft.data()
  const wide = random.chance(50)
  const cls = wide ? 0x07 : 0x04
  if (random.chance(30)) {
    const bits = random.pick([8, 16])
    draft.put(0x60 | cls, value, 0, 0, (wide ? 64 : 32) - bits)
    draft.put(0xc0 | cls, value, 0, 0, (wide ? 64 : 32) - bits)
    const [op, bound] = random.pick([
      [12, 0],
      [13, -1],
      [6, -1],
      [7, 0],
    ] as const)
    draft.put((op << 4) | (wide ? 0x05 : 0x06), value, 0, opcodeOffset, bound)
    return
  }
  const bits = 1 + random.below(20)
  draft.put(0xb8 | cls, shifted, value)
  draft.put(0x70 | cls, shifted, 0, 0, random.chance(90) ? bits : bits + 1)
  // In a row: >, >=, <, <=.
  const op = random.pick([2, 3, 10, 11])
  const bound = 2 ** bits - (op === 2 || op === 11 ? 1 : 0)
  draft.put((op << 4) | (wide ? 0x05 : 0x06), value, 0, opcodeOffset, random.chance(90) ? bound : bound + 1)
}

/** `1 << x & C`, x a byte's low bits, which may be bounded: one of a set of characters. */
function bitCondition(draft: Draft, opcodeOffset: number): void {
  const { random } = draft
  const value = draft.data()
  const rest = [0, 1, 2, 3, 4, 5, 7].filter((register) => register !== value)
  const bit = random.pick(rest)
  const mask = random.pick(rest.filter((register) => register !== bit))
  const [base, offset] = place(draft, 1)
  draft.put(0x71, value, base, offset)
  if (random.chance(80)) draft.put(0x57, value, 0, 0, random.pick([31, 63, 15, 63, 127]))
  if (random.chance(30)) draft.put(0x07, value, 0, 0, random.below(40))
  const low = random.chance(30) ? 0 : random.chance(50) ? 1 << random.below(32) : draft.immediate()
  const high = random.chance(30) ? 0 : random.chance(30) ? low : random.below(64)
  draft.lddw(mask, low, high)
  draft.put(0xb7, bit, 0, 0, 1)
  const bounded = random.chance(50)
  if (bounded) draft.put(0x25, value, 0, 4, random.pick([34, 63, 40, 31, 66]))
  draft.put(0x6f, bit, value)
  draft.put(0x5f, bit, mask)
  draft.put(random.pick([0x15, 0x55]), bit, 0, bounded ? 1 : opcodeOffset)
  if (!bounded) return
  // Both ways of the first condition lead to the second.
  draft.put(0x07, value, 0, 0, 1)
  draft.put(0x55, value, 0, opcodeOffset, random.below(64))
}

/** A bit of x beside a shift that pushes it out, or x against a constant beside a difference that is near it. */
function besideCondition(draft: Draft, opcodeOffset: number): void {
  const { random } = draft
  const value = draft.data()
  const other = draft.data()
  const wide = random.chance(30)
  const cls = wide ? 0x07 : 0x04
  const compare = wide ? 0x05 : 0x06
  draft.put(0xb8 | cls, other, value)
  if (random.chance(50)) {
    const bit = random.below(31)
    const [op, by] = random.pick([
      [6, 32 - bit],
      [7, bit + 1],
      [12, bit + 1],
      [7, bit],
    ] as const)
    draft.put((op << 4) | cls, other, 0, 0, by & (wide ? 63 : 31))
    draft.put(0x40 | compare, value, 0, opcodeOffset, random.chance(90) ? 1 << bit : (1 << bit) - 1)
    return
  }
  const by = draft.immediate()
  draft.put(cls, other, 0, 0, by)
  const op = random.pick([1, 2, 3, 5, 6, 7, 10, 11, 12, 13])
  draft.put((op << 4) | compare, value, 0, opcodeOffset, (random.below(3) - 1 - by) | 0)
}
