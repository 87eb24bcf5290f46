// Calls of images on the simulator: arguments, results, helpers through gates, env, and what goes wrong. The code is
// assembled by hand, so that nothing here depends on the compiler.

import { describe, expect, it } from 'vitest'
import type { HostHelper } from '../../src/bpf/helpers.ts'
import { type Image, type ImageSymbol, Reloc, type Relocation } from '../../src/image/image.ts'
import { instantiate } from '../../src/machine/instance.ts'
import { Simulator } from '../../src/machine/sim/simulator.ts'

function imageOf(halfwords: readonly number[], more: Partial<Image> & { helpers?: readonly number[] } = {}): Image {
  const { helpers = [], ...rest } = more
  const imports = helpers.map((helper): ImageSymbol => ({
    name: `helper_${helper}`,
    offset: -1,
    size: 0,
    kind: 'import',
    helper,
    index: -1,
    global: true,
  }))
  return {
    code: new Uint8Array(new Uint16Array(halfwords).buffer),
    symbols: [
      { name: 'entry', offset: 0, size: halfwords.length * 2, kind: 'function', helper: -1, index: -1, global: true },
      ...imports,
    ],
    relocations: [],
    lines: [
      { offset: 0, slot: 0 },
      { offset: 2, slot: 3 },
      { offset: 6, slot: 7 },
    ],
    data: [],
    entry: 0,
    needsEnv: false,
    bpfInstructions: 8,
    stackBytes: 0,
    sections: [],
    maps: [],
    programs: [],
    table: [],
    ...rest,
  }
}
const BX_LR = 0x4770
const call = (offset: number, symbol: number): Relocation => ({
  section: -1,
  offset,
  type: Reloc.R_ARM_THM_CALL,
  symbol,
})

