// Maps of the runtime (C, on the simulator) against the oracle: random operations, 100,000 a kind; some are the host's.

import { describe, expect, it } from 'vitest'
import { OracleMap } from '../../src/bpf/map-oracle.ts'
import { MapLayout, MapType } from '../../src/bpf/maps.ts'
import { type PlacedMap, placeMap } from '../../src/machine/maps.ts'
import { Random } from '../support/random.ts'
import { Bench, definition, hex, sorted } from './support.ts'

const OPERATIONS = 100_000
const ORACLE_BASE = 0x3000_0000
const FLAGS = [0, 0, 0, 0, 1, 1, 2, 2, 3, 4]

/** Fails with the seed and the number of the operation. */
function same<T>(actual: T, expected: T, what: () => string): void {
  if (actual !== expected) expect.fail(`${what()}: ${String(actual)}, the oracle says ${String(expected)}`)
}

/** `count` operations of programs and, one in 50, of the host on a map with keys and values. */
async function keyed(
  bench: Bench,
  map: PlacedMap,
  oracle: OracleMap,
  keys: readonly Uint8Array[],
  count: number,
  seed: number,
) {
  const random = new Random(seed)
  const { machine } = bench
  const { valueSize } = map.definition
  const { region } = oracle
  let changed = 0
  for (let step = 0; step < count; step++) {
    const what = () => `map type ${map.definition.type}, seed ${seed}, operation ${step}`
    const key = keys[random.below(keys.length)]!
    const keyAt = bench.key + random.below(8)
    machine.writeSync(keyAt, key)
    const host = random.below(50) === 0
    switch (random.below(8)) {
      case 0:
      case 1:
      case 2: {
        const value = random.bytes(valueSize)
        const flags = FLAGS[random.below(FLAGS.length)]!
        const high = random.below(100) === 0 ? 1 : 0
        const valueAt = bench.value + random.below(8)
        machine.writeSync(valueAt, value)
        const expected = oracle.update(key, value, BigInt(flags) + (BigInt(high) << 32n))
        const actual = host
          ? await map.update(key, value, flags + high * 2 ** 32)
          : bench.signed('map_update', map.address, keyAt, valueAt, 0x1234, flags, high)
        same(actual, expected, what)
        if (actual === 0) changed++
        break
      }
      case 3:
      case 4: {
        const expected = oracle.delete(key)
        same(host ? await map.delete(key) : bench.signed('map_delete', map.address, keyAt), expected, what)
        break
      }
      default: {
        if (host && map.definition.type !== MapType.LRU_HASH) {
          const at = oracle.lookup(key) - region.base
          const value = await map.lookup(key)
          same(value && hex(value), at < 0 ? undefined : hex(region.bytes.subarray(at, at + valueSize)), what)
          break
        }
        const pointer = bench.call('map_lookup', map.address, keyAt)
        const expected = oracle.lookup(key)
        same(pointer !== 0, expected !== 0, what)
        if (pointer === 0) break
        same(pointer & 7, 0, what)
        const at = expected - region.base
        same(hex(machine.readSync(pointer, valueSize)), hex(region.bytes.subarray(at, at + valueSize)), what)
        // The program writes through the pointer.
        const byte = random.below(valueSize)
        region.bytes[at + byte] = step
        machine.writeSync(pointer + byte, Uint8Array.of(step))
      }
    }
    if (step % 5000 === 0 || step === count - 1) expect(sorted(await map.entries())).toEqual(sorted(oracle.entries()))
  }
  expect(changed).toBeGreaterThan(count / 100)
}

function distinctKeys(random: Random, size: number, count: number): Uint8Array[] {
  const keys = new Map<string, Uint8Array>()
  while (keys.size < Math.min(count, 256 ** size)) {
    const key = random.bytes(size)
    keys.set(hex(key), key)
  }
  return [...keys.values()]
}

/** Keys of 8 bytes with one hash, by the function in runtime/maps.c: the second word makes up for the first. */
function collidingKeys(random: Random, count: number): Uint8Array[] {
  return Array.from({ length: count }, () => {
    const first = random.word()
    const product = Math.imul(8 ^ first, 0x9e37_79b1)
    return new Uint8Array(Uint32Array.of(first, product ^ (product >>> 15) ^ 0x1234_5678).buffer)
  })
}

