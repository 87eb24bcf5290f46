// Control flow as compilers make it of if, of switch and of state machines.

import { condition } from './conditions.ts'
import { type Draft, SLOTS, WIDTH } from './draft.ts'

/** If, and in every second case else. */
export function conditional(draft: Draft, depth: number, callable: boolean): void {
  const { random } = draft
  condition(draft, 0)
  const at = draft.slot - 1
  draft.block(1 + random.below(4), depth, callable)
  if (random.chance(50)) {
    const end = draft.slot
    draft.put(0x05)
    draft.patch(at)
    draft.block(1 + random.below(4), depth, callable)
    draft.patch(end)
  } else {
    draft.patch(at)
  }
}

/** A tree of compares of one value, as compilers make of a switch: cases lie densely, some lead to the same place. */
export function choice(draft: Draft, depth: number, callable: boolean): void {
  const { random } = draft
  const value = draft.data()
  const wide = random.chance(30)
  const cls = wide ? 0x05 : 0x06
  const first = random.pick([0, 0, 0, 1, 5, 100, -2, -5, 0x7ffffffc, -0x80000000])
  const cases: number[] = []
  const length = 5 + random.below(8)
  for (let each = first; cases.length < length; each += random.chance(80) ? 1 : 2) cases.push(each | 0)
  if (random.chance(20)) cases.push(first + 1000)
  const arms = 1 + random.below(cases.length)
  // Mostly one of the cases.
  if (random.chance(80)) {
    draft.put(wide ? 0x57 : 0x54, value, 0, 0, random.pick([7, 15]))
    if (first !== 0 && random.chance(80)) draft.put(wide ? 0x07 : 0x04, value, 0, 0, first)
  }
  const jumps: { slot: number; arm: number }[] = []
  const greater = random.pick([0x20, 0x60])
  const jumpTo = (arm: number, opcode: number, imm = 0): void => {
    jumps.push({ slot: draft.slot, arm })
    draft.put(opcode, opcode === 0x05 ? 0 : value, 0, 0, imm)
  }
  const tree = (from: number, to: number): void => {
    if (to - from > 2) {
      const middle = (from + to) >> 1
      const right = draft.slot
      draft.put(greater | cls, value, 0, 0, cases[middle - 1])
      tree(from, middle)
      draft.patch(right)
      tree(middle, to)
      return
    }
    for (let at = from; at < to; at++) jumpTo(at % arms, 0x10 | cls, cases[at])
    jumpTo(arms, 0x05)
  }
  tree(0, cases.length)
  const ends: number[] = []
  for (let arm = 0; arm <= arms; arm++) {
    for (const { slot, arm: to } of jumps) if (to === arm) draft.patch(slot)
    if (random.chance(80)) draft.block(random.below(3), depth, callable && random.chance(20))
    ends.push(draft.slot)
    draft.put(0x05)
  }
  for (const end of ends) draft.patch(end)
}

/** A loop that goes on from a state, which is mostly a constant at its end, as a parser's. */
export function machine(draft: Draft, depth: number, callable: boolean): void {
  const { random } = draft
  const counter = 8 + depth
  const [offset, size] = random.pick(SLOTS)
  const states = 2 + random.below(4)
  const next = (): void => draft.put(0x62 | WIDTH[size], 10, 0, offset, random.below(states))
  const heads: number[] = []
  draft.put(0xb7, counter, 0, 0, 2 + random.below(8))
  if (random.chance(80)) next()
  const head = draft.slot
  if (random.chance(50)) draft.block(1 + random.below(2), depth + 1, false)
  const tested = random.pick([1, 2])
  draft.put(0x61 | WIDTH[size], tested, 10, offset)
  for (let state = 1; state < states; state++) {
    heads.push(draft.slot)
    draft.put(random.pick([0x15, 0x16, 0x15, 0x16, 0x25, 0x65]), tested, 0, 0, states - state)
  }
  const ends: number[] = []
  for (let state = 0; state < states; state++) {
    if (state > 0) draft.patch(heads[state - 1]!)
    if (random.chance(80)) draft.block(1 + random.below(2), depth + 1, callable && random.chance(10))
    if (random.chance(85)) next()
    if (random.chance(40)) {
      condition(draft, 1)
      next()
    }
    if (random.chance(25)) {
      // Goes on to the head by a way of its own.
      draft.put(0x07, counter, 0, 0, -1)
      draft.put(0x25, counter, 0, head - draft.slot - 1)
    }
    ends.push(draft.slot)
    draft.put(0x05)
  }
  for (const end of ends) draft.patch(end)
  if (random.chance(50)) draft.block(1, depth + 1, false)
  draft.put(0x07, counter, 0, 0, -1)
  draft.put(0x65, counter, 0, head - draft.slot - 1)
  if (random.chance(50)) draft.put(0x61 | WIDTH[size], draft.data(), 10, offset)
}
