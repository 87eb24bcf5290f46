// What the simulator's tests share: code in memory, a run until it returns to a breakpoint, hex.

import { Simulator } from '../../src/machine/sim/simulator.ts'
import type { SimulatorOptions } from '../../src/machine/sim/simulator.ts'
import type { Limits, Stop } from '../../src/machine/machine.ts'

export const CODE = 0x1000
export const DATA = 0x2000_0000
export const STACK = 0x2010_0000
/** BKPT #0xff is there, and LR points to it. */
export const RETURN = 0x0800

export function bytesOfHex(hex: string): Uint8Array {
  return Uint8Array.from(hex.match(/../g) ?? [], (pair) => parseInt(pair, 16))
}

/** A simulator with code at CODE, ready to run it: SP, LR and PC set, `r` in r0 onwards. */
export function machineWith(code: Uint8Array, r: readonly number[] = [], options: SimulatorOptions = {}): Simulator {
  const machine = new Simulator(options)
  machine.writeSync(CODE, code)
  machine.writeSync(RETURN, Uint8Array.of(0xff, 0xbe))
  const registers = new Uint32Array(16)
  registers.set(r)
  registers[13] = STACK
  registers[14] = RETURN | 1
  registers[15] = CODE | 1
  machine.writeRegistersSync(registers)
  return machine
}

/** Runs; the stop, and the registers after it. */
export function run(machine: Simulator, limits: Limits = { instructions: 1e6 }): { stop: Stop; r: Uint32Array } {
  const stop = machine.runSync(limits)
  return { stop, r: machine.readRegistersSync() }
}
