// Maps in a machine's memory, as the host makes, reads and writes them: through memory alone, so that it can do so also while a
// program waits in a helper. runtime/maps.c does the same for programs; bpf/maps.ts says how a map lies there.

import { InputError } from '../base/errors.ts'
import {
  type MapDefinition,
  MapElementLayout,
  MapError,
  MapLayout,
  mapShape,
  type MapShape,
  MapUpdate,
  RecordBit,
  RecordLayout,
  round8,
} from '../bpf/maps.ts'
import { wordBytes } from './call.ts'
import type { Machine } from './machine.ts'
import { Workspace } from './workspace.ts'

export interface MapEntry {
  readonly key: Uint8Array
  readonly value: Uint8Array
}

/** What find gives: the word that leads to an entry, and the entry's address, 0 if there is none. */
interface Found {
  readonly link: number
  readonly element: number
  readonly value: Uint8Array
}

const LENGTH_MASK = ~(RecordBit.BUSY | RecordBit.DISCARD) >>> 0

/** A map on a machine. Any number of programs may use it. Operations of the host must not overlap each other. */
export class PlacedMap {
  readonly machine: Machine
  readonly definition: MapDefinition
  /** Of struct thumbpf_map: what programs know the map by. */
  readonly address: number
  /** Of the first element: in an array map a value, in a program array an address of 4 bytes. */
  readonly elements: number
  readonly shape: MapShape
  readonly #workspace: Workspace
  #freed = false

  /** Made by placeMap. */
  constructor(workspace: Workspace, definition: MapDefinition, shape: MapShape, address: number) {
    this.machine = workspace.machine
    this.definition = definition
    this.address = address
    this.elements = address + MapLayout.size
    this.shape = shape
    this.#workspace = workspace
  }

