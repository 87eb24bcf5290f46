// Random BPF programs that end, keep to their context and stack, read no stack that they did not write and let no stack
// address into a result: what interpreter and compiled code must agree on in all 64 bits.

import { Random } from './random.ts'

export interface RandomProgram {
  readonly text: Uint8Array
  /** Bytes of context that it needs. */
  readonly contextBytes: number
}

export const CONTEXT_BYTES = 256
const GOTOL = 0x06
/** Helpers that programs call: 1 to 3. */
export const HELPERS = [1, 2, 3]
const STACK_BYTES = 64
/** Below them, slots that are only used whole: offset from r10, bytes. */
const SLOTS = [
  [-72, 8],
  [-80, 8],
  [-84, 4],
  [-88, 4],
  [-90, 2],
  [-92, 2],
  [-93, 1],
  [-94, 1],
] as const
/** Below those, an array: offset from r10, bytes. */
const ARRAY = -136
const ARRAY_BYTES = 32
/** Some functions have a buffer below it that loops walk over, as large as the context: offset from r10. */
const BUFFER = ARRAY - CONTEXT_BYTES
const WIDTH = { 1: 0x10, 2: 0x08, 4: 0x00, 8: 0x18 } as const

const interesting = [
  0, 1, 2, 3, 7, 8, 15, 16, 31, 32, 33, 63, 64, 127, 128, 255, 256, 257, 0x7fff, 0x8000, 0xffff, 0x10000, 0x12345678,
  0x7fffffff, -0x80000000, -1, -2, -3, -7, -8, -128, -129, -255, -256, -257, -0x8000, -0x10000, 0x00ff00ff, 0x01010101,
  0x55555555, 4095, 4096,
]

class Generator {
  readonly random: Random
  readonly bytes: number[] = []
  /** Patches: slot of a local call, and the function it calls. */
  readonly calls: { slot: number; callee: number }[] = []
  #functions: number
  /** Loops in loops: r8 and r9 count them, and in callees r9 is an address. */
  #deepest = 2
  /** The function has the buffer. */
  #buffer = false
  /** Every fourth program has control flow of any shape, and calls by register. */
  #unusual: boolean
  /** The lowest function that may be called. */
  lowest = 0

  constructor(seed: number, functions: number) {
    this.random = new Random(seed)
    this.#functions = functions
    this.#unusual = (seed & 3) === 3
  }

  get slot(): number {
    return this.bytes.length / 8
  }

  put(opcode: number, dst = 0, src = 0, offset = 0, imm = 0): void {
    this.bytes.push(opcode, dst | (src << 4), offset & 0xff, (offset >> 8) & 0xff)
    this.bytes.push(imm & 0xff, (imm >> 8) & 0xff, (imm >> 16) & 0xff, (imm >>> 24) & 0xff)
  }

  immediate(): number {
    const { random } = this
    if (random.chance(60)) return random.pick(interesting)
    return random.chance(50) ? random.word() | 0 : (random.word() | 0) >> random.below(31)
  }

  /** r0-r5 and r7 hold data; r6 is the context, r8 and r9 count loops. */
  data(): number {
    return this.random.pick([0, 1, 2, 3, 4, 5, 7])
  }

  lddw(dst: number, low: number, high: number): void {
    this.put(0x18, dst, 0, 0, low)
    this.put(0, 0, 0, 0, high)
  }

