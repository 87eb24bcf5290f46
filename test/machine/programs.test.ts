// Programs by name: compiled once, placed, called, replaced and removed while others run; the code heap under long use.

import { describe, expect, it } from 'vitest'
import { assemble } from '../../src/bpf/asm.ts'
import type { HostHelper } from '../../src/bpf/helpers.ts'
import { MapType } from '../../src/bpf/maps.ts'
import { readProgram } from '../../src/bpf/read.ts'
import { compile } from '../../src/compile.ts'
import { instantiate } from '../../src/machine/instance.ts'
import { Programs } from '../../src/machine/programs.ts'
import { Simulator } from '../../src/machine/sim/simulator.ts'
import { Workspace } from '../../src/machine/workspace.ts'
import { Random } from '../support/random.ts'

/** A program that returns `value`, `instructions` long. */
function program(value: number, instructions = 2): Uint8Array {
  const filler = Array.from(
    { length: instructions - 2 },
    (_, index) => `*(u32 *)(r1 + ${4 * (index % 8)}) = ${index + value}`,
  )
  return assemble([...filler, `r0 = ${value}`, 'exit'].join('\n'))
}

/** Code for a few hundred bytes. */
function small(bytes = 2048): Simulator {
  return new Simulator({
    regions: [
      { name: 'code', base: 0x1000, size: bytes, execute: true, write: false },
      { name: 'ram', base: 0x2000_0000, size: 0x4_0000, execute: false, write: true },
    ],
  })
}

const ctx = (): Uint8Array => new Uint8Array(32)
const returned = (r0: bigint) => ({ kind: 'returned', r0 })

describe('programs', () => {
  it('are compiled once for the same bytes and options', async () => {
    const programs = new Programs(new Simulator(), { compile: (bytes, options) => compile(bytes, options) })
    await programs.load('a', program(1))
    await programs.load('b', program(1))
    expect(programs.compiled).toBe(1)
    await programs.load('c', program(1), { fullPrologue: true })
    await programs.load('d', program(2))
    expect(programs.compiled).toBe(3)
    for (const [name, r0] of [
      ['a', 1n],
      ['b', 1n],
      ['c', 1n],
      ['d', 2n],
    ] as const) {
      expect((await programs.call(name)).outcome).toEqual(returned(r0))
    }
    expect(programs.list().map(({ name, calls, running }) => ({ name, calls, running }))).toEqual(
      ['a', 'b', 'c', 'd'].map((name) => ({ name, calls: 1, running: false })),
    )
    await expect(programs.load('a', program(3))).rejects.toThrow("there is a program 'a' already")
    await expect(programs.call('x')).rejects.toThrow("there is no program 'x'; there are a, b, c, d")
  })

  it('make room for each other, the least recently called first', async () => {
    const programs = new Programs(small(1400), { compile: (bytes, options) => compile(bytes, options) })
    for (const name of ['a', 'b', 'c']) await programs.load(name, program(name.charCodeAt(0), 90))
    await programs.call('a', { ctx: ctx() })
    await programs.load('d', program(100, 90))
    const resident = (): string[] =>
      programs
        .list()
        .filter((each) => each.address !== undefined)
        .map((each) => each.name)
    expect(resident()).toContain('a')
    expect(resident()).toContain('d')
    expect(resident()).not.toContain('b')
    // What made room comes back when it is called, without being compiled again.
    expect((await programs.call('b', { ctx: ctx() })).outcome).toEqual(returned(98n))
    expect(programs.compiled).toBe(4)
    expect(resident()).toContain('b')
  })

  it('that do not fit at all are refused, and those that are there go on', async () => {
    const programs = new Programs(small(), { compile: (bytes, options) => compile(bytes, options) })
    await programs.load('a', program(1))
    await expect(programs.load('huge', program(2, 2000))).rejects.toThrow(/out of code memory: \d+ bytes asked for/)
    expect((await programs.call('a')).outcome).toEqual(returned(1n))
    expect(programs.list().map((each) => each.name)).toEqual(['a'])
  })

  it('are removed and replaced while they run', async () => {
    const machine = new Simulator()
    const heap = (await Workspace.of(machine)).code
    const before = heap.used
    let during: () => Promise<void> = async () => {}
    const helper: HostHelper = async () => {
      await during()
      return 5n
    }
    const programs = new Programs(machine, {
      compile: (bytes) => compile(bytes, { helpers: new Set([1]) }),
      helpers: new Map([[1, helper]]),
    })
    const calls = assemble('call 1\nr0 += 2\nexit')
    await programs.load('a', calls)
    during = async () => {
      expect(programs.list()[0]!.running).toBe(true)
      await programs.replace('a', program(9))
      await programs.load('other', program(3))
    }
    expect((await programs.call('a')).outcome).toEqual(returned(7n))
    expect((await programs.call('a')).outcome).toEqual(returned(9n))
    await programs.replace('a', calls)
    during = async () => programs.remove('a')
    expect((await programs.call('a')).outcome).toEqual(returned(7n))
    expect(programs.list().map((each) => each.name)).toEqual(['other'])
    programs.remove('other')
    expect(heap.used).toBe(before)
  })
})

