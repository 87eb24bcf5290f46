// The core registers and the sets that AAPCS (IHI 0042) makes of them. A set is a bit mask: bit r is register r.

export const SP = 13
export const LR = 14
export const PC = 15

/** Arguments and results. */
export const ARGUMENTS = 0x000f
/** Lost over a call: r0-r3, r12, LR. */
export const CALLER_SAVED = 0x500f
/** Kept over a call: r4-r11. */
export const CALLEE_SAVED = 0x0ff0
/** What the allocator may hand out: r0-r12 and LR. */
export const ALLOCATABLE = 0x5fff
/** Those that the three-bit fields of 16-bit encodings can name. */
export const LOW = 0x00ff

export const registerNames: readonly string[] = [
  'r0',
  'r1',
  'r2',
  'r3',
  'r4',
  'r5',
  'r6',
  'r7',
  'r8',
  'r9',
  'r10',
  'r11',
  'r12',
  'sp',
  'lr',
  'pc',
]
