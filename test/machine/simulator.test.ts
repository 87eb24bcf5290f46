// The simulator's faults, limits and memory: what QEMU is not asked, because it ends there.

import { describe, expect, it } from 'vitest'
import { Simulator } from '../../src/machine/sim/simulator.ts'
import { bytesOfHex, CODE, DATA, machineWith, RETURN, run } from './support.ts'

/** Runs code given as halfwords. */
function execute(halfwords: readonly number[], r: readonly number[] = [], options = {}) {
  const bytes = new Uint8Array(new Uint16Array(halfwords).buffer)
  const machine = machineWith(bytes, r, options)
  return { machine, ...run(machine) }
}
const BX_LR = 0x4770

describe('faults', () => {
  it('INVSTATE: BX to an even address', () => {
    // bx r0
    expect(execute([0x4700], [CODE]).stop).toMatchObject({ kind: 'fault', fault: 'INVSTATE', pc: CODE })
  })
  it('INVSTATE: a call of an even address, by a caller that forgot bit 0', () => {
    const machine = machineWith(Uint8Array.of(0x70, 0x47))
    const registers = machine.readRegistersSync()
    registers[15] = CODE
    machine.writeRegistersSync(registers)
    expect(run(machine).stop).toMatchObject({ kind: 'fault', fault: 'INVSTATE', pc: CODE })
  })
  it('INVSTATE: POP of an even PC', () => {
    // push {r0}; pop {pc}
    expect(execute([0xb401, 0xbd00], [0x2002]).stop).toMatchObject({ fault: 'INVSTATE', pc: 0x2002 })
  })
  it('UNDEFINSTR: UDF and an encoding that is none', () => {
    expect(execute([0xbf00, 0xde00]).stop).toMatchObject({ fault: 'UNDEFINSTR', pc: CODE + 2 })
    expect(execute([0xee00, 0x0a10]).stop).toMatchObject({ fault: 'UNDEFINSTR', pc: CODE })
  })
  it('UNALIGNED: LDRD, STM, LDREX; not LDR', () => {
    expect(execute([0xe9d0, 0x1200], [DATA + 2]).stop).toMatchObject({
      fault: 'UNALIGNED',
      address: DATA + 2,
      pc: CODE,
    })
    expect(execute([0xc006], [DATA + 1]).stop).toMatchObject({ fault: 'UNALIGNED', address: DATA + 1 })
    expect(execute([0xe850, 0x1f00], [DATA + 1]).stop).toMatchObject({ fault: 'UNALIGNED' })
    expect(execute([0x6801, BX_LR], [DATA + 1]).stop).toMatchObject({ kind: 'breakpoint' })
    expect(execute([0x6801, BX_LR], [DATA + 1], { trapUnaligned: true }).stop).toMatchObject({ fault: 'UNALIGNED' })
  })
  it('DIVBYZERO only where it is asked for', () => {
    expect(execute([0xfbb0, 0xf0f1, BX_LR], [7]).r[0]).toBe(0)
    expect(execute([0xfbb0, 0xf0f1, BX_LR], [7], { trapDivideByZero: true }).stop).toMatchObject({
      fault: 'DIVBYZERO',
      pc: CODE,
    })
  })
  it('PRECISERR: data where no memory is, null among it', () => {
    expect(execute([0x6801], [0]).stop).toMatchObject({ fault: 'PRECISERR', address: 0, pc: CODE })
    expect(execute([0x7001], [0x4000_0000]).stop).toMatchObject({ fault: 'PRECISERR', address: 0x4000_0000 })
    // A word over the end of RAM.
    expect(execute([0x6801], [DATA + 0x40_0000 - 2]).stop).toMatchObject({
      fault: 'PRECISERR',
      address: DATA + 0x40_0000,
    })
  })
  it('DACCVIOL: a store to code', () => {
    expect(execute([0x6001], [CODE]).stop).toMatchObject({ fault: 'DACCVIOL', address: CODE })
  })
  it('IACCVIOL and IBUSERR: execution of data, and of nothing', () => {
    expect(execute([0x4700], [DATA | 1]).stop).toMatchObject({ fault: 'IACCVIOL', pc: DATA })
    expect(execute([0x4700], [0x6000_0001]).stop).toMatchObject({ fault: 'IBUSERR', pc: 0x6000_0000 })
  })
  it('SVC stops', () => {
    expect(execute([0xdf07]).stop).toMatchObject({ fault: 'SVCALL', pc: CODE })
  })
  it('a fault leaves base and registers, and counts what came before', () => {
    // movs r1, #1; ldm r0!, {r2, r3} over the end of RAM
    const end = DATA + 0x40_0000 - 4
    const { machine, r } = execute([0x2101, 0xc80c], [end, 0, 5, 6])
    expect([r[0], r[1], r[2], r[3], r[15]]).toEqual([end, 1, 5, 6, CODE + 2])
    expect(machine.counters.instructions).toBe(1)
  })
})