describe('call', () => {
  it('passes ctx and its length, gives r0:r1 and the context after', async () => {
    // adds r1, #1; str r1, [r0]; movs r0, #5; bx lr
    const instance = await instantiate(imageOf([0x3101, 0x6001, 0x2005, BX_LR]), new Simulator())
    const ctx = new Uint8Array(8)
    const result = await instance.call({ ctx })
    expect(result).toMatchObject({ outcome: { kind: 'returned', r0: 0x9_0000_0005n }, instructions: 4, cycles: 6 })
    expect([...result.ctx]).toEqual([9, 0, 0, 0, 0, 0, 0, 0])
    expect([...ctx]).toEqual([0, 0, 0, 0, 0, 0, 0, 0])
    expect(instance.ctxAddress % 16).toBe(0)
    expect(instance.address & 1).toBe(1)
    expect((await instance.call({ ctx, len: 0x41 })).ctx[0]).toBe(0x42)
  })
  it('without ctx R1 is 0; with an empty one R2 is', async () => {
    const instance = await instantiate(imageOf([BX_LR]), new Simulator())
    expect((await instance.call()).outcome).toEqual({ kind: 'returned', r0: 0n })
    expect((await instance.call({ ctx: new Uint8Array(0) })).outcome).toEqual({
      kind: 'returned',
      r0: BigInt(instance.ctxAddress),
    })
    expect((await instance.call({ len: 7 })).outcome).toEqual({ kind: 'returned', r0: 7n << 32n })
  })
  it('that is stopped leaves interrupts masked as they were before', async () => {
    const machine = new Simulator()
    // cpsid i; b .; and cpsid i; ldr r0, [r0]
    const endless = await instantiate(imageOf([0xb672, 0xe7fe]), machine)
    const faulting = await instantiate(imageOf([0xb672, 0x6800]), machine)
    for (const mask of [0, 1]) {
      await machine.writeInterruptMask(mask)
      expect((await endless.call({ limits: { instructions: 10 } })).outcome.kind).toBe('limited')
      expect(await machine.readInterruptMask()).toBe(mask)
      expect((await faulting.call()).outcome.kind).toBe('faulted')
      expect(await machine.readInterruptMask()).toBe(mask)
    }
  })
  it.each([
    ['a push', [0xb4f0, 0xe7fd]], // 1: push {r4-r7}; b 1b
    ['a store to the frame', [0xb0ff, 0xb0ff, 0x9005, 0xe7fb]], // 1: sub sp, #508 twice; str r0, [sp, #20]; b 1b
    ['a store to a frame with much below', [0xb0ff, 0xb0ff, 0x90ff, 0xe7fb]],
  ])('whose stack overflows by %s faults with STKOF', async (_, code) => {
    const instance = await instantiate(imageOf(code), new Simulator())
    const { outcome } = await instance.call()
    expect(outcome).toMatchObject({ kind: 'faulted', fault: 'STKOF' })
    expect(outcome.kind === 'faulted' && outcome.message).toContain('more than 262144 bytes are in use')
  })
  it('with a wrong address below the stack faults with that', async () => {
    // ldr r1, [r0, #-4]
    const instance = await instantiate(imageOf([0xf850, 0x1c04, BX_LR]), new Simulator())
    const { outcome } = await instance.call({ ctx: undefined })
    expect(outcome).toMatchObject({ kind: 'faulted', fault: 'PRECISERR' })
    const below = await instantiate(imageOf([0xf851, 0x1c04, BX_LR]), instance.machine) // ldr r1, [r1, #-4]
    expect((await below.call({ len: 0x2000_0000 })).outcome).toMatchObject({ fault: 'PRECISERR', address: 0x1fff_fffc })
  })
  it('takes a context larger than the first room for it', async () => {
    // subs r1, #1; ldrb r0, [r0, r1]; movs r1, #0; bx lr
    const instance = await instantiate(imageOf([0x3901, 0x5c40, 0x2100, BX_LR]), new Simulator())
    const ctx = new Uint8Array(300_000)
    ctx[ctx.length - 1] = 0x77
    expect((await instance.call({ ctx })).outcome).toEqual({ kind: 'returned', r0: 0x77n })
  })
  it('calls of one instance agree, thousands of them', async () => {
    const instance = await instantiate(imageOf([0x3101, 0x6001, 0x2005, BX_LR]), new Simulator())
    const ctx = new Uint8Array(4)
    for (let count = 0; count < 5000; count++) {
      const { outcome } = await instance.call({ ctx })
      if (outcome.kind !== 'returned' || outcome.r0 !== 0x5_0000_0005n) expect(outcome).toBe('5:5')
    }
  })
  it('a callee-saved register or SP that is lost is a fault of ours', async () => {
    const lost = await instantiate(imageOf([0x2500, BX_LR]), new Simulator()) // movs r5, #0
    await expect(lost.call()).rejects.toThrow('r5 is 0x00000000 after the call')
    const stack = await instantiate(imageOf([0xb082, BX_LR]), new Simulator()) // sub sp, #8
    await expect(stack.call()).rejects.toThrow('SP is')
  })
  it('a fault is an outcome with its BPF instruction', async () => {
    // nop; movs r0, #0; ldr r0, [r0]
    const instance = await instantiate(imageOf([0xbf00, 0x2000, 0x6800, BX_LR]), new Simulator())
    const { outcome, instructions } = await instance.call()
    expect(outcome).toMatchObject({
      kind: 'faulted',
      fault: 'PRECISERR',
      pc: instance.codeAddress + 4,
      address: 0,
      slot: 3,
    })
    expect(instructions).toBe(2)
    // It is as good as new after that.
    expect((await instance.call()).outcome.kind).toBe('faulted')
  })
  it('a branch out of the code is placed by LR', async () => {
    // nop; nop; mov r3, r0; blx r3; bx lr
    const instance = await instantiate(imageOf([0xbf00, 0xbf00, 0x4603, 0x4798, BX_LR]), new Simulator())
    expect((await instance.call()).outcome).toMatchObject({ kind: 'faulted', fault: 'INVSTATE', slot: 7 })
  })
  it('a limit is an outcome with its place', async () => {
    const instance = await instantiate(imageOf([0xbf00, 0xe7fe]), new Simulator())
    const { outcome, instructions } = await instance.call({ limits: { instructions: 100 } })
    expect(outcome).toMatchObject({ kind: 'limited', limit: 'instructions', pc: instance.codeAddress + 2, slot: 3 })
    expect(instructions).toBe(100)
    expect((await instance.call({ limits: { cycles: 100 } })).outcome).toMatchObject({
      kind: 'limited',
      limit: 'cycles',
    })
  })
  it('env: ctx and len inside, a trap out of it', async () => {
    // ldr r0, [r2, #12]; ldr r1, [r2, #16]; bx lr
    const reads = await instantiate(imageOf([0x68d0, 0x6911, BX_LR], { needsEnv: true }), new Simulator())
    expect((await reads.call({ ctx: new Uint8Array(4), len: 9 })).outcome).toEqual({
      kind: 'returned',
      r0: (9n << 32n) | BigInt(reads.ctxAddress),
    })
    // mov r3, lr; bl trap; nop; trap: movs r0, #2; str r0, [r2]; str lr, [r2, #4]; bx r3
    const traps = await instantiate(
      imageOf([0x469c, 0x4673, 0xf000, 0xf801, 0xbf00, 0x2002, 0x6010, 0xf8c2, 0xe004, 0x4718], { needsEnv: true }),
      new Simulator(),
    )
    // The call is at byte 4: after it LR is 8; 7 belongs to the line from 6 on.
    expect((await traps.call()).outcome).toMatchObject({ kind: 'trapped', code: 2, slot: 7 })
    const ignores = await instantiate(imageOf([0x4610, 0x2100, BX_LR]), new Simulator()) // mov r0, r2
    expect((await ignores.call()).outcome).toEqual({ kind: 'returned', r0: 0xdead_beefn })
  })
})

