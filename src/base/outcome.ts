// How a run of a program ends, on the interpreter and on every machine. Never an exception.

/** Why the compiled code or the interpreter left a program by the trap path. The numbers are ABI (env.outcome). */
export const TrapCode = {
  /** An atomic operation on an address that is not a multiple of its size. */
  MISALIGNED_ATOMIC: 1,
  /** callx of a helper number that was not granted. */
  UNKNOWN_HELPER: 2,
  /** Calls nested deeper than the limit. */
  CALL_DEPTH: 3,
  /** An access outside of every region (interpreter; later the sandbox). */
  BAD_ACCESS: 4,
} as const
export type TrapCode = (typeof TrapCode)[keyof typeof TrapCode]

/** Sentence for a trap code. */
export function trapMessage(code: number): string {
  switch (code) {
    case TrapCode.MISALIGNED_ATOMIC:
      return 'misaligned atomic access'
    case TrapCode.UNKNOWN_HELPER:
      return 'call of a helper that was not granted'
    case TrapCode.CALL_DEPTH:
      return 'calls nested too deep'
    case TrapCode.BAD_ACCESS:
      return 'memory access outside of every region'
    default:
      return `trap ${code}`
  }
}

/** The program returned. `r0` is all 64 bits, unsigned. */
export interface Returned {
  readonly kind: 'returned'
  readonly r0: bigint
}
/** The program left by its own trap path. `slot` is the BPF instruction that caused it, -1 if not known. */
export interface Trapped {
  readonly kind: 'trapped'
  readonly code: number
  readonly slot: number
  readonly message: string
}
/** The processor faulted. `pc` is the address of the Thumb instruction, `slot` the BPF instruction, -1 if not known. */
export interface Faulted {
  readonly kind: 'faulted'
  /** STKOF where the stack has overflowed, else the architectural name: INVSTATE, UNDEFINSTR, UNALIGNED, DIVBYZERO, PRECISERR, IBUSERR, DACCVIOL, IACCVIOL, INVPC, NOCP. */
  readonly fault: string
  readonly pc: number
  /** Data address, when the fault has one. */
  readonly address: number | undefined
  readonly slot: number
  readonly message: string
}
/** The run was stopped by a limit on instructions, cycles or time. */
export interface Limited {
  readonly kind: 'limited'
  readonly limit: 'instructions' | 'cycles' | 'time'
  readonly pc: number
  readonly slot: number
  readonly message: string
}
export type Outcome = Returned | Trapped | Faulted | Limited

/** One line for people; `source` is the C line (`file:line`) of the outcome's slot, where it is known. */
export function formatOutcome(outcome: Outcome, source?: string): string {
  if (outcome.kind === 'returned') return `r0 = 0x${outcome.r0.toString(16)}`
  const line = source === undefined ? '' : ` (${source})`
  const at = outcome.slot >= 0 ? ` at BPF instruction ${outcome.slot}${line}` : ''
  const pc = 'pc' in outcome ? ` (pc 0x${outcome.pc.toString(16).padStart(8, '0')})` : ''
  return `${outcome.kind}${at}${pc}: ${outcome.message}`
}
