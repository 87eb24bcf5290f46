// Random BPF programs that end, keep to their context and stack, read no stack that they did not write and let no stack
// address into a result: what interpreter and compiled code must agree on in all 64 bits. random-program/ has what they are made of.

import { ARRAY, ARRAY_BYTES, CONTEXT_BYTES, Draft, HELPERS, SLOTS, STACK_BYTES, WIDTH } from './random-program/draft.ts'
import { choice, conditional, machine } from './random-program/flow.ts'
import { loop, walk } from './random-program/loops.ts'
import {
  atomic,
  element,
  fillBuffer,
  indexed,
  load,
  packet,
  pieces,
  slotAccess,
  store,
} from './random-program/memory.ts'
import { unusual } from './random-program/unusual.ts'

export { CONTEXT_BYTES, HELPERS }

export interface RandomProgram {
  readonly text: Uint8Array
  /** Bytes of context that it needs. */
  readonly contextBytes: number
}

/** A function: `statements` of them, then all data registers mixed into r0. */
function fn(draft: Draft, statements: number, callable: boolean, isEntry: boolean): void {
  const { random } = draft
  // Callees get the context in r1 as well, and a place for 64 bytes in r5, in the context or in a caller's stack.
  draft.put(0xbf, 6, 1)
  draft.deepest = isEntry ? 2 : 1
  if (!isEntry) {
    draft.put(0xbf, 9, 5)
    draft.put(0xb7, 5, 0, 0, draft.immediate())
  }
  for (let at = 8; at <= STACK_BYTES; at += 8) {
    if (random.chance(50)) draft.put(0x7a, 10, 0, -at, draft.immediate())
    else draft.put(0x7b, 10, random.pick(isEntry ? [0, 2, 3] : [2, 3, 4]), -at)
  }
  for (const [offset, size] of SLOTS) draft.put(0x62 | WIDTH[size], 10, 0, offset, draft.immediate())
  for (let at = ARRAY; at < ARRAY + ARRAY_BYTES; at += 8) draft.put(0x7a, 10, 0, at, draft.immediate())
  draft.buffer = random.chance(40)
  if (draft.buffer) fillBuffer(draft)
  for (const register of [0, 2, 3, 4, 5, 7]) {
    const kind = random.below(4)
    if (kind === 0) draft.lddw(register, draft.immediate(), draft.immediate())
    else if (kind === 1) draft.put(0xb7, register, 0, 0, draft.immediate())
    else if (kind === 2) draft.put(0x79, register, 6, random.below(CONTEXT_BYTES - 8))
  }
  draft.put(0xb7, 1, 0, 0, draft.immediate())
  draft.block(statements, 0, callable)
  for (const register of [1, 2, 3, 4, 5, 7]) {
    draft.put(random.chance(50) ? 0xaf : 0x0f, 0, register)
    if (random.chance(30)) draft.put(0x27, 0, 0, 0, 31)
  }
  draft.put(0x95)
}

function statement(draft: Draft, depth: number, callable: boolean): void {
  const { random } = draft
  if (draft.unusual && random.chance(12)) return unusual(draft, depth)
  const kind = random.below(100)
  if (kind < 42) alu(draft)
  else if (kind < 43 && depth < draft.deepest) machine(draft, depth, callable)
  else if (kind < 43) alu(draft)
  else if (kind < 45) pieces(draft)
  else if (kind < 53) load(draft)
  else if (kind < 61) store(draft)
  else if (kind < 67) slotAccess(draft)
  else if (kind < 71) atomic(draft)
  else if (kind < 81) conditional(draft, depth, callable)
  else if (kind < 85 && depth < draft.deepest) loop(draft, depth, callable)
  else if (kind < 87 && depth < draft.deepest) walk(draft, depth)
  else if (kind < 88) choice(draft, depth, callable)
  else if (kind < 89) draft.lddw(draft.data(), draft.immediate(), draft.immediate())
  else if (kind < 91) indexed(draft)
  else if (kind < 92) element(draft)
  else if (kind < 94) packet(draft)
  else if (kind < 96) helper(draft)
  else if (kind < 98 && callable) call(draft)
  else alu(draft)
}

function alu(draft: Draft): void {
  const { random } = draft
  const dst = draft.data()
  const cls = random.chance(50) ? 0x07 : 0x04
  const op = random.below(14)
  if (op === 8) return draft.put(0x80 | cls, dst)
  if (op === 13) {
    const width = random.pick([16, 32, 64])
    const kind = random.below(3)
    return draft.put(kind === 0 ? 0xd4 : kind === 1 ? 0xdc : 0xd7, dst, 0, 0, width)
  }
  const signed = (op === 3 || op === 9) && random.chance(40) ? 1 : 0
  const register = random.chance(55)
  if (op === 11 && register && random.chance(40)) {
    return draft.put(0xb8 | cls, dst, draft.data(), random.pick(cls === 7 ? [8, 16, 32] : [8, 16]))
  }
  const shift = op === 6 || op === 7 || op === 12
  if (register) draft.put((op << 4) | 0x08 | cls, dst, draft.data(), signed)
  else
    draft.put(
      (op << 4) | cls,
      dst,
      0,
      signed,
      shift && random.chance(80) ? (random.chance(15) ? 1 : random.below(cls === 7 ? 64 : 32)) : draft.immediate(),
    )
}

function helper(draft: Draft): void {
  draft.put(0x85, 0, 0, 0, draft.random.pick(HELPERS))
}

function call(draft: Draft): void {
  const { random } = draft
  draft.put(0xbf, 1, 6)
  if (random.chance(60)) {
    draft.put(0xbf, 5, 10)
    draft.put(0x07, 5, 0, 0, -STACK_BYTES)
  } else {
    draft.put(0xbf, 5, 6)
    if (random.chance(60)) draft.put(0x07, 5, 0, 0, random.below(CONTEXT_BYTES - STACK_BYTES))
  }
  draft.calls.push({ slot: draft.slot, callee: draft.lowest + random.below(draft.functions - draft.lowest) })
  draft.put(0x85, 0, 1)
}

/** The same seed, length (statements of the entry) and number of local functions give the same program. */
export function randomProgram(seed: number, length: number, functions = 2): RandomProgram {
  const draft = new Draft(seed, Math.max(functions, 1), statement)
  const starts: number[] = []
  fn(draft, length, functions > 0, true)
  for (let index = 0; index < Math.max(functions, 1); index++) {
    starts.push(draft.slot)
    // Functions call later ones alone, so that every program ends.
    draft.lowest = index + 1
    fn(draft, 1 + draft.random.below(8), index + 1 < functions, false)
  }
  for (const { slot, callee } of draft.calls) {
    const imm = starts[callee]! - slot - 1
    for (let byte = 0; byte < 4; byte++) draft.bytes[slot * 8 + 4 + byte] = (imm >> (8 * byte)) & 0xff
  }
  return { text: Uint8Array.from(draft.bytes), contextBytes: CONTEXT_BYTES }
}
