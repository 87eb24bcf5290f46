// How maps lie in memory: TypeScript's numbers against the compiler's, the host's work against thumbpf_map_init and the runtime's
// operations, what is refused, and that the committed code is what runtime/ gives.

import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { InputError } from '../../src/base/errors.ts'
import { HelperFault, type HelperMemory } from '../../src/bpf/helpers.ts'
import { mapHelpers, placeOracleMaps } from '../../src/bpf/map-oracle.ts'
import {
  checkMaps,
  type MapDefinition,
  MapElementLayout,
  MapError,
  MapLayout,
  mapPrototypes,
  mapShape,
  MapType,
  RecordLayout,
} from '../../src/bpf/maps.ts'
import { linuxHelpers } from '../../src/bpf/tables/linux.ts'
import { placeMap } from '../../src/machine/maps.ts'
import { placeRuntime, Runtime } from '../../src/machine/runtime.ts'
import { RUNTIME_OFFSETS } from '../../src/machine/runtime-code.ts'
import { Simulator } from '../../src/machine/sim/simulator.ts'
import { Workspace } from '../../src/machine/workspace.ts'
import { describeWith, tool } from '../support/tools.ts'
import { Random } from '../support/random.ts'
import { Bench, definition, hex, sorted } from './support.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const types = Object.values(MapType)
const samples = [
  definition(MapType.HASH, 5, 12, 10),
  definition(MapType.ARRAY, 4, 3, 9),
  definition(MapType.PROGRAM_ARRAY, 4, 4, 7),
  { ...definition(MapType.PERCPU_HASH, 8, 8, 1), flags: 65 },
  definition(MapType.PERCPU_ARRAY, 4, 8, 1),
  definition(MapType.LRU_HASH, 1, 1, 129),
  definition(MapType.RINGBUF, 0, 0, 128),
]
const fields = (map: MapDefinition) => [map.type, map.keySize, map.valueSize, map.maxEntries, map.flags]

