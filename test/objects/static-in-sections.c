// Static functions in other sections, called and taken as addresses.
#include "objects.h"

SEC("a") static noinline u32 left(u32 x) { return x << 1 | 1; }
SEC("b") static noinline u32 right(u32 x) { return x >> 1; }
SEC("c") static noinline u32 choose(u32 which, u32 x) { return which ? left(x) : right(x); }
static u32 (*const table[3])(u32) = {right, left, right};
SEC("d") u64 entry(u8 *ctx, u64 len) {
  u32 x = len + 1000;
  for (u32 i = 0; i < 12; i++) x = choose(ctx[i] & 1, x) + table[ctx[i] % 3](x);
  return x;
}
