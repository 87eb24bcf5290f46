// Numbers that look random and are the same in every run.

/** A word of 32 bits as programs have them at an edge. */
const EDGES = [
  0, 1, 0xffffffff, 0x80000000, 0x7fffffff, 0x8000, 0x7fff, 0x80008000, 0xff, 0x80, 0x7f7f8080, 31, 32, 33,
] as const

/** xorshift32. */
export class Random {
  #state: number
  constructor(seed: number) {
    this.#state = seed | 0 || 0x9e3779b9
    // Seeds that differ in a bit differ in all words.
    for (let i = 0; i < 8; i++) this.word()
  }
  /** 32 bits, unsigned. */
  word(): number {
    let x = this.#state
    x ^= x << 13
    x ^= x >>> 17
    x ^= x << 5
    this.#state = x
    return x >>> 0
  }
  /** 0 to bound - 1. */
  below(bound: number): number {
    return this.word() % bound
  }
  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)]!
  }
  /** True in `percent` of 100 cases. */
  chance(percent: number): boolean {
    return this.below(100) < percent
  }
  bytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.word() >>> 11)
  }
  /** A word as programs have them: often small, at an edge, or made of equal bytes. */
  value(): number {
    const kind = this.below(4)
    if (kind === 0) return this.pick(EDGES)
    return kind === 1 ? this.word() >>> this.below(32) : this.word()
  }
}
