// Helpers: the functions of the host that a program may call by number (RFC 9669, section 4.3.1), and their signatures.

import { extendResult, narrowValue, type Prototype } from '../base/prototype.ts'

/** The memory that a program sees, for the helper that it called. Addresses are the target's, 32 bits. */
export interface HelperMemory {
  /** `length` bytes, a copy. Throws (or rejects with) HelperFault where not all can be read: the program ends there. */
  read(address: number, length: number): Uint8Array | Promise<Uint8Array>
  /** Throws (or rejects with) HelperFault where not all can be written. */
  write(address: number, bytes: Uint8Array): void | Promise<void>
}

/** A helper was given an address outside of memory. */
export class HelperFault extends Error {
  override readonly name = 'HelperFault'
  readonly address: number
  constructor(address: number, access: 'read' | 'write') {
    super(`a helper's ${access} at 0x${address.toString(16).padStart(8, '0')} is outside of memory`)
    this.address = address
  }
}

/**
 * Takes R1 to R5 and gives R0 (0 if nothing is returned). With a prototype each argument is what a C function of that
 * signature would see (signed types may be negative) and 0 where it has no such parameter, and the result is narrowed to its type and
 * extended by its sign; without one all are 64 bits, unsigned.
 */
export type HostHelper = (
  r1: bigint,
  r2: bigint,
  r3: bigint,
  r4: bigint,
  r5: bigint,
  memory: HelperMemory,
) => bigint | void | Promise<bigint | void>

export interface Helper {
  readonly name: string
  readonly fn: HostHelper
  /** Without one: u64 fn(u64, u64, u64, u64, u64). */
  readonly prototype?: Prototype | undefined
}

/** What is granted to a program. */
export interface HelperSet {
  readonly helpers: ReadonlyMap<number, Helper>
  /** Number of the helper that unwinds: when it returns 0, the whole program ends with 0. */
  readonly unwind?: number | undefined
}

/** Nothing granted. */
export const noHelpers: HelperSet = { helpers: new Map() }

/** Numbers of granted helpers, with their prototypes where they have one. */
export type Grants = ReadonlySet<number> | ReadonlyMap<number, Prototype | undefined>

/** Prototypes by helper number. */
export type HelperTable = ReadonlyMap<number, Prototype>

/** The prototype that a granted helper has, if it has one. */
export function prototypeOf(grants: Grants, number: number): Prototype | undefined {
  return 'get' in grants ? grants.get(number) : undefined
}

type Registers = readonly [bigint, bigint, bigint, bigint, bigint]

/** Calls a helper as a program does, with R1 to R5: the result is R0, unsigned 64 bits. */
export function callHelper(helper: Helper, registers: Registers, memory: HelperMemory): bigint | Promise<bigint> {
  const { fn, prototype } = helper
  const [a, b, c, d, e] = prototype === undefined ? registers : argumentsFor(prototype, registers)
  const result = fn(a, b, c, d, e, memory)
  return result instanceof Promise ? result.then((value) => resultOf(value, prototype)) : resultOf(result, prototype)
}

/** R1 to R5 as a function of this signature sees them. */
function argumentsFor({ parameters }: Prototype, registers: Registers): Registers {
  const at = (index: number): bigint => {
    const parameter = parameters[index]
    return parameter === undefined ? 0n : narrowValue(registers[index]!, parameter.type)
  }
  return [at(0), at(1), at(2), at(3), at(4)]
}

/** R0 for what a host function gave, unsigned 64 bits. */
export function resultOf(result: bigint | void, prototype: Prototype | undefined): bigint {
  return extendResult(typeof result === 'bigint' ? result : 0n, prototype?.result ?? 'u64')
}
