// A Cortex-M behind a GDB stub as a Machine: OpenOCD, pyOCD, J-Link, probe-rs, QEMU. Programs run in thread mode on the process
// stack, with interrupts masked and every exception taken by a stub of ours on the target (runtime/debug-stub.S); `close`
// puts back what was there. DDI 0403E B1.5.

import { InputError } from '../../base/errors.ts'
import { wordBytes } from '../call.ts'
import type { Counters, Limits, Machine, Region, Stop } from '../machine.ts'
import { faultStatus } from './faults.ts'
import { Remote } from './remote.ts'
import { STUB_BASE64, STUB_OFFSETS } from './stub-code.ts'
import { MachineError, type Transport } from './transport.ts'

export interface GdbOptions {
  /** For messages. */
  readonly name: string
  /** RAM of the target that we may use: one region with `execute`, one with `write` alone. */
  readonly regions: readonly Region[]
  /** Milliseconds within which the stub must answer. Default 5000. */
  readonly timeout?: number
  /** Milliseconds that a run may take if its limits do not say. Default 10 000. */
  readonly runTimeout?: number
  /** Save the regions at the beginning and put them back at the end. Default true. */
  readonly restore?: boolean
  /** A CMSDK timer that counts `ticks` each instruction (QEMU with -icount): then instructions are counted. */
  readonly timer?: { readonly address: number; readonly ticks: number }
}

/** Words of the stub's data: see runtime/debug-stub.S. */
const Data = { VTOR: 0, TIMER: 12, R0: 16, OLD_VTOR: 28, CFSR: 48, FRAME: 64, TICKS: 72 } as const
/** Instructions between the two readings of the timer that are not the program's, BKPT among them. */
const TIMER_OVERHEAD = 9

/** What is reserved at the end of the code region: vectors, the stub, its frame and its stack. */
const VECTORS = 16
const STUB_AT = 128
const FRAME_AT = 512
const STACK_END = 1024
const RESERVED = 1024

const THUMB = 1 << 24
const SP = 13
const LR = 14
const PC = 15
const XPSR = 16
const hex = (value: number): string => `0x${(value >>> 0).toString(16).padStart(8, '0')}`

export class GdbMachine implements Machine {
  readonly name: string
  readonly regions: readonly Region[]
  readonly counters: Counters
  /** Called when the machine is closed. */
  onClose: () => void = () => {}
  readonly #remote: Remote
  readonly #options: GdbOptions
  /** Address of the vectors; of the stub. */
  readonly #vectors: number
  readonly #stub: number
  #registers = new Uint32Array(16)
  #apsr = 0
  /** What is to be put back. */
  #before:
    | { readonly registers: Uint32Array; readonly memory: readonly { base: number; bytes: Uint8Array }[] }
    | undefined

  private constructor(remote: Remote, options: GdbOptions, code: Region) {
    this.#remote = remote
    this.#options = options
    this.name = options.name
    this.#vectors = (code.base + code.size - RESERVED) & -128
    this.#stub = this.#vectors + STUB_AT
    const size = this.#vectors - code.base
    this.regions = options.regions.map((region) => (region === code ? { ...code, size } : region))
    this.counters = { instructions: options.timer === undefined ? null : 0, cycles: null }
  }

  /** Takes the target over. Throws MachineError where the stub does not answer as one, or the target can't be used. */
  static async connect(transport: Transport, options: GdbOptions): Promise<GdbMachine> {
    const code = options.regions.find((region) => region.execute)
    if (code === undefined || code.size < 2 * RESERVED) {
      throw new InputError(`machine ${options.name} needs a region for code of ${2 * RESERVED} bytes or more`)
    }
    const remote = await Remote.connect(transport, options.timeout ?? 5000)
    const machine = new GdbMachine(remote, options, code)
    try {
      await machine.#take()
      return machine
    } catch (error) {
      remote.client.close()
      throw error
    }
  }