describe('the layout of a map', () => {
  it('written by the host is that of thumbpf_map_init', async () => {
    const bench = await Bench.create()
    const { machine } = bench
    const { data } = await Workspace.of(machine)
    for (const map of samples) {
      const placed = await placeMap(machine, map)
      const size = MapLayout.size + placed.shape.storage
      const byHost = machine.readSync(placed.address, size)
      placed.free()
      expect(data.allocate(size)).toBe(placed.address)
      // Storage that is not the map's business keeps what it was.
      machine.writeSync(
        placed.address,
        byHost.map(() => 0xa5),
      )
      if (placed.shape.kind === 'hash') {
        machine.writeSync(placed.elements, byHost.slice(MapLayout.size, size - 4 * placed.shape.buckets))
      } else if (placed.shape.kind === 'ring') machine.writeSync(placed.elements, byHost.slice(MapLayout.size))
      const given = [placed.elements, placed.shape.storage]
      expect(bench.signed('map_init', placed.address, ...fields(map), given[0]!, given[1]! - 1)).toBe(MapError.EINVAL)
      expect(bench.signed('map_init', placed.address, ...fields(map), given[0]! + 4, given[1]!)).toBe(MapError.EINVAL)
      expect(bench.signed('map_init', placed.address, ...fields(map), ...given)).toBe(0)
      expect(hex(machine.readSync(placed.address, size))).toBe(hex(byHost))
      data.free(placed.address)
    }
  })

  it('needs as much storage as thumbpf_map_storage says, and is refused alike', async () => {
    const bench = await Bench.create()
    const random = new Random(11)
    const sizes = [0, 1, 4, 8, 13, 0x3fff_ffff, 0x4000_0000, 0x7fff_fff0, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff]
    const counts = [0, 1, 2, 15, 16, 24, 100, 0x2000_0000, 0x4000_0000, 0x4000_0001, 0x8000_0000, 0xffff_ffff]
    const pick = (from: readonly number[]) => from[random.below(from.length)]!
    let possible = 0
    for (let step = 0; step < 20_000; step++) {
      const type = random.below(50) === 0 ? random.below(40) : pick(types)
      const keySize = random.below(2) === 0 ? (type === MapType.RINGBUF ? 0 : 4) : pick(sizes)
      const valueSize = random.below(2) === 0 ? (type === MapType.RINGBUF ? 0 : 4) : pick(sizes)
      const flags = random.below(3) > 0 ? 0 : pick([1, 2, 64, 65, 128, 1024, 0x8000_0000])
      const map = { name: 'm', type, keySize, valueSize, maxEntries: pick(counts), flags }
      const shape = mapShape(map)
      const expected = 'problem' in shape ? 0 : shape.storage
      if (expected > 0) possible++
      const actual = bench.call('map_storage', ...fields(map))
      if (actual !== expected) expect.fail(`${JSON.stringify(map)}: C says ${actual}, ${JSON.stringify(shape)}`)
    }
    expect(possible).toBeGreaterThan(1000)
  })

  it.each([
    [{ type: 7 }, "map 'm': type 7 (BPF_MAP_TYPE_STACK_TRACE) is not supported, must be one of 1, 2, 3, 5, 6, 9, 27"],
    [{ type: 77 }, "map 'm': type 77 is not supported, must be one of 1, 2, 3, 5, 6, 9, 27"],
    [{ keySize: 0 }, "map 'm': its key has 0 bytes"],
    [{ valueSize: 0 }, "map 'm': its value has 0 bytes"],
    [
      { maxEntries: 0 },
      "map 'm': it has 0 entries, which its object may leave to a loader; give max_entries in the definition",
    ],
    [{ type: 2, keySize: 8 }, "map 'm': its key has 8 bytes, must have 4"],
    [{ type: 27, keySize: 0 }, "map 'm': its value has 4 bytes, must have 0"],
    [
      { type: 27, keySize: 0, valueSize: 0, maxEntries: 100 },
      "map 'm': a ring buffer of 100 bytes; must be a power of two, at least 16",
    ],
    [{ flags: 0x80 }, "map 'm': flag 0x80 is not supported with type 1 (BPF_MAP_TYPE_HASH)"],
    [{ maxEntries: 0x1000_0000 }, "map 'm': it takes 7516192768 bytes, at most 2147483647 are possible"],
  ])('%j is refused', (part, message) => {
    const map = { name: 'm', type: 1, keySize: 4, valueSize: 4, maxEntries: 4, flags: 0, ...part }
    expect(checkMaps([samples[0]!, map])).toEqual([{ code: 'bad-map', place: {}, message }])
  })
})

