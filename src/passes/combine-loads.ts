// Bytes and halfwords of memory side by side that are shifted and joined to a word or halfword are one load; where the byte at
// the lowest address is the highest, with its bytes swapped.

import type { Value } from '../ir/func.ts'
import { I32, Op } from '../ir/op.ts'
import type { Edit } from './combine-edit.ts'
import type { Access } from './memory-access.ts'

/** Parts of one word, at most: what has more is no word in pieces. */
const MAXIMUM_PARTS = 16

/** A narrow load, shifted left. */
interface Part {
  readonly load: Value
  readonly access: Access
  readonly shift: number
  readonly place: number
}

/** Parts that are one load of `size` bytes. */
interface Group {
  readonly parts: readonly Part[]
  readonly size: number
  readonly swapped: boolean
}

/** Looks at all words of a block that are joined. */
export function combineLoads(edit: Edit): void {
  const { values } = edit
  for (let place = values.length - 1; place >= 0; place--) {
    const value = values[place]!
    // What is part of another is looked at with it.
    if (value.op === Op.or && !edit.isDead(value)) new Word(edit, value, place).combine()
  }
}

class Word {
  private readonly edit: Edit
  private readonly root: Value
  private readonly place: number
  private parts: Part[] = []
  /** What else is joined, and how far it is shifted. */
  private readonly others: { value: Value; shift: number }[] = []
  /** The operations below the root that join them, each used once. */
  private readonly inner: Value[] = []

  constructor(edit: Edit, root: Value, place: number) {
    this.edit = edit
    this.root = root
    this.place = place
  }

  combine(): void {
    for (const arg of this.root.args) this.collect(arg, 0)
    if (this.parts.length < 2 || this.parts.length + this.others.length > MAXIMUM_PARTS) return
    const { edit, place, root } = this
    this.parts.sort((one, other) => one.shift - other.shift)
    const make = (op: number, args: Value[]): Value => edit.insert(place, op, I32, args, 0, root.origin)
    const terms: Value[] = []
    for (let group = this.take(); group !== undefined; group = this.take()) terms.push(this.load(group, make))
    if (terms.length === 0) return
    for (const { load, shift } of this.parts) this.others.push({ value: load, shift })
    for (const { value, shift } of this.others) {
      terms.push(shift === 0 ? value : make(Op.lsl, [value, edit.func.word(shift)]))
    }
    let joined = terms[0]!
    for (let at = 1; at < terms.length; at++) joined = make(Op.or, [joined, terms[at]!])
    root.replacement = joined
    for (const value of this.inner) edit.setDead(value)
  }

  private collect(value: Value, shift: number): void {
    const { edit } = this
    const { op, args } = value
    if (value.uses === 1 && this.inner.length < 2 * MAXIMUM_PARTS) {
      if (op === Op.or) {
        this.inner.push(value)
        for (const arg of args) this.collect(arg, shift)
        return
      }
      if (op === Op.lsl && args[1]!.op === Op.const && args[1]!.imm >= 0 && shift + args[1]!.imm < 32) {
        return this.collect(args[0]!, shift + args[1]!.imm)
      }
    }
    if ((op === Op.load8 || op === Op.load16) && value.uses === 1 && (shift & 7) === 0) {
      const place = edit.placeOf(value)
      const access = place < 0 ? undefined : edit.accessOf(value)
      if (access !== undefined && shift + 8 * access.size <= 32) {
        this.parts.push({ load: value, access, shift, place })
        return
      }
    }
    this.others.push({ value, shift })
  }

  /** Takes a word of the parts that are left, else a halfword. */
  private take(): Group | undefined {
    for (const size of [4, 2]) {
      for (const first of this.parts) {
        if (size === 4 && first.shift !== 0) break
        const group = this.grow(first, size, false) ?? this.grow(first, size, true)
        if (group === undefined) continue
        this.parts = this.parts.filter((part) => !group.parts.includes(part))
        return group
      }
    }
    return undefined
  }

  /** The load of so many bytes of which a part is the lowest bits. */
  private grow(first: Part, size: number, swapped: boolean): Group | undefined {
    const { root } = first.access
    const parts = [first]
    let bytes = first.access.size
    // Halfwords are not swapped.
    if (swapped && bytes !== 1) return undefined
    while (bytes < size) {
      const shift = first.shift + 8 * bytes
      const offset = first.access.offset + (swapped ? -bytes : bytes)
      const next = this.parts.find(
        ({ access, shift: itsShift }) =>
          itsShift === shift && access.root === root && access.offset === offset && (!swapped || access.size === 1),
      )
      if (next === undefined) return undefined
      parts.push(next)
      bytes += next.access.size
    }
    if (bytes !== size || parts.length < 2) return undefined
    const offset = swapped ? first.access.offset - size + 1 : first.access.offset
    const [from, to] = span(parts)
    return this.edit.isUnchanged({ root, offset, size }, from, to) ? { parts, size, swapped } : undefined
  }

  private load({ parts, size, swapped }: Group, make: (op: number, args: Value[]) => Value): Value {
    const { edit } = this
    const first = swapped ? parts[parts.length - 1]! : parts[0]!
    const { load } = first
    const [, last] = span(parts)
    const op = size === 4 ? Op.load32 : Op.load16
    let value = edit.insert(last, op, I32, [load.args[0]!], load.imm, load.origin)
    if (swapped) value = make(size === 4 ? Op.bswap : Op.bswap16, [value])
    const { shift } = parts[0]!
    return shift === 0 ? value : make(Op.lsl, [value, edit.func.word(shift)])
  }
}

/** Places of the first and the last part. */
function span(parts: readonly Part[]): [number, number] {
  let from = parts[0]!.place
  let to = from
  for (const { place } of parts) {
    if (place < from) from = place
    if (place > to) to = place
  }
  return [from, to]
}
