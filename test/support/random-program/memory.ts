// Loads and stores, on the stack and in the context: single ones, rows of them, at indices, and atomic ones.

import { ARRAY, ARRAY_BYTES, BUFFER, CONTEXT_BYTES, type Draft, SLOTS, STACK_BYTES, WIDTH } from './draft.ts'

/** Base register, offset for an access of `size` bytes. */
export function place(draft: Draft, size: number): [number, number] {
  const { random } = draft
  if (draft.deepest === 1 && random.chance(25)) return [9, random.below(STACK_BYTES - size + 1)]
  if (random.chance(10)) return [10, ARRAY + random.below(ARRAY_BYTES - size + 1)]
  if (random.chance(50)) return [6, random.below(CONTEXT_BYTES - size + 1)]
  return [10, -STACK_BYTES + random.below(STACK_BYTES - size + 1)]
}

/** One access of any size by an address in r1 or r4, between r1 or r4 and data that no loop of `walk` counts with. */
export function accessAt(draft: Draft, base: number, offset: number): void {
  const { random } = draft
  const other = random.pick([0, 2, 3, 7])
  const opcode = random.pick([0x71, 0x69, 0x61, 0x79, 0x91, 0x89, 0x81, 0x73, 0x6b, 0x63, 0x7b, 0x72, 0x62])
  if ((opcode & 7) === 1) draft.put(opcode, other, base, offset)
  else if ((opcode & 7) === 2) draft.put(opcode, base, 0, offset, draft.immediate())
  else draft.put(opcode, base, other, offset)
}

export function load(draft: Draft): void {
  const { random } = draft
  const [size, opcode] = random.pick([
    [1, 0x71],
    [2, 0x69],
    [4, 0x61],
    [8, 0x79],
    [1, 0x91],
    [2, 0x89],
    [4, 0x81],
  ] as const)
  const [base, offset] = place(draft, size)
  draft.put(opcode, draft.data(), base, offset)
}

export function store(draft: Draft): void {
  const { random } = draft
  const [size, bits] = random.pick([
    [1, 0x10],
    [2, 0x08],
    [4, 0x00],
    [8, 0x18],
  ] as const)
  const [base, offset] = place(draft, size)
  if (random.chance(30)) draft.put(0x62 | bits, base, 0, offset, draft.immediate())
  else draft.put(0x63 | bits, base, draft.data(), offset)
}

/** A word in bytes or halfwords, in either order: loaded and joined, stored in parts, filled with constants, or copied. */
export function pieces(draft: Draft): void {
  const { random } = draft
  const size = random.chance(75) ? 1 : 2
  const count = 2 + random.below(size === 1 ? 7 : 3)
  const [base, offset] = place(draft, size * count + 1)
  const [to, toOffset] = random.chance(30) ? [base, offset + 1 - random.below(2)] : place(draft, size * count + 1)
  const width = WIDTH[size]
  const cls = random.chance(50) ? 0x07 : 0x04
  const kind = random.below(4)
  const value = random.pick([0, 7])
  const swapped = random.chance(40)
  const shuffled = random.chance(30)
  for (let step = 0; step < count; step++) {
    // In pairs the other way round, now and then.
    const at = shuffled && (step ^ 1) < count ? step ^ 1 : step
    const place = swapped ? count - 1 - at : at
    const shift = (8 * size * at) & (cls === 7 ? 63 : 31)
    if (kind === 0) {
      draft.put(0x61 | width, 3, base, offset + size * place)
      if (shift > 0) draft.put(0x60 | cls, 3, 0, 0, shift)
      draft.put((step === 0 ? 0xb8 : 0x48) | cls, value, 3)
    } else if (kind === 1) {
      draft.put(0xb8 | cls, 3, value)
      if (shift > 0) draft.put((random.chance(80) ? 0x70 : 0xc0) | cls, 3, 0, 0, shift)
      draft.put(0x63 | width, base, 3, offset + size * place)
    } else if (kind === 2) {
      draft.put(0x62 | width, base, 0, offset + size * place, draft.immediate())
    } else {
      draft.put(0x61 | width, 3, base, offset + size * place)
      draft.put(0x63 | width, to, 3, toOffset + size * place)
    }
    if (random.chance(5)) {
      if (random.chance(50)) store(draft)
      else load(draft)
    }
  }
}

