// Tail calls through a program array, on the interpreter and on the simulator: chains, the limit, indices without a program, targets
// that return to the caller of a subprogram, traps behind them.

import { describe, expect, it } from 'vitest'
import { type Outcome, TrapCode } from '../../src/base/outcome.ts'
import { InputError } from '../../src/base/errors.ts'
import { assemble } from '../../src/bpf/asm.ts'
import { interpret } from '../../src/bpf/interpret.ts'
import { placeOracleMaps } from '../../src/bpf/map-oracle.ts'
import { MapType } from '../../src/bpf/maps.ts'
import type { Program } from '../../src/bpf/program.ts'
import { readProgram } from '../../src/bpf/read.ts'
import { compile } from '../../src/compile.ts'
import { instantiate } from '../../src/machine/instance.ts'
import { Simulator } from '../../src/machine/sim/simulator.ts'
import { Twins } from '../support/differential.ts'
import { compileForBpf, type ObjectVariant } from '../support/objects.ts'
import { describeWith } from '../support/tools.ts'

const ENTRIES = ['entry', 'second', 'third', 'moved', 'nested', 'misaligned', 'late'] as const
const variants: readonly ObjectVariant[] = [
  { cpu: 'v3', level: '-O2', debug: true },
  { cpu: 'v4', level: '-O0', debug: true },
]

/** 64 bytes that begin with these. */
function context(...bytes: readonly number[]): Uint8Array {
  const ctx = Uint8Array.from({ length: 64 }, (_, index) => index * 3)
  ctx.set(bytes)
  return ctx
}

const cases = variants.flatMap((variant) => ([0, 2] as const).map((optimize) => ({ variant, optimize })))

describeWith(['clang-19'], 'tail calls', () => {
  describe.each(cases)('$variant.cpu $variant.level, optimize $optimize', ({ variant, optimize }) => {
    const object = () => compileForBpf('tail-calls/chain', variant)
    /** 0: entry, 1: second, 2: third, 3: moved, 4: nothing, 5: misaligned, 6: nested. */
    const create = async (): Promise<Twins> => {
      const programs = new Map(ENTRIES.map((entry) => [entry as string, readProgram(object(), { entry })]))
      const twins = await Twins.create(programs, new Simulator(), { optimize })
      const order = [0, 1, 2, 3, -1, 5, 4]
      for (const [index, entry] of order.entries()) {
        if (entry >= 0) await twins.setProgram('programs', index, ENTRIES[entry]!)
      }
      return twins
    }
    const call = async (twins: Twins, name: string, ctx: Uint8Array, len: number): Promise<[Outcome, Uint8Array]> => {
      const { interpreter, machine, equal } = await twins.call(name, ctx, len)
      expect({ equal, ...machine }).toEqual({ equal: true, ...interpreter })
      for (const { map, interpreter: ours, machine: theirs } of await twins.contents())
        expect(theirs, map).toEqual(ours)
      return [machine.outcome, machine.ctx]
    }
    const returned = (r0: number): Outcome => ({ kind: 'returned', r0: BigInt.asUintN(64, BigInt(r0)) })

    it('make a chain, and pass the context and the length of the entry', async () => {
      const twins = await create()
      const [outcome, ctx] = await call(twins, 'entry', context(1, 0, 0, 0), 41)
      expect(outcome).toEqual(returned(41_001))
      expect([...ctx.subarray(0, 4)]).toEqual([1, 1, 41, 41])
      expect((await call(twins, 'entry', context(2), 7))[0]).toEqual(returned(7002))
      // The low word of R1 is the target's, whatever it is.
      const [moved, after] = await call(twins, 'moved', context(), 0x55)
      expect(moved).toEqual(returned(0x55 * 1000 + 48))
      expect(after[19]).toBe(57 ^ 0x55)
      twins.free()
    })

    it('fail where the array ends and where there is no program', async () => {
      const twins = await create()
      for (const [index, calls] of [4, 7, 8, 255].map((at, order) => [at, order + 1] as const)) {
        expect((await call(twins, 'entry', context(index), 3))[0]).toEqual(returned(-2000 - calls * 10 - 3))
      }
      twins.free()
    })

    it('fail after 33 of them, each run anew', async () => {
      const twins = await create()
      for (let run = 1; run <= 3; run++) {
        const [outcome, ctx] = await call(twins, 'entry', context(0, 0), 1)
        expect(outcome).toEqual(returned(-2000 - run * 340 - 1))
        expect(ctx[1]).toBe(34)
      }
      twins.free()
    })

    it('from a subprogram: the target returns to its caller, failures go on in it', async () => {
      const twins = await create()
      // third, second, nothing, outside
      const [outcome] = await call(twins, 'nested', context(9, 0, 0, 0, 1, 0, 0, 0, 2, 1, 4, 15), 20)
      expect(outcome.kind).toBe('returned')
      for (let at = 0; at < 12; at++) {
        const indices = [at % 4, (at * 3 + 1) % 9, (at * 5 + 2) % 16, at].map((index) => (index === 5 ? 4 : index))
        await call(twins, 'nested', context(at % 3, 0, 0, 0, at, 0, 0, 0, ...indices.map((i) => (i === 6 ? 2 : i))), at)
      }
      twins.free()
    })

    it('from subprograms in each other use up the limit together', async () => {
      const twins = await create()
      const [outcome, ctx] = await call(twins, 'nested', context(0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0), 2)
      expect(outcome.kind).toBe('returned')
      expect(ctx[1]).toBe(33)
      twins.free()
    })

    it('a trap behind them leaves the whole program', async () => {
      const twins = await create()
      const trapped = { kind: 'trapped', code: TrapCode.MISALIGNED_ATOMIC, slot: -1 }
      const [direct, ctx] = await call(twins, 'entry', context(5), 3)
      expect(direct).toMatchObject(trapped)
      expect(ctx[5]).toBe(9)
      expect((await call(twins, 'nested', context(0, 0, 0, 0, 0, 0, 0, 0, 2, 5, 2, 2), 3))[0]).toMatchObject(trapped)
      // Of the first program, after a target came back to its subprogram's caller: its place is known.
      const [late, after] = await call(twins, 'late', context(3), 2)
      expect(late).toMatchObject({ kind: 'trapped', code: TrapCode.MISALIGNED_ATOMIC })
      expect(late.kind === 'trapped' && late.slot).toBeGreaterThan(0)
      expect(after[6]).toBe(2003 & 255)
      // And the next run is as good as new.
      expect((await call(twins, 'entry', context(1, 0, 0, 0), 41))[0]).toEqual(returned(41_001))
      twins.free()
    })
  })
})

