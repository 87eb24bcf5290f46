// Little-endian bytes of an input, field after field.

import type { Random } from './random.ts'

export class Writer {
  readonly #bytes: number[] = []

  get length(): number {
    return this.#bytes.length
  }
  u8(...values: readonly number[]): this {
    for (const value of values) this.#bytes.push(value & 255)
    return this
  }
  u16(...values: readonly number[]): this {
    for (const value of values) this.u8(value, value >> 8)
    return this
  }
  u32(...values: readonly number[]): this {
    for (const value of values) this.u16(value, value >> 16)
    return this
  }
  u64(...values: readonly bigint[]): this {
    for (const value of values) this.u32(Number(value & 0xffffffffn), Number((value >> 32n) & 0xffffffffn))
    return this
  }
  bytes(values: ArrayLike<number>): this {
    return this.u8(...Array.from(values))
  }
  text(text: string): this {
    return this.bytes(new TextEncoder().encode(text))
  }
  random(random: Random, count: number): this {
    for (let index = 0; index < count; index++) this.#bytes.push(random.below(256))
    return this
  }
  /** Zeros until there are `length` bytes. */
  pad(length: number): this {
    while (this.#bytes.length < length) this.#bytes.push(0)
    return this
  }
  zeros(count: number): this {
    return this.pad(this.#bytes.length + count)
  }
  done(): Uint8Array {
    return Uint8Array.from(this.#bytes)
  }
}