export function slotAccess(draft: Draft): void {
  const { random } = draft
  const [offset, size] = random.pick(SLOTS)
  if (random.chance(50)) draft.put(0x63 | WIDTH[size], 10, draft.data(), offset)
  else draft.put((size < 8 && random.chance(40) ? 0x81 : 0x61) | WIDTH[size], draft.data(), 10, offset)
}

export function atomic(draft: Draft): void {
  const { random } = draft
  const size = random.pick([4, 8])
  const [base, offset] = random.chance(50)
    ? [6, random.below(CONTEXT_BYTES / 8) * 8]
    : [10, -8 * (1 + random.below(STACK_BYTES / 8))]
  const op = random.pick([0x00, 0x01, 0x40, 0x41, 0x50, 0x51, 0xa0, 0xa1, 0xe1, 0xf1])
  draft.put(size === 4 ? 0xc3 : 0xdb, base, draft.data(), offset + (size === 4 && random.chance(50) ? 4 : 0), op)
}

/** An access at a masked index of the context, sometimes of a scaled one. */
export function indexed(draft: Draft): void {
  const { random } = draft
  const index = random.pick([1, 2, 3, 4])
  const scale = random.below(4)
  draft.put(0x57, index, 0, 0, 15)
  if (scale > 0) draft.put(0x67, index, 0, 0, scale)
  draft.put(0x0f, index, 6)
  const opcode = random.pick([0x71, 0x69, 0x61, 0x79, 0x73, 0x6b, 0x63, 0x7b])
  const other = random.pick([0, 5, 7])
  const offset = random.below(CONTEXT_BYTES - 130)
  if ((opcode & 7) === 1) draft.put(opcode, other, index, offset)
  else draft.put(opcode, index, other, offset)
  draft.put(0xb7, index, 0, 0, draft.immediate())
}

/** An access to an element of the stack's array; the index is masked, or compared with the number of elements. */
export function element(draft: Draft): void {
  const { random } = draft
  const [size, log] = random.pick([
    [1, 0],
    [2, 1],
    [4, 2],
    [8, 3],
  ] as const)
  const index = random.pick([1, 2, 3, 4])
  const limit = ARRAY_BYTES / size - 1
  const compared = random.chance(40)
  const skip = draft.slot
  if (compared) draft.put(0x25, index, 0, 0, limit)
  else draft.put(0x57, index, 0, 0, limit)
  if (log > 0) draft.put(0x67, index, 0, 0, log)
  if (random.chance(50)) {
    draft.put(0x0f, index, 10)
  } else {
    draft.put(0xbf, 5, 10)
    draft.put(0x0f, 5, index)
    draft.put(0xbf, index, 5)
    draft.put(0xb7, 5, 0, 0, draft.immediate())
  }
  const value = random.pick([0, 7])
  if (random.chance(50)) draft.put(0x61 | WIDTH[size], value, index, ARRAY)
  else draft.put(0x63 | WIDTH[size], index, value, ARRAY)
  draft.put(0xb7, index, 0, 0, draft.immediate())
  // Where the jump comes from, index and r5 hold no address either.
  if (compared) draft.patch(skip)
}

export function packet(draft: Draft): void {
  const { random } = draft
  const size = random.pick([0x10, 0x08, 0x00])
  // Mostly inside; outside ends the program.
  const imm = random.chance(90) ? random.below(CONTEXT_BYTES - 80) : draft.immediate()
  if (random.chance(50)) {
    draft.put(0x20 | size, 0, 0, 0, imm)
  } else {
    const index = draft.data()
    draft.put(0x54, index, 0, 0, 63)
    draft.put(0x40 | size, 0, index, 0, imm)
  }
}

/** A loop that stores to all of it. */
export function fillBuffer(draft: Draft): void {
  const { random } = draft
  draft.put(0xbf, 4, 10)
  draft.put(0x07, 4, 0, 0, BUFFER)
  draft.put(0xb7, 5, 0, 0, CONTEXT_BYTES / 8)
  const head = draft.slot
  if (random.chance(50)) draft.put(0x7b, 4, 5)
  else draft.put(0x7a, 4, 0, 0, draft.immediate())
  draft.put(0x07, 4, 0, 0, 8)
  draft.put(0x07, 5, 0, 0, -1)
  draft.put(0x55, 5, 0, head - draft.slot - 1)
  for (const register of [4, 5]) draft.put(0xb7, register, 0, 0, draft.immediate())
}