describe('helpers', () => {
  // push {r4, lr}; sub sp, #24; five arguments 1..5 in place; bl helper; add sp, #24; pop {r4, pc}
  const five = [
    0xb510, 0xb086, 0x2403, 0x9400, 0x2404, 0x9402, 0x2405, 0x9404, 0x2400, 0x9401, 0x9403, 0x9405, 0x2001, 0x2100,
    0x2202, 0x2300, 0xf7ff, 0xfffe, 0xb006, 0xbd10,
  ]
  const image = imageOf(five, { helpers: [42], relocations: [call(32, 1)] })
  it('get five 64-bit arguments and give one', async () => {
    const seen: bigint[][] = []
    const helper: HostHelper = (a, b, c, d, e) => {
      seen.push([a, b, c, d, e])
      return -2n
    }
    const instance = await instantiate(image, new Simulator(), { helpers: new Map([[42, helper]]) })
    const result = await instance.call()
    expect(seen).toEqual([[1n, 2n, 3n, 4n, 5n]])
    expect(result.outcome).toEqual({ kind: 'returned', r0: 0xffff_ffff_ffff_fffen })
    // Neither the gate nor the return is counted.
    expect(result.instructions).toBe(19)
  })
  it('may be asynchronous, and may return nothing', async () => {
    const helper = async (): Promise<void> => {
      await Promise.resolve()
    }
    const instance = await instantiate(image, new Simulator(), { helpers: new Map([[42, helper]]) })
    expect((await instance.call()).outcome).toEqual({ kind: 'returned', r0: 0n })
  })
  it('change what AAPCS lets them change', async () => {
    // push {r4, lr}; movs r2, #0; movs r3, #0; mov r12, r2; cmp r2, r2; bl helper; mov r0, r2; mov r1, r12; pop {r4, pc}
    const code = [0xb510, 0x2200, 0x2300, 0x4694, 0x4292, 0xf7ff, 0xfffe, 0x4610, 0x4661, 0xbd10]
    const lost = imageOf(code, { helpers: [1], relocations: [call(10, 1)] })
    const instance = await instantiate(lost, new Simulator(), { helpers: new Map([[1, () => 0n]]) })
    const { outcome } = await instance.call()
    expect(outcome.kind === 'returned' && outcome.r0 & 0xffff_ffffn).not.toBe(0n)
    expect(outcome.kind === 'returned' && outcome.r0 >> 32n).not.toBe(0n)
    expect((await instance.call()).outcome).toEqual(outcome)
  })
  it('an error of theirs comes through, and the machine is free again', async () => {
    let fails = true
    const helper = (): bigint => {
      if (fails) throw new Error('out of beans')
      return 3n
    }
    const instance = await instantiate(image, new Simulator(), { helpers: new Map([[42, helper]]) })
    await expect(instance.call()).rejects.toThrow('out of beans')
    fails = false
    expect((await instance.call()).outcome).toEqual({ kind: 'returned', r0: 3n })
  })
  it('that are missing are named', async () => {
    await expect(instantiate(image, new Simulator())).rejects.toThrow('helper_42 (helper 42)')
  })
  it('a call inside of a call is refused', async () => {
    const machine = new Simulator()
    const helpers = new Map([[42, async () => ((await instance.call()).outcome.kind === 'returned' ? 1n : 0n)]])
    const instance = await instantiate(image, machine, { helpers })
    await expect(instance.call()).rejects.toThrow('is running another call')
  })
})

describe('placement', () => {
  it('many instances on one machine, freed in any order; a freed one is not called', async () => {
    const machine = new Simulator()
    const instances = await Promise.all(
      [1, 2, 3].map((value) => instantiate(imageOf([0x2000 | value, 0x2100, BX_LR]), machine)),
    )
    for (const [index, instance] of instances.entries()) {
      expect((await instance.call()).outcome).toEqual({ kind: 'returned', r0: BigInt(index + 1) })
    }
    instances[1]!.free()
    const again = await instantiate(imageOf([0x2009, 0x2100, BX_LR]), machine)
    expect(again.codeAddress).toBe(instances[1]!.codeAddress)
    expect((await again.call()).outcome).toEqual({ kind: 'returned', r0: 9n })
    expect((await instances[2]!.call()).outcome).toEqual({ kind: 'returned', r0: 3n })
    await expect(instances[1]!.call()).rejects.toThrow('freed')
    expect(() => instances[0]!.free()).not.toThrow()
    expect(() => instances[0]!.free()).toThrow('instance that was freed')
  })
  it('no room is a clear error', async () => {
    const regions = [
      { name: 'code', base: 0x1000, size: 1024, execute: true, write: false },
      { name: 'ram', base: 0x2000_0000, size: 4096, execute: false, write: true },
    ]
    const machine = new Simulator({ regions })
    const image = imageOf(Array.from({ length: 1024 }, () => 0xbf00))
    await expect(instantiate(image, machine)).rejects.toThrow(
      'out of code memory: 2048 bytes asked for, the largest free piece is 1016',
    )
  })
})
