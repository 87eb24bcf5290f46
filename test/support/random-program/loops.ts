// Loops that count up or down and end, and such that walk over memory.

import { BUFFER, type Draft } from './draft.ts'
import { accessAt } from './memory.ts'

/** A loop that a counter ends. */
export function loop(draft: Draft, depth: number, callable: boolean): void {
  const { random } = draft
  if (random.chance(50)) return upward(draft, depth, callable)
  const counter = 8 + depth
  const wide = random.chance(60)
  draft.put(wide ? 0xb7 : 0xb4, counter, 0, 0, 1 + random.below(6))
  const head = draft.slot
  draft.block(1 + random.below(5), depth + 1, callable && random.chance(30))
  if (random.chance(30)) draft.put(0x0f, draft.data(), counter)
  // Now and then the condition reads the counter as it was.
  const tested = random.chance(40) ? 5 : counter
  if (tested === 5) draft.put(wide ? 0xbf : 0xbc, tested, counter)
  draft.put(wide ? 0x07 : 0x04, counter, 0, 0, -1)
  const last = tested === 5 ? 1 : 0
  draft.put(random.pick(wide ? [0x55, 0x25, 0x65] : [0x56, 0x26, 0x66]), tested, 0, head - draft.slot - 1, last)
}

/** Counts up, by conditions of every kind, now and then over 2^32. */
function upward(draft: Draft, depth: number, callable: boolean): void {
  const { random } = draft
  const counter = 8 + depth
  const step = random.pick([1, 1, 1, 2, 3])
  const turns = 1 + random.below(5)
  const start = random.pick([0, 0, 1, 100, 0x7ffffffe, 0xfffffffc, 0xfffffffe])
  const bound = start + turns * step
  if (start <= 0x7fffffff) draft.put(0xb7, counter, 0, 0, start)
  else draft.lddw(counter, start | 0, 0)
  const rotated = random.chance(60)
  const limit = 5
  // The limit is in a register that the body may not write: it is loaded again before each use.
  const loadLimit = (): void => draft.lddw(limit, bound | 0, bound > 0xffffffff ? 1 : 0)
  const head = draft.slot
  let leave = -1
  if (!rotated) {
    loadLimit()
    leave = draft.slot
    draft.put(random.pick([0x3d, 0x7d, 0x1d]), counter, limit)
  }
  draft.block(1 + random.below(4), depth + 1, callable && random.chance(30))
  if (random.chance(60)) draft.put(random.pick([0x0f, 0xaf, 0x2f]), draft.data(), counter)
  const old = random.chance(40) ? draft.data() : -1
  if (old >= 0) draft.put(0xbf, old, counter)
  draft.put(0x07, counter, 0, 0, step)
  if (old >= 0 && random.chance(50)) draft.put(random.pick([0x0f, 0xaf, 0x2f, 0x1f]), draft.data(), old)
  if (rotated) {
    loadLimit()
    draft.put(random.pick([0xad, 0xcd, 0x55 + 8]), counter, limit, head - draft.slot - 1)
  } else {
    draft.put(0x05, 0, 0, head - draft.slot - 1)
    draft.patch(leave)
  }
  if (random.chance(50)) draft.put(0x0f, draft.data(), counter)
}

/** Goes over the context or the buffer: by a counter that scales to offsets, by pointers that step, or by both; up or down. */
export function walk(draft: Draft, depth: number): void {
  const { random } = draft
  const counter = 8 + depth
  const cls = random.chance(50) ? 7 : 4
  const step = random.pick([1, 1, 1, 2, 3])
  const down = random.chance(30)
  const turns = 1 + random.below(6)
  const start = down ? turns * step : random.below(4)
  const known = down || random.chance(50)
  const [base, first] = draft.buffer && random.chance(60) ? [10, BUFFER] : [6, 0]
  draft.put(0xb7, counter, 0, 0, start)
  // r4 walks by 4 at most, so that it stays inside with 24 turns.
  draft.put(0xbf, 4, base)
  draft.put(0x07, 4, 0, 0, first + 100)
  if (known) draft.put(0xb7, 5, 0, 0, down ? 0 : start + turns * step)
  else draft.put(0x57, 5, 0, 0, 7)
  const guard = draft.slot
  const guarded = !known && random.chance(70)
  if (guarded) draft.put(0x3d, counter, 5)
  const head = draft.slot
  const scale = random.below(4)
  for (let count = 1 + random.below(3); count > 0; count--) {
    if (random.chance(60)) {
      draft.put(0xb0 | 8 | random.pick([cls, 7]), 1, counter)
      if (random.chance(30)) draft.put(0x07, 1, 0, 0, random.below(3))
      if (scale > 0) draft.put(0x67, 1, 0, 0, scale)
      draft.put(0x0f, 1, base)
      accessAt(draft, 1, first + random.below(40))
    } else {
      accessAt(draft, 4, random.pick([0, 0, 4, 8, 1, -4]))
    }
    if (random.chance(40)) draft.put(0x0f, random.pick([0, 2, 3, 7]), random.pick([0, 2, 3, 7]))
    if (count === 1 || random.chance(20)) draft.put(0x07, 4, 0, 0, random.pick([1, 2, 4, -1, -4, 4]))
  }
  if (random.chance(20)) draft.put(0xaf, 0, counter)
  draft.put(cls, counter, 0, 0, down ? -step : step)
  const jump = random.pick(
    known
      ? down
        ? [0x5d, 0x2d, 0x6d]
        : [0xad, 0xcd, 0x5d]
      : step === 1 && guarded
        ? [0xad, 0xcd, 0x5d]
        : [0xad, 0xcd],
  )
  draft.put(jump - (cls === 4 ? -1 : 0), counter, 5, head - draft.slot - 1)
  if (guarded) draft.patch(guard)
  if (random.chance(40)) draft.put(0x0f, random.pick([0, 2, 3, 7]), counter)
  draft.put(0xb7, 1, 0, 0, draft.immediate())
  draft.put(0xb7, 4, 0, 0, draft.immediate())
}
