// Arrays by number, for what passes know of values, blocks or instructions for a while.
//
// A typed array of its own is a piece of memory outside of the heap, which takes longer to get and to give back than most passes take
// to fill it. So small ones are pieces of a larger one, one after the other. No piece is given out twice: all are zero,
// and what nobody has a piece of any more goes as a whole. Not for what is kept for long: that would keep its neighbours.

/** Bytes that pieces are cut from at once. */
const CHUNK = 1 << 18
/** Greater arrays are their own. */
const LARGEST = CHUNK >> 3

let chunk = new ArrayBuffer(0)
let at = 0

/** Where `bytes` bytes begin, at a multiple of 8, in what is then `chunk`. */
function cut(bytes: number): number {
  if (at + bytes > chunk.byteLength) {
    chunk = new ArrayBuffer(CHUNK)
    at = 0
  }
  const begin = at
  at = (begin + bytes + 7) & ~7
  return begin
}

/** Zeros. */
export function int32(count: number): Int32Array<ArrayBuffer> {
  if (count * 4 > LARGEST) return new Int32Array(count)
  const begin = cut(count * 4)
  return new Int32Array(chunk, begin, count)
}

export function uint8(count: number): Uint8Array<ArrayBuffer> {
  if (count > LARGEST) return new Uint8Array(count)
  const begin = cut(count)
  return new Uint8Array(chunk, begin, count)
}

export function uint16(count: number): Uint16Array<ArrayBuffer> {
  if (count * 2 > LARGEST) return new Uint16Array(count)
  const begin = cut(count * 2)
  return new Uint16Array(chunk, begin, count)
}

export function float64(count: number): Float64Array<ArrayBuffer> {
  if (count * 8 > LARGEST) return new Float64Array(count)
  const begin = cut(count * 8)
  return new Float64Array(chunk, begin, count)
}

/** An array of this length of which nothing is set. Takes its memory at once, which `Array.from` would fill one by one. */
export function emptySlots<T>(count: number): (T | undefined)[] {
  const slots: (T | undefined)[] = []
  slots.length = count
  return slots
}