  async read(address: number, length: number): Promise<Uint8Array> {
    return this.#remote.read(address, length)
  }
  async write(address: number, bytes: Uint8Array): Promise<void> {
    await this.#remote.write(address, bytes)
  }
  async readRegisters(): Promise<Uint32Array> {
    const registers = this.#registers.slice()
    registers[PC]! &= ~1
    return registers
  }
  async writeRegisters(registers: Uint32Array): Promise<void> {
    this.#registers = registers.slice()
  }
  async writeFlags(apsr: number): Promise<void> {
    this.#apsr = apsr
  }
  /** The debugger halts the processor to write: it starts anew behind that, with nothing fetched. */
  async synchronize(): Promise<void> {}

  resetCounters(): void {
    if (this.counters.instructions !== null) this.counters.instructions = 0
  }

  async run(limits: Limits): Promise<Stop> {
    const registers = await this.#remote.readRegisters()
    registers.set(this.#registers)
    const pc = this.#registers[PC]!
    registers[PC] = pc & ~1
    registers[XPSR] = (this.#apsr & 0xf80f_0000) | ((pc & 1) !== 0 ? THUMB : 0)
    if (this.#options.timer !== undefined) {
      await this.#remote.write(this.#stub + Data.R0, wordBytes([registers[0]!, registers[1]!, pc]))
      registers[PC] = this.#stub + STUB_OFFSETS.start
      registers[XPSR] |= THUMB
    }
    await this.#remote.writeRegisters(registers)
    const { late } = await this.#resume(limits.milliseconds ?? this.#options.runTimeout ?? 10_000)
    return this.#stopped(late)
  }

  /** Gives the target back as it was, unless the connection is lost. */
  async close(): Promise<void> {
    const { client } = this.#remote
    const before = this.#before
    this.#before = undefined
    try {
      if (client.dead) return
      if (before !== undefined) {
        await this.#routine('restore')
        await this.#breakpoints(false)
        for (const { base, bytes } of before.memory) await this.#remote.write(base, bytes)
        await this.#remote.readRegisters()
        await this.#remote.writeRegisters(before.registers)
      }
      await client.ask('D')
    } finally {
      client.close()
      this.onClose()
    }
  }

  /** Saves what is there, puts the stub in place and lets it set up. */
  async #take(): Promise<void> {
    const remote = this.#remote
    await remote.client.ask('?')
    const registers = await remote.readRegisters()
    const exception = registers[XPSR]! & 0x1ff
    if (exception !== 0) {
      throw new MachineError(`the processor is in exception ${exception}; halt it outside of handlers, or reset it`)
    }
    const saved = this.#options.restore === false ? [] : this.#options.regions
    const memory: { base: number; bytes: Uint8Array }[] = []
    for (const { base, size } of saved) memory.push({ base, bytes: await remote.read(base, size) })

    const handler = (this.#stub + STUB_OFFSETS.handler) | 1
    const vectors = Array.from({ length: VECTORS }, (_, index) => (index === 0 ? this.#vectors + STACK_END : handler))
    const stub = Uint8Array.from(atob(STUB_BASE64), (character) => character.charCodeAt(0))
    await remote.write(this.#vectors, wordBytes(vectors))
    await remote.write(this.#stub, stub)
    const timer = this.#options.timer?.address ?? 0
    const own = [this.#vectors, this.#vectors + STACK_END, this.#vectors + FRAME_AT, timer]
    await remote.write(this.#stub + Data.VTOR, wordBytes(own))
    await this.#breakpoints(true)
    this.#before = { registers, memory }
    await this.#routine('setup')
    if (timer !== 0) await this.#routine('count')
  }

  /** At the stub's own BKPTs, for debuggers that do not stop at BKPT; where they refuse, BKPT must do. */
  async #breakpoints(set: boolean): Promise<void> {
    for (const label of ['stop', 'caught'] as const) {
      await this.#remote.setBreakpoint(this.#stub + STUB_OFFSETS[label], set)
    }
  }

  /** Runs a routine of the stub that ends at `stop`. */
  async #routine(name: 'setup' | 'restore' | 'count' | 'leave'): Promise<void> {
    const registers = await this.#remote.readRegisters()
    registers[PC] = this.#stub + STUB_OFFSETS[name]
    registers[XPSR]! |= THUMB
    await this.#remote.writeRegisters(registers)
    const { late } = await this.#resume(this.#options.timeout ?? 5000)
    const pc = (await this.#remote.readRegisters())[PC]!
    if (late || pc !== this.#stub + STUB_OFFSETS.stop) {
      throw new MachineError(
        `the target does not run our stub at ${hex(this.#stub)}: it is at ${hex(pc)}; is that RAM?`,
      )
    }
  }

  /** Lets the target run until it stops, or stops it. */
  async #resume(milliseconds: number): Promise<{ late: boolean }> {
    const { client } = this.#remote
    let reply = await client.resume('c', milliseconds)
    const late = reply === undefined
    reply ??= await client.interrupt()
    if (/^[WX]/.test(reply)) throw new MachineError(`the target of ${this.name} has ended`)
    if (!/^[ST]/.test(reply))
      throw new MachineError(`the stub answers '${reply.slice(0, 40)}' where the target was to run`)
    return { late }
  }

  /** Why the processor stands. Leaves our registers as the program's are there, and the processor in thread mode. */
  async #stopped(late: boolean): Promise<Stop> {
    const now = await this.#remote.readRegisters()
    const pc = now[PC]!
    if (pc === this.#stub + STUB_OFFSETS.handler) {
      // A debugger that halts at faults by itself.
      await this.#resume(this.#options.timeout ?? 5000)
      return this.#fault(await this.#remote.readRegisters())
    }
    if (pc === this.#stub + STUB_OFFSETS.caught) return this.#fault(now)
    this.#registers = now.slice(0, 16)
    this.#apsr = now[XPSR]!
    const number = await this.#breakpointAt(pc)
    if (number !== undefined) return { kind: 'breakpoint', pc, number }
    if (late) return { kind: 'limit', limit: 'time', pc }
    throw new MachineError(`the processor stands at ${hex(pc)}, where it has no reason to`)
  }

  /** BKPT's number at an address. */
  async #breakpointAt(pc: number): Promise<number | undefined> {
    try {
      const [low = 0, high = 0] = await this.#remote.read(pc, 2)
      return high === 0xbe ? low : undefined
    } catch (error) {
      if (error instanceof InputError) return undefined
      throw error
    }
  }

  /** Reads what the handler has left, and leaves it. */
  async #fault(now: Uint32Array): Promise<Stop> {
    const status = new DataView((await this.#remote.read(this.#stub + Data.CFSR, 32)).buffer)
    const at = (offset: number): number => status.getUint32(offset - Data.CFSR, true)
    const frame = at(Data.FRAME)
    this.#count(at(Data.TICKS), at(Data.TICKS + 4))
    const registers = now.slice(0, 16)
    let stacked: DataView | undefined
    try {
      stacked = new DataView((await this.#remote.read(frame, 32)).buffer)
    } catch (error) {
      if (!(error instanceof InputError)) throw error
    }
    const word = (index: number): number => stacked?.getUint32(4 * index, true) ?? 0
    for (let r = 0; r < 4; r++) registers[r] = word(r)
    registers[12] = word(4)
    registers[LR] = word(5)
    registers[PC] = word(6)
    // Bit 9 of the stacked xPSR: a word of padding made the frame 8-aligned.
    registers[SP] = frame + 32 + ((word(7) >>> 9) & 1) * 4
    this.#registers = registers
    this.#apsr = word(7)

    await this.#remote.write(
      this.#vectors + FRAME_AT,
      wordBytes([0, 0, 0, 0, 0, 0, this.#stub + STUB_OFFSETS.stop, THUMB]),
    )
    await this.#remote.write(this.#stub + Data.FRAME, wordBytes([this.#vectors + FRAME_AT]))
    await this.#routine('leave')

    const pc = registers[PC]
    const cfsr = at(Data.CFSR)
    const number = cfsr === 0 ? await this.#breakpointAt(pc) : undefined
    if (number !== undefined) return { kind: 'breakpoint', pc, number }
    const { name, message, address } = faultStatus(cfsr, at(Data.CFSR + 4), at(Data.CFSR + 8), at(Data.CFSR + 12))
    return { kind: 'fault', fault: name, pc, address, message }
  }

  /** Adds the instructions since the start, in the handler of an exception. */
  #count(start: number, end: number): void {
    const { timer } = this.#options
    if (timer === undefined || this.counters.instructions === null) return
    const passed = Math.round(((start - end) >>> 0) / timer.ticks)
    this.counters.instructions += Math.max(passed - TIMER_OVERHEAD, 0)
  }
}
