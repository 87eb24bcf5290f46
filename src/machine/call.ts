// A call of a function on any machine by AAPCS (IHI 0042): arguments in r0-r3 and on an 8-aligned stack, result in r0:r1,
// r4-r11 and SP as they were. Host functions are called back through gates: BKPT instructions at known addresses.

import { unreachable } from '../base/errors.ts'
import type { Limits, Machine, Stop } from './machine.ts'

/** A host function behind a gate: five 64-bit arguments (r0:r1, r2:r3, three on the stack), the result in r0:r1. */
export type Gate = (
  r1: bigint,
  r2: bigint,
  r3: bigint,
  r4: bigint,
  r5: bigint,
) => bigint | void | Promise<bigint | void>

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
  /** By the address of their BKPT. */
  readonly gates?: ReadonlyMap<number, Gate> | undefined
}

export type CallResult =
  | { readonly kind: 'returned'; readonly low: number; readonly high: number }
  /** Did not return: a fault, a limit or a breakpoint of neither gate nor return. `lr` is LR then. */
  | { readonly kind: 'stopped'; readonly stop: Stop; readonly lr: number }

const SP = 13
const LR = 14
const PC = 15
const WORD = 0xffffffffn
/** What r4-r11 hold at entry, and what a host function leaves in the registers that AAPCS lets it change. */
const KEPT = 0xca11_ee00
const LOST = 0x1057_0000

/**
 * Calls and waits for the return. The machine's counters are reset at the entry and count the function alone: neither the
 * return's BKPT nor those of gates. A function that returns with r4-r11 or SP changed is a fault of ours, thrown.
 */
export async function callFunction(machine: Machine, call: Call): Promise<CallResult> {
  const { args, limits = {}, gates } = call
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
  machine.resetCounters()
  let helperCalls = 0
  for (;;) {
    const stop = await machine.run(remaining(machine, limits))
    const now = await machine.readRegisters()
    if (stop.kind === 'breakpoint' && stop.pc === call.returnAddress) {
      checkKept(now, sp)
      return { kind: 'returned', low: now[0]!, high: now[1]! }
    }
    const gate = stop.kind === 'breakpoint' ? gates?.get(stop.pc) : undefined
    if (gate === undefined) return { kind: 'stopped', stop, lr: now[LR]! }
    await passGate(machine, gate, now, ++helperCalls)
  }
}

/** Calls the host function and goes back to its caller. */
async function passGate(machine: Machine, gate: Gate, registers: Uint32Array, count: number): Promise<void> {
  if ((registers[SP]! & 7) !== 0)
    unreachable(`SP is 0x${registers[SP]!.toString(16)} at the call of a helper: not 8-aligned`)
  const stack = await machine.read(registers[SP]!, 24)
  const view = new DataView(stack.buffer, stack.byteOffset)
  const pending = gate(
    pair(registers[0]!, registers[1]!),
    pair(registers[2]!, registers[3]!),
    view.getBigUint64(0, true),
    view.getBigUint64(8, true),
    view.getBigUint64(16, true),
  )
  const given = pending instanceof Promise ? await pending : pending
  const result = typeof given === 'bigint' ? given : 0n
  registers[0] = Number(result & WORD)
  registers[1] = Number((result >> 32n) & WORD)
  // AAPCS lets a function change these: compiled code that relies on them must be found out.
  for (const r of [2, 3, 12]) registers[r] = LOST + 0x100 * count + r
  registers[PC] = registers[LR]!
  await machine.writeRegisters(registers)
  await machine.writeFlags?.((count * 0x9e37_79b1) >>> 0)
}

function remaining(machine: Machine, limits: Limits): Limits {
  const { instructions, cycles } = machine.counters
  return {
    ...(limits.instructions === undefined ? {} : { instructions: limits.instructions - instructions }),
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
