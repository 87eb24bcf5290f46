// Sorting, with the order as a function.
#include "objects.h"

static noinline s32 rising(u32 a, u32 b) { return a < b ? -1 : a > b; }
static noinline s32 falling(u32 a, u32 b) { return rising(b, a); }
static u32 values[16];
static noinline void sort(u32 count, s32 (*order)(u32, u32)) {
  for (u32 i = 1; i < count; i++)
    for (u32 j = i; j > 0 && order(values[j - 1], values[j]) > 0; j--) {
      u32 kept = values[j]; values[j] = values[j - 1]; values[j - 1] = kept;
    }
}
u64 entry(u8 *ctx, u64 len) {
  for (u32 i = 0; i < 16; i++) values[i] = ctx[i] * 7 + len;
  sort(16, len & 1 ? rising : falling);
  u64 hash = 0;
  for (u32 i = 0; i < 16; i++) hash = hash * 31 + values[i];
  return hash;
}
