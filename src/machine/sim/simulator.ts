// A simulator of the Cortex-M4 (ARMv7E-M without floating point) as a Machine. Code is decoded once, into blocks that
// remember their successors; writing code forgets the blocks in it. Everything has a synchronous twin for tests.
// DDI 0403E; the cycle model is described in cycles.ts.

import type { Counters, Limits, Machine, Region, Stop } from '../machine.ts'
import { Block, buildBlock, MAX_CYCLES, MAX_OPS } from './block.ts'
import { Core, Flow, readApsr, writeApsr } from './core.ts'
import type { Op } from './core.ts'
import { sequenceCycles } from './cycles.ts'
import { Fault, hex, Memory } from './memory.ts'
import { Mpu } from './mpu.ts'
import { translate } from './translate.ts'

/**
 * The memory of QEMU's mps2-an386: 4 MiB of SSRAM for code, 4 MiB of RAM. The first 256 bytes are left out, so that a
 * null pointer is never valid. Code is not writable by the program, and data not executable.
 */
export const defaultRegions: readonly Region[] = [
  { name: 'code', base: 0x0000_0100, size: 0x0040_0000 - 0x100, execute: true, write: false },
  { name: 'ram', base: 0x2000_0000, size: 0x0040_0000, execute: false, write: true },
]

/**
 * One RAM, with code in its first MiB: for a machine with a memory protection unit, which keeps code either writable or
 * executable. Without one, programs can write it.
 */
export const codeInRam: readonly Region[] = [
  { name: 'code', base: 0x2000_0000, size: 0x0010_0000, execute: true, write: true },
  { name: 'ram', base: 0x2010_0000, size: 0x0030_0000, execute: false, write: true },
]

export interface SimulatorOptions {
  /** Default: `codeInRam` with a memory protection unit, else `defaultRegions`. */
  readonly regions?: readonly Region[]
  /** ARMv7-M's memory protection unit, eight regions, disabled at first. Default: none, and nothing at its addresses. */
  readonly mpu?: boolean
  /** Count cycles (default true). Without it `counters.cycles` is null and limits on cycles are ignored. */
  readonly cycles?: boolean
  /** CCR.UNALIGN_TRP: LDR, STR, LDRH and STRH fault when not aligned. Default false. */
  readonly trapUnaligned?: boolean
  /** CCR.DIV_0_TRP: division by zero faults instead of giving 0. Default false. */
  readonly trapDivideByZero?: boolean
  /** Times that a block is interpreted before it becomes a JavaScript function. 0: at once, Infinity: never. Default 64. */
  readonly translateAfter?: number
}

const TRANSLATE_AFTER = 64
/** Bytes of code that are forgotten together. */
const PAGE_SHIFT = 8
const PC = 15
const SP = 13

export class Simulator implements Machine {
  readonly name = 'sim'
  readonly regions: readonly Region[]
  readonly counters: Counters & { instructions: number }
  readonly #memory: Memory
  readonly #core: Core
  readonly #countCycles: boolean
  readonly #translateAfter: number
  readonly #blocks = new Map<number, Block>()
  readonly #pages = new Map<number, Block[]>()
  /** Where to go on, odd if T is clear. */
  #pc = 1
  /** IT state there, and the instruction executed just before in sequence: after a stop by a limit. */
  #it = 0
  #previous: Op | null = null

