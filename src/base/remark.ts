// What was done to an instruction of a program, for those who read the listing of its code.

export interface Remark {
  /** The BPF instruction. */
  readonly slot: number
  /** `the same as insn 12`. */
  readonly text: string
  /** Name of the stage that did it, as --dump has it. */
  readonly stage: string
}

/** What became of the instructions on their way through the passes, by slot. */
export interface Fates {
  /** Why nothing is left of it. */
  readonly gone: ReadonlyMap<number, Remark>
  /** Those of them whose result is not needed, by whoever reads it. */
  readonly unneeded: ReadonlySet<number>
  /** Which other form it has. */
  readonly changed: ReadonlyMap<number, Remark>
  /** The instructions that read what it gives: in the program, and behind all passes. */
  readonly read: ReadonlyMap<number, readonly number[]>
  readonly readers: ReadonlyMap<number, readonly number[]>
}
