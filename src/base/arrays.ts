// Arrays by number, for what passes know of values, blocks or instructions for a while.
//
// A typed array of its own is a piece of memory outside of the heap, which takes longer to get and to give back than most passes take
// to fill it. So small ones are pieces of a larger one, one after the other, and all are zero. Within `withArrays` the larger one is
// used again once that has ended, as it is still in the processor's caches. Elsewhere no piece is given out twice, and what nobody has
// a piece of any more goes as a whole. Not for what is kept for long: that would keep its neighbours.

/** Bytes that pieces are cut from at once. */
const CHUNK = 1 << 18
/** Greater arrays are their own: within withArrays, and elsewhere. */
const LARGEST_AGAIN = CHUNK
const LARGEST_ONCE = CHUNK >> 3
/** Bytes that are kept for the next `withArrays`. */
const KEPT = 1 << 22

let chunk = new ArrayBuffer(0)
let at = 0
/** Calls of `withArrays` that are running. */
let running = 0
let largest = LARGEST_ONCE
/** What was in use when no such call was running, and is to be when none is. */
let outside = chunk
let outsideAt = 0
let kept = chunk

/** Where `bytes` bytes begin, at a multiple of 8, in what is then `chunk`. */
function cut(bytes: number): number {
  if (at + bytes > chunk.byteLength) {
    chunk = new ArrayBuffer(running > 0 ? Math.min(Math.max(CHUNK, chunk.byteLength * 2), KEPT) : CHUNK)
    at = 0
  }
  const begin = at
  at = (begin + bytes + 7) & ~7
  return begin
}

/**
 * Gives what `body` gives. The arrays that are made meanwhile are taken back when it ends, so nobody may keep one: not `body`'s
 * result either.
 */
export function withArrays<T>(body: () => T): T {
  if (running++ === 0) {
    outside = chunk
    outsideAt = at
    chunk = kept
    at = 0
    largest = LARGEST_AGAIN
  }
  const before = chunk
  const begin = at
  try {
    return body()
  } finally {
    const from = chunk === before ? begin : 0
    new Uint8Array(chunk, from, Math.min(at, chunk.byteLength) - from).fill(0)
    at = from
    if (--running === 0) {
      kept = chunk
      largest = LARGEST_ONCE
      chunk = outside
      at = outsideAt
    }
  }
}

/** Zeros. */
export function int32(count: number): Int32Array<ArrayBuffer> {
  if (count * 4 > largest) return new Int32Array(count)
  const begin = cut(count * 4)
  return new Int32Array(chunk, begin, count)
}

export function uint8(count: number): Uint8Array<ArrayBuffer> {
  if (count > largest) return new Uint8Array(count)
  const begin = cut(count)
  return new Uint8Array(chunk, begin, count)
}

export function uint16(count: number): Uint16Array<ArrayBuffer> {
  if (count * 2 > largest) return new Uint16Array(count)
  const begin = cut(count * 2)
  return new Uint16Array(chunk, begin, count)
}

export function float64(count: number): Float64Array<ArrayBuffer> {
  if (count * 8 > largest) return new Float64Array(count)
  const begin = cut(count * 8)
  return new Float64Array(chunk, begin, count)
}

/** An array of this length of which nothing is set. Takes its memory at once, which `Array.from` would fill one by one. */
export function emptySlots<T>(count: number): (T | undefined)[] {
  const slots: (T | undefined)[] = []
  slots.length = count
  return slots
}

/** A new array of the first `count` elements of a list, which takes no more room than they need; one that is pushed to has room for 17. */
export function firstOf<T>(list: readonly T[], count: number): T[] {
  switch (count) {
    case 0:
      return []
    case 1:
      return [list[0]!]
    case 2:
      return [list[0]!, list[1]!]
    default:
      return list.slice(0, count)
  }
}

/** The numbers below `count`, in their order. */
export function upTo(count: number): Int32Array<ArrayBuffer> {
  const numbers = int32(count)
  for (let at = 0; at < count; at++) numbers[at] = at
  return numbers
}

/** Copies a list of numbers; `Int32Array.from` would go through its iterator. */
export function int32Of(list: readonly number[] | Int32Array): Int32Array<ArrayBuffer> {
  const numbers = int32(list.length)
  for (let at = 0; at < list.length; at++) numbers[at] = list[at]!
  return numbers
}

/** Sorts the numbers by their keys, the least first; equals stay in their order. By merging, without a call for each comparison. */
export function sortByKey(numbers: Int32Array<ArrayBuffer>, keys: Float64Array): Int32Array<ArrayBuffer> {
  const count = numbers.length
  let from = numbers
  let to = int32(count)
  for (let width = 1; width < count; width *= 2) {
    for (let start = 0; start < count; start += 2 * width) {
      const middle = Math.min(start + width, count)
      const end = Math.min(middle + width, count)
      let left = start
      let right = middle
      for (let at = start; at < end; at++) {
        const takesLeft = left < middle && (right === end || keys[from[left]!]! <= keys[from[right]!]!)
        to[at] = takesLeft ? from[left++]! : from[right++]!
      }
    }
    const sorted = to
    to = from
    from = sorted
  }
  return from
}
