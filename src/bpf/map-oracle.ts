// Maps for the interpreter, from the kernel's description of its helpers and by other means than runtime/maps.c, whose oracle they are:
// keys are strings in a JS Map, which keeps their order of use; records of a ring buffer are a list. Only values live in memory,
// where programs write them through pointers.

import { InputError, unreachable } from '../base/errors.ts'
import { type Helper, HelperFault, type HelperMemory } from './helpers.ts'
import { type MapDefinition, MapError, mapPrototypes, mapShape, MapType, MapUpdate, round8 } from './maps.ts'
import type { MemoryRegion } from './memory.ts'

interface RingRecord {
  /** Of its header, counted from the beginning of time. */
  readonly position: number
  readonly size: number
  state: 'busy' | 'submitted' | 'discarded'
}

/** Bytes of address space at `address` that stand for the map itself. */
const HANDLE_BYTES = 64

export class OracleMap {
  readonly definition: MapDefinition
  /** What the program knows the map by, and passes to helpers. */
  readonly address: number
  /** Its values; part of the program's memory. */
  readonly region: MemoryRegion
  readonly #kind: 'hash' | 'array' | 'programs' | 'ring'
  /** Hash: index of the value by key, one character a byte; the least recently used first in an LRU hash. */
  readonly #slots = new Map<string, number>()
  readonly #unused: number[] = []
  /** Program array: by index what setProgram set, or ~function where the object put one of its program's functions. */
  readonly #programs = new Map<number, number>()
  /** Ring buffer: all from the consumer on. */
  #records: RingRecord[] = []
  #producer = 0

  /** Takes addresses from `address`, a multiple of 8, up to `end`. Throws InputError for a bad definition. */
  constructor(definition: MapDefinition, address: number) {
    const shape = mapShape(definition)
    if ('problem' in shape) throw new InputError(shape.problem)
    this.definition = definition
    this.address = address
    this.#kind = shape.kind
    const { maxEntries, valueSize } = definition
    const bytes =
      shape.kind === 'programs' ? 0 : shape.kind === 'ring' ? 2 * maxEntries : maxEntries * round8(valueSize)
    this.region = { base: address + HANDLE_BYTES, bytes: new Uint8Array(bytes) }
    for (const { index, function: one } of definition.programs ?? []) this.#programs.set(index, ~one)
    if (shape.kind === 'hash') for (let slot = maxEntries - 1; slot >= 0; slot--) this.#unused.push(slot)
  }

  /** Behind its last byte. */
  get end(): number {
    return this.region.base + this.region.bytes.length
  }