describe('the host at a map', () => {
  it('and programs see the same LRU hash', async () => {
    const bench = await Bench.create()
    const map = await placeMap(bench.machine, definition(MapType.LRU_HASH, 1, 1, 3))
    const at = (byte: number) => Uint8Array.of(byte)
    const keys = async () => (await map.entries()).map(({ key }) => key[0]!).toSorted((a, b) => a - b)
    for (const key of [1, 2, 3]) expect(await map.update(at(key), at(key))).toBe(0)
    // A program's look is a use, the host's is none.
    bench.machine.writeSync(bench.key, at(1))
    expect(bench.call('map_lookup', map.address, bench.key)).not.toBe(0)
    expect(await map.lookup(at(2))).toEqual(at(2))
    expect(await map.update(at(4), at(4))).toBe(0)
    expect(await keys()).toEqual([1, 3, 4])
    bench.machine.writeSync(bench.key, at(5))
    expect(bench.signed('map_update', map.address, bench.key, bench.key, 0, 0, 0)).toBe(0)
    expect(await keys()).toEqual([1, 4, 5])
    expect(await map.delete(at(4))).toBe(0)
    expect(await map.update(at(1), at(9), 1)).toBe(MapError.EEXIST)
    expect(await map.update(at(6), at(6), 2)).toBe(MapError.ENOENT)
    expect(await keys()).toEqual([1, 5])
  })

  it('reads and writes program arrays and refuses misuse', async () => {
    const machine = new Simulator()
    const programs = await placeMap(machine, definition(MapType.PROGRAM_ARRAY, 4, 4, 2))
    const one = Uint8Array.of(1, 0, 0, 0)
    expect(await programs.delete(one)).toBe(MapError.ENOENT)
    expect(await programs.setProgram(1, 0x8001)).toBe(0)
    expect(await programs.setProgram(2, 0x8001)).toBe(MapError.E2BIG)
    expect(sorted(await programs.entries())).toEqual(['01000000:01800000'])
    expect(await programs.delete(one)).toBe(0)
    expect(await programs.lookup(one)).toBeUndefined()
    await expect(programs.lookup(Uint8Array.of(1))).rejects.toThrow("a key of map 'm3' has 4 bytes, not 1")
    await expect(programs.update(one, new Uint8Array(5))).rejects.toThrow("a value of map 'm3' has 4 bytes, not 5")
    await expect(programs.consume()).rejects.toThrow(InputError)
    programs.free()
    await expect(programs.lookup(one)).rejects.toThrow("use of map 'm3' after it was freed")
    expect(() => programs.free()).toThrow(InputError)
  })

  it('gives memory back, and says which map found none', async () => {
    const machine = new Simulator()
    const { data, code } = await Workspace.of(machine)
    const [usedData, usedCode] = [data.used, code.used]
    for (let round = 0; round < 50; round++) {
      const maps = await Promise.all(samples.map((sample) => placeMap(machine, sample)))
      for (const map of maps) map.free()
    }
    expect(data.used).toBe(usedData)
    await expect(placeMap(machine, definition(MapType.ARRAY, 4, 8, 1 << 20))).rejects.toThrow(
      /^map 'm2': out of data memory/,
    )
    expect(data.used).toBe(usedData)
    const [first, second] = await Promise.all([placeRuntime(machine), placeRuntime(machine)])
    expect(second).toBe(first)
    expect(code.used - usedCode).toBeLessThan(2048)
  })

  it('finds no room for the runtime at first, and does later', async () => {
    const code = { name: 'code', base: 0x100, size: 0xf00, execute: true, write: false }
    const ram = { name: 'ram', base: 0x2000_0000, size: 0x1000, execute: false, write: true }
    const machine = new Simulator({ regions: [code, ram] })
    const workspace = await Workspace.of(machine)
    const taken = workspace.code.allocate(workspace.code.largestFree)
    await expect(placeRuntime(machine)).rejects.toThrow(/^the runtime for maps: out of code memory/)
    workspace.code.free(taken)
    expect(await placeRuntime(machine)).toBeInstanceOf(Runtime)
  })
})

