// Program arrays that an object fills itself, on the interpreter and on the simulator: each function in one is a program of its own,
// and may be called besides. What they hold is placed with the program, and left alone where the map was there before.

import { describe, expect, it } from 'vitest'
import { type Outcome, TrapCode } from '../../src/base/outcome.ts'
import { readProgram } from '../../src/bpf/read.ts'
import { compile } from '../../src/compile.ts'
import { instantiate } from '../../src/machine/instance.ts'
import { placeMap } from '../../src/machine/maps.ts'
import { Programs } from '../../src/machine/programs.ts'
import { Simulator } from '../../src/machine/sim/simulator.ts'
import { Twins } from '../support/differential.ts'
import { compileForBpf, type ObjectVariant } from '../support/objects.ts'
import { describeWith } from '../support/tools.ts'

const variants: readonly ObjectVariant[] = [
  { cpu: 'v3', level: '-O2', debug: true },
  { cpu: 'v2', level: '-O1', debug: true },
  { cpu: 'v4', level: '-O0', debug: true },
]
const entries = ['entry', 'around'] as const
const object = (variant: ObjectVariant = variants[0]!): Uint8Array => compileForBpf('tail-calls/filled', variant)

function context(...bytes: readonly number[]): Uint8Array {
  const ctx = Uint8Array.from({ length: 64 }, (_, index) => index * 3 + 1)
  ctx.set(bytes)
  return ctx
}

const cases = variants.flatMap((variant) => ([0, 2] as const).map((optimize) => ({ variant, optimize })))

describeWith(['clang-19'], 'program arrays that the object fills', () => {
  describe.each(cases)('$variant.cpu $variant.level, optimize $optimize', ({ variant, optimize }) => {
    const create = async (name: (typeof entries)[number]): Promise<Twins> =>
      Twins.create(new Map([[name, readProgram(object(variant), { entry: name })]]), new Simulator(), { optimize })
    const call = async (twins: Twins, name: string, ctx: Uint8Array, len: number): Promise<[Outcome, Uint8Array]> => {
      const { interpreter, machine, equal } = await twins.call(name, ctx, len)
      expect({ equal, ...machine }).toEqual({ equal: true, ...interpreter })
      return [machine.outcome, machine.ctx]
    }
    const returned = (r0: number): Outcome => ({ kind: 'returned', r0: BigInt.asUintN(64, BigInt(r0)) })

    it('lead to programs of all sections, static ones too', async () => {
      const twins = await create('entry')
      const [outcome, ctx] = await call(twins, 'entry', context(1, 0, 0, 0), 41)
      expect(outcome).toEqual(returned(41_102))
      expect([...ctx.subarray(0, 4)]).toEqual([1, 1, 41, 0])
      expect((await call(twins, 'entry', context(2), 7))[0]).toEqual(returned(7000 + 2 + 102))
      expect((await call(twins, 'entry', context(3, 0, 0, 0, 5), 7))[0]).toEqual(returned(7 * 7 + 4))
    })

    it('fail where nothing stands, outside, and after 33 of them', async () => {
      const twins = await create('entry')
      for (const [index, calls] of [4, 8, 9, 10, 255].map((at, order) => [at, order + 1] as const))
        expect((await call(twins, 'entry', context(index), 3))[0]).toEqual(returned(-2000 - calls * 10 - 3))
      const [outcome, ctx] = await call(twins, 'entry', context(0, 0), 1)
      expect(outcome).toEqual(returned(-2000 - 39 * 10 - 1))
      expect(ctx[1]).toBe(34)
      // From a function that is a program too, back to where it was called.
      expect((await call(twins, 'entry', context(3, 0, 0, 0, 255, 3), 9))[0].kind).toBe('returned')
    })

    it('packet loads are at the context of each program', async () => {
      const twins = await create('around')
      const [outcome] = await call(twins, 'around', context(0, 0, 0, 0, 0, 0, 16, 5), 64)
      expect(outcome.kind).toBe('returned')
      for (let at = 0; at < 40; at++) {
        // The programs that `inner` goes to, with contexts that are moved, and packets that end too early.
        const ctx = context(at % 9, 0, 0, 0, 90 + at, at % 7, (at * 5) % 20, [5, 2, 4, 6, 1, 3, 200][at % 7]!)
        await call(twins, 'around', ctx, at % 5 === 4 ? 14 : 64)
      }
      const first = await create('entry')
      const [packet] = await call(first, 'entry', context(5), 64)
      expect(packet).toEqual(returned(28 * 1000 + 31 + 25))
      expect((await call(first, 'entry', context(5), 9))[0]).toEqual(returned(0))
    })

    it('traps in them leave all of it, and have a place', async () => {
      const twins = await create('around')
      const [outcome] = await call(twins, 'around', context(0, 0, 0, 0, 0, 0, 0, 7), 64)
      expect(outcome).toMatchObject({ kind: 'trapped', code: TrapCode.MISALIGNED_ATOMIC })
      expect(outcome.kind === 'trapped' && outcome.slot).toBeGreaterThan(0)
    })
  })

  it('are lists in the image, of functions that are entries', () => {
    const image = compile(readProgram(object(), { entry: 'entry' }))
    const name = ({ index, symbol }: { index: number; symbol: number }): string =>
      `${index} ${image.symbols[symbol]!.name}`
    expect(image.programs.map(name)).toEqual([
      '0 entry',
      '1 second',
      '2 hidden',
      '3 both',
      '5 packet',
      '6 around',
      '7 misaligned',
    ])
    expect(image.programs.every(({ map, symbol }) => map === 0 && image.symbols[symbol]!.global)).toBe(true)
    expect(image.symbols.filter(({ name: one }) => one.startsWith('both')).map((one) => one.name)).toEqual([
      'both',
      'both.local',
    ])
  })

  it('stay as they are where the map was there before, and are refused in position-independent code', async () => {
    const machine = new Simulator()
    const program = readProgram(object(), { entry: 'entry' })
    const image = compile(program)
    const map = await placeMap(machine, image.maps[0]!)
    const instance = await instantiate(image, machine, { maps: new Map([['jumps', map]]) })
    expect(await map.entries()).toEqual([])
    expect((await instance.call({ ctx: context(1), len: 3 })).outcome).toEqual({
      kind: 'returned',
      r0: BigInt.asUintN(64, -2013n),
    })
    expect(() => compile(program, { positionIndependent: true })).toThrow('map jumps is a program array')
  })

  it('are placed by Programs, which programs among others use', async () => {
    const machine = new Simulator()
    const programs = new Programs(machine, {
      compile: (bytes, { entry }) => compile(bytes, { entry: String(entry) }),
    })
    await programs.load('first', object(), { entry: 'entry' })
    await programs.load('other', object(), { entry: 'entry' })
    const call = async (name: string): Promise<Outcome> =>
      (await programs.call(name, { ctx: context(2), len: 4 })).outcome
    expect(await call('first')).toEqual({ kind: 'returned', r0: 4003n })
    programs.remove('first')
    expect(await call('other')).toEqual({ kind: 'returned', r0: 4003n })
    await programs.load('first', object(), { entry: 'second' })
    const { outcome } = await programs.call('first', { ctx: context(9), len: 4 })
    expect(outcome).toEqual({ kind: 'returned', r0: 4000n + 9n + 100n })
  })
})
