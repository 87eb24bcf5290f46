// Variables of .bss and .data side by side, of all sizes.
#include "objects.h"

static volatile u8 a = 1, b;
static volatile u16 c = 0x1234, d;
static volatile u32 e = 0xdeadbeef, f;
static volatile u64 g = 0x0123456789abcdef, h;
u64 entry(u8 *ctx, u64 len) {
  b = a + ctx[0]; d = c + b; f = e ^ d; h = g + f;
  a = b; c = d; e = f; g = h;
  return g ^ len;
}
