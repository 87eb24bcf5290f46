// Function pointers compared, and one that is null.
#include "objects.h"

static noinline u32 one(u32 a) { return a + 1; }
static noinline u32 two(u32 a) { return a + 2; }
static u32 (*volatile current)(u32);
u64 entry(u8 *ctx, u64 len) {
  u64 result = current == 0;
  current = len & 1 ? one : two;
  result = result * 2 + (current == one);
  if (current) result = result * 1000 + current(ctx[2]);
  current = 0;
  return result * 2 + (current != 0);
}