  /** A copy of the value, undefined if there is none (also for an index beyond an array). In an LRU hash it does not count as use. */
  async lookup(key: Uint8Array): Promise<Uint8Array | undefined> {
    this.#check(key)
    const { kind } = this.shape
    if (kind === 'ring') return undefined
    if (kind === 'hash') {
      const found = await this.#find(key)
      return found.element === 0 ? undefined : found.value
    }
    const index = wordAt(key, 0)
    if (index >= this.definition.maxEntries) return undefined
    const value = await this.machine.read(this.#element(index), this.definition.valueSize)
    return kind === 'programs' && wordAt(value, 0) === 0 ? undefined : value
  }

  /** 0 or a MapError, as bpf_map_update_elem; in a program array, where programs may not write, the value is a code address. */
  async update(key: Uint8Array, value: Uint8Array, flags: number = MapUpdate.ANY): Promise<number> {
    this.#check(key, value)
    const { kind } = this.shape
    const { maxEntries } = this.definition
    if (!(flags >= 0 && flags <= MapUpdate.EXIST) || kind === 'ring') return MapError.EINVAL
    if (kind === 'hash') return this.#updateHash(key, value, flags)
    const index = wordAt(key, 0)
    if (index >= maxEntries) return MapError.E2BIG
    if (flags === MapUpdate.NOEXIST) return MapError.EEXIST
    await this.machine.write(this.#element(index), value)
    return 0
  }

  /** 0 or a MapError, as bpf_map_delete_elem; it empties entries of a program array. */
  async delete(key: Uint8Array): Promise<number> {
    this.#check(key)
    const { kind } = this.shape
    if (kind === 'programs') {
      if ((await this.lookup(key)) === undefined) return MapError.ENOENT
      return this.setProgram(wordAt(key, 0), 0)
    }
    if (kind !== 'hash') return MapError.EINVAL
    const { link, element } = await this.#find(key)
    if (element === 0) return MapError.ENOENT
    await this.#remove(link, element)
    return 0
  }

  /** Sets entry `index` of a program array to the address of code, bit 0 set; 0 empties it. 0 or a MapError. */
  async setProgram(index: number, address: number): Promise<number> {
    if (this.shape.kind !== 'programs') return MapError.EINVAL
    return this.update(wordBytes([index]), wordBytes([address]))
  }

  /** Entries in no order; of an array all, of a program array those that are set, of a ring buffer none. */
  async entries(): Promise<MapEntry[]> {
    this.#check()
    const { shape, definition } = this
    const found: MapEntry[] = []
    if (shape.kind === 'array' || shape.kind === 'programs') {
      const all = await this.machine.read(this.elements, shape.storage)
      for (let index = 0; index < definition.maxEntries; index++) {
        const value = all.slice(index * shape.stride, index * shape.stride + definition.valueSize)
        if (shape.kind === 'array' || wordAt(value, 0) !== 0) found.push({ key: wordBytes([index]), value })
      }
    } else if (shape.kind === 'hash') {
      const buckets = await this.machine.read(this.#buckets, shape.buckets * 4)
      for (let bucket = 0; bucket < shape.buckets; bucket++) {
        for (let element = wordAt(buckets, bucket * 4); element !== 0;) {
          const bytes = await this.machine.read(element, shape.stride)
          found.push({ key: this.#keyOf(bytes), value: this.#valueOf(bytes) })
          element = wordAt(bytes, MapElementLayout.next)
        }
      }
    }
    return found
  }

  /** Takes the data of all records of a ring buffer up to the first one that is busy, without those that were discarded. */
  async consume(): Promise<Uint8Array[]> {
    this.#check()
    if (this.shape.kind !== 'ring') throw new InputError(`map '${this.definition.name}' is not a ring buffer`)
    const mask = this.definition.maxEntries - 1
    const [first, producer] = await this.#words(MapLayout.consumer, 2)
    let consumer = first!
    const taken: Uint8Array[] = []
    while (consumer !== producer) {
      const at = this.elements + (consumer & mask)
      const length = wordAt(await this.machine.read(at, RecordLayout.size), RecordLayout.length)
      if ((length & RecordBit.BUSY) !== 0) break
      const bytes = length & LENGTH_MASK
      if ((length & RecordBit.DISCARD) === 0) {
        taken.push(bytes === 0 ? new Uint8Array(0) : await this.machine.read(at + RecordLayout.size, bytes))
      }
      consumer = (consumer + round8(RecordLayout.size + bytes)) >>> 0
    }
    if (consumer !== first) await this.#setWord(this.address + MapLayout.consumer, consumer)
    return taken
  }

  /** Gives the memory back: no program may know the map any more. Later operations throw, and so does a second free. */
  free(): void {
    this.#workspace.data.free(this.address)
    this.#freed = true
  }

  async #updateHash(key: Uint8Array, value: Uint8Array, flags: number): Promise<number> {
    const { lru, valueOffset, keyOffset } = this.shape
    const found = await this.#find(key)
    if (found.element !== 0) {
      if (flags === MapUpdate.NOEXIST) return MapError.EEXIST
      await this.machine.write(found.element + valueOffset, value)
      if (lru) {
        await this.#listRemove(found.element)
        await this.#listInsert(found.element)
      }
      return 0
    }
    if (flags === MapUpdate.EXIST) return MapError.ENOENT
    const element = await this.#take()
    if (element === 0) return MapError.E2BIG
    // Read only now: the entry that was dropped may have been in the same bucket.
    const hash = hashKey(key)
    const bucket = this.#bucket(hash)
    await this.machine.write(element, wordBytes([await this.#word(bucket), hash]))
    await this.machine.write(element + keyOffset, key)
    await this.machine.write(element + valueOffset, value)
    await this.#setWord(bucket, element)
    if (lru) await this.#listInsert(element)
    await this.#addCount(1)
    return 0
  }

  /** Walks the bucket of a key. */
  async #find(key: Uint8Array): Promise<Found> {
    const hash = hashKey(key)
    let link = this.#bucket(hash)
    for (;;) {
      const element = await this.#word(link)
      if (element === 0) return { link, element, value: new Uint8Array(0) }
      const bytes = await this.machine.read(element, this.shape.stride)
      const equal = this.#keyOf(bytes).every((byte, index) => byte === key[index])
      if (equal) return { link, element, value: this.#valueOf(bytes) }
      link = element + MapElementLayout.next
    }
  }

  /** An element for a new entry, 0 where the map is full. An LRU hash drops its oldest entry then. */
  async #take(): Promise<number> {
    const [fresh, free, , oldest] = await this.#words(MapLayout.fresh, 4)
    if (free !== 0) {
      await this.#setWord(this.address + MapLayout.free, await this.#word(free! + MapElementLayout.next))
      return free!
    }
    if (fresh! < this.definition.maxEntries) {
      await this.#setWord(this.address + MapLayout.fresh, fresh! + 1)
      return this.#element(fresh!)
    }
    if (!this.shape.lru) return 0
    const bytes = await this.machine.read(oldest!, this.shape.stride)
    const { link } = await this.#find(this.#keyOf(bytes))
    await this.#remove(link, oldest!)
    return this.#take()
  }

  async #remove(link: number, element: number): Promise<void> {
    const next = element + MapElementLayout.next
    await this.#setWord(link, await this.#word(next))
    if (this.shape.lru) await this.#listRemove(element)
    await this.#setWord(next, await this.#word(this.address + MapLayout.free))
    await this.#setWord(this.address + MapLayout.free, element)
    await this.#addCount(-1)
  }

  async #listRemove(element: number): Promise<void> {
    const newer = await this.#word(element + MapElementLayout.newer)
    const older = await this.#word(element + MapElementLayout.older)
    await this.#setWord(newer !== 0 ? newer + MapElementLayout.older : this.address + MapLayout.newest, older)
    await this.#setWord(older !== 0 ? older + MapElementLayout.newer : this.address + MapLayout.oldest, newer)
  }
  async #listInsert(element: number): Promise<void> {
    const newest = await this.#word(this.address + MapLayout.newest)
    await this.machine.write(element + MapElementLayout.newer, wordBytes([0, newest]))
    await this.#setWord(newest !== 0 ? newest + MapElementLayout.newer : this.address + MapLayout.oldest, element)
    await this.#setWord(this.address + MapLayout.newest, element)
  }

  /** Throws InputError after free, and for a key or value of the wrong size. */
  #check(key?: Uint8Array, value?: Uint8Array): void {
    const { name, keySize, valueSize } = this.definition
    if (this.#freed) throw new InputError(`use of map '${name}' after it was freed`)
    if (key !== undefined && key.length !== keySize) {
      throw new InputError(`a key of map '${name}' has ${keySize} bytes, not ${key.length}`)
    }
    if (value !== undefined && value.length !== valueSize) {
      throw new InputError(`a value of map '${name}' has ${valueSize} bytes, not ${value.length}`)
    }
  }

  get #buckets(): number {
    return this.elements + this.definition.maxEntries * this.shape.stride
  }
  #bucket(hash: number): number {
    return this.#buckets + 4 * (hash & (this.shape.buckets - 1))
  }
  #element(index: number): number {
    return this.elements + index * this.shape.stride
  }
  #keyOf(element: Uint8Array): Uint8Array {
    return element.slice(this.shape.keyOffset, this.shape.keyOffset + this.definition.keySize)
  }
  #valueOf(element: Uint8Array): Uint8Array {
    return element.slice(this.shape.valueOffset, this.shape.valueOffset + this.definition.valueSize)
  }
  async #addCount(change: number): Promise<void> {
    const at = this.address + MapLayout.count
    await this.#setWord(at, (await this.#word(at)) + change)
  }
  async #words(offset: number, count: number): Promise<number[]> {
    const bytes = await this.machine.read(this.address + offset, count * 4)
    return Array.from({ length: count }, (_, index) => wordAt(bytes, index * 4))
  }
  async #word(address: number): Promise<number> {
    return wordAt(await this.machine.read(address, 4), 0)
  }
  async #setWord(address: number, word: number): Promise<void> {
    await this.machine.write(address, wordBytes([word]))
  }
}