describe('tail calls of programs made by hand', () => {
  /** A program over one map, whose address is loaded by the first instruction. */
  const program = (type: number, text: string): Program => {
    const read = readProgram(assemble(`lddw %r2, 0\n${text}`))
    const [first, ...rest] = read.instructions
    const map = { name: 'm', type, keySize: 4, valueSize: 4, maxEntries: 2, flags: 0 }
    return { ...read, instructions: [{ ...first!, reference: { kind: 'map', index: 0 } }, ...rest], maps: [map] }
  }
  const jump = program(MapType.PROGRAM_ARRAY, 'mov %r3, 1\ncall 12\nexit')

  it('to a number that stands for no program are misuse', () => {
    const maps = placeOracleMaps(jump.maps, 0x1000)
    expect(interpret(jump, { maps }).outcome).toEqual({ kind: 'returned', r0: 0xffff_ffff_ffff_fffen })
    maps[0]!.setProgram(1, 7)
    expect(() => interpret(jump, { maps })).toThrow(InputError)
    const target = { program: readProgram(assemble('mov %r0, %r2\nexit')) }
    const programs = new Map([[7, target]])
    expect(interpret(jump, { maps, programs, r2: 99 })).toEqual({
      outcome: { kind: 'returned', r0: 99n },
      instructions: 5,
    })
  })

  it('reach targets that call the host', async () => {
    const machine = new Simulator()
    const caller = await instantiate(compile(jump, { check: true }), machine)
    const helpers = new Map([[5, (value: bigint): bigint => value + 1n]])
    const target = readProgram(assemble('mov %r1, %r2\ncall 5\nexit'))
    const called = await instantiate(compile(target, { helpers: new Set([5]) }), machine, { helpers })
    await caller.maps.get('m')!.setProgram(1, called.address)
    expect((await caller.call({ len: 41 })).outcome).toEqual({ kind: 'returned', r0: 42n })
  })

  it("are refused in position-independent code, whose addresses are one program's", () => {
    expect(() => compile(jump, { positionIndependent: true })).toThrow('map m is a program array')
  })

  it('need a program array; without one helper 12 is any helper', async () => {
    const hash = program(MapType.HASH, 'call 12\nexit')
    expect(interpret(hash).outcome).toMatchObject({ kind: 'trapped', code: TrapCode.UNKNOWN_HELPER, slot: 2 })
    const plain = readProgram(assemble('mov %r1, 5\ncall 12\nexit'))
    const fn = (value: bigint): bigint => value * 3n
    const helpers = new Map([[12, { name: 'triple', fn }]])
    expect(interpret(plain, { helpers: { helpers } }).outcome).toEqual({ kind: 'returned', r0: 15n })
    const image = compile(plain, { helpers: new Set([12]), check: true })
    const instance = await instantiate(image, new Simulator(), { helpers: new Map([[12, fn]]) })
    expect((await instance.call()).outcome).toEqual({ kind: 'returned', r0: 15n })
    const wrong = {
      ...jump,
      instructions: jump.instructions.with(1, readProgram(assemble('mov %r2, 5\nexit')).instructions[0]!),
    }
    expect(interpret(wrong).outcome).toMatchObject({ kind: 'trapped', code: TrapCode.BAD_ACCESS })
  })
})
