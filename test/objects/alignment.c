// Data that must be aligned.
#include "objects.h"

static u8 odd = 3;
static u64 pair[2] __attribute__((aligned(16))) = {1, 2};
static u8 other[3] = {1, 2, 3};
static volatile u32 page __attribute__((aligned(64))) = 9;
u64 entry(u8 *ctx, u64 len) {
  u64 wrong = ((u64)pair & 15) + ((u64)&page & 63);
  odd += ctx[0]; other[ctx[1] % 3]++;
  return wrong * 1000000 + odd + pair[len & 1] * 300 + other[1] * 5 + page;
}