/** Makes an empty map in a machine's memory. Throws InputError for a bad definition, or where there is no room. */
export async function placeMap(machine: Machine, definition: MapDefinition): Promise<PlacedMap> {
  const shape = mapShape(definition)
  if ('problem' in shape) throw new InputError(shape.problem)
  const workspace = await Workspace.of(machine)
  let address: number
  try {
    address = workspace.data.allocate(MapLayout.size + shape.storage)
  } catch (error) {
    throw new InputError(`map '${definition.name}': ${(error as Error).message}`)
  }
  try {
    await machine.write(address, structBytes(definition, shape, address))
    const elements = address + MapLayout.size
    const buckets = elements + definition.maxEntries * shape.stride
    if (shape.kind === 'hash') await machine.write(buckets, new Uint8Array(shape.buckets * 4))
    else if (shape.kind !== 'ring') await machine.write(elements, new Uint8Array(shape.storage))
  } catch (error) {
    workspace.data.free(address)
    throw error
  }
  return new PlacedMap(workspace, definition, shape, address)
}

/** struct thumbpf_map as thumbpf_map_init leaves it, with the storage behind it. */
function structBytes(definition: MapDefinition, shape: MapShape, address: number): Uint8Array {
  const words = Array.from({ length: MapLayout.size / 4 }, () => 0)
  const elements = address + MapLayout.size
  const set = (offset: number, word: number): void => {
    words[offset / 4] = word
  }
  set(MapLayout.type, definition.type)
  set(MapLayout.keySize, definition.keySize)
  set(MapLayout.valueSize, definition.valueSize)
  set(MapLayout.maxEntries, definition.maxEntries)
  set(MapLayout.flags, definition.flags)
  set(MapLayout.stride, shape.stride)
  set(MapLayout.elements, elements)
  if (shape.kind === 'ring') set(MapLayout.mask, definition.maxEntries - 1)
  if (shape.kind === 'hash') {
    set(MapLayout.mask, shape.buckets - 1)
    set(MapLayout.buckets, elements + definition.maxEntries * shape.stride)
    set(MapLayout.keyOffset, shape.keyOffset)
    set(MapLayout.valueOffset, shape.valueOffset)
  }
  return wordBytes(words)
}

/** hash_of in runtime/maps.c. */
function hashKey(key: Uint8Array): number {
  const mix = (hash: number, value: number): number => {
    const product = Math.imul(hash ^ value, 0x9e37_79b1)
    return product ^ (product >>> 15)
  }
  const whole = key.length & ~3
  let hash = key.length
  for (let at = 0; at < whole; at += 4) hash = mix(hash, wordAt(key, at))
  for (let at = whole; at < key.length; at++) hash = mix(hash, key[at]!)
  return hash >>> 0
}

function wordAt(bytes: Uint8Array, offset: number): number {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(offset, true)
}
