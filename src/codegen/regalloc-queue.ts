// A heap of bundles that wait for a place (regalloc-assign.ts).

/** Order of bundles to place; the greatest priority first, the earliest of equals. */
export class Queue {
  #ids: number[] = []
  #keys: number[] = []

  push(id: number, key: number): void {
    const ids = this.#ids
    const keys = this.#keys
    let i = ids.length
    ids.push(id)
    keys.push(key)
    while (i > 0) {
      const up = (i - 1) >> 1
      const upKey = keys[up]!
      if (upKey > key || (upKey === key && ids[up]! < id)) break
      ids[i] = ids[up]!
      keys[i] = upKey
      i = up
    }
    ids[i] = id
    keys[i] = key
  }

  /** -1 when empty. */
  pop(): number {
    const ids = this.#ids
    const keys = this.#keys
    if (ids.length === 0) return -1
    const top = ids[0]!
    const id = ids.pop()!
    const key = keys.pop()!
    const count = ids.length
    if (count === 0) return top
    let i = 0
    for (;;) {
      let child = 2 * i + 1
      if (child >= count) break
      const right = child + 1
      if (right < count) {
        const ahead = keys[right]! - keys[child]!
        if (ahead > 0 || (ahead === 0 && ids[right]! < ids[child]!)) child = right
      }
      const childKey = keys[child]!
      if (key > childKey || (key === childKey && id < ids[child]!)) break
      ids[i] = ids[child]!
      keys[i] = childKey
      i = child
    }
    ids[i] = id
    keys[i] = key
    return top
  }
}