describe('limits', () => {
  // 1: subs r0, #1; bne 1b; bx lr
  const loop = [0x3801, 0xd1fd, BX_LR]
  it('stops at the very instruction, and goes on from there', () => {
    const machine = machineWith(new Uint8Array(new Uint16Array(loop).buffer), [1000])
    expect(machine.runSync({ instructions: 1001 })).toEqual({ kind: 'limit', limit: 'instructions', pc: CODE + 2 })
    expect(machine.counters.instructions).toBe(1001)
    expect(machine.readRegistersSync()[0]).toBe(499)
    expect(machine.runSync({ instructions: 1000 })).toMatchObject({ kind: 'breakpoint', pc: RETURN })
    expect(machine.counters).toEqual({ instructions: 2001, cycles: 1000 + 999 * 2 + 1 + 3 })
  })
  it('a program of exactly so many instructions is not stopped', () => {
    const machine = machineWith(new Uint8Array(new Uint16Array(loop).buffer), [3])
    expect(machine.runSync({ instructions: 7 })).toMatchObject({ kind: 'breakpoint' })
  })
  it('on cycles: at the first instruction that would begin at or after it', () => {
    const machine = machineWith(new Uint8Array(new Uint16Array(loop).buffer), [1000])
    expect(machine.runSync({ cycles: 300 })).toEqual({ kind: 'limit', limit: 'cycles', pc: CODE })
    expect(machine.counters).toEqual({ instructions: 200, cycles: 300 })
  })
  it('an endless loop', () => {
    expect(execute([0xe7fe]).stop).toMatchObject({ kind: 'limit', pc: CODE })
  })
  it('inside of an IT block: conditions hold on after it, one instruction at a time', () => {
    // cmp r0, r0; itete eq; addeq r1, #1; addne r1, #2; addeq r1, #4; addne r1, #8; bx lr
    const code = new Uint8Array(new Uint16Array([0x4280, 0xbf0b, 0x3101, 0x3102, 0x3104, 0x3108, BX_LR]).buffer)
    const whole = machineWith(code)
    run(whole)
    const machine = machineWith(code)
    let stop = machine.runSync({ instructions: 1 })
    while (stop.kind === 'limit') stop = machine.runSync({ instructions: 1 })
    expect(machine.readRegistersSync()[1]).toBe(5)
    expect(machine.counters).toEqual(whole.counters)
  })
  it('cycles off: null, and no limit on them', () => {
    const { machine, stop } = execute([0x3801, 0xd1fd, BX_LR], [10], { cycles: false })
    expect(stop).toMatchObject({ kind: 'breakpoint' })
    expect(machine.counters).toEqual({ instructions: 21, cycles: null })
  })
})

describe('code and memory', () => {
  it('code written again is decoded again', () => {
    const machine = machineWith(bytesOfHex('01207047')) // movs r0, #1; bx lr
    expect(run(machine).r[0]).toBe(1)
    machine.writeSync(CODE, bytesOfHex('0220'))
    const registers = machine.readRegistersSync()
    registers[15] = CODE | 1
    machine.writeRegistersSync(registers)
    expect(run(machine).r[0]).toBe(2)
  })
  it('a program that writes its own code runs the new one after ISB', () => {
    const regions = [{ name: 'all', base: 0, size: 0x10_0000, execute: true, write: true }]
    const machine = new Simulator({ regions })
    // A loop over: movs r2, #1; strh r1, [r0] (the MOVS itself: movs r2, #9); isb; cmp r2, #9; bne back; bkpt
    machine.writeSync(
      0x100,
      new Uint8Array(new Uint16Array([0x2201, 0x8001, 0xf3bf, 0x8f6f, 0x2a09, 0xd1f9, 0xbe00]).buffer),
    )
    const registers = new Uint32Array(16)
    registers.set([0x100, 0x2209])
    registers[15] = 0x101
    machine.writeRegistersSync(registers)
    expect(machine.runSync({ instructions: 100 })).toMatchObject({ kind: 'breakpoint', number: 0 })
    expect(machine.counters.instructions).toBe(10)
  })
  it('refuses host accesses outside of regions, and regions that overlap', () => {
    const machine = new Simulator()
    expect(() => machine.readSync(0, 4)).toThrow('no region')
    expect(() => machine.writeSync(DATA + 0x40_0000 - 2, new Uint8Array(4))).toThrow('no region')
    const region = { name: 'a', base: 0, size: 8, execute: true, write: true }
    expect(() => new Simulator({ regions: [region, { ...region, name: 'b', base: 4 }] })).toThrow('overlap')
  })
})
