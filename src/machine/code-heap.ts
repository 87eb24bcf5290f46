// Where things live in a machine's memory: a best-fit allocator with coalescing (Heap), and the heap of compiled code
// (CodeHeap), which also writes the code, past its protection, and makes it visible to instruction fetch.

import { InputError } from '../base/errors.ts'
import type { Limits, Machine, Stop } from './machine.ts'
import type { CodeProtection } from './mpu.ts'
import { Turns } from './turns.ts'

const hex = (address: number): string => `0x${address.toString(16).padStart(8, '0')}`

/** A heap has no piece that is large enough. */
export class OutOfMemory extends InputError {
  /** Name of the heap, and the bytes that were asked for. */
  readonly heap: string
  readonly size: number
  constructor(message: string, heap: string, size: number) {
    super(message)
    this.heap = heap
    this.size = size
  }
}

/** Bytes of a heap. */
export interface HeapStats {
  readonly size: number
  /** Handed out, rounded up to the alignment. */
  readonly used: number
  readonly free: number
  /** The largest piece that can be allocated now. */
  readonly largestFree: number
}

/** Bytes [base, base + size) handed out in pieces. Only numbers: it never touches the memory itself. */
export class Heap {
  readonly name: string
  readonly alignment: number
  readonly size: number
  /** Free pieces by address; no two of them touch. */
  readonly #free: { base: number; size: number }[]
  readonly #sizes = new Map<number, number>()
  #used = 0

  /** `alignment` is a power of two; the base is rounded up to it and the size down. */
  constructor(name: string, base: number, size: number, alignment = 8) {
    const start = roundUp(base, alignment)
    const length = Math.floor((base + size - start) / alignment) * alignment
    this.name = name
    this.alignment = alignment
    this.size = Math.max(length, 0)
    this.#free = length > 0 ? [{ base: start, size: length }] : []
  }

  /**
   * Address of `size` bytes, a multiple of `alignment` (a power of two) and of the heap's own. Throws OutOfMemory if no free
   * piece is large enough.
   */
  allocate(size: number, alignment: number = this.alignment): number {
    const rounded = Math.max(roundUp(size, this.alignment), this.alignment)
    const skipped = (base: number): number => roundUp(base, alignment) - base
    // Best fit: large pieces stay whole for large programs.
    let index = -1
    for (const [at, { base, size: room }] of this.#free.entries()) {
      if (room >= rounded + skipped(base) && (index < 0 || room < this.#free[index]!.size)) index = at
    }
    const piece = this.#free[index]
    if (piece === undefined) {
      throw new OutOfMemory(
        `out of ${this.name}: ${size} bytes asked for, the largest free piece is ${this.largestFree}`,
        this.name,
        size,
      )
    }
    const before = skipped(piece.base)
    const address = piece.base + before
    const rest = { base: address + rounded, size: piece.size - before - rounded }
    const left = before > 0 ? [{ base: piece.base, size: before }] : []
    this.#free.splice(index, 1, ...left, ...(rest.size > 0 ? [rest] : []))
    this.#sizes.set(address, rounded)
    this.#used += rounded
    return address
  }

  /** Gives back what allocate gave. Throws InputError for anything else, so also the second time. */
  free(address: number): void {
    const size = this.#sizes.get(address)
    if (size === undefined) throw new InputError(`free of ${hex(address)}, which is not allocated in ${this.name}`)
    this.#sizes.delete(address)
    this.#used -= size
    let index = this.#free.findIndex((piece) => piece.base > address)
    if (index < 0) index = this.#free.length
    const before = this.#free[index - 1]
    const after = this.#free[index]
    const joinsBefore = before !== undefined && before.base + before.size === address
    const joinsAfter = after !== undefined && address + size === after.base
    if (joinsBefore && joinsAfter) {
      before.size += size + after.size
      this.#free.splice(index, 1)
    } else if (joinsBefore) {
      before.size += size
    } else if (joinsAfter) {
      after.base = address
      after.size += size
    } else {
      this.#free.splice(index, 0, { base: address, size })
    }
  }

  /** Bytes of the largest piece that can be allocated now. */
  get largestFree(): number {
    return this.#free.reduce((largest, piece) => Math.max(largest, piece.size), 0)
  }
  /** Bytes handed out, rounded up to the alignment. */
  get used(): number {
    return this.#used
  }
  get stats(): HeapStats {
    const { size, used, largestFree } = this
    return { size, used, free: size - used, largestFree }
  }
}

/** Compiled programs in an executable range of a machine's memory. */
export class CodeHeap {
  readonly #machine: Machine
  readonly #heap: Heap
  readonly #protection: CodeProtection | undefined
  readonly #turns = new Turns()
  /** With a protection, code is executable but while it is written. */
  constructor(machine: Machine, base: number, size: number, protection?: CodeProtection) {
    this.#machine = machine
    this.#protection = protection
    this.#heap = new Heap('code memory', base, size, 8)
  }
  /** Address of `size` bytes, a multiple of 8. Throws InputError if there is no room. */
  allocate(size: number): number {
    return this.#heap.allocate(size)
  }
  /**
   * Writes code at an address from allocate and makes it executable; gives the address to call, bit 0 set. Waits until the
   * processor stands, and keeps it from running meanwhile.
   */
  async write(address: number, code: Uint8Array): Promise<number> {
    await this.#turns.take(async () => {
      await this.#protection?.allowWriting()
      try {
        await this.#machine.write(address, code)
      } finally {
        await this.#protection?.allowExecution()
        await this.#machine.synchronize(address, code.length)
      }
    })
    return address | 1
  }
  /** Runs the machine, not while code is written. */
  run(limits: Limits): Promise<Stop> {
    return this.#turns.take(() => this.#machine.run(limits))
  }
  /** Frees by address, bit 0 clear or set. */
  free(address: number): void {
    this.#heap.free((address & ~1) >>> 0)
  }
  get largestFree(): number {
    return this.#heap.largestFree
  }
  get used(): number {
    return this.#heap.used
  }
  /** A piece that was asked for in vain would fit if others were freed. */
  couldHold(missing: OutOfMemory): boolean {
    return missing.heap === this.#heap.name && missing.size <= this.#heap.size
  }
  get stats(): HeapStats {
    return this.#heap.stats
  }
}

function roundUp(value: number, alignment: number): number {
  return Math.ceil(value / alignment) * alignment
}