describe('helpers for maps', () => {
  it('have addresses in the runtime, and the signatures of Linux', async () => {
    const runtime = await placeRuntime(new Simulator())
    for (const [number, { name, result, parameters }] of mapPrototypes) {
      const linux = linuxHelpers.get(number)!
      expect([result, ...parameters.map(({ type }) => type)], name).toEqual([
        linux.result,
        ...linux.parameters.map(({ type }) => type),
      ])
      const known = Object.entries(RUNTIME_OFFSETS).find(([key]) => `thumbpf_${key}` === name)!
      expect(runtime.helperAddress(number)).toBe((runtime.address + known[1]) | 1)
    }
    expect(runtime.helperAddress(4)).toBeUndefined()
  })

  it('work in the interpreter', () => {
    const stack = new Uint8Array(64)
    const memory: HelperMemory = {
      read(address, length) {
        if (address + length > stack.length) throw new HelperFault(address, 'read')
        return stack.slice(address, address + length)
      },
      write() {},
    }
    const [hash, ring] = placeOracleMaps([samples[0]!, samples[6]!], 0x3000_0000)
    const helpers = mapHelpers([hash!, ring!])
    const call = (number: number, ...args: number[]) => {
      const [a = 0n, b = 0n, c = 0n, d = 0n] = args.map(BigInt)
      return helpers.get(number)!.fn(a, b, c, d, 0n, memory)
    }
    stack.set([1, 2, 3, 4, 5], 3)
    stack.fill(7, 16, 28)
    expect(ring!.address).toBeGreaterThanOrEqual(hash!.end)
    expect(call(1, hash!.address, 3)).toBe(0n)
    expect(call(2, hash!.address, 3, 16, 0)).toBe(0n)
    expect(call(2, hash!.address, 3, 16, 1)).toBe(BigInt(MapError.EEXIST))
    const pointer = Number(call(1, hash!.address, 3))
    const at = pointer - hash!.region.base
    expect([...hash!.region.bytes.subarray(at, at + 13)]).toEqual([...stack.subarray(16, 28), 0])
    expect(call(3, hash!.address, 3)).toBe(0n)
    expect(call(130, ring!.address, 3, 5, 0)).toBe(0n)
    const sample = Number(call(131, ring!.address, 8, 0))
    expect(call(134, ring!.address, 0)).toBe(32n)
    expect(call(132, sample)).toBeUndefined()
    expect(ring!.consume().map(hex)).toEqual(['0102030405', '0000000000000000'])
    expect(() => call(133, sample)).toThrow(HelperFault)
    expect(() => call(1, 0x1234, 3)).toThrow(HelperFault)
    expect(() => call(1, hash!.address, 62)).toThrow(HelperFault)
  })
})

const gcc = 'arm-none-eabi-gcc'
describeWith([gcc, 'arm-none-eabi-ld', 'arm-none-eabi-objcopy', 'arm-none-eabi-nm'], 'runtime/', () => {
  it('has the layout that TypeScript thinks it has', () => {
    const folder = mkdtempSync(join(tmpdir(), 'thumbpf-maps-'))
    try {
      const names: readonly (readonly [string, string, Readonly<Record<string, number>>])[] = [
        ['thumbpf_map', 'as.hash.', MapLayout],
        ['thumbpf_element', '', MapElementLayout],
        ['thumbpf_record', '', RecordLayout],
      ]
      const plain = new Set(['type', 'keySize', 'valueSize', 'maxEntries', 'flags', 'stride', 'elements', 'mask'])
      const ring = new Set(['consumer', 'producer', 'pending'])
      const expected: number[] = []
      const offsets = names.flatMap(([struct, prefix, layout]) =>
        Object.entries(layout).map(([name, offset]) => {
          expected.push(offset)
          const member = name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
          if (name === 'size') return `sizeof(struct ${struct})`
          const path = plain.has(name) ? '' : ring.has(name) ? 'as.ring.' : prefix
          return `offsetof(struct ${struct}, ${path}${member})`
        }),
      )
      const source = join(folder, 'layout.c')
      const object = join(folder, 'layout.o')
      const list = `const uint32_t offsets[] = { ${offsets.join(', ')} };`
      writeFileSync(source, `#include "maps.h"\n__attribute__((section(".offsets"))) ${list}\n`)
      execFileSync(tool(gcc)!, ['-mcpu=cortex-m4', '-mthumb', '-I', join(root, 'runtime'), '-c', source, '-o', object])
      execFileSync(tool('arm-none-eabi-objcopy')!, ['-O', 'binary', '-j', '.offsets', object, `${object}.bin`])
      const bytes = new Uint8Array(readFileSync(`${object}.bin`))
      expect([...new Uint32Array(bytes.buffer)]).toEqual(expected)
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })

  const build = (option: string) =>
    execFileSync(process.execPath, [join(root, 'tools/build-runtime.mjs'), option], { encoding: 'utf8' }).trim()
  const committed = readFileSync(join(root, 'src/machine/runtime-code.ts'), 'utf8')
  const version = tool(gcc) === undefined ? '' : build('--compiler')
  it.skipIf(!committed.includes(`/** ${version} */`))(`gives the committed code [needs its compiler]`, () => {
    expect(build('--check')).toBe('')
  })
})