describe('programs that are loaded, called and removed at the same time', () => {
  const compiles = { compile: (bytes: Uint8Array) => compile(bytes, { helpers: new Set([1]) }) }
  const names = (programs: Programs): string[] => programs.list().map((each) => each.name)

  it('are placed once, and leave nothing behind', async () => {
    const machine = small(1400)
    const programs = new Programs(machine, compiles)
    await Workspace.of(machine)
    const { used } = await programs.stats()
    for (const name of ['a', 'b', 'c', 'd']) await programs.load(name, program(name.charCodeAt(0), 90))
    expect(programs.list()[0]!.address).toBeUndefined()
    // One of the two calls finds the machine busy; both find the same copy.
    const results = await Promise.allSettled([
      programs.call('a', { ctx: ctx() }),
      programs.call('a', { ctx: ctx() }),
      programs.call('b', { ctx: ctx() }).then(undefined, () => 'busy'),
    ])
    expect(results.some(({ status }) => status === 'fulfilled')).toBe(true)
    const replaced = await Promise.allSettled([
      programs.replace('c', program(5, 20)),
      programs.replace('c', program(6, 20)),
      programs.load('e', program(7, 20)),
      programs.load('e', program(8, 20)),
    ])
    expect(replaced.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'fulfilled', 'rejected'])
    expect((await programs.call('c', { ctx: ctx() })).outcome).toEqual(returned(6n))
    expect((await programs.call('e', { ctx: ctx() })).outcome).toEqual(returned(7n))
    const replacing = programs.replace('a', program(1))
    programs.remove('a')
    await expect(replacing).rejects.toThrow("'a' was removed while it was replaced")
    const calling = programs.call('b', { ctx: ctx() })
    programs.remove('b')
    expect((await calling).outcome).toEqual(returned(98n))
    for (const name of names(programs)) programs.remove(name)
    expect((await programs.stats()).used).toBe(used)
  })

  it('make room while another one waits in a host function, which never makes room itself', async () => {
    const machine = small(1400)
    let waiting: () => Promise<void> = async () => {}
    const programs = new Programs(machine, { ...compiles, helpers: new Map([[1, () => waiting()]]) })
    await programs.load('waits', assemble('call 1\nr0 = 42\nexit'))
    waiting = async () => {
      for (let turn = 0; turn < 20; turn++) await programs.load(`p${turn}`, program(turn, 90))
      expect(programs.list().filter(({ address }) => address !== undefined)[0]).toMatchObject({
        name: 'waits',
        running: true,
      })
    }
    expect((await programs.call('waits')).outcome).toEqual(returned(42n))
    const used = programs.list().map((each) => each.lastUsed)
    expect(used).toEqual(used.toSorted((a, b) => a - b))
  })

  it('that are removed or evicted while a tail call runs them stay until it returns', async () => {
    const machine = new Simulator()
    let during: () => Promise<void> = async () => {}
    const map = { name: 'm', type: MapType.PROGRAM_ARRAY, keySize: 4, valueSize: 4, maxEntries: 1, flags: 0 }
    const programs = new Programs(machine, {
      compile: (bytes, { tailCalls }) => {
        const read = readProgram(bytes)
        if (tailCalls !== true) return compile(read, { helpers: new Set([1]) })
        const [first, ...rest] = read.instructions
        const instructions = [{ ...first!, reference: { kind: 'map', index: 0 } as const }, ...rest]
        return compile({ ...read, instructions, maps: [map] })
      },
      helpers: new Map([[1, () => during()]]),
    })
    await programs.load('caller', assemble('lddw %r2, 0\nmov %r3, 0\ncall 12\nexit'), { tailCalls: true })
    const { used } = await programs.stats()
    await programs.load('target', assemble('call 1\nr0 = 9\nexit'))
    const target = await programs.instance('target')
    await (await programs.instance('caller')).maps.get('m')!.setProgram(0, target.address)
    during = async () => {
      const before = (await programs.stats()).used
      programs.remove('target')
      expect((await programs.stats()).used).toBe(before)
      await programs.load('next', program(1, 30))
    }
    expect((await programs.call('caller')).outcome).toEqual(returned(9n))
    await expect(target.call()).rejects.toThrow('freed')
    programs.remove('next')
    expect((await programs.stats()).used).toBe(used)
  })

  it('that are larger than all code memory, or want other memory, make nobody go', async () => {
    const programs = new Programs(small(1400), compiles)
    for (const name of ['a', 'b']) await programs.load(name, program(1, 60))
    const before = programs.list()
    await expect(programs.load('huge', program(2, 2000))).rejects.toThrow(/^out of code memory: \d+ bytes asked for/)
    expect(programs.list()).toEqual(before)
    // A context that no memory holds is refused, and the next call is as good as any.
    await expect(programs.call('a', { ctx: new Uint8Array(0x10_0000) })).rejects.toThrow('out of data memory')
    expect((await programs.call('a', { ctx: ctx() })).outcome).toEqual(returned(1n))
    expect((await programs.call('b', { ctx: new Uint8Array(0x1_8000) })).outcome).toEqual(returned(1n))
  })
})

