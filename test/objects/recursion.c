// A function that calls itself, with a memory of results.
#include "objects.h"

static u32 known[32];
static noinline u32 fibonacci(u32 n) {
  if (n < 2) return n;
  if (known[n & 31]) return known[n & 31];
  u32 value = fibonacci(n - 1) + fibonacci(n - 2);
  known[n & 31] = value;
  return value;
}
u64 entry(u8 *ctx, u64 len) { return fibonacci(ctx[0] % 24) * 1000ull + fibonacci(len % 20); }