  /** bpf_map_lookup_elem: the value's address, or 0. */
  lookup(key: Uint8Array): number {
    if (this.#kind === 'array') {
      const index = indexOf(key)
      return index < this.definition.maxEntries ? this.#valueAddress(index) : 0
    }
    if (this.#kind !== 'hash') return 0
    const slot = this.#slots.get(keyText(key))
    if (slot === undefined) return 0
    this.#use(keyText(key), slot)
    return this.#valueAddress(slot)
  }

  /** bpf_map_update_elem. */
  update(key: Uint8Array, value: Uint8Array, flags: bigint): number {
    if (flags > BigInt(MapUpdate.EXIST)) return MapError.EINVAL
    const mustBeNew = flags === BigInt(MapUpdate.NOEXIST)
    if (this.#kind === 'array') {
      const index = indexOf(key)
      if (index >= this.definition.maxEntries) return MapError.E2BIG
      if (mustBeNew) return MapError.EEXIST
      this.#setValue(index, value)
      return 0
    }
    if (this.#kind !== 'hash') return MapError.EINVAL
    const text = keyText(key)
    let slot = this.#slots.get(text)
    if (slot !== undefined && mustBeNew) return MapError.EEXIST
    if (slot === undefined && flags === BigInt(MapUpdate.EXIST)) return MapError.ENOENT
    if (slot === undefined && this.#unused.length === 0 && this.definition.type === MapType.LRU_HASH) {
      this.#remove(this.#slots.keys().next().value!)
    }
    slot ??= this.#unused.pop()
    if (slot === undefined) return MapError.E2BIG
    this.#setValue(slot, value)
    this.#use(text, slot)
    return 0
  }

  /** bpf_map_delete_elem. */
  delete(key: Uint8Array): number {
    if (this.#kind !== 'hash') return MapError.EINVAL
    return this.#remove(keyText(key)) ? 0 : MapError.ENOENT
  }

  /** Entries in no order; of an array all, of a program array those that are set. */
  entries(): { readonly key: Uint8Array; readonly value: Uint8Array }[] {
    const { maxEntries } = this.definition
    if (this.#kind === 'programs') {
      return [...this.#programs].map(([index, target]) => ({ key: wordOf(index), value: wordOf(target) }))
    }
    if (this.#kind === 'array') {
      return Array.from({ length: maxEntries }, (_, index) => ({ key: wordOf(index), value: this.#value(index) }))
    }
    return [...this.#slots].map(([text, slot]) => ({
      key: Uint8Array.from(text, (character) => character.charCodeAt(0)),
      value: this.#value(slot),
    }))
  }

  /** Sets an entry of a program array to whatever stands for a program there; 0 empties it. */
  setProgram(index: number, program: number): number {
    if (this.#kind !== 'programs') return MapError.EINVAL
    if (index >= this.definition.maxEntries) return MapError.E2BIG
    if (program === 0) this.#programs.delete(index)
    else this.#programs.set(index, program)
    return 0
  }
  /** What setProgram set; ~function for a function of the program with this very definition, from the object; else 0. */
  program(index: number): number {
    return this.#programs.get(index) ?? 0
  }

  /** bpf_ringbuf_reserve: the address of `size` bytes, or 0. */
  reserve(size: bigint, flags: bigint): number {
    const capacity = this.definition.maxEntries
    if (this.#kind !== 'ring' || flags !== 0n || size >= BigInt(capacity)) return 0
    const end = this.#producer + recordBytes(Number(size))
    // What is not consumed may not reach a full turn; what follows the oldest busy record is a part of that.
    const oldest = this.#records[0]?.position ?? this.#producer
    if (end - oldest >= capacity) return 0
    const record: RingRecord = { position: this.#producer, size: Number(size), state: 'busy' }
    this.#records.push(record)
    this.#producer = end
    return this.#dataAddress(record)
  }
  /** bpf_ringbuf_submit and bpf_ringbuf_discard. False if `sample` is not what reserve gave, or was ended before. */
  finish(sample: number, state: 'submitted' | 'discarded'): boolean {
    const record = this.#records.find((one) => one.state === 'busy' && this.#dataAddress(one) === sample)
    if (record !== undefined) record.state = state
    return record !== undefined
  }
  /** bpf_ringbuf_output; `read` gives `size` bytes and is called only if there is room. */
  output(size: bigint, flags: bigint, read: () => Uint8Array): number {
    if (this.#kind !== 'ring' || flags > 3n) return MapError.EINVAL
    const sample = this.reserve(size, 0n)
    if (sample === 0) return MapError.EAGAIN
    this.region.bytes.set(read(), sample - this.region.base)
    this.finish(sample, 'submitted')
    return 0
  }
  /** bpf_ringbuf_query. Positions are those of a 32-bit kernel. */
  query(what: bigint): bigint {
    if (this.#kind !== 'ring') return 0n
    const consumer = this.#records[0]?.position ?? this.#producer
    const answers = [this.#producer - consumer, this.definition.maxEntries, consumer, this.#producer]
    return what < 4n ? BigInt.asUintN(32, BigInt(answers[Number(what)]!)) : 0n
  }
  /** Data of all records that were submitted before the oldest busy one, which are gone then. */
  consume(): Uint8Array[] {
    let end = this.#records.findIndex((record) => record.state === 'busy')
    if (end < 0) end = this.#records.length
    const ended = this.#records.slice(0, end)
    this.#records = this.#records.slice(end)
    return ended
      .filter((record) => record.state === 'submitted')
      .map((record) => {
        const at = this.#dataAddress(record) - this.region.base
        return this.region.bytes.slice(at, at + record.size)
      })
  }

  #dataAddress(record: RingRecord): number {
    return this.region.base + (record.position % this.definition.maxEntries) + 8
  }
  #valueAddress(slot: number): number {
    return this.region.base + slot * round8(this.definition.valueSize)
  }
  #value(slot: number): Uint8Array {
    const at = slot * round8(this.definition.valueSize)
    return this.region.bytes.slice(at, at + this.definition.valueSize)
  }
  #setValue(slot: number, value: Uint8Array): void {
    this.region.bytes.set(value, slot * round8(this.definition.valueSize))
  }
  /** Makes an entry the last one in the order of use. */
  #use(text: string, slot: number): void {
    this.#slots.delete(text)
    this.#slots.set(text, slot)
  }
  #remove(text: string): boolean {
    const slot = this.#slots.get(text)
    if (slot === undefined) return false
    this.#slots.delete(text)
    this.#unused.push(slot)
    return true
  }
}

/** Maps one behind the other from `base` on, a multiple of 8. */
export function placeOracleMaps(definitions: readonly MapDefinition[], base: number): OracleMap[] {
  let next = base
  return definitions.map((definition) => {
    const map = new OracleMap(definition, next)
    next = round8(map.end)
    return map
  })
}

/** Linux's helpers on these maps, by number: 1-3 and 130-134. An address that is no map's is a HelperFault. */
export function mapHelpers(maps: readonly OracleMap[]): ReadonlyMap<number, Helper> {
  const byAddress = new Map(maps.map((map) => [map.address, map]))
  const at = (address: bigint): OracleMap => {
    const map = byAddress.get(Number(address))
    if (map === undefined) throw new HelperFault(Number(address), 'read')
    return map
  }
  const finish = (sample: bigint, state: 'submitted' | 'discarded'): void => {
    if (!maps.some((map) => map.finish(Number(sample), state))) throw new HelperFault(Number(sample), 'write')
  }
  const keyOf = (map: OracleMap, key: bigint, memory: HelperMemory): Uint8Array =>
    read(memory, key, map.definition.keySize)
  const functions: readonly (readonly [number, Helper['fn']])[] = [
    [1, (r1, r2, _3, _4, _5, memory) => BigInt(at(r1).lookup(keyOf(at(r1), r2, memory)))],
    [
      2,
      (r1, r2, r3, r4, _5, memory) => {
        const map = at(r1)
        const value = read(memory, r3, map.definition.valueSize)
        return BigInt(map.update(keyOf(map, r2, memory), value, r4))
      },
    ],
    [3, (r1, r2, _3, _4, _5, memory) => BigInt(at(r1).delete(keyOf(at(r1), r2, memory)))],
    [130, (r1, r2, r3, r4, _5, memory) => BigInt(at(r1).output(r3, r4, () => read(memory, r2, Number(r3))))],
    [131, (r1, r2, r3) => BigInt(at(r1).reserve(r2, r3))],
    [132, (r1) => finish(r1, 'submitted')],
    [133, (r1) => finish(r1, 'discarded')],
    [134, (r1, r2) => at(r1).query(r2)],
  ]
  return new Map(
    functions.map(([number, fn]) => {
      const prototype = mapPrototypes.get(number)!
      return [number, { name: prototype.name, fn, prototype }]
    }),
  )
}

/** The interpreter's memory answers at once. */
function read(memory: HelperMemory, address: bigint, length: number): Uint8Array {
  const bytes = memory.read(Number(address), length)
  return bytes instanceof Promise ? unreachable('maps of the interpreter on a memory that is not its own') : bytes
}

function recordBytes(size: number): number {
  return round8(size + 8)
}
function keyText(key: Uint8Array): string {
  return String.fromCharCode(...key)
}
function indexOf(key: Uint8Array): number {
  return new DataView(key.buffer, key.byteOffset).getUint32(0, true)
}
function wordOf(word: number): Uint8Array {
  return new Uint8Array(Uint32Array.of(word).buffer)
}
