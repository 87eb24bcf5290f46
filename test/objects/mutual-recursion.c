// Two functions that call each other, one by pointer.
#include "objects.h"

static noinline u32 odd(u32 n);
static u32 (*const next)(u32) = odd;
static volatile u32 calls;
static noinline u32 even(u32 n) { calls++; return n == 0 ? 1 : next(n - 1); }
static noinline u32 odd(u32 n) { calls++; return n == 0 ? 0 : even(n - 1); }
u64 entry(u8 *ctx, u64 len) {
  u64 result = even(ctx[0] % 20) * 2;
  result += odd(len % 16);
  return result + calls * 100;
}
