// Makes BPF programs of any length for measuring the compiler: straight code, branches, diamonds, counted loops, loads and
// stores of the context and the stack, in the proportions of compiled C. Deterministic; every program ends, touches only
// CONTEXT_BYTES bytes at R1 and its own stack, and reads no register or stack slot that it has not written.

import { Random } from './random.ts'

/** Bytes at R1 that a generated program reads and writes. */
export const CONTEXT_BYTES = 256

const alu = {
  add: 0x00,
  sub: 0x10,
  mul: 0x20,
  or: 0x40,
  and: 0x50,
  lsh: 0x60,
  rsh: 0x70,
  xor: 0xa0,
  mov: 0xb0,
  arsh: 0xc0,
}
const common = [alu.add, alu.add, alu.add, alu.sub, alu.and, alu.or, alu.xor, alu.mov, alu.mov]
const shifts = [alu.lsh, alu.rsh, alu.arsh]
const conditions = [0x10, 0x50, 0x20, 0x30, 0xa0, 0xb0, 0x60, 0xd0, 0x40]
const loads = [0x71, 0x69, 0x61, 0x61, 0x79]
const stores = [0x73, 0x6b, 0x63, 0x63, 0x7b]
const sizes = [1, 2, 4, 4, 8]

/** Raw bytes of a program of exactly `count` instructions (at least 32, none of them LDDW). */
export function generateProgram(count: number, seed = 1): Uint8Array {
  const random = new Random(seed)
  const bytes = new Uint8Array(count * 8)
  const view = new DataView(bytes.buffer)
  let at = 0
  const put = (opcode: number, dst: number, src: number, offset: number, imm: number): void => {
    view.setUint8(at * 8, opcode)
    view.setUint8(at * 8 + 1, (src << 4) | dst)
    view.setInt16(at * 8 + 2, offset, true)
    view.setInt32(at * 8 + 4, imm, true)
    at++
  }
  // R1 stays the context and R9 counts loops; the rest holds values.
  const values = [0, 2, 3, 4, 5, 6, 7, 8]
  const register = (): number => random.pick(values)

  /** One instruction that neither jumps nor touches R1, R9. */
  const step = (): void => {
    const kind = random.below(16)
    // As in clang's output from v3 on, most arithmetic is 32-bit.
    const width = random.below(3) === 0 ? 0x07 : 0x04
    if (kind < 4)
      put(
        random.pick(common) | width,
        register(),
        0,
        0,
        random.below(4) === 0 ? random.below(1 << 20) : random.below(256),
      )
    else if (kind < 9) put(random.pick(common) | width | 0x08, register(), register(), 0, 0)
    else if (kind < 11) put(random.pick(shifts) | width, register(), 0, 0, 1 + random.below(31))
    else if (kind === 11) put(alu.mul | width | 0x08, register(), register(), 0, 0)
    else {
      const which = random.below(loads.length)
      const size = sizes[which]!
      const offset = random.below(CONTEXT_BYTES / size) * size
      if (kind < 14) put(loads[which]!, register(), 1, offset, 0)
      else if (kind < 15) put(stores[which]!, 1, register(), offset, 0)
      else put(0x7b, 10, register(), -8 * (1 + random.below(8)), 0)
    }
  }
  const steps = (amount: number): void => {
    for (let index = 0; index < amount; index++) step()
  }

  for (const value of values) put(0xb7, value, 0, 0, random.below(1 << 16))
  const body = count - 2
  while (at < body) {
    const room = body - at
    const shape = random.below(8)
    const length = 2 + random.below(8)
    if (room < 2 * length + 6 || shape < 3) {
      steps(Math.min(length, room))
    } else if (shape < 5) {
      // if (...) { ... }
      put(random.pick(conditions) | (random.below(2) === 0 ? 0x06 : 0x05), register(), 0, length, random.below(1000))
      steps(length)
    } else if (shape < 7) {
      // if (...) { ... } else { ... }
      put(random.pick(conditions) | 0x08 | 0x05, register(), register(), length + 1, 0)
      steps(length)
      put(0x05, 0, 0, length, 0)
      steps(length)
    } else {
      // for (R9 = 3; ...; R9--) { ... }
      put(0xb7, 9, 0, 0, 3)
      steps(length)
      put(0x17, 9, 0, 0, 1)
      put(0x55, 9, 0, -(length + 2), 0)
    }
  }
  put(0xaf, 0, 8, 0, 0)
  put(0x95, 0, 0, 0, 0)
  return bytes
}
