// Functions and data in sections of their own.
#include "objects.h"

SEC("helpers") noinline u64 scale(u64 a) { return a * 3; }
SEC("more") noinline u64 shift(u64 a) { return scale(a) << 2; }
SEC(".data.tuning") u32 gain = 9;
SEC(".rodata.limits") const u32 limits[4] = {10, 20, 30, 40};
SEC("program") u64 entry(u8 *ctx, u64 len) {
  gain += ctx[9];
  return shift(len) + scale(gain) + limits[ctx[8] & 3];
}
