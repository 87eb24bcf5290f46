// A random program while it is made: its instructions so far, what a function has (registers, stack), and random operands.

import { Random } from '../random.ts'

export const CONTEXT_BYTES = 256
/** A jump with 32 bits of offset. */
export const GOTOL = 0x06
/** Helpers that programs call: 1 to 3. */
export const HELPERS = [1, 2, 3]
/** Bytes below r10 that are accessed anyhow. */
export const STACK_BYTES = 64
/** Below them, slots that are only used whole: offset from r10, bytes. */
export const SLOTS = [
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
export const ARRAY = -136
export const ARRAY_BYTES = 32
/** Some functions have a buffer below it that loops walk over, as large as the context: offset from r10. */
export const BUFFER = ARRAY - CONTEXT_BYTES
/** Bits of an opcode that say how many bytes are accessed. */
export const WIDTH = { 1: 0x10, 2: 0x08, 4: 0x00, 8: 0x18 } as const

const interesting = [
  0, 1, 2, 3, 7, 8, 15, 16, 31, 32, 33, 63, 64, 127, 128, 255, 256, 257, 0x7fff, 0x8000, 0xffff, 0x10000, 0x12345678,
  0x7fffffff, -0x80000000, -1, -2, -3, -7, -8, -128, -129, -255, -256, -257, -0x8000, -0x10000, 0x00ff00ff, 0x01010101,
  0x55555555, 4095, 4096,
]

/** Puts one statement into a draft: in `depth` loops, with calls of local functions if `callable`. */
export type Statement = (draft: Draft, depth: number, callable: boolean) => void

/** Registers: r0 to r5 and r7 hold data, r6 is the context, r8 and r9 count loops; r9 is an address in callees. */
export class Draft {
  readonly random: Random
  readonly bytes: number[] = []
  /** Patches: slot of a local call, and the function it calls. */
  readonly calls: { slot: number; callee: number }[] = []
  readonly functions: number
  /** Loops in loops: r8 and r9 count them, and in callees r9 is an address. */
  deepest = 2
  /** The function has the buffer. */
  buffer = false
  /** Every fourth program has control flow of any shape, and calls by register. */
  readonly unusual: boolean
  /** The lowest function that may be called. */
  lowest = 0
  readonly #statement: Statement

  constructor(seed: number, functions: number, statement: Statement) {
    this.random = new Random(seed)
    this.functions = functions
    this.unusual = (seed & 3) === 3
    this.#statement = statement
  }

  /** Where the next instruction will stand. */
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

  /** A register that holds data. */
  data(): number {
    return this.random.pick([0, 1, 2, 3, 4, 5, 7])
  }

  lddw(dst: number, low: number, high: number): void {
    this.put(0x18, dst, 0, 0, low)
    this.put(0, 0, 0, 0, high)
  }

  block(statements: number, depth: number, callable: boolean): void {
    for (let count = 0; count < statements; count++) this.#statement(this, depth, callable)
  }

  /** Lets a jump lead to here, or to another slot. */
  patch(slot: number, target = this.slot): void {
    const distance = target - slot - 1
    const at = slot * 8 + (this.bytes[slot * 8] === GOTOL ? 4 : 2)
    const bytes = this.bytes[slot * 8] === GOTOL ? 4 : 2
    for (let byte = 0; byte < bytes; byte++) this.bytes[at + byte] = (distance >> (8 * byte)) & 0xff
  }
}
