// A call of a function on any machine by AAPCS (IHI 0042): arguments in r0-r3 and on an 8-aligned stack, result in r0:r1,
// r4-r11 and SP as they were. Host functions are called back through gates: BKPT instructions at known addresses.

import { unreachable } from '../base/errors.ts'
import { isDouble, passing, untyped } from '../base/prototype.ts'
import { callHelper, type Helper, HelperFault, type HelperMemory } from '../bpf/helpers.ts'
import type { Limits, Machine, Stop } from './machine.ts'

/** A host function behind a gate: it is called with what AAPCS passes for its signature. */
export type Gate = Helper

export interface Call {
  /** Address of the function; bit 0 becomes the Thumb state. */
  readonly address: number
  /** Words, first to last: four in r0-r3, the others on the stack. */
  readonly args: readonly number[]
  /** The end of the stack, a multiple of 8. */
  readonly stackTop: number
  /** Address of a BKPT instruction to return to. */
  readonly returnAddress: number
  readonly limits?: Limits | undefined
  /** Runs the machine; its own `run` if not given. */
  readonly run?: ((limits: Limits) => Promise<Stop>) | undefined
  /** By the address of their BKPT. */
  readonly gates?: ReadonlyMap<number, Gate> | undefined
}

export type CallResult =
  | { readonly kind: 'returned'; readonly low: number; readonly high: number }
  /** Did not return: a fault, a limit or a breakpoint of neither gate nor return. `lr` and `sp` are LR and SP then. */
  | { readonly kind: 'stopped'; readonly stop: Stop; readonly lr: number; readonly sp: number }

const SP = 13
const LR = 14
const PC = 15
const WORD = 0xffffffffn
/** What r4-r11 hold at entry, and what a host function leaves in the registers that AAPCS lets it change. */
const KEPT = 0xca11_ee00
const LOST = 0x1057_0000

/**
 * Calls and waits for the return. The machine's counters are reset at the entry and count the function alone: neither the
 * return's BKPT nor those of gates. Of a call that does not return nothing is left: interrupts are masked as before it. A function that returns with r4-r11 or SP changed is a fault of ours, thrown.
 */
export async function callFunction(machine: Machine, call: Call): Promise<CallResult> {
  const { args, limits = {}, gates, run = (left: Limits) => machine.run(left) } = call
  const onStack = Math.max(args.length - 4, 0)
  const sp = call.stackTop - ((onStack * 4 + 7) & ~7)
  if (onStack > 0) await machine.write(sp, wordBytes(args.slice(4)))

  const registers = new Uint32Array(16)
  for (let r = 0; r < 4; r++) registers[r] = args[r] ?? LOST + r
  for (let r = 4; r < 12; r++) registers[r] = KEPT + r
  registers[12] = LOST + 12
  registers[SP] = sp
  registers[LR] = call.returnAddress | 1
  registers[PC] = call.address
  await machine.writeRegisters(registers)
  const mask = await machine.readInterruptMask?.()
  const stopped = async (stop: Stop, now: Uint32Array): Promise<CallResult> => {
    if (mask !== undefined) await machine.writeInterruptMask?.(mask)
    return { kind: 'stopped', stop, lr: now[LR]!, sp: now[SP]! }
  }
  machine.resetCounters()
  let helperCalls = 0
  for (;;) {
    const stop = await run(remaining(machine, limits))
    const now = await machine.readRegisters()
    if (stop.kind === 'breakpoint' && stop.pc === call.returnAddress) {
      checkKept(now, sp)
      return { kind: 'returned', low: now[0]!, high: now[1]! }
    }
    const gate = stop.kind === 'breakpoint' ? gates?.get(stop.pc) : undefined
    if (gate === undefined) return stopped(stop, now)
    const fault = await passGate(machine, gate, now, ++helperCalls)
    if (fault !== undefined) {
      const { address, message } = fault
      return stopped({ kind: 'fault', fault: 'PRECISERR', pc: stop.pc, address, message }, now)
    }
  }
}

