// A compiled program on a machine: its code placed and linked, its helpers behind gates, ready to be called.
// docs/abi.md says what entry and env are.

import { Env } from '../base/abi.ts'
import { InputError } from '../base/errors.ts'
import type { HostHelper } from '../bpf/helpers.ts'
import { type Outcome, trapMessage } from '../base/outcome.ts'
import { type Image, type ImageMap, type ImageSymbol, slotAt } from '../image/image.ts'
import { link } from '../image/link.ts'
import { callFunction, type CallResult, wordBytes } from './call.ts'
import type { Limits, Machine, Stop } from './machine.ts'
import { type PlacedMap, placeMap } from './maps.ts'
import { placeRuntime } from './runtime.ts'
import { Workspace } from './workspace.ts'

/** What a helper is: a function of the host, or code on the machine at an address (bit 0 clear or set). */
export type HelperBinding = HostHelper | { readonly address: number }

export interface InstantiateOptions {
  /** By helper number. Host functions may be asynchronous. */
  readonly helpers?: ReadonlyMap<number, HelperBinding> | undefined
  /** Maps by name that are there already, to share them; the others are made, and freed with the instance. */
  readonly maps?: ReadonlyMap<string, PlacedMap> | undefined
}

export interface CallOptions {
  /** Copied to the machine before the call; R1 is its address. Without it R1 is 0. */
  readonly ctx?: Uint8Array | undefined
  /** R2; the length of ctx if not given. */
  readonly len?: number | undefined
  readonly limits?: Limits | undefined
}

export interface Result {
  readonly outcome: Outcome
  /** The context after the call, a copy; empty if there was none. */
  readonly ctx: Uint8Array
  /** Executed from the entry's first instruction through its return. */
  readonly instructions: number | null
  /** null where the machine does not count them. */
  readonly cycles: number | null
}

/** What r2 holds for an image that ignores it. */
const NO_ENV = 0xdead_beef
/** BKPT #helper & 0xff. */
const BKPT = 0xbe00
/** UFSR.STKOF: the architecture's name since ARMv8-M. */
const STACK_OVERFLOW = 'STKOF'
/** Bytes above SP, and below it, that accesses to a frame can be in. */
const MOST_FRAME = 1 << 15
const MOST_PUSHED = 64
const EMPTY = new Uint8Array(0)
/** What the code heap aligns to: sections of more go to RAM. */
const CODE_ALIGNMENT = 8

/** Addresses of an instance: of its code, of its sections by index, of what it has allocated of the data heap. */
interface Place {
  readonly code: number
  readonly sections: readonly number[]
  readonly data: readonly number[]
  /** All maps by name, and those that were made for this instance. */
  readonly maps: ReadonlyMap<string, PlacedMap>
  readonly own: readonly PlacedMap[]
  /** Address of env's table, 0 if there is none. */
  readonly table: number
}

export class Instance {
  readonly image: Image
  readonly machine: Machine
  /** Address of the entry, bit 0 set. */
  readonly address: number
  /** Address of the first byte of code. */
  readonly codeAddress: number
  /** Addresses of the image's sections of data, by index. */
  readonly sectionAddresses: readonly number[]
  readonly #workspace: Workspace
  /** The program's maps by name. */
  readonly maps: ReadonlyMap<string, PlacedMap>
  readonly #data: readonly number[]
  readonly #own: readonly PlacedMap[]
  readonly #table: number
  readonly #gates: readonly number[]
  #running = false
  #freed = false

  /** `place` is where the linked image stands. Made by `instantiate`. */
  constructor(image: Image, workspace: Workspace, place: Place, gates: readonly number[]) {
    this.image = image
    this.machine = workspace.machine
    this.codeAddress = place.code
    this.sectionAddresses = place.sections
    this.#data = place.data
    this.maps = place.maps
    this.#own = place.own
    this.#table = place.table
    this.address = (place.code + image.symbols[image.entry]!.offset) | 1
    this.#workspace = workspace
    this.#gates = gates
  }

  /** Where ctx is during a call, a multiple of 16. Stays the same unless a larger context than 64 KiB is given. */
  get ctxAddress(): number {
    return this.#workspace.contextAddress
  }

