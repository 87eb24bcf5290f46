// Programs by name: compiled once, placed, called, replaced and removed while others run; the code heap under long use.

import { describe, expect, it } from 'vitest'
import { assemble } from '../../src/bpf/asm.ts'
import type { HostHelper } from '../../src/bpf/helpers.ts'
import { compile } from '../../src/compile.ts'
import { instantiate } from '../../src/machine/instance.ts'
import { Programs } from '../../src/machine/programs.ts'
import { Simulator } from '../../src/machine/sim/simulator.ts'
import { Workspace } from '../../src/machine/workspace.ts'
import { Random } from '../support/random-program.ts'

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