describe('maps on the simulator agree with the oracle', () => {
  // Key size, value size, entries, different keys: sparse, full nearly always, full at times; one bucket; long and odd sizes.
  const hashes = [
    [4, 8, 64, 48],
    [4, 4, 16, 64],
    [8, 16, 100, 110],
    [1, 1, 1, 3],
    [13, 7, 33, 40],
    [64, 100, 8, 12],
    [3, 3, 500, 700],
    [4, 4, 4096, 5000],
  ] as const
  for (const [name, type] of [
    ['hash', MapType.HASH],
    ['per-CPU hash', MapType.PERCPU_HASH],
    ['LRU hash', MapType.LRU_HASH],
  ] as const) {
    it(`${name}, ${OPERATIONS} operations`, async () => {
      const bench = await Bench.create()
      for (const [index, [keySize, valueSize, maxEntries, different]] of hashes.entries()) {
        const seed = type * 100 + index
        const map = await placeMap(bench.machine, definition(type, keySize, valueSize, maxEntries))
        const keys = distinctKeys(new Random(seed), keySize, different)
        await keyed(bench, map, new OracleMap(map.definition, ORACLE_BASE), keys, OPERATIONS / hashes.length, seed)
        const count = new DataView(bench.machine.readSync(map.address + MapLayout.count, 4).buffer).getUint32(0, true)
        expect(count).toBe((await map.entries()).length)
        map.free()
      }
    })
  }

  it('also where all keys have the same hash', async () => {
    const bench = await Bench.create()
    for (const type of [MapType.HASH, MapType.LRU_HASH]) {
      const map = await placeMap(bench.machine, definition(type, 8, 8, 12))
      const keys = collidingKeys(new Random(type), 16)
      await keyed(bench, map, new OracleMap(map.definition, ORACLE_BASE), keys, 4000, type)
      // The formula above is that of the runtime: every element that was used has one hash.
      const hashOf = (index: number) => bench.machine.readSync(map.elements + index * map.shape.stride + 4, 4)
      expect(new Set(Array.from({ length: 12 }, (_, index) => hex(hashOf(index)))).size).toBe(1)
      map.free()
    }
  })

  const arrays = [
    [8, 16],
    [1, 1],
    [7, 100],
    [100, 5],
  ] as const
  for (const [name, type] of [
    ['array', MapType.ARRAY],
    ['per-CPU array', MapType.PERCPU_ARRAY],
  ] as const) {
    it(`${name}, ${OPERATIONS} operations`, async () => {
      const bench = await Bench.create()
      for (const [index, [valueSize, maxEntries]] of arrays.entries()) {
        const map = await placeMap(bench.machine, definition(type, 4, valueSize, maxEntries))
        const indexes = Array.from({ length: maxEntries + 2 }, (_, at) => at).concat(0xffff_ffff, 0x8000_0000)
        const keys = indexes.map((at) => new Uint8Array(Uint32Array.of(at).buffer))
        const seed = type * 100 + index
        await keyed(bench, map, new OracleMap(map.definition, ORACLE_BASE), keys, OPERATIONS / arrays.length, seed)
        map.free()
      }
    })
  }

  it(`program array, ${OPERATIONS} operations`, async () => {
    const bench = await Bench.create()
    const map = await placeMap(bench.machine, definition(MapType.PROGRAM_ARRAY, 4, 4, 20))
    const oracle = new OracleMap(map.definition, ORACLE_BASE)
    const random = new Random(3)
    for (let step = 0; step < OPERATIONS; step++) {
      const what = () => `program array, operation ${step}`
      const index = random.below(20) === 0 ? random.word() : random.below(22)
      const key = new Uint8Array(Uint32Array.of(index).buffer)
      bench.machine.writeSync(bench.key, key)
      const target = random.below(3) === 0 ? 0 : random.word() | 1
      switch (random.below(5)) {
        case 0:
          same(bench.call('map_lookup', map.address, bench.key), oracle.lookup(key), what)
          break
        case 1:
          same(
            bench.signed('map_update', map.address, bench.key, bench.key, 0, 0, 0),
            oracle.update(key, key, 0n),
            what,
          )
          break
        case 2:
          same(bench.signed('map_delete', map.address, bench.key), oracle.delete(key), what)
          break
        case 3: {
          const expected = oracle.setProgram(index, target >>> 0)
          const host = random.below(20) === 0
          const actual = host
            ? await map.setProgram(index, target)
            : bench.signed('map_set_program', map.address, index, target)
          same(actual, expected, what)
          break
        }
        default: {
          if (index >= 20) break
          const at = map.elements + 4 * index
          const entry = new DataView(bench.machine.readSync(at, 4).buffer).getUint32(0, true)
          same(entry, oracle.program(index), what)
        }
      }
    }
    expect(sorted(await map.entries())).toEqual(sorted(oracle.entries()))
  })
})

