// Arrays of objects by number.

/** An array of this length of which nothing is set. Takes its memory at once, which `Array.from` would fill one by one. */
export function emptySlots<T>(count: number): (T | undefined)[] {
  const slots: (T | undefined)[] = []
  slots.length = count
  return slots
}