  /** Calls the entry. However the program ends, it is an Outcome; only misuse and faults of our own throw. */
  async call(options: CallOptions = {}): Promise<Result> {
    const { ctx, limits } = options
    const { machine } = this
    const workspace = this.#workspace
    if (this.#freed) throw new InputError('call of an instance that was freed')
    if (workspace.busy) throw new InputError(`machine ${machine.name} is running another call`)
    workspace.begin()
    this.#running = true
    try {
      const address = ctx === undefined ? 0 : workspace.reserveContext(ctx.length)
      const length = (options.len ?? ctx?.length ?? 0) >>> 0
      if (ctx !== undefined && ctx.length > 0) await machine.write(address, ctx)
      if (this.image.needsEnv) await this.#writeEnv(address, length)
      const result = await callFunction(machine, {
        address: this.address,
        args: [address, length, this.image.needsEnv ? workspace.env : NO_ENV],
        stackTop: workspace.stackTop,
        returnAddress: workspace.returnAddress,
        limits,
        run: (left) => workspace.code.run(left),
        gates: workspace.gates,
      })
      const { instructions, cycles } = machine.counters
      const outcome = await this.#outcome(result)
      const after = ctx === undefined || ctx.length === 0 ? EMPTY : await machine.read(address, ctx.length)
      return { outcome, ctx: after, instructions, cycles }
    } finally {
      this.#running = false
      workspace.end()
    }
  }

  /**
   * Gives the memory of code and data back; of an instance that runs or waits in a host function, when its call returns. Later
   * calls throw, and so does a second free. No program that goes on may tail-call it: see `retire`.
   */
  free(): void {
    this.#end(!this.#running)
  }
  /** As `free`, but when no call at all runs: for a program that others reach by tail calls, and so may be running in their calls. */
  retire(): void {
    this.#end(false)
  }

  #end(now: boolean): void {
    if (this.#freed) throw new InputError('free of an instance that was freed')
    this.#freed = true
    if (now) this.#release()
    else this.#workspace.whenIdle(() => this.#release())
  }
  #release(): void {
    this.#workspace.code.free(this.codeAddress)
    for (const gate of this.#gates) this.#workspace.gates.delete(gate)
    for (const address of this.#data) this.#workspace.data.free(address)
    for (const map of this.#own) map.free()
    this.#freed = true
  }

  async #writeEnv(address: number, length: number): Promise<void> {
    const words = Array.from({ length: Env.size / 4 }, () => 0)
    words[Env.ctx / 4] = address
    words[Env.len / 4] = length
    words[Env.table / 4] = this.#table
    await this.machine.write(this.#workspace.env, wordBytes(words))
  }

  async #outcome(result: CallResult): Promise<Outcome> {
    if (result.kind === 'stopped') return this.#stopped(result.stop, result.lr, result.sp)
    if (this.image.needsEnv) {
      const env = await this.machine.read(this.#workspace.env, 8)
      const view = new DataView(env.buffer, env.byteOffset)
      const code = view.getUint32(Env.outcome, true)
      if (code !== 0) {
        // A return address: the byte before it belongs to the call of the trap path.
        const slot = this.#slotOf((view.getUint32(Env.pc, true) & ~1) - 1)
        return { kind: 'trapped', code, slot, message: trapMessage(code) }
      }
    }
    return { kind: 'returned', r0: (BigInt(result.high) << 32n) | BigInt(result.low) }
  }

  #stopped(stop: Stop, lr: number, sp: number): Outcome {
    const { pc } = stop
    // Execution that has left the code was called from before LR.
    const slot = this.#contains(pc) ? this.#slotOf(pc) : this.#slotOf((lr & ~1) - 1)
    switch (stop.kind) {
      case 'fault':
        if (this.#overflowed(stop.address, sp)) {
          const message = `the stack has overflowed: more than ${this.#workspace.stackTop - this.#workspace.stackBase} bytes are in use`
          // A prologue serves no instruction: the call does.
          const place = slot >= 0 ? slot : this.#slotOf((lr & ~1) - 1)
          return { kind: 'faulted', fault: STACK_OVERFLOW, pc, address: stop.address, slot: place, message }
        }
        return {
          kind: 'faulted',
          fault: stop.fault,
          pc,
          address: stop.address,
          slot,
          message: `${stop.fault}: ${stop.message}`,
        }
      case 'limit':
        return { kind: 'limited', limit: stop.limit, pc, slot, message: `the limit on ${stop.limit} was reached` }
      default: {
        const message = `breakpoint ${stop.number} in the program`
        return { kind: 'faulted', fault: 'DEBUGEVT', pc, address: undefined, slot, message }
      }
    }
  }

  /** Whether an access that faulted is one of the stack, below its end: of a frame, or of a push that would have moved SP there. */
  #overflowed(address: number | undefined, sp: number): boolean {
    const { stackBase } = this.#workspace
    if (address === undefined || address >= stackBase) return false
    return address >= sp ? address - sp < MOST_FRAME : sp - address <= MOST_PUSHED
  }
  #contains(address: number): boolean {
    return address >= this.codeAddress && address < this.codeAddress + this.image.code.length
  }
  #slotOf(address: number): number {
    return this.#contains(address) ? slotAt(this.image, address - this.codeAddress) : -1
  }
}

/**
 * Places, links and writes an image. Throws InputError where a helper that the image imports is not granted (by name), or
 * where there is no room for the code.
 */
