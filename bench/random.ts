// Numbers that look random and are the same everywhere, for inputs and programs.

/** xorshift32. */
export class Random {
  private state: number
  constructor(seed: number) {
    this.state = seed | 1
  }
  /** 32 bits, unsigned. */
  word(): number {
    let state = this.state
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    this.state = state
    return state >>> 0
  }
  /** 0 .. limit - 1. */
  below(limit: number): number {
    return this.word() % limit
  }
  /** low .. high - 1. */
  between(low: number, high: number): number {
    return low + this.below(high - low)
  }
  pick<T>(values: readonly T[]): T {
    return values[this.below(values.length)]!
  }
}