describe('a working set of twice the code memory', () => {
  it('is called at random without a failure, and compiled once', async () => {
    const programs = new Programs(small(8 * 1024), { compile: (bytes, options) => compile(bytes, options) })
    const random = new Random(11)
    const lengths = Array.from({ length: 60 }, () => 10 + random.below(150))
    for (const [index, length] of lengths.entries()) await programs.load(`p${index}`, program(index, length))
    const { size } = await programs.stats()
    const bytes = programs.list().reduce((sum, each) => sum + each.codeBytes, 0)
    expect(bytes).toBeGreaterThan(2 * size)
    for (let turn = 0; turn < 2000; turn++) {
      const index = random.below(lengths.length)
      if (turn % 10 === 0) await programs.replace(`p${index}`, program(index, lengths[index]))
      const { outcome } = await programs.call(`p${index}`, { ctx: ctx() })
      if (outcome.kind !== 'returned' || outcome.r0 !== BigInt(index)) expect(outcome).toEqual(returned(BigInt(index)))
    }
    expect(programs.compiled).toBe(60)
    for (const { name } of programs.list()) programs.remove(name)
    const stats = await programs.stats()
    // The return's breakpoint is left.
    expect([stats.used, stats.free, stats.largestFree]).toEqual([8, size - 8, size - 8])
  })
})

describe('an instance', () => {
  it('that is freed by a host function it waits in goes on to its return', async () => {
    const machine = new Simulator()
    const { code } = await Workspace.of(machine)
    const { used } = code
    const image = compile(assemble('call 1\nr0 = 3\nexit'), { helpers: new Set([1]) })
    const instance = await instantiate(image, machine, {
      helpers: new Map([
        [
          1,
          () => {
            instance.free()
            expect(code.used).toBeGreaterThan(used)
          },
        ],
      ]),
    })
    expect((await instance.call()).outcome).toEqual(returned(3n))
    expect(code.used).toBe(used)
    expect(() => instance.free()).toThrow('free of an instance that was freed')
  })
})

describe('the code heap', () => {
  it('is as it was after 10,000 times load, call and free', { timeout: 60_000 }, async () => {
    const machine = new Simulator()
    const workspace = await Workspace.of(machine)
    const images = [3, 10, 40, 150].map((length) => compile(program(length, length)))
    const [used, free, data] = [workspace.code.used, workspace.code.largestFree, workspace.data.used]
    const random = new Random(7)
    const alive: Awaited<ReturnType<typeof instantiate>>[] = []
    for (let turn = 0; turn < 10_000; turn++) {
      const instance = await instantiate(random.pick(images), machine)
      const { outcome } = await instance.call({ ctx: ctx() })
      if (outcome.kind !== 'returned') expect(outcome.kind).toBe('returned')
      alive.push(instance)
      while (alive.length > 20) alive.splice(random.below(alive.length), 1)[0]!.free()
    }
    for (const instance of alive) instance.free()
    expect([workspace.code.used, workspace.code.largestFree, workspace.data.used]).toEqual([used, free, data])
  })

  it('places programs of up to a fortieth of it at seven tenths full', async () => {
    const machine = small(32 * 1024)
    const workspace = await Workspace.of(machine)
    const total = workspace.code.largestFree
    const images = Array.from({ length: 12 }, (_, index) => compile(program(index, 10 + 20 * index)))
    const random = new Random(3)
    const alive: Awaited<ReturnType<typeof instantiate>>[] = []
    for (let turn = 0; turn < 3000; turn++) {
      while (workspace.code.used > 0.7 * total) alive.splice(random.below(alive.length), 1)[0]!.free()
      alive.push(await instantiate(random.pick(images), machine))
    }
  })
})