  constructor(options: SimulatorOptions = {}) {
    const mpu = options.mpu === true ? new Mpu() : undefined
    this.regions = options.regions ?? (mpu === undefined ? defaultRegions : codeInRam)
    this.#countCycles = options.cycles ?? true
    this.#translateAfter = options.translateAfter ?? TRANSLATE_AFTER
    this.#memory = new Memory(this.regions, mpu)
    this.#memory.trapUnaligned = options.trapUnaligned ?? false
    this.#memory.onCodeWrite = (address, length) => this.#forget(address, length)
    this.#memory.onPermissions = () => this.#forgetAll()
    this.#core = new Core(this.#memory)
    this.#core.trapDivideByZero = options.trapDivideByZero ?? false
    this.counters = { instructions: 0, cycles: this.#countCycles ? 0 : null }
  }

  async read(address: number, length: number): Promise<Uint8Array> {
    return this.readSync(address, length)
  }
  async write(address: number, bytes: Uint8Array): Promise<void> {
    this.writeSync(address, bytes)
  }
  async readRegisters(): Promise<Uint32Array> {
    return this.readRegistersSync()
  }
  async writeRegisters(registers: Uint32Array): Promise<void> {
    this.writeRegistersSync(registers)
  }
  async writeFlags(apsr: number): Promise<void> {
    this.apsr = apsr
  }
  async readInterruptMask(): Promise<number> {
    return this.#core.primask
  }
  async writeInterruptMask(mask: number): Promise<void> {
    this.#core.primask = mask & 1
  }
  async synchronize(address: number, length: number): Promise<void> {
    this.#forget(address, length)
  }
  async run(limits: Limits): Promise<Stop> {
    return this.runSync(limits)
  }
  async close(): Promise<void> {}

  resetCounters(): void {
    this.counters.instructions = 0
    this.counters.cycles = this.#countCycles ? 0 : null
  }

  /** A copy of memory; permissions aside. Throws InputError where no region holds it all. */
  readSync(address: number, length: number): Uint8Array {
    return this.#memory.read(address, length)
  }
  writeSync(address: number, bytes: Uint8Array): void {
    this.#memory.write(address, bytes)
    this.#forget(address, bytes.length)
  }
  readRegistersSync(): Uint32Array {
    const registers = new Uint32Array(this.#core.r)
    registers[PC] = this.#pc & ~1
    return registers
  }
  writeRegistersSync(registers: Uint32Array): void {
    this.#core.r.set(registers)
    this.#core.r[SP] = registers[SP]! & ~3
    this.#core.skipped = false
    this.#pc = (registers[PC]! ^ 1) | 0
    this.#it = 0
    this.#previous = null
  }

  /** The flags: N Z C V Q in bits 31:27, GE in 19:16. */
  get apsr(): number {
    return readApsr(this.#core) >>> 0
  }
  set apsr(value: number) {
    writeApsr(this.#core, value, true, true)
  }

  /** Runs until a stop. Counters go on from where they are. */
  runSync(limits: Limits): Stop {
    const core = this.#core
    const memory = this.#memory
    const translateAfter = this.#translateAfter
    const maxInstructions = limits.instructions ?? Infinity
    const maxCycles = this.#countCycles ? (limits.cycles ?? Infinity) : Infinity
    // Below these no limit can be passed inside of one block.
    const safeInstructions = maxInstructions - MAX_OPS
    const safeCycles = maxCycles - MAX_OPS * MAX_CYCLES
    let instructions = 0
    let cycles = 0
    let index = 0
    let block = this.#resume()
    let stop: Stop | null = null
    core.stall = 0
    memory.stall = 0
    try {
      for (;;) {
        const ops = block.ops
        const length = ops.length
        if (instructions <= safeInstructions && cycles <= safeCycles) {
          if (block.translation === null && block.runs++ === translateAfter) block.translation = translate(ops)
          if (block.translation !== null) {
            index = -1
            block.translation(core, core.r, memory)
          } else {
            for (index = 0; index < length; index++) {
              const op = ops[index]!
              op.run(core, op)
            }
          }
          instructions += length
          cycles += block.cost + core.stall + memory.stall
          core.stall = 0
          memory.stall = 0
        } else {
          for (index = 0; index < length; index++) {
            const op = ops[index]!
            const limit = instructions >= maxInstructions ? 'instructions' : cycles >= maxCycles ? 'cycles' : null
            if (limit !== null) {
              stop = { kind: 'limit', limit, pc: op.address >>> 0 }
              this.#pc = op.address
              this.#it = op.it
              this.#previous = index > 0 ? ops[index - 1]! : null
              break
            }
            op.run(core, op)
            instructions++
            cycles += op.cost + core.stall + memory.stall
            core.stall = 0
            memory.stall = 0
          }
          if (stop !== null) break
        }
        let pc = block.end
        if (block.branch) {
          pc = core.r[PC]!
        } else if (block.halt !== null) {
          stop = this.#halted(block)
          break
        }
        let next = block.linkA
        if (next === null || next.pc !== pc) {
          next = block.linkB
          if (next === null || next.pc !== pc) {
            next = this.#blockAt(pc)
            block.linkB = block.linkA
            block.linkA = next
          }
        }
        if (!block.branch) {
          if (next.ops.length > 0) cycles += sequenceCycles(ops[length - 1]!, false, next.ops[0]!)
        } else if (core.flow === Flow.TAKEN) {
          cycles += next.misaligned
        } else if (core.flow === Flow.NEXT && next.startsWithIt && block.narrowEnd) {
          cycles--
        }
        block = next
      }
    } catch (error) {
      if (!(error instanceof Fault)) throw error
      if (index < 0) index = core.at
      const op = block.ops[index]!
      if (instructions <= safeInstructions && cycles <= safeCycles) {
        instructions += index
        for (let done = 0; done < index; done++) cycles += block.ops[done]!.cost
        cycles += core.stall + memory.stall
      }
      this.#pc = op.address
      this.#it = op.it
      stop = faulted(error, op.address)
    }
    this.counters.instructions += instructions
    if (this.counters.cycles !== null) this.counters.cycles += cycles
    return stop
  }

  /** The block to begin with. */
  #resume(): Block {
    const it = this.#it
    const previous = this.#previous
    this.#it = 0
    this.#previous = null
    if (it === 0 && previous === null) return this.#blockAt(this.#pc)
    return buildBlock(this.#memory, this.#pc, it, previous)
  }

  #halted(block: Block): Stop {
    this.#pc = block.end
    const halt = block.halt!
    if (halt.kind === 'fault') return faulted(halt.fault, block.end & ~1)
    return { kind: 'breakpoint', pc: block.end >>> 0, number: halt.number }
  }

  #blockAt(pc: number): Block {
    if ((pc & 1) !== 0) {
      const fault = new Fault(
        'INVSTATE',
        `execution at ${hex(pc & ~1)} with the Thumb bit clear: a branch to an address with bit 0 clear`,
      )
      return new Block(pc, [], false, { kind: 'fault', fault })
    }
    const known = this.#blocks.get(pc)
    if (known !== undefined) return known
    const block = buildBlock(this.#memory, pc, 0, null)
    this.#blocks.set(pc, block)
    // An instruction that a halt stands for is at the end, and 4 bytes at most.
    for (let page = pc >>> PAGE_SHIFT; page <= ((block.end + 3) >>> 0) >>> PAGE_SHIFT; page++) {
      const list = this.#pages.get(page)
      if (list === undefined) this.#pages.set(page, [block])
      else list.push(block)
    }
    return block
  }

  /** Forgets what was decoded from these bytes. */
  #forget(address: number, length: number): void {
    if (this.#pages.size === 0) return
    for (let page = address >>> PAGE_SHIFT; page <= ((address + length - 1) >>> 0) >>> PAGE_SHIFT; page++) {
      const list = this.#pages.get(page)
      if (list === undefined) continue
      for (const block of list) {
        if (this.#blocks.get(block.pc) === block) this.#blocks.delete(block.pc)
        block.pc = -1
      }
      this.#pages.delete(page)
    }
  }

  /** Everything is fetched again: what may be executed has changed. */
  #forgetAll(): void {
    for (const block of this.#blocks.values()) block.pc = -1
    this.#blocks.clear()
    this.#pages.clear()
  }
}

function faulted(fault: Fault, pc: number): Stop {
  return { kind: 'fault', fault: fault.fault, pc: pc >>> 0, address: fault.address, message: fault.message }
}
