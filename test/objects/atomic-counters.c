// Atomic additions to globals.
#include "objects.h"

static u32 small;
static u64 large = 1000;
u64 entry(u8 *ctx, u64 len) {
  for (u32 i = 0; i < 64; i++) {
    __sync_fetch_and_add(&small, ctx[i]);
    __sync_fetch_and_add(&large, small);
  }
  return large * 7 + small + len;
}
