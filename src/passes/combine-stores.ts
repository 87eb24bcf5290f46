// Stores of bytes and halfwords side by side are one store, if what they store is one value too: constants, the parts of a word in
// either order, or what narrow loads side by side gave, which then are one load. All of them move to where the last one was.

import type { Value } from '../ir/func.ts'
import { I32, Op, VOID } from '../ir/op.ts'
import type { Edit } from './combine-edit.ts'
import { type Access, Effect, accessOf, effectOf, mayMeet } from './memory-access.ts'
import { isAtomic, isLoad, isStore } from './regions.ts'

/** Stores that are looked at together, at most. */
const MAXIMUM_OPEN = 64

/** A narrow store that may move down to here. */
interface Open {
  readonly store: Value
  readonly access: Access
  readonly place: number
}

/** What a store of several bytes is made of. */
interface Source {
  readonly value: Value
  /** Loads that it takes the place of. */
  readonly loads: readonly Value[]
}

/** Looks at all stores of a block. */
export function combineStores(edit: Edit): void {
  const { values, addresses } = edit
  let open: Open[] = []
  const close = (): void => {
    if (open.length > 1) joinRuns(edit, open)
    open = []
  }
  for (let place = 0; place < values.length; place++) {
    const value = values[place]!
    // A call may read them, an atomic operation may end the program.
    if (isAtomic(value.op) || (effectOf(value) !== Effect.NONE && effectOf(value) !== Effect.ACCESS)) close()
    else if (isLoad(value.op) || isStore(value.op)) {
      const narrow = value.op === Op.store8 || value.op === Op.store16
      if (open.length === 0 && !narrow) continue
      const access = accessOf(addresses, value)
      if (open.length === MAXIMUM_OPEN || open.some((each) => mayMeet(addresses, access, each.access))) close()
      if (narrow && addresses.of(access.root) > 0) open.push({ store: value, access, place })
    }
  }
  close()
}

/** Joins what can be joined of stores to places that are all different. */
function joinRuns(edit: Edit, open: Open[]): void {
  open.sort((one, other) => one.access.root.id - other.access.root.id || one.access.offset - other.access.offset)
  for (let at = 0; at < open.length;) {
    const joined = join(edit, open, at, 4) || join(edit, open, at, 2)
    at += joined === 0 ? 1 : joined
  }
}

/** Makes one store of `size` bytes of those from `at` on. How many stores it took, 0 for none. */
function join(edit: Edit, open: readonly Open[], at: number, size: number): number {
  const first = open[at]!
  let bytes = 0
  let next = at
  for (; bytes < size && next < open.length; next++) {
    const { access } = open[next]!
    if (access.root !== first.access.root || access.offset !== first.access.offset + bytes) return 0
    bytes += access.size
  }
  if (bytes !== size || next - at < 2) return 0
  const run = open.slice(at, next)
  let last = first
  for (const each of run) if (each.place > last.place) last = each
  const source = sourceOf(edit, run, size, last.place)
  if (source === undefined) return 0
  const { store } = first
  const op = size === 4 ? Op.store32 : Op.store16
  edit.insert(last.place, op, VOID, [store.args[0]!, source.value], store.imm, last.store.origin)
  for (const each of run) edit.remove(each.store)
  for (const load of source.loads) edit.remove(load)
  return run.length
}

function sourceOf(edit: Edit, run: readonly Open[], size: number, place: number): Source | undefined {
  return constantOf(edit, run) ?? wordOf(edit, run, size, place) ?? loadOf(edit, run, size, place)
}

function constantOf({ func }: Edit, run: readonly Open[]): Source | undefined {
  let word = 0
  let shift = 0
  for (const { store, access } of run) {
    const value = store.args[1]!
    if (value.op !== Op.const) return undefined
    word |= (access.size === 1 ? value.imm & 0xff : value.imm & 0xffff) << shift
    shift += 8 * access.size
  }
  return { value: func.word(word), loads: [] }
}

/** A word of which these are the parts: a value, shifted right by more and more bytes, or by less and less. */
function wordOf(edit: Edit, run: readonly Open[], size: number, place: number): Source | undefined {
  const parts = run.map(({ store, access }) => partOf(store.args[1]!, access.size))
  const first = parts[0]!
  const last = parts[parts.length - 1]!
  const swapped = last.shift < first.shift
  const lowest = swapped ? last : first
  if (size === 4 && lowest.shift !== 0) return undefined
  let shift = swapped ? lowest.shift + 8 * size : lowest.shift
  for (const [at, part] of parts.entries()) {
    const bytes = run[at]!.access.size
    if (swapped) shift -= 8
    if (part.word !== lowest.word || part.shift !== shift || (swapped && bytes !== 1)) return undefined
    if (!swapped) shift += 8 * bytes
  }
  if (!swapped) return { value: lowest.value, loads: [] }
  const op = size === 4 ? Op.bswap : Op.bswap16
  return { value: edit.insert(place, op, I32, [lowest.value], 0, run[0]!.store.origin), loads: [] }
}

/** A value of which the low bytes are stored, and the word that it is a part of. */
interface Part {
  readonly value: Value
  readonly word: Value
  readonly shift: number
}

function partOf(stored: Value, bytes: number): Part {
  let value = stored
  const mask = bytes === 1 ? 0xff : 0xffff
  if (value.op === Op.and && value.args[1]!.op === Op.const && (value.args[1]!.imm & mask) === mask) {
    value = value.args[0]!
  }
  if ((value.op === Op.lsr || value.op === Op.asr) && value.args[1]!.op === Op.const) {
    const shift = value.args[1]!.imm
    if (shift > 0 && shift <= 32 - 8 * bytes) return { value, word: value.args[0]!, shift }
  }
  return { value, word: value, shift: 0 }
}

/** What narrow loads gave that are read by these stores alone. */
function loadOf(edit: Edit, run: readonly Open[], size: number, place: number): Source | undefined {
  const loads: Value[] = []
  const accesses: Access[] = []
  let from = place
  for (const { store, access } of run) {
    const load = store.args[1]!
    const narrow =
      access.size === 1
        ? load.op === Op.load8 || load.op === Op.load8s
        : load.op === Op.load16 || load.op === Op.load16s
    const itsPlace = narrow && load.uses === 1 ? edit.placeOf(load) : -1
    const source = itsPlace < 0 ? undefined : edit.accessOf(load)
    if (source === undefined) return undefined
    loads.push(load)
    accesses.push(source)
    from = Math.min(from, itsPlace)
  }
  const { root, offset } = accesses[0]!
  let bytes = 0
  for (const access of accesses) {
    if (access.root !== root || access.offset !== offset + bytes) return undefined
    bytes += access.size
  }
  if (!edit.isUnchanged({ root, offset, size }, from, place)) return undefined
  const load = loads[0]!
  const op = size === 4 ? Op.load32 : Op.load16
  return { value: edit.insert(place, op, I32, [load.args[0]!], load.imm, load.origin), loads }
}