export async function instantiate(image: Image, machine: Machine, options: InstantiateOptions = {}): Promise<Instance> {
  const imports = image.symbols.filter((symbol) => symbol.kind === 'import')
  const runtime = image.maps.length > 0 ? await placeRuntime(machine) : undefined
  const bindings = new Map<number, HelperBinding>(options.helpers)
  for (const { helper } of imports) {
    const address = runtime?.helperAddress(helper)
    if (!bindings.has(helper) && address !== undefined) bindings.set(helper, { address })
  }
  const missing = imports.filter((symbol) => !bindings.has(symbol.helper))
  if (missing.length > 0) {
    const names = missing.map((symbol) => `${symbol.name} (helper ${symbol.helper})`).join(', ')
    throw new InputError(`the program calls helpers that are not granted: ${names}`)
  }
  const workspace = await Workspace.of(machine)
  // One allocation: the code, then a BKPT for each function of the host, within reach of BL.
  const gatesAt = (image.code.length + 3) & ~3
  const gated = imports.filter(({ helper }) => typeof bindings.get(helper) === 'function')
  const { offsets, size } = besideCode(image, gatesAt + 2 * gated.length)
  const bytes = new Uint8Array(size)
  const code = workspace.code.allocate(bytes.length)
  const data: number[] = []
  const maps = new Map<string, PlacedMap>()
  const own: PlacedMap[] = []
  const gates: number[] = []
  const addresses = new Map<number, number>()
  for (const { helper, name, prototype } of imports) {
    const binding = bindings.get(helper)!
    if (typeof binding === 'function') {
      const at = gatesAt + 2 * gates.length
      new DataView(bytes.buffer).setUint16(at, BKPT | (helper & 0xff), true)
      gates.push(code + at)
      workspace.gates.set(code + at, { name, fn: binding, prototype })
      addresses.set(helper, code + at)
    } else {
      addresses.set(helper, binding.address)
    }
  }
  try {
    const sections = image.sections.map((section, index) => {
      if (offsets[index]! >= 0) return code + offsets[index]!
      const address = workspace.data.allocate(Math.max(section.size, 1), section.align)
      data.push(address)
      return address
    })
    for (const [index, definition] of image.maps.entries()) {
      const given = options.maps?.get(definition.name)
      if (given !== undefined) checkSame(given, definition, machine)
      const map = given ?? (await placeMap(machine, definition))
      if (given === undefined) {
        own.push(map)
        // A map that is there already keeps what it holds.
        for (const one of image.programs)
          if (one.map === index) await map.setProgram(one.index, (code + image.symbols[one.symbol]!.offset) | 1)
      }
      maps.set(definition.name, map)
    }
    const outside = (symbol: ImageSymbol): number =>
      symbol.kind === 'map' ? maps.get(symbol.name)!.address : addresses.get(symbol.helper)!
    const addressOfSymbol = (symbol: ImageSymbol): number => {
      if (symbol.kind === 'function') return (code + symbol.offset) | 1
      if (symbol.kind === 'section') return sections[symbol.index]!
      return symbol.kind === 'map' ? outside(symbol) : outside(symbol) | 1
    }
    const linked = link(image, { code, sections }, outside)
    bytes.set(linked.code)
    for (const [index, section] of image.sections.entries()) {
      const content = section.kind === 'bss' ? new Uint8Array(section.size) : linked.sections[index]!
      if (offsets[index]! >= 0) bytes.set(content, offsets[index])
      else await machine.write(sections[index]!, content)
    }
    let table = 0
    if (image.table.length > 0) {
      table = workspace.data.allocate(4 * image.table.length)
      data.push(table)
      await machine.write(table, wordBytes(image.table.map((index) => addressOfSymbol(image.symbols[index]!))))
    }
    await workspace.code.write(code, bytes)
    return new Instance(image, workspace, { code, sections, data, maps, own, table }, gates)
  } catch (error) {
    workspace.code.free(code)
    for (const gate of gates) workspace.gates.delete(gate)
    for (const address of data) workspace.data.free(address)
    for (const map of own) map.free()
    throw error
  }
}

/** A map that programs share must be what each of them was compiled for. */
function checkSame(map: PlacedMap, definition: ImageMap, machine: Machine): void {
  if (map.machine !== machine) throw new InputError(`map ${definition.name} is on another machine`)
  for (const field of ['type', 'keySize', 'valueSize', 'maxEntries'] as const) {
    if (map.definition[field] !== definition[field]) {
      throw new InputError(
        `map ${definition.name}: ${field} of the given map is ${map.definition[field]}, the program's is ${definition[field]}`,
      )
    }
  }
}

/** Where read-only data goes behind `end` bytes of code and gates: offsets by section, -1 for those in RAM; and the end. */
function besideCode(image: Image, end: number): { offsets: number[]; size: number } {
  let size = end
  const offsets = image.sections.map((section) => {
    if (section.kind !== 'rodata' || section.align > CODE_ALIGNMENT) return -1
    const offset = (size + section.align - 1) & -section.align
    size = offset + section.size
    return offset
  })
  return { offsets, size }
}
