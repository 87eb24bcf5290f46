// Helpers of the host: memory, faults, promises, on the simulator through gates and on the interpreter; callx; what is not granted.

import { describe, expect, it } from 'vitest'
import { RejectedError } from '../../src/base/errors.ts'
import type { Outcome } from '../../src/base/outcome.ts'
import type { Prototype } from '../../src/base/prototype.ts'
import { assemble } from '../../src/bpf/asm.ts'
import { HelperFault, type HostHelper } from '../../src/bpf/helpers.ts'
import { interpret, interpretAsync } from '../../src/bpf/interpret.ts'
import { RegionMemory } from '../../src/bpf/memory.ts'
import { parsePrototype } from '../../src/bpf/prototypes.ts'
import { readProgram } from '../../src/bpf/read.ts'
import { linuxHelperNames } from '../../src/bpf/tables/linux.ts'
import { compile } from '../../src/compile.ts'
import { instantiate } from '../../src/machine/instance.ts'
import { Simulator } from '../../src/machine/sim/simulator.ts'

interface Granted {
  readonly prototype: Prototype
  readonly fn: HostHelper
}
type Both = { outcome: Outcome; ctx: Uint8Array }[]

/** On the interpreter and on the simulator. */
async function both(text: string, granted: Readonly<Record<number, Granted>>, ctx = new Uint8Array(16)): Promise<Both> {
  const program = readProgram(assemble(text))
  const entries = Object.entries(granted).map(([number, one]) => [Number(number), one] as const)
  const image = compile(program, {
    helpers: new Map(entries.map(([number, { prototype }]) => [number, prototype])),
    check: true,
  })
  const instance = await instantiate(image, new Simulator(), {
    helpers: new Map(entries.map(([number, { fn }]) => [number, fn])),
  })
  const machine = await instance.call({ ctx })
  const bytes = ctx.slice()
  const { outcome } = await interpretAsync(program, {
    memory: new RegionMemory([{ base: instance.ctxAddress, bytes }]),
    r1: instance.ctxAddress,
    r2: ctx.length,
    helpers: { helpers: new Map(entries.map(([number, one]) => [number, { name: one.prototype.name, ...one }])) },
  })
  return [
    { outcome, ctx: bytes },
    { outcome: machine.outcome, ctx: machine.ctx },
  ]
}

const copy: Granted = {
  prototype: parsePrototype('void *copy(void *to, const void *from, u8 size)'),
  fn: async (to, from, size, _, __, memory) => {
    await memory.write(Number(to), await memory.read(Number(from), Number(size)))
    return to
  },
}

