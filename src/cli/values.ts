// Values of options and arguments: what they may be, and a sentence with the allowed ones where they are not.

import { InvalidArgumentError } from 'commander'

import { MapType, suggestion } from '../index.ts'
import { UsageError } from './io.ts'

/** A parser for an option that takes one of `words`. */
export function oneOf<Word extends string>(words: readonly Word[]): (text: string) => Word {
  return (text) => {
    const found = words.find((word) => word === text)
    if (found === undefined) {
      throw new InvalidArgumentError(`Allowed: ${words.join(', ')}${suggestion(text, words)}`)
    }
    return found
  }
}

/** A parser for a whole number, decimal or hex with 0x, from `least` to `most`. */
export function count(least: number, most: number): (text: string) => number {
  return (text) => {
    const plain = text.replaceAll('_', '')
    const value = /^(?:0[xX][0-9a-fA-F]+|[0-9]+)$/.test(plain) ? Number(plain) : NaN
    if (!(value >= least && value <= most)) throw new InvalidArgumentError(`A whole number from ${least} to ${most}.`)
    return value
  }
}

/** A parser for NAME=ADDRESS that adds to those before. */
export function definition(text: string, before: ReadonlyMap<string, number> = new Map()): ReadonlyMap<string, number> {
  const [, name, address] = /^([^=]+)=(0[xX][0-9a-fA-F]+|[0-9]+)$/.exec(text) ?? []
  if (name === undefined || Number(address) > 0xffff_ffff) {
    throw new InvalidArgumentError('NAME=ADDRESS, such as gpio_read=0x08001235.')
  }
  return new Map([...before, [name, Number(address)]])
}

/** Bytes of hex text: pairs of digits, blanks between them or not, `0x` before the whole or not. */
export function hexBytes(text: string, what: string): Uint8Array {
  const digits = text
    .trim()
    .replace(/^0[xX]/, '')
    .replaceAll(/\s+/g, '')
  const wrong = /[^0-9a-fA-F]/.exec(digits)
  if (wrong !== null) throw new UsageError(`${what}: '${wrong[0]}' is not a hex digit`)
  if (digits.length % 2 !== 0) throw new UsageError(`${what}: ${digits.length} hex digits; a byte takes two`)
  return Uint8Array.from(digits.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16))
}

/** `hash`, `ring buffer`, ... for Linux's number. */
export function mapTypeName(type: number): string {
  const name = Object.entries(MapType).find(([, number]) => number === type)?.[0] ?? `type ${type}`
  return name
    .toLowerCase()
    .replace('_', ' ')
    .replace('ringbuf', 'ring buffer')
    .replace('lru', 'LRU')
    .replace('cpu', '-CPU')
}