describe('ring buffers on the simulator agree with the oracle', () => {
  const sizes = [16, 32, 64, 256, 4096]
  it(`${OPERATIONS} operations, with wrap-around and records ended in any order`, async () => {
    const bench = await Bench.create()
    let consumed = 0
    for (const size of sizes) consumed += await ring(bench, size, OPERATIONS / sizes.length, size)
    expect(consumed).toBeGreaterThan(OPERATIONS / 10)
  })
  it('also when positions pass 2^32', async () => {
    const bench = await Bench.create()
    await ring(bench, 1024, 5000, 7, 2 ** 32 - 2 * 1024)
  })
})

/** Gives the number of records that came out. */
async function ring(bench: Bench, capacity: number, count: number, seed: number, start = 0): Promise<number> {
  const { machine } = bench
  const random = new Random(seed)
  const map = await placeMap(machine, definition(MapType.RINGBUF, 0, 0, capacity))
  const oracle = new OracleMap(map.definition, ORACLE_BASE)
  if (start !== 0) {
    machine.writeSync(map.address + MapLayout.consumer, new Uint8Array(Uint32Array.of(start, start, start).buffer))
  }
  const word = (address: number) => new DataView(machine.readSync(address, 4).buffer).getUint32(0, true)
  let open: { machine: number; oracle: number; size: number }[] = []
  let consumed = 0
  for (let step = 0; step < count; step++) {
    const what = () => `ring buffer of ${capacity}, seed ${seed}, operation ${step}`
    // Mostly small, sometimes larger than the ring, rarely huge.
    const size =
      random.below(60) === 0 ? random.word() : random.below(random.below(4) === 0 ? capacity + 8 : capacity / 4)
    const high = random.below(200) === 0 ? 1 : 0
    const wide = BigInt(size) + (BigInt(high) << 32n)
    switch (random.below(8)) {
      case 0:
      case 1: {
        const flags = random.below(20) === 0 ? random.below(5) : 0
        const pointer = bench.call('ringbuf_reserve', map.address, 0, size, high, flags, 0)
        const expected = oracle.reserve(wide, BigInt(flags))
        // The place too: both rings turn at the same bytes, whatever the first position.
        same(pointer && pointer - map.elements, expected && expected - oracle.region.base, what)
        if (pointer === 0) break
        same(word(pointer - 8), (size | 0x8000_0000) >>> 0, what)
        same(word(pointer - 4), pointer - 8 - map.address, what)
        const data = random.bytes(size)
        machine.writeSync(pointer, data)
        oracle.region.bytes.set(data, expected - oracle.region.base)
        open.push({ machine: pointer, oracle: expected, size })
        break
      }
      case 2:
      case 3: {
        if (open.length === 0) break
        const record = open[random.below(open.length)]!
        open = open.filter((one) => one !== record)
        const discard = random.below(3) === 0
        bench.call(discard ? 'ringbuf_discard' : 'ringbuf_submit', record.machine, 0, random.below(3), 0)
        expect(oracle.finish(record.oracle, discard ? 'discarded' : 'submitted')).toBe(true)
        same(word(record.machine - 8), discard ? (record.size | 0x4000_0000) >>> 0 : record.size, what)
        break
      }
      case 4: {
        const data = random.bytes(Math.min(size, 0x2000))
        machine.writeSync(bench.value, data)
        const flags = random.below(6)
        const actual = bench.signed('ringbuf_output', map.address, bench.value, size, high, flags, 0)
        same(
          actual,
          oracle.output(wide, BigInt(flags), () => data),
          what,
        )
        break
      }
      case 5: {
        const question = random.below(5)
        const actual = BigInt(bench.call('ringbuf_query', map.address, 0, question, high))
        const positional = (question === 2 || question === 3) && high === 0
        const expected = oracle.query(BigInt(question) + (BigInt(high) << 32n)) + (positional ? BigInt(start) : 0n)
        same(actual, BigInt.asUintN(32, expected), what)
        same(bench.high, 0, what)
        break
      }
      default: {
        const expected = oracle.consume().map(hex)
        const actual: string[] = []
        if (random.below(2) === 0) {
          actual.push(...(await map.consume()).map(hex))
        } else {
          for (;;) {
            const sample = bench.call('ringbuf_peek', map.address, bench.key)
            if (sample === 0) break
            actual.push(hex(machine.readSync(sample, word(bench.key))))
            bench.call('ringbuf_release', map.address)
          }
        }
        same(actual.join(), expected.join(), what)
        consumed += actual.length
      }
    }
  }
  map.free()
  return consumed
}
