// What stands above every random C program: types of all widths, operations that C leaves undefined for some operands (here they are
// not), and atomic ones, which BPF v2 has but one of.

export const TYPES = ['u8', 's8', 'u16', 's16', 'u32', 's32', 'u64', 's64'] as const
export type Type = (typeof TYPES)[number]
export const UNSIGNED = ['u8', 'u16', 'u32', 'u64'] as const
export const SIGNED = ['s8', 's16', 's32', 's64'] as const
export const BYTES = { u8: 1, s8: 1, u16: 2, s16: 2, u32: 4, s32: 4, u64: 8, s64: 8 } as const

/** Signed overflow wraps around, of pointers too, and any type may access any memory. */
export const DIALECT = [
  '-fno-strict-overflow',
  '-fno-strict-aliasing',
  '-fno-stack-protector',
  '-fno-builtin',
  '-w',
] as const

export const PRELUDE = `
typedef unsigned char u8; typedef signed char s8; typedef unsigned short u16; typedef short s16;
typedef unsigned int u32; typedef int s32; typedef unsigned long long u64; typedef long long s64;
${TYPES.map((type) => `typedef ${type} ${type}_any __attribute__((aligned(1)));`).join('\n')}
#define INLINE static inline __attribute__((always_inline))
#define CALLED static __attribute__((noinline))
INLINE u64 udiv(u64 a, u64 b) { return b ? a / b : 7; }
INLINE u64 umod(u64 a, u64 b) { return b ? a % b : a; }
INLINE u32 udiv32(u32 a, u32 b) { return b ? a / b : 9; }
INLINE u32 umod32(u32 a, u32 b) { return b ? a % b : a; }
#if defined(__bpf__) && __BPF_CPU_VERSION__ < 4
INLINE u64 magnitude(s64 a) { return a < 0 ? -(u64)a : (u64)a; }
INLINE s64 quotient(s64 a, s64 b) { u64 q = magnitude(a) / magnitude(b); return (a < 0) != (b < 0) ? -q : q; }
INLINE s64 rest(s64 a, s64 b) { u64 q = magnitude(a) % magnitude(b); return a < 0 ? -q : q; }
#else
INLINE s64 quotient(s64 a, s64 b) { return a / b; }
INLINE s64 rest(s64 a, s64 b) { return a % b; }
#endif
INLINE s64 sdiv(s64 a, s64 b) { return b == 0 || b == -1 ? a : quotient(a, b); }
INLINE s64 smod(s64 a, s64 b) { return b == 0 || b == -1 ? 3 : rest(a, b); }
#if defined(__bpf__) && __BPF_CPU_VERSION__ < 4
INLINE s32 sdiv32(s32 a, s32 b) { return sdiv(a, b); }
INLINE s32 smod32(s32 a, s32 b) { return smod(a, b); }
#else
INLINE s32 sdiv32(s32 a, s32 b) { return b == 0 || b == -1 ? a : a / b; }
INLINE s32 smod32(s32 a, s32 b) { return b == 0 || b == -1 ? 3 : a % b; }
#endif
INLINE u32 rol32(u32 a, u32 n) { return a << (n & 31) | a >> (-n & 31); }
INLINE u32 ror32(u32 a, u32 n) { return a >> (n & 31) | a << (-n & 31); }
INLINE u64 rol64(u64 a, u32 n) { return a << (n & 63) | a >> (-n & 63); }
INLINE u8 rol8(u8 a, u32 n) { return a << (n & 7) | a >> (-n & 7); }
INLINE u32 ones(u64 x) { u32 n = 0; while (x) { x &= x - 1; n++; } return n; }
INLINE u64 mix(u64 h, u64 v) { h ^= v + 0x9e3779b9u; return rol64(h, 13) * 5 + (h >> 40); }
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))
#define ABS(a) ((a) < 0 ? -(a) : (a))
#define CLAMP(a, l, h) ((a) < (l) ? (l) : (a) > (h) ? (h) : (a))
#if defined(__bpf__) && __BPF_CPU_VERSION__ < 3
#define CHANGE(p, v, change) ({ __typeof__(*(p)) new = (v), old = *(p); *(p) = change; old; })
#define FETCH_ADD(p, v) CHANGE(p, v, old + new)
#define FETCH_SUB(p, v) CHANGE(p, v, old - new)
#define FETCH_AND(p, v) CHANGE(p, v, old & new)
#define FETCH_OR(p, v) CHANGE(p, v, old | new)
#define FETCH_XOR(p, v) CHANGE(p, v, old ^ new)
#define EXCHANGE(p, v) CHANGE(p, v, new)
#define COMPARE_EXCHANGE(p, c, v) ({ __typeof__(*(p)) if_old = (c); CHANGE(p, v, old == if_old ? new : old); })
#else
#define FETCH_ADD __sync_fetch_and_add
#define FETCH_SUB __sync_fetch_and_sub
#define FETCH_AND __sync_fetch_and_and
#define FETCH_OR __sync_fetch_and_or
#define FETCH_XOR __sync_fetch_and_xor
#define EXCHANGE __sync_lock_test_and_set
#define COMPARE_EXCHANGE __sync_val_compare_and_swap
#endif
`
