// Constants of 64 bits, and signed ones of 8.
#include "objects.h"

static const u64 keys[8] = {0x9e3779b97f4a7c15, 1, ~0ull, 0x8000000000000000, 5, 6, 7, 0x0102030405060708};
static const s8 steps[8] = {-1, 2, -3, 4, -5, 6, -128, 127};
u64 entry(u8 *ctx, u64 len) {
  s64 at = len;
  u64 sum = 0;
  for (u32 i = 0; i < 16; i++) { sum ^= keys[at & 7] * (i + 1); at += steps[ctx[i] & 7]; }
  return sum + at;
}
