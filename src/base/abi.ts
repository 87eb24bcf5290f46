// What compiled code and its callers agree on beyond AAPCS; docs/abi.md is the specification.

/**
 * struct thumbpf_env, one a call, 4-aligned, passed in r2; offsets in bytes. `sp` is written by the entry's prologue.
 * A trap stores `outcome` (0 = returned, else a TrapCode) and `pc` (an address in the trapping code, bit 0 set, from which
 * the line table gives the BPF instruction) and leaves with r0:r1 = 0. `ctx` and `len` are the entry's R1 and R2, set by
 * the caller. `tailCalls` counts them, from 0. `table` is the address of the addresses that position-independent code uses.
 */
export const Env = { outcome: 0, pc: 4, sp: 8, ctx: 12, len: 16, tailCalls: 20, table: 24, size: 32 } as const

/**
 * Bytes at the end of the address space that no program may have anything in or access: docs/abi.md, "Memory". So a pointer that
 * steps through memory faults before it wraps, and an object with room behind its address ends below 2^32.
 */
export const UNMAPPED_END = 0x10000
