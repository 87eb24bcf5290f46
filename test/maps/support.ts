// Maps under test: the runtime's functions called on the simulator without the cost of promises, random numbers, and definitions.

import type { MapDefinition } from '../../src/bpf/maps.ts'
import { placeRuntime, type Runtime, type RuntimeFunction } from '../../src/machine/runtime.ts'
import { Simulator } from '../../src/machine/sim/simulator.ts'
import { Workspace } from '../../src/machine/workspace.ts'

export function definition(type: number, keySize: number, valueSize: number, maxEntries: number): MapDefinition {
  return { name: `m${type}`, type, keySize, valueSize, maxEntries, flags: 0 }
}

/** A simulator with the runtime, and room for arguments that are passed by address. */
export class Bench {
  readonly machine: Simulator
  readonly runtime: Runtime
  /** 64 KiB each. */
  readonly key: number
  readonly value: number
  /** r1 after the last call. */
  high = 0
  readonly #stackTop: number
  readonly #returnAddress: number
  readonly #registers = new Uint32Array(16)

  private constructor(machine: Simulator, runtime: Runtime, workspace: Workspace) {
    this.machine = machine
    this.runtime = runtime
    this.key = workspace.data.allocate(0x1_0000)
    this.value = workspace.data.allocate(0x1_0000)
    this.#stackTop = workspace.stackTop
    this.#returnAddress = workspace.returnAddress
  }
  static async create(): Promise<Bench> {
    const machine = new Simulator({ cycles: false })
    return new Bench(machine, await placeRuntime(machine), await Workspace.of(machine))
  }

  /** Calls with up to four words in registers and up to four on the stack; gives r0. Throws where it does not return as AAPCS wants. */
  call(name: RuntimeFunction, ...words: number[]): number {
    const registers = this.#registers
    for (let index = 0; index < 13; index++) registers[index] = words[index] ?? 0xdead_0000 + index
    for (let index = 4; index < 13; index++) registers[index] = 0xdead_0000 + index
    registers[13] = this.#stackTop - 16
    registers[14] = this.#returnAddress | 1
    registers[15] = this.runtime.functionAddress(name)
    if (words.length > 4)
      this.machine.writeSync(this.#stackTop - 16, new Uint8Array(Uint32Array.from(words.slice(4)).buffer))
    this.machine.writeRegistersSync(registers)
    const stop = this.machine.runSync({ instructions: 10_000_000 })
    const after = this.machine.readRegistersSync()
    if (stop.kind !== 'breakpoint' || stop.pc !== this.#returnAddress)
      throw new Error(`${name}: ${JSON.stringify(stop)}`)
    for (let index = 4; index < 14; index++) {
      if (index !== 12 && after[index] !== registers[index]) throw new Error(`${name} changed r${index}`)
    }
    this.high = after[1]!
    return after[0]!
  }
  /** The same for functions that give a negative error. */
  signed(name: RuntimeFunction, ...words: number[]): number {
    return this.call(name, ...words) | 0
  }
}

/** The same order for both sides. */
export function sorted(entries: readonly { readonly key: Uint8Array; readonly value: Uint8Array }[]): string[] {
  return entries.map(({ key, value }) => `${hex(key)}:${hex(value)}`).toSorted()
}
export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')
}
