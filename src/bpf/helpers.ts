// Helpers: the functions of the host that a program may call by number (RFC 9669, section 4.3.1).

/** Takes R1 to R5, unsigned 64 bits, and gives R0 (taken modulo 2^64; 0 if nothing is returned). */
export type HostHelper = (r1: bigint, r2: bigint, r3: bigint, r4: bigint, r5: bigint) => bigint | void

export interface Helper {
  readonly name: string
  readonly fn: HostHelper
}

/** What is granted to a program. */
export interface HelperSet {
  readonly helpers: ReadonlyMap<number, Helper>
  /** Number of the helper that unwinds: when it returns 0, the whole program ends with 0. */
  readonly unwind?: number | undefined
}

/** Nothing granted. */
export const noHelpers: HelperSet = { helpers: new Map() }

/** Calls a helper as a program does: the result is R0, unsigned 64 bits. */
export function callHelper(helper: Helper, args: readonly [bigint, bigint, bigint, bigint, bigint]): bigint {
  const result = helper.fn(...args)
  return typeof result === 'bigint' ? BigInt.asUintN(64, result) : 0n
}
