// A machine is anything that runs code on a Cortex-M4: the simulator, QEMU, a board behind a debugger. This is what each
// of them must offer; calling a function by AAPCS (call.ts), the code heap (code-heap.ts) and instances (instance.ts)
// are built on this alone. All is asynchronous, because a debugger is.

/** A region that programs and their data may be placed in. */
export interface Region {
  readonly name: string
  readonly base: number
  readonly size: number
  readonly execute: boolean
  readonly write: boolean
}

/** Why the processor stopped. */
export type Stop =
  /** BKPT executed; pc is its address, not yet advanced. `number` is its immediate. */
  | { readonly kind: 'breakpoint'; readonly pc: number; readonly number: number }
  /** A fault: see Outcome's Faulted. */
  | {
      readonly kind: 'fault'
      readonly fault: string
      readonly pc: number
      readonly address: number | undefined
      readonly message: string
    }
  | { readonly kind: 'limit'; readonly limit: 'instructions' | 'cycles' | 'time'; readonly pc: number }

export interface Limits {
  /** Most instructions to execute in this run. Only where the machine can stop at a number of them. */
  readonly instructions?: number
  /** Most cycles. Only where the machine counts them. */
  readonly cycles?: number
  /** Most milliseconds. Only on machines behind a debugger. */
  readonly milliseconds?: number
}

/** Counted since the last reset of the counters. null where the machine does not count them. */
export interface Counters {
  instructions: number | null
  cycles: number | null
}

export interface Machine {
  readonly name: string
  readonly regions: readonly Region[]
  read(address: number, length: number): Promise<Uint8Array>
  write(address: number, bytes: Uint8Array): Promise<void>
  /** r0-r12, SP, LR, PC as 16 unsigned words. PC has bit 0 clear. */
  readRegisters(): Promise<Uint32Array>
  /** PC with bit 0 set or clear; the Thumb state bit of xPSR is set from bit 0 of `pc`: clear, execution faults with INVSTATE. */
  writeRegisters(registers: Uint32Array): Promise<void>
  /** Sets N Z C V Q (bits 31:27) and GE (19:16), where the machine can. After writeRegisters. */
  writeFlags?(apsr: number): Promise<void>
  /** PRIMASK, 0 or 1, where the machine can: what a call that was stopped has masked must not stay so. */
  readInterruptMask?(): Promise<number>
  writeInterruptMask?(mask: number): Promise<void>
  /** Makes code that was written visible to instruction fetch (DSB, ISB, caches of decoded code). */
  synchronize(address: number, length: number): Promise<void>
  run(limits: Limits): Promise<Stop>
  readonly counters: Counters
  resetCounters(): void
  close(): Promise<void>
}
