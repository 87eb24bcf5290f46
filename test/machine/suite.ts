// What every machine must do, whatever it is: the same tests for the simulator, QEMU, and any target behind a GDB stub.

import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, it } from 'vitest'

import { assemble } from '../../src/bpf/asm.ts'
import { MapType } from '../../src/bpf/maps.ts'
import { compile } from '../../src/compile.ts'
import { callFunction } from '../../src/machine/call.ts'
import { instantiate, type Result } from '../../src/machine/instance.ts'
import type { Machine } from '../../src/machine/machine.ts'
import { Simulator } from '../../src/machine/sim/simulator.ts'
import { Workspace } from '../../src/machine/workspace.ts'

const examples = new URL('../../examples/', import.meta.url)

export interface MachineUnderTest {
  readonly open: () => Promise<Machine>
  /** Whether runs end by a number of instructions; else by time. */
  readonly limitsInstructions: boolean
  readonly countsInstructions: boolean
}

/** Assembly, compiled, called once. */
async function call(
  machine: Machine,
  source: string,
  options: { ctx?: Uint8Array; len?: number } = {},
): Promise<Result> {
  const instance = await instantiate(compile(assemble(source)), machine)
  try {
    return await instance.call(options)
  } finally {
    instance.free()
  }
}

export function machineSuite({ open, limitsInstructions, countsInstructions }: MachineUnderTest): void {
  let machine: Machine
  beforeAll(async () => {
    machine = await open()
  })
  afterAll(async () => machine.close())

  it('reads what was written, any length, any address', async () => {
    const { base } = machine.regions.find((region) => region.write)!
    const bytes = Uint8Array.from({ length: 5000 }, (_, index) => (index * 73) & 0xff)
    await machine.write(base + 4097, bytes)
    expect(await machine.read(base + 4097, bytes.length)).toEqual(bytes)
    expect(await machine.read(base + 4100, 3)).toEqual(bytes.slice(3, 6))
  })
  it('returns all 64 bits, and counts', async () => {
    const { outcome, instructions } = await call(machine, 'lddw r0, 0x123456789abcdef0\nexit')
    expect(outcome).toEqual({ kind: 'returned', r0: 0x1234_5678_9abc_def0n })
    const loop = await call(machine, 'r0 = 0\nagain: r0 += r2\nr2 += -1\nif r2 != 0 goto again\nexit', { len: 1000 })
    expect(loop.outcome).toEqual({ kind: 'returned', r0: 500_500n })
    if (countsInstructions) expect(loop.instructions).toBeGreaterThan(instructions! + 2000)
    else expect(loop.instructions).toBeNull()
  })
  it('gives the context to the program and back', async () => {
    const ctx = Uint8Array.from({ length: 600 }, (_, index) => index & 0xff)
    const source = 'r0 = *(u32 *)(r1 + 4)\nr3 = *(u16 *)(r1 + 597)\n*(u64 *)(r1 + 8) = r3\nr0 += r2\nexit'
    const { outcome, ctx: after } = await call(machine, source, { ctx })
    expect(outcome).toEqual({ kind: 'returned', r0: BigInt(0x0706_0504 + 600) })
    expect([...after.subarray(4, 18)]).toEqual([4, 5, 6, 7, 0x55, 0x56, 0, 0, 0, 0, 0, 0, 16, 17])
  })
  it('calls functions of the host, and goes on with their answer', async () => {
    const image = compile(assemble('r6 = r1\ncall 7\nr6 = r0\nr1 = 5\nr2 = r6\ncall 7\nr0 += r6\nexit'), {
      helpers: new Set([7]),
    })
    const seen: bigint[][] = []
    const instance = await instantiate(image, machine, {
      helpers: new Map([
        [
          7,
          async (r1: bigint, r2: bigint) => {
            seen.push([r1, r2])
            return r2 * 0x1_0000_0001n
          },
        ],
      ]),
    })
    const { outcome } = await instance.call({ len: 3 })
    instance.free()
    const first = 3n * 0x1_0000_0001n
    expect(seen.map(([, r2]) => r2)).toEqual([3n, first])
    expect(outcome).toEqual({ kind: 'returned', r0: BigInt.asUintN(64, first * 0x1_0000_0001n + first) })
  })
  it('tells traps with the BPF instruction', async () => {
    const { outcome } = await call(machine, 'r1 += 1\nr3 = 1\nlock *(u32 *)(r1 + 0) += r3\nexit', {
      ctx: new Uint8Array(8),
    })
    expect(outcome).toMatchObject({ kind: 'trapped', slot: 2 })
  })
  it('tells faults with the BPF instruction and the address, and goes on', async () => {
    const { outcome } = await call(machine, 'r0 = 1\nlddw r3, 0x50000004\nr0 = *(u32 *)(r3 + 0)\nexit')
    expect(outcome).toMatchObject({ kind: 'faulted', fault: 'PRECISERR', slot: 3, address: 0x5000_0004 })
    expect((await call(machine, 'r0 = 6\nexit')).outcome).toEqual({ kind: 'returned', r0: 6n })
  })
  it('faults with INVSTATE when a call has bit 0 clear', async () => {
    const workspace = await Workspace.of(machine)
    const address = workspace.code.allocate(8)
    await workspace.code.write(address, Uint8Array.of(0x2a, 0x20, 0x70, 0x47)) // movs r0, #42; bx lr
    const callAt = (at: number) =>
      callFunction(machine, {
        address: at,
        args: [],
        stackTop: workspace.stackTop,
        returnAddress: workspace.returnAddress,
      })
    expect(await callAt(address)).toMatchObject({ kind: 'stopped', stop: { kind: 'fault', fault: 'INVSTATE' } })
    expect(await callAt(address | 1)).toMatchObject({ kind: 'returned', low: 42 })
    workspace.code.free(address)
  })
  it('faults at undefined instructions', async () => {
    const workspace = await Workspace.of(machine)
    const address = workspace.code.allocate(8)
    await workspace.code.write(address, Uint8Array.of(0x00, 0xbf, 0x00, 0xde)) // nop; udf #0
    const { stackTop, returnAddress } = workspace
    const result = await callFunction(machine, { address: address | 1, args: [1, 2], stackTop, returnAddress })
    expect(result).toMatchObject({ kind: 'stopped', stop: { kind: 'fault', fault: 'UNDEFINSTR', pc: address + 2 } })
    const registers = await machine.readRegisters()
    expect([...registers.subarray(0, 2), registers[13]]).toEqual([1, 2, stackTop])
    workspace.code.free(address)
  })
  it('stops what does not end, and goes on', async () => {
    const instance = await instantiate(compile(assemble('l: r0 += 1\ngoto l')), machine)
    const { outcome } = await instance.call({
      limits: limitsInstructions ? { instructions: 10_000 } : { milliseconds: 200 },
    })
    expect(outcome).toMatchObject({ kind: 'limited', limit: limitsInstructions ? 'instructions' : 'time' })
    instance.free()
    expect((await call(machine, 'r0 = 7\nexit')).outcome).toEqual({ kind: 'returned', r0: 7n })
  })
  it('keeps maps between calls, as the simulator does', async () => {
    const image = compile(readFileSync(new URL('events.o', examples)))
    const ctx = readFileSync(new URL('inputs/events.bin', examples))
    const seen = []
    for (const each of [new Simulator(), machine]) {
      const instance = await instantiate(image, each)
      const outcomes = [await instance.call({ ctx }), await instance.call({ ctx })].map(({ outcome }) => outcome)
      const maps = []
      for (const map of instance.maps.values()) {
        const ring = map.definition.type === MapType.RINGBUF
        maps.push(
          ring
            ? await map.consume()
            : (await map.entries()).map(({ key, value }) => [...key, ...value].join(' ')).toSorted(),
        )
      }
      instance.free()
      seen.push({ outcomes, maps })
    }
    expect(seen[0]!.outcomes.map(({ kind }) => kind)).toEqual(['returned', 'returned'])
    expect(seen[1]).toEqual(seen[0])
  })
  it('holds many programs, and gives their memory back', async () => {
    const { code } = await Workspace.of(machine)
    const before = code.stats
    const instances = await Promise.all(
      Array.from({ length: 20 }, (_, index) => instantiate(compile(assemble(`r0 = ${index}\nexit`)), machine)),
    )
    for (const [index, instance] of instances.entries()) {
      expect((await instance.call()).outcome).toEqual({ kind: 'returned', r0: BigInt(index) })
    }
    for (const instance of instances) instance.free()
    expect(code.stats).toEqual(before)
  })
}