  /** A function: `statements` of them, then all data registers mixed into r0. */
  fn(statements: number, callable: boolean, isEntry: boolean): void {
    const { random } = this
    // Callees get the context in r1 as well, and a place for 64 bytes in r5, in the context or in a caller's stack.
    this.put(0xbf, 6, 1)
    this.#deepest = isEntry ? 2 : 1
    if (!isEntry) {
      this.put(0xbf, 9, 5)
      this.put(0xb7, 5, 0, 0, this.immediate())
    }
    for (let at = 8; at <= STACK_BYTES; at += 8) {
      if (random.chance(50)) this.put(0x7a, 10, 0, -at, this.immediate())
      else this.put(0x7b, 10, random.pick(isEntry ? [0, 2, 3] : [2, 3, 4]), -at)
    }
    for (const [offset, size] of SLOTS) this.put(0x62 | WIDTH[size], 10, 0, offset, this.immediate())
    for (let at = ARRAY; at < ARRAY + ARRAY_BYTES; at += 8) this.put(0x7a, 10, 0, at, this.immediate())
    this.#buffer = random.chance(40)
    if (this.#buffer) this.fillBuffer()
    for (const register of [0, 2, 3, 4, 5, 7]) {
      const kind = random.below(4)
      if (kind === 0) this.lddw(register, this.immediate(), this.immediate())
      else if (kind === 1) this.put(0xb7, register, 0, 0, this.immediate())
      else if (kind === 2) this.put(0x79, register, 6, random.below(CONTEXT_BYTES - 8))
    }
    this.put(0xb7, 1, 0, 0, this.immediate())
    this.block(statements, 0, callable)
    for (const register of [1, 2, 3, 4, 5, 7]) {
      this.put(random.chance(50) ? 0xaf : 0x0f, 0, register)
      if (random.chance(30)) this.put(0x27, 0, 0, 0, 31)
    }
    this.put(0x95)
  }

  /** A loop that stores to all of it. */
  fillBuffer(): void {
    const { random } = this
    this.put(0xbf, 4, 10)
    this.put(0x07, 4, 0, 0, BUFFER)
    this.put(0xb7, 5, 0, 0, CONTEXT_BYTES / 8)
    const head = this.slot
    if (random.chance(50)) this.put(0x7b, 4, 5)
    else this.put(0x7a, 4, 0, 0, this.immediate())
    this.put(0x07, 4, 0, 0, 8)
    this.put(0x07, 5, 0, 0, -1)
    this.put(0x55, 5, 0, head - this.slot - 1)
    for (const register of [4, 5]) this.put(0xb7, register, 0, 0, this.immediate())
  }

  block(statements: number, depth: number, callable: boolean): void {
    for (let count = 0; count < statements; count++) this.statement(depth, callable)
  }

  statement(depth: number, callable: boolean): void {
    const { random } = this
    if (this.#unusual && random.chance(12)) return this.unusual(depth)
    const kind = random.below(100)
    if (kind < 42) this.alu()
    else if (kind < 43 && depth < this.#deepest) this.machine(depth, callable)
    else if (kind < 43) this.alu()
    else if (kind < 45) this.pieces()
    else if (kind < 53) this.load()
    else if (kind < 61) this.store()
    else if (kind < 67) this.slotAccess()
    else if (kind < 71) this.atomic()
    else if (kind < 81) this.conditional(depth, callable)
    else if (kind < 85 && depth < this.#deepest) this.loop(depth, callable)
    else if (kind < 87 && depth < this.#deepest) this.walk(depth)
    else if (kind < 88) this.choice(depth, callable)
    else if (kind < 89) this.lddw(this.data(), this.immediate(), this.immediate())
    else if (kind < 91) this.indexed()
    else if (kind < 92) this.element()
    else if (kind < 94) this.packet()
    else if (kind < 96) this.helper()
    else if (kind < 98 && callable) this.call()
    else this.alu()
  }

  alu(): void {
    const { random } = this
    const dst = this.data()
    const cls = random.chance(50) ? 0x07 : 0x04
    const op = random.below(14)
    if (op === 8) return this.put(0x80 | cls, dst)
    if (op === 13) {
      const width = random.pick([16, 32, 64])
      const kind = random.below(3)
      return this.put(kind === 0 ? 0xd4 : kind === 1 ? 0xdc : 0xd7, dst, 0, 0, width)
    }
    const signed = (op === 3 || op === 9) && random.chance(40) ? 1 : 0
    const register = random.chance(55)
    if (op === 11 && register && random.chance(40)) {
      return this.put(0xb8 | cls, dst, this.data(), random.pick(cls === 7 ? [8, 16, 32] : [8, 16]))
    }
    const shift = op === 6 || op === 7 || op === 12
    if (register) this.put((op << 4) | 0x08 | cls, dst, this.data(), signed)
    else
      this.put(
        (op << 4) | cls,
        dst,
        0,
        signed,
        shift && random.chance(80) ? (random.chance(15) ? 1 : random.below(cls === 7 ? 64 : 32)) : this.immediate(),
      )
  }

  /** Base register, offset for an access of `size` bytes. */
  place(size: number): [number, number] {
    const { random } = this
    if (this.#deepest === 1 && random.chance(25)) return [9, random.below(STACK_BYTES - size + 1)]
    if (random.chance(10)) return [10, ARRAY + random.below(ARRAY_BYTES - size + 1)]
    if (random.chance(50)) return [6, random.below(CONTEXT_BYTES - size + 1)]
    return [10, -STACK_BYTES + random.below(STACK_BYTES - size + 1)]
  }

  load(): void {
    const { random } = this
    const [size, opcode] = random.pick([
      [1, 0x71],
      [2, 0x69],
      [4, 0x61],
      [8, 0x79],
      [1, 0x91],
      [2, 0x89],
      [4, 0x81],
    ] as const)
    const [base, offset] = this.place(size)
    this.put(opcode, this.data(), base, offset)
  }

  store(): void {
    const { random } = this
    const [size, bits] = random.pick([
      [1, 0x10],
      [2, 0x08],
      [4, 0x00],
      [8, 0x18],
    ] as const)
    const [base, offset] = this.place(size)
    if (random.chance(30)) this.put(0x62 | bits, base, 0, offset, this.immediate())
    else this.put(0x63 | bits, base, this.data(), offset)
  }

  /** A word in bytes or halfwords, in either order: loaded and joined, stored in parts, filled with constants, or copied. */
  pieces(): void {
    const { random } = this
    const size = random.chance(75) ? 1 : 2
    const count = 2 + random.below(size === 1 ? 7 : 3)
    const [base, offset] = this.place(size * count + 1)
    const [to, toOffset] = random.chance(30) ? [base, offset + 1 - random.below(2)] : this.place(size * count + 1)
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
        this.put(0x61 | width, 3, base, offset + size * place)
        if (shift > 0) this.put(0x60 | cls, 3, 0, 0, shift)
        this.put((step === 0 ? 0xb8 : 0x48) | cls, value, 3)
      } else if (kind === 1) {
        this.put(0xb8 | cls, 3, value)
        if (shift > 0) this.put((random.chance(80) ? 0x70 : 0xc0) | cls, 3, 0, 0, shift)
        this.put(0x63 | width, base, 3, offset + size * place)
      } else if (kind === 2) {
        this.put(0x62 | width, base, 0, offset + size * place, this.immediate())
      } else {
        this.put(0x61 | width, 3, base, offset + size * place)
        this.put(0x63 | width, to, 3, toOffset + size * place)
      }
      if (random.chance(5)) {
        if (random.chance(50)) this.store()
        else this.load()
      }
    }
  }

  slotAccess(): void {
    const { random } = this
    const [offset, size] = random.pick(SLOTS)
    if (random.chance(50)) this.put(0x63 | WIDTH[size], 10, this.data(), offset)
    else this.put((size < 8 && random.chance(40) ? 0x81 : 0x61) | WIDTH[size], this.data(), 10, offset)
  }

  atomic(): void {
    const { random } = this
    const size = random.pick([4, 8])
    const [base, offset] = random.chance(50)
      ? [6, random.below(CONTEXT_BYTES / 8) * 8]
      : [10, -8 * (1 + random.below(STACK_BYTES / 8))]
    const op = random.pick([0x00, 0x01, 0x40, 0x41, 0x50, 0x51, 0xa0, 0xa1, 0xe1, 0xf1])
    this.put(size === 4 ? 0xc3 : 0xdb, base, this.data(), offset + (size === 4 && random.chance(50) ? 4 : 0), op)
  }

  /** An access at a masked index of the context, sometimes of a scaled one. */
  indexed(): void {
    const { random } = this
    const index = random.pick([1, 2, 3, 4])
    const scale = random.below(4)
    this.put(0x57, index, 0, 0, 15)
    if (scale > 0) this.put(0x67, index, 0, 0, scale)
    this.put(0x0f, index, 6)
    const opcode = random.pick([0x71, 0x69, 0x61, 0x79, 0x73, 0x6b, 0x63, 0x7b])
    const other = random.pick([0, 5, 7])
    const offset = random.below(CONTEXT_BYTES - 130)
    if ((opcode & 7) === 1) this.put(opcode, other, index, offset)
    else this.put(opcode, index, other, offset)
    this.put(0xb7, index, 0, 0, this.immediate())
  }

  /** An access to an element of the stack's array; the index is masked, or compared with the number of elements. */
  element(): void {
    const { random } = this
    const [size, log] = random.pick([
      [1, 0],
      [2, 1],
      [4, 2],
      [8, 3],
    ] as const)
    const index = random.pick([1, 2, 3, 4])
    const limit = ARRAY_BYTES / size - 1
    const compared = random.chance(40)
    const skip = this.slot
    if (compared) this.put(0x25, index, 0, 0, limit)
    else this.put(0x57, index, 0, 0, limit)
    if (log > 0) this.put(0x67, index, 0, 0, log)
    if (random.chance(50)) {
      this.put(0x0f, index, 10)
    } else {
      this.put(0xbf, 5, 10)
      this.put(0x0f, 5, index)
      this.put(0xbf, index, 5)
      this.put(0xb7, 5, 0, 0, this.immediate())
    }
    const value = random.pick([0, 7])
    if (random.chance(50)) this.put(0x61 | WIDTH[size], value, index, ARRAY)
    else this.put(0x63 | WIDTH[size], index, value, ARRAY)
    this.put(0xb7, index, 0, 0, this.immediate())
    // Where the jump comes from, index and r5 hold no address either.
    if (compared) this.patch(skip)
  }

  packet(): void {
    const { random } = this
    const size = random.pick([0x10, 0x08, 0x00])
    // Mostly inside; outside ends the program.
    const imm = random.chance(90) ? random.below(CONTEXT_BYTES - 80) : this.immediate()
    if (random.chance(50)) {
      this.put(0x20 | size, 0, 0, 0, imm)
    } else {
      const index = this.data()
      this.put(0x54, index, 0, 0, 63)
      this.put(0x40 | size, 0, index, 0, imm)
    }
  }

  helper(): void {
    this.put(0x85, 0, 0, 0, this.random.pick(HELPERS))
  }

  call(): void {
    const { random } = this
    this.put(0xbf, 1, 6)
    if (random.chance(60)) {
      this.put(0xbf, 5, 10)
      this.put(0x07, 5, 0, 0, -STACK_BYTES)
    } else {
      this.put(0xbf, 5, 6)
      if (random.chance(60)) this.put(0x07, 5, 0, 0, random.below(CONTEXT_BYTES - STACK_BYTES))
    }
    this.calls.push({ slot: this.slot, callee: this.lowest + random.below(this.#functions - this.lowest) })
    this.put(0x85, 0, 1)
  }

  /** `(u8)(byte - 'a') < 26` and the like. */
  classCondition(opcodeOffset: number): void {
    const { random } = this
    const register = this.data()
    const [base, offset] = this.place(1)
    const cls = random.pick([0x04, 0x07])
    this.put(0x71, register, base, offset)
    this.put(cls, register, 0, 0, random.below(300) - 200)
    this.put(0x50 | cls, register, 0, 0, random.pick([0xff, 0x7f, 0xffff, 0xfe]))
    const op = random.pick([1, 2, 3, 5, 10, 11, 6, 7])
    this.put((op << 4) | random.pick([0x05, 0x06]), register, 0, opcodeOffset, random.below(300) - 20)
  }

  /** `x >> k` beside a comparison of x with 2^k, or the sign of what is extended. */
  shiftCondition(opcodeOffset: number): void {
    const { random } = this
    const value = this.data()
    const shifted = this.data()
    const wide = random.chance(50)
    const cls = wide ? 0x07 : 0x04
    if (random.chance(30)) {
      const bits = random.pick([8, 16])
      this.put(0x60 | cls, value, 0, 0, (wide ? 64 : 32) - bits)
      this.put(0xc0 | cls, value, 0, 0, (wide ? 64 : 32) - bits)
      const [op, bound] = random.pick([
        [12, 0],
        [13, -1],
        [6, -1],
        [7, 0],
      ] as const)
      this.put((op << 4) | (wide ? 0x05 : 0x06), value, 0, opcodeOffset, bound)
      return
    }
    const bits = 1 + random.below(20)
    this.put(0xb8 | cls, shifted, value)
    this.put(0x70 | cls, shifted, 0, 0, random.chance(90) ? bits : bits + 1)
    // In a row: >, >=, <, <=.
    const op = random.pick([2, 3, 10, 11])
    const bound = 2 ** bits - (op === 2 || op === 11 ? 1 : 0)
    this.put((op << 4) | (wide ? 0x05 : 0x06), value, 0, opcodeOffset, random.chance(90) ? bound : bound + 1)
  }

  /** `1 << x & C`, x a byte's low bits, which may be bounded: one of a set of characters. */
  bitCondition(opcodeOffset: number): void {
    const { random } = this
    const value = this.data()
    const rest = [0, 1, 2, 3, 4, 5, 7].filter((register) => register !== value)
    const bit = random.pick(rest)
    const mask = random.pick(rest.filter((register) => register !== bit))
    const [base, offset] = this.place(1)
    this.put(0x71, value, base, offset)
    if (random.chance(80)) this.put(0x57, value, 0, 0, random.pick([31, 63, 15, 63, 127]))
    if (random.chance(30)) this.put(0x07, value, 0, 0, random.below(40))
    const low = random.chance(30) ? 0 : random.chance(50) ? 1 << random.below(32) : this.immediate()
    const high = random.chance(30) ? 0 : random.chance(30) ? low : random.below(64)
    this.lddw(mask, low, high)
    this.put(0xb7, bit, 0, 0, 1)
    const bounded = random.chance(50)
    if (bounded) this.put(0x25, value, 0, 4, random.pick([34, 63, 40, 31, 66]))
    this.put(0x6f, bit, value)
    this.put(0x5f, bit, mask)
    this.put(random.pick([0x15, 0x55]), bit, 0, bounded ? 1 : opcodeOffset)
    if (!bounded) return
    // Both ways of the first condition lead to the second.
    this.put(0x07, value, 0, 0, 1)
    this.put(0x55, value, 0, opcodeOffset, random.below(64))
  }

  /** A bit of x beside a shift that pushes it out, or x against a constant beside a difference that is near it. */
  besideCondition(opcodeOffset: number): void {
    const { random } = this
    const value = this.data()
    const other = this.data()
    const wide = random.chance(30)
    const cls = wide ? 0x07 : 0x04
    const compare = wide ? 0x05 : 0x06
    this.put(0xb8 | cls, other, value)
    if (random.chance(50)) {
      const bit = random.below(31)
      const [op, by] = random.pick([
        [6, 32 - bit],
        [7, bit + 1],
        [12, bit + 1],
        [7, bit],
      ] as const)
      this.put((op << 4) | cls, other, 0, 0, by & (wide ? 63 : 31))
      this.put(0x40 | compare, value, 0, opcodeOffset, random.chance(90) ? 1 << bit : (1 << bit) - 1)
      return
    }
    const by = this.immediate()
    this.put(cls, other, 0, 0, by)
    const op = random.pick([1, 2, 3, 5, 6, 7, 10, 11, 12, 13])
    this.put((op << 4) | compare, value, 0, opcodeOffset, (random.below(3) - 1 - by) | 0)
  }

  condition(opcodeOffset: number): void {
    const { random } = this
    if (random.chance(8)) return this.bitCondition(opcodeOffset)
    if (random.chance(15)) return this.besideCondition(opcodeOffset)
    if (random.chance(10)) return this.shiftCondition(opcodeOffset)
    if (random.chance(10)) return this.classCondition(opcodeOffset)
    const op = random.pick([1, 2, 3, 4, 5, 6, 7, 10, 11, 12, 13])
    const cls = random.chance(50) ? 0x05 : 0x06
    if (random.chance(50)) this.put((op << 4) | 0x08 | cls, this.data(), this.data(), opcodeOffset)
    else this.put((op << 4) | cls, this.data(), 0, opcodeOffset, this.immediate())
  }

  /** Lets a jump lead to here, or to another slot. */
  patch(slot: number, target = this.slot): void {
    const distance = target - slot - 1
    const at = slot * 8 + (this.bytes[slot * 8] === GOTOL ? 4 : 2)
    const bytes = this.bytes[slot * 8] === GOTOL ? 4 : 2
    for (let byte = 0; byte < bytes; byte++) this.bytes[at + byte] = (distance >> (8 * byte)) & 0xff
  }

  unusual(depth: number): void {
    const { random } = this
    const kind = random.below(10)
    if (kind < 5 && depth < this.#deepest) return this.tangle(depth)
    if (kind < 8 && depth < this.#deepest) return this.lateTest(depth)
    // A helper by its number in a register.
    const register = random.pick([0, 7])
    if (random.chance(50)) {
      this.put(0xb7, register, 0, 0, random.pick(HELPERS))
    } else {
      this.put(0x57, register, 0, 0, 1)
      this.put(0x07, register, 0, 0, HELPERS[0])
    }
    this.put(0x8d, register)
  }

  /** Blocks that jump to any of each other: loops with several ways in, on themselves or never reached. A counter ends them. */
  tangle(depth: number): void {
    const { random } = this
    const counter = 8 + depth
    const jumps: { slot: number; to: number }[] = []
    const starts: number[] = []
    const ends: number[] = []
    const blocks = 2 + random.below(6)
    const jump = (): void => {
      jumps.push({ slot: this.slot, to: random.below(blocks) })
      this.put(random.pick([0x05, 0x05, GOTOL]))
    }
    this.put(0xb7, counter, 0, 0, 2 + random.below(15))
    for (let ways = random.below(3); ways > 0; ways--) {
      this.condition(0)
      jumps.push({ slot: this.slot - 1, to: random.below(blocks) })
    }
    for (let block = 0; block < blocks; block++) {
      starts.push(this.slot)
      this.put(0x07, counter, 0, 0, -1)
      ends.push(this.slot)
      this.put(random.pick([0xd5, 0xc5]), counter)
      this.block(random.below(3), this.#deepest, false)
      for (let ways = random.below(3); ways > 0; ways--) {
        this.condition(0)
        jumps.push({ slot: this.slot - 1, to: random.below(blocks) })
      }
      if (random.chance(50)) jump()
    }
    for (const { slot, to } of jumps) this.patch(slot, starts[to])
    for (const end of ends) this.patch(end)
  }

  /** A loop whose test is made early and kept, while the counter's old value is still read. */
  lateTest(depth: number): void {
    const { random } = this
    const counter = 8 + depth
    const step = random.pick([1, -1, 2, -3])
    const last = random.pick([0, 0, 5, -1])
    this.put(0xb7, counter, 0, 0, last - step * (1 + random.below(6)))
    const head = this.slot
    this.block(random.below(3), depth + 1, false)
    const copied = random.chance(50)
    this.put(0xb4, 1, 0, 0, 1)
    this.put(random.pick([0x25, 0xc6, 0x16]), 2, 0, 1, this.immediate())
    this.put(0xb4, 1)
    this.put(0xb4, 5, 0, 0, 1)
    if (copied) {
      this.put(0xbf, 4, counter)
      this.put(0x07, 4, 0, 0, step)
    }
    this.put(0x15, copied ? 4 : counter, 0, 1, copied ? last : last - step)
    this.put(0xb4, 5)
    for (let reads = random.below(4); reads > 0; reads--) {
      this.put(random.pick([0xaf, 0x0f, 0x5f, 0x1f]), random.pick([0, 2, 3, 7]), counter)
    }
    if (random.chance(50)) this.put(random.pick([0x0f, 0x1f]), random.pick([0, 3, 7]), 1)
    if (copied) this.put(0xbf, counter, 4)
    else this.put(0x07, counter, 0, 0, step)
    if (random.chance(50)) this.put(0x54, 5, 0, 0, 1)
    this.put(0x16, 5, 0, head - this.slot - 1)
  }

  conditional(depth: number, callable: boolean): void {
    const { random } = this
    this.condition(0)
    const at = this.slot - 1
    this.block(1 + random.below(4), depth, callable)
    if (random.chance(50)) {
      const end = this.slot
      this.put(0x05)
      this.patch(at)
      this.block(1 + random.below(4), depth, callable)
      this.patch(end)
    } else {
      this.patch(at)
    }
  }

  /** A tree of compares of one value, as compilers make of a switch: cases lie densely, some lead to the same place. */
  choice(depth: number, callable: boolean): void {
    const { random } = this
    const value = this.data()
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
      this.put(wide ? 0x57 : 0x54, value, 0, 0, random.pick([7, 15]))
      if (first !== 0 && random.chance(80)) this.put(wide ? 0x07 : 0x04, value, 0, 0, first)
    }
    const jumps: { slot: number; arm: number }[] = []
    const greater = random.pick([0x20, 0x60])
    const jumpTo = (arm: number, opcode: number, imm = 0): void => {
      jumps.push({ slot: this.slot, arm })
      this.put(opcode, opcode === 0x05 ? 0 : value, 0, 0, imm)
    }
    const tree = (from: number, to: number): void => {
      if (to - from > 2) {
        const middle = (from + to) >> 1
        const right = this.slot
        this.put(greater | cls, value, 0, 0, cases[middle - 1])
        tree(from, middle)
        this.patch(right)
        tree(middle, to)
        return
      }
      for (let at = from; at < to; at++) jumpTo(at % arms, 0x10 | cls, cases[at])
      jumpTo(arms, 0x05)
    }
    tree(0, cases.length)
    const ends: number[] = []
    for (let arm = 0; arm <= arms; arm++) {
      for (const { slot, arm: to } of jumps) if (to === arm) this.patch(slot)
      if (random.chance(80)) this.block(random.below(3), depth, callable && random.chance(20))
      ends.push(this.slot)
      this.put(0x05)
    }
    for (const end of ends) this.patch(end)
  }

  /** A loop that goes on from a state, which is mostly a constant at its end, as a parser's. */
  machine(depth: number, callable: boolean): void {
    const { random } = this
    const counter = 8 + depth
    const [offset, size] = random.pick(SLOTS)
    const states = 2 + random.below(4)
    const next = (): void => this.put(0x62 | WIDTH[size], 10, 0, offset, random.below(states))
    const heads: number[] = []
    this.put(0xb7, counter, 0, 0, 2 + random.below(8))
    if (random.chance(80)) next()
    const head = this.slot
    if (random.chance(50)) this.block(1 + random.below(2), depth + 1, false)
    const tested = random.pick([1, 2])
    this.put(0x61 | WIDTH[size], tested, 10, offset)
    for (let state = 1; state < states; state++) {
      heads.push(this.slot)
      this.put(random.pick([0x15, 0x16, 0x15, 0x16, 0x25, 0x65]), tested, 0, 0, states - state)
    }
    const ends: number[] = []
    for (let state = 0; state < states; state++) {
      if (state > 0) this.patch(heads[state - 1]!)
      if (random.chance(80)) this.block(1 + random.below(2), depth + 1, callable && random.chance(10))
      if (random.chance(85)) next()
      if (random.chance(40)) {
        this.condition(1)
        next()
      }
      if (random.chance(25)) {
        // Goes on to the head by a way of its own.
        this.put(0x07, counter, 0, 0, -1)
        this.put(0x25, counter, 0, head - this.slot - 1)
      }
      ends.push(this.slot)
      this.put(0x05)
    }
    for (const end of ends) this.patch(end)
    if (random.chance(50)) this.block(1, depth + 1, false)
    this.put(0x07, counter, 0, 0, -1)
    this.put(0x65, counter, 0, head - this.slot - 1)
    if (random.chance(50)) this.put(0x61 | WIDTH[size], this.data(), 10, offset)
  }

  /** Counts up, by conditions of every kind, now and then over 2^32. */
  upward(depth: number, callable: boolean): void {
    const { random } = this
    const counter = 8 + depth
    const step = random.pick([1, 1, 1, 2, 3])
    const turns = 1 + random.below(5)
    const start = random.pick([0, 0, 1, 100, 0x7ffffffe, 0xfffffffc, 0xfffffffe])
    const bound = start + turns * step
    if (start <= 0x7fffffff) this.put(0xb7, counter, 0, 0, start)
    else this.lddw(counter, start | 0, 0)
    const rotated = random.chance(60)
    const limit = 5
    // The limit is in a register that the body may not write: it is loaded again before each use.
    const loadLimit = (): void => this.lddw(limit, bound | 0, bound > 0xffffffff ? 1 : 0)
    const head = this.slot
    let leave = -1
    if (!rotated) {
      loadLimit()
      leave = this.slot
      this.put(random.pick([0x3d, 0x7d, 0x1d]), counter, limit)
    }
    this.block(1 + random.below(4), depth + 1, callable && random.chance(30))
    if (random.chance(60)) this.put(random.pick([0x0f, 0xaf, 0x2f]), this.data(), counter)
    const old = random.chance(40) ? this.data() : -1
    if (old >= 0) this.put(0xbf, old, counter)
    this.put(0x07, counter, 0, 0, step)
    if (old >= 0 && random.chance(50)) this.put(random.pick([0x0f, 0xaf, 0x2f, 0x1f]), this.data(), old)
    if (rotated) {
      loadLimit()
      this.put(random.pick([0xad, 0xcd, 0x55 + 8]), counter, limit, head - this.slot - 1)
    } else {
      this.put(0x05, 0, 0, head - this.slot - 1)
      this.patch(leave)
    }
    if (random.chance(50)) this.put(0x0f, this.data(), counter)
  }

  /** One access of any size by an address in r1 or r4, between r1 or r4 and data that no loop of `walk` counts with. */
  accessAt(base: number, offset: number): void {
    const { random } = this
    const other = random.pick([0, 2, 3, 7])
    const opcode = random.pick([0x71, 0x69, 0x61, 0x79, 0x91, 0x89, 0x81, 0x73, 0x6b, 0x63, 0x7b, 0x72, 0x62])
    if ((opcode & 7) === 1) this.put(opcode, other, base, offset)
    else if ((opcode & 7) === 2) this.put(opcode, base, 0, offset, this.immediate())
    else this.put(opcode, base, other, offset)
  }

  /** Goes over the context or the buffer: by a counter that scales to offsets, by pointers that step, or by both; up or down. */
  walk(depth: number): void {
    const { random } = this
    const counter = 8 + depth
    const cls = random.chance(50) ? 7 : 4
    const step = random.pick([1, 1, 1, 2, 3])
    const down = random.chance(30)
    const turns = 1 + random.below(6)
    const start = down ? turns * step : random.below(4)
    const known = down || random.chance(50)
    const [base, first] = this.#buffer && random.chance(60) ? [10, BUFFER] : [6, 0]
    this.put(0xb7, counter, 0, 0, start)
    // r4 walks by 4 at most, so that it stays inside with 24 turns.
    this.put(0xbf, 4, base)
    this.put(0x07, 4, 0, 0, first + 100)
    if (known) this.put(0xb7, 5, 0, 0, down ? 0 : start + turns * step)
    else this.put(0x57, 5, 0, 0, 7)
    const guard = this.slot
    const guarded = !known && random.chance(70)
    if (guarded) this.put(0x3d, counter, 5)
    const head = this.slot
    const scale = random.below(4)
    for (let count = 1 + random.below(3); count > 0; count--) {
      if (random.chance(60)) {
        this.put(0xb0 | 8 | random.pick([cls, 7]), 1, counter)
        if (random.chance(30)) this.put(0x07, 1, 0, 0, random.below(3))
        if (scale > 0) this.put(0x67, 1, 0, 0, scale)
        this.put(0x0f, 1, base)
        this.accessAt(1, first + random.below(40))
      } else {
        this.accessAt(4, random.pick([0, 0, 4, 8, 1, -4]))
      }
      if (random.chance(40)) this.put(0x0f, random.pick([0, 2, 3, 7]), random.pick([0, 2, 3, 7]))
      if (count === 1 || random.chance(20)) this.put(0x07, 4, 0, 0, random.pick([1, 2, 4, -1, -4, 4]))
    }
    if (random.chance(20)) this.put(0xaf, 0, counter)
    this.put(cls, counter, 0, 0, down ? -step : step)
    const jump = random.pick(
      known
        ? down
          ? [0x5d, 0x2d, 0x6d]
          : [0xad, 0xcd, 0x5d]
        : step === 1 && guarded
          ? [0xad, 0xcd, 0x5d]
          : [0xad, 0xcd],
    )
    this.put(jump - (cls === 4 ? -1 : 0), counter, 5, head - this.slot - 1)
    if (guarded) this.patch(guard)
    if (random.chance(40)) this.put(0x0f, random.pick([0, 2, 3, 7]), counter)
    this.put(0xb7, 1, 0, 0, this.immediate())
    this.put(0xb7, 4, 0, 0, this.immediate())
  }

  loop(depth: number, callable: boolean): void {
    const { random } = this
    if (random.chance(50)) return this.upward(depth, callable)
    const counter = 8 + depth
    const wide = random.chance(60)
    this.put(wide ? 0xb7 : 0xb4, counter, 0, 0, 1 + random.below(6))
    const head = this.slot
    this.block(1 + random.below(5), depth + 1, callable && random.chance(30))
    if (random.chance(30)) this.put(0x0f, this.data(), counter)
    // Now and then the condition reads the counter as it was.
    const tested = random.chance(40) ? 5 : counter
    if (tested === 5) this.put(wide ? 0xbf : 0xbc, tested, counter)
    this.put(wide ? 0x07 : 0x04, counter, 0, 0, -1)
    const last = tested === 5 ? 1 : 0
    this.put(random.pick(wide ? [0x55, 0x25, 0x65] : [0x56, 0x26, 0x66]), tested, 0, head - this.slot - 1, last)
  }
}

/** The same seed, length (statements of the entry) and number of local functions give the same program. */
export function randomProgram(seed: number, length: number, functions = 2): RandomProgram {
  const generator = new Generator(seed, Math.max(functions, 1))
  const starts: number[] = []
  generator.fn(length, functions > 0, true)
  for (let index = 0; index < Math.max(functions, 1); index++) {
    starts.push(generator.slot)
    // Functions call later ones alone, so that every program ends.
    generator.lowest = index + 1
    generator.fn(1 + generator.random.below(8), index + 1 < functions, false)
  }
  for (const { slot, callee } of generator.calls) {
    const imm = starts[callee]! - slot - 1
    for (let byte = 0; byte < 4; byte++) generator.bytes[slot * 8 + 4 + byte] = (imm >> (8 * byte)) & 0xff
  }
  return { text: Uint8Array.from(generator.bytes), contextBytes: CONTEXT_BYTES }
}
