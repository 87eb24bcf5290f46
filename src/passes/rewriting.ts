// A block's values while a pass walks over them, keeps most and puts others between. As long as nothing is put in, what is kept
// is moved up in the list itself: most blocks need no other.

import type { Value } from '../ir/func.ts'

export class Rewriting {
  private values: Value[] = []
  /** The list that is made: \`values\` itself, or another. */
  private out: Value[] = []
  /** How many of it are done. */
  private count = 0

  /** The values of a block, which are then to be visited in their order. */
  begin(values: Value[]): void {
    this.values = values
    this.out = values
    this.count = 0
  }

  /** The value that is visited stays. */
  keep(value: Value): void {
    this.out[this.count++] = value
  }

  /** One more, before the value that is visited. */
  insert(value: Value): void {
    if (this.out === this.values) this.out = this.values.slice(0, this.count)
    this.out[this.count++] = value
  }

  /** The block's values as they are now. */
  end(): Value[] {
    const { out } = this
    if (this.count < out.length) out.length = this.count
    return out
  }
}
