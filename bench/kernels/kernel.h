// What every kernel includes. A kernel is one C file for BPF and native compilers alike, with one global function,
// `u64 entry(void *ctx, u64 len)`: no helpers, no maps, no library. Its input is made by bench/inputs.ts.

#ifndef KERNEL_H
#define KERNEL_H

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef signed char s8;
typedef short s16;
typedef int s32;
typedef long long s64;

#define INLINE static inline __attribute__((always_inline))
#define NOINLINE static __attribute__((noinline))

u64 entry(void *ctx, u64 len);

#endif
