// Speed of the simulator: compiled C in a loop, with cycles counted and without.

import { Simulator } from '../src/machine/sim/simulator.ts'

const CODE = 0x1000
const DATA = 0x2000_0000
const RETURN = 0x0800

/** Thumb code of C functions `f(u32 *data, u32 unused, u32 count)`, arm-none-eabi-gcc 12.2 -O2, and their counts. */
const kernels: readonly { readonly name: string; readonly hex: string; readonly count: number }[] = [
  {
    name: 'CRC-32 by bits',
    count: 200,
    hex: 'bab100f1ff3c0c4800b50ceb020e4ff0ff321cf8013f08215a4042f300030340013983ea5202f8d1f445f2d1d0435df804fb1046704700bf2083b8ed',
  },
  {
    name: 'insertion sort',
    count: 100,
    hex: 'f0b5054616462ab3031f8446144f154803eb8204012107fb01010a0a43f8042fa342f8d1012e15d04ff0010e5cf8040f7346614603e0013b41f804290ed051f8042c8242f7d805eb8303a44518600ef1010eebd1760855f82600f0bd2b46f4e70d6619005ff36e3c',
  },
  {
    name: 'matrix product with 64-bit sums',
    count: 12,
    hex: '2de9f04f02fb02f385b01646002a42d0002400ebc3019500a146021fa24627460846cde90170c3eb8371890080464ff0000b0393002301eb080796461c469c46cdf800b038685ef804bf03309b44cbfb004c184601339e422f44f3d1ddf800b084ea0909240944ea0c74834548f8044b8cea0a0a0bf1010301d09b46dae7dde90170039b5f4507f1010133442a44284403d00f46c5e7914692464846514605b0bde8f08f',
  },
]

export interface SimulatorSpeed {
  /** Millions of instructions a second. */
  readonly withCycles: number
  readonly withoutCycles: number
}

/** Each kernel warms up, then runs for `milliseconds`; the figures are over all of them. */
export function benchSimulator(milliseconds = 300): SimulatorSpeed {
  return { withCycles: speed(true, milliseconds), withoutCycles: speed(false, milliseconds) }
}

function speed(cycles: boolean, milliseconds: number): number {
  let instructions = 0
  let time = 0
  for (const { hex, count } of kernels) {
    const machine = new Simulator({ cycles })
    machine.writeSync(
      CODE,
      Uint8Array.from(hex.match(/../g) ?? [], (pair) => parseInt(pair, 16)),
    )
    machine.writeSync(RETURN, Uint8Array.of(0xff, 0xbe))
    const registers = new Uint32Array(16)
    const runFor = (limit: number): number => {
      const start = performance.now()
      while (performance.now() - start < limit) {
        registers.set([DATA, 0, count])
        registers.set([DATA + 0x10_0000, RETURN | 1, CODE | 1], 13)
        machine.writeRegistersSync(registers)
        machine.runSync({ instructions: 1e7 })
      }
      return performance.now() - start
    }
    runFor(milliseconds / 3)
    machine.resetCounters()
    time += runFor(milliseconds)
    instructions += machine.counters.instructions
  }
  return instructions / time / 1000
}
