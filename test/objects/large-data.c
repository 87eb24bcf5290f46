// More data than an immediate offset reaches.
#include "objects.h"

static u32 large[20000];
static const u8 far[40000] = {[39999] = 7, [20000] = 5};
u64 entry(u8 *ctx, u64 len) {
  large[0] = 1; large[19999] = ctx[0] + 2; large[9000 + (len & 63)] = 3;
  return large[19999] * 100 + large[9000 + (len & 63)] * 10 + far[39999] + far[20000 + (ctx[1] & 1)] + large[0];
}