/** Calls the host function and goes back to its caller; or gives the fault that it met, and nothing has changed. */
async function passGate(
  machine: Machine,
  gate: Gate,
  registers: Uint32Array,
  count: number,
): Promise<HelperFault | undefined> {
  if ((registers[SP]! & 7) !== 0)
    unreachable(`SP is 0x${registers[SP]!.toString(16)} at the call of a helper: not 8-aligned`)
  const { prototype } = gate
  const parameters = prototype?.parameters ?? untyped
  const { first, words } = passing(parameters)
  const stackWords = Math.max((words.at(-1) ?? 0) - 3, 0)
  const stack = await machine.read(registers[SP]!, stackWords * 4)
  const view = new DataView(stack.buffer, stack.byteOffset)
  const word = (at: number): number => (at < 4 ? registers[at]! : view.getUint32((at - 4) * 4, true))
  const values: [bigint, bigint, bigint, bigint, bigint] = [0n, 0n, 0n, 0n, 0n]
  parameters.forEach(({ type }, index) => {
    const at = first[index]!
    values[index] = isDouble(type) ? pair(word(at), word(at + 1)) : BigInt(word(at))
  })
  let result: bigint
  try {
    result = await callHelper(gate, values, memoryOf(machine))
  } catch (error) {
    if (error instanceof HelperFault) return error
    throw error
  }
  // AAPCS lets a function change these: compiled code that relies on them must be found out.
  for (const r of [0, 1, 2, 3, 12]) registers[r] = LOST + r + count * 0x100
  const type = prototype?.result ?? 'u64'
  if (type !== 'void') registers[0] = Number(result & WORD)
  if (isDouble(type)) registers[1] = Number(result >> 32n)
  registers[PC] = registers[LR]!
  await machine.writeRegisters(registers)
  await machine.writeFlags?.((count * 0x9e37_79b1) >>> 0)
  return undefined
}

/** The regions of a machine, for helpers. */
function memoryOf(machine: Machine): HelperMemory {
  const within = (address: number, length: number, writes: boolean): boolean =>
    machine.regions.some(
      // Code is never written for a program.
      ({ base, size, write, execute }) =>
        length >= 0 && address >= base && address + length <= base + size && ((write && !execute) || !writes),
    )
  return {
    read: async (address, length) => {
      if (!within(address, length, false)) throw new HelperFault(address, 'read')
      return machine.read(address, length)
    },
    write: async (address, bytes) => {
      if (!within(address, bytes.length, true)) throw new HelperFault(address, 'write')
      await machine.write(address, bytes)
    },
  }
}

function remaining(machine: Machine, limits: Limits): Limits {
  const { instructions, cycles } = machine.counters
  return {
    ...(limits.instructions === undefined || instructions === null
      ? {}
      : { instructions: limits.instructions - instructions }),
    ...(limits.milliseconds === undefined ? {} : { milliseconds: limits.milliseconds }),
    ...(limits.cycles === undefined || cycles === null ? {} : { cycles: limits.cycles - cycles }),
  }
}

function checkKept(registers: Uint32Array, sp: number): void {
  for (let r = 4; r < 12; r++) {
    const kept = KEPT + r
    if (registers[r] !== kept) unreachable(`r${r} is ${text(registers[r]!)} after the call, was ${text(kept)}`)
  }
  if (registers[SP] !== sp) unreachable(`SP is ${text(registers[SP]!)} after the call, was ${text(sp)}`)
}

function text(word: number): string {
  return `0x${word.toString(16).padStart(8, '0')}`
}
function pair(low: number, high: number): bigint {
  return (BigInt(high) << 32n) | BigInt(low)
}
/** Words as little-endian bytes. */
export function wordBytes(words: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(words.length * 4)
  const view = new DataView(bytes.buffer)
  words.forEach((word, index) => view.setUint32(index * 4, word >>> 0, true))
  return bytes
}
