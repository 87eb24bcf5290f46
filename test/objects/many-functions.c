// A tree of calls, with arguments in all five registers.
#include "objects.h"

static noinline u64 leaf(u64 a, u64 b, u64 c, u64 d, u64 e) { return a + 2 * b + 3 * c + 5 * d + 7 * e; }
static noinline u64 branch(u64 a, u64 b, u64 c, u64 d, u64 e) { return leaf(e, d, c, b, a) ^ leaf(a, b, c, d, e); }
noinline u64 trunk(u64 a, u64 b) { return branch(a, b, a + b, a - b, a ^ b) + branch(b, a, 1, 2, 3); }
u64 entry(u8 *ctx, u64 len) {
  u64 sum = 0;
  for (u32 i = 0; i < 8; i++) sum += trunk(ctx[i], len + i);
  return sum;
}