describe('helpers of the host', () => {
  it('read and write the memory of the program', async () => {
    // The stack as well; the size has bits above its type.
    const text = `
      r6 = r1
      r0 = 0x1122334455667788 ll
      *(u64 *)(r10 - 8) = r0
      r2 = r10
      r2 += -8
      r3 = 0x1008
      call 2
      r0 -= r6
      exit`
    for (const { outcome, ctx } of await both(text, { 2: copy })) {
      expect(outcome).toEqual({ kind: 'returned', r0: 0n })
      expect([...ctx]).toEqual([0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11, 0, 0, 0, 0, 0, 0, 0, 0])
    }
  })
  it('given a wild pointer end the program at the call', async () => {
    for (const pointer of ['r2 = 4', 'r1 = 4\nr2 = r10\nr2 += -8']) {
      const text = `*(u64 *)(r10 - 8) = 0\n${pointer}\nr3 = 8\ncall 2\nexit`
      const [interpreted, ran] = await both(text, { 2: copy })
      const slot = pointer.includes('\n') ? 5 : 3
      expect(interpreted!.outcome).toMatchObject({ kind: 'trapped', slot })
      expect(ran!.outcome).toMatchObject({ kind: 'faulted', fault: 'PRECISERR', address: 4, slot })
    }
  })
  it('see signed arguments as negative numbers, and give results that are cut to their type', async () => {
    const seen: bigint[] = []
    const helper: Granted = {
      prototype: parsePrototype('s8 f(s8 a, u16 b, s64 c)'),
      fn: (a, b, c) => {
        seen.push(a, b, c)
        return 0x1_2345_6780n
      },
    }
    for (const { outcome } of await both('r1 = -2\nr2 = -2\nr3 = -2\ncall 9\nexit', { 9: helper })) {
      expect(outcome).toEqual({ kind: 'returned', r0: 0xffff_ffff_ffff_ff80n })
    }
    expect(seen).toEqual([-2n, 0xfffen, -2n, -2n, 0xfffen, -2n])
  })
  it('that are void leave 0 in R0', async () => {
    const helper: Granted = { prototype: parsePrototype('void f(u32 a)'), fn: () => 77n }
    for (const { outcome } of await both('r0 = 5\ncall 9\nexit', { 9: helper })) {
      expect(outcome).toEqual({ kind: 'returned', r0: 0n })
    }
  })
  it('are reached by callx with their prototypes', async () => {
    const helpers = {
      3: { prototype: parsePrototype('s16 f(s16 a)'), fn: (a: bigint) => a * 2n },
      4: { prototype: parsePrototype('u8 g(u8 a, u64 b)'), fn: (a: bigint, b: bigint) => a + b },
    }
    for (const [number, r0] of [
      [3, 0xffff_ffff_ffff_fffen],
      [4, 0xfen],
    ] as const) {
      const text = `r6 = ${number}\nr1 = -1\nr2 = -1\ncallx r6\nexit`
      for (const { outcome } of await both(text, helpers)) expect(outcome).toEqual({ kind: 'returned', r0 })
    }
  })
  it('that fail of themselves are thrown, HelperFault aside', async () => {
    const prototype = parsePrototype('void f(void)')
    const broken = async (): Promise<void> => {
      await Promise.resolve()
      throw new Error('out of beans')
    }
    await expect(both('call 9\nexit', { 9: { prototype, fn: broken } })).rejects.toThrow('out of beans')
    const fault = (): never => {
      throw new HelperFault(0x1234, 'write')
    }
    const [interpreted, ran] = await both('call 9\nexit', { 9: { prototype, fn: fault } })
    expect(interpreted!.outcome.kind).toBe('trapped')
    expect(ran!.outcome).toMatchObject({ kind: 'faulted', address: 0x1234 })
  })
  it('with promises need interpretAsync', () => {
    const program = readProgram(assemble('call 9\nexit'))
    const helpers = { helpers: new Map([[9, { name: 'f', fn: () => Promise.resolve(1n) }]]) }
    expect(() => interpret(program, { helpers })).toThrow(
      'helper 9 gave a promise, which only interpretAsync waits for',
    )
  })
  it('that are not granted are refused by name and number', async () => {
    const program = readProgram(assemble('call 25\nexit'))
    expect(() => compile(program, { helperNames: linuxHelperNames, helpers: new Set([1]) })).toThrow(
      new RejectedError([
        {
          code: 'helper-not-granted',
          place: { function: 'entry', slot: 0 },
          message: 'calls helper 25 (perf_event_output), which is not granted; these are: 1',
        },
      ]),
    )
    const image = compile(program, { helpers: new Map([[25, parsePrototype('u32 gpio_read(u32 pin)')]]) })
    expect(image.symbols.map((symbol) => symbol.name)).toEqual(['entry', 'gpio_read'])
    await expect(instantiate(image, new Simulator())).rejects.toThrow('gpio_read (helper 25)')
  })
})

describe('the compiled call', () => {
  it('makes no high words for narrow parameters', () => {
    const image = compile(assemble('r2 = 2\nr1 = 1\ncall 1\nexit'), {
      helpers: new Map([[1, parsePrototype('u32 add(u32 a, u32 b)')]]),
    })
    // push, two constants, the address, blx, the high word, pop; and the literal.
    expect(image.code.length).toBeLessThanOrEqual(20)
    expect(image.stackBytes).toBeLessThanOrEqual(8)
  })
})
