// Control flow as no compiler makes it, and calls by register.

import { condition } from './conditions.ts'
import { type Draft, GOTOL, HELPERS } from './draft.ts'

/** Blocks that jump among each other, a loop that is tested late, or a call by register. */
export function unusual(draft: Draft, depth: number): void {
  const { random } = draft
  const kind = random.below(10)
  if (kind < 5 && depth < draft.deepest) return tangle(draft, depth)
  if (kind < 8 && depth < draft.deepest) return lateTest(draft, depth)
  // A helper by its number in a register.
  const register = random.pick([0, 7])
  if (random.chance(50)) {
    draft.put(0xb7, register, 0, 0, random.pick(HELPERS))
  } else {
    draft.put(0x57, register, 0, 0, 1)
    draft.put(0x07, register, 0, 0, HELPERS[0])
  }
  draft.put(0x8d, register)
}

/** Blocks that jump to any of each other: loops with several ways in, on themselves or never reached. A counter ends them. */
function tangle(draft: Draft, depth: number): void {
  const { random } = draft
  const counter = 8 + depth
  const jumps: { slot: number; to: number }[] = []
  const starts: number[] = []
  const ends: number[] = []
  const blocks = 2 + random.below(6)
  const jump = (): void => {
    jumps.push({ slot: draft.slot, to: random.below(blocks) })
    draft.put(random.pick([0x05, 0x05, GOTOL]))
  }
  draft.put(0xb7, counter, 0, 0, 2 + random.below(15))
  for (let ways = random.below(3); ways > 0; ways--) {
    condition(draft, 0)
    jumps.push({ slot: draft.slot - 1, to: random.below(blocks) })
  }
  for (let block = 0; block < blocks; block++) {
    starts.push(draft.slot)
    draft.put(0x07, counter, 0, 0, -1)
    ends.push(draft.slot)
    draft.put(random.pick([0xd5, 0xc5]), counter)
    draft.block(random.below(3), draft.deepest, false)
    for (let ways = random.below(3); ways > 0; ways--) {
      condition(draft, 0)
      jumps.push({ slot: draft.slot - 1, to: random.below(blocks) })
    }
    if (random.chance(50)) jump()
  }
  for (const { slot, to } of jumps) draft.patch(slot, starts[to])
  for (const end of ends) draft.patch(end)
}

/** A loop whose test is made early and kept, while the counter's old value is still read. */
function lateTest(draft: Draft, depth: number): void {
  const { random } = draft
  const counter = 8 + depth
  const step = random.pick([1, -1, 2, -3])
  const last = random.pick([0, 0, 5, -1])
  draft.put(0xb7, counter, 0, 0, last - step * (1 + random.below(6)))
  const head = draft.slot
  draft.block(random.below(3), depth + 1, false)
  const copied = random.chance(50)
  draft.put(0xb4, 1, 0, 0, 1)
  draft.put(random.pick([0x25, 0xc6, 0x16]), 2, 0, 1, draft.immediate())
  draft.put(0xb4, 1)
  draft.put(0xb4, 5, 0, 0, 1)
  if (copied) {
    draft.put(0xbf, 4, counter)
    draft.put(0x07, 4, 0, 0, step)
  }
  draft.put(0x15, copied ? 4 : counter, 0, 1, copied ? last : last - step)
  draft.put(0xb4, 5)
  for (let reads = random.below(4); reads > 0; reads--) {
    draft.put(random.pick([0xaf, 0x0f, 0x5f, 0x1f]), random.pick([0, 2, 3, 7]), counter)
  }
  if (random.chance(50)) draft.put(random.pick([0x0f, 0x1f]), random.pick([0, 3, 7]), 1)
  if (copied) draft.put(0xbf, counter, 4)
  else draft.put(0x07, counter, 0, 0, step)
  if (random.chance(50)) draft.put(0x54, 5, 0, 0, 1)
  draft.put(0x16, 5, 0, head - draft.slot - 1)
}
