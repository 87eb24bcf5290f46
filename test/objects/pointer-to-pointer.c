// Pointers to pointers, and into the middle and past the end of arrays.
#include "objects.h"

static u32 numbers[8] = {1, 2, 3, 4, 5, 6, 7, 8};
static u32 *middle = &numbers[4], *end = &numbers[8];
static u32 **both[2] = {&middle, &end};
u64 entry(u8 *ctx, u64 len) {
  *both[0] += ctx[0] & 3;
  u64 sum = len;
  for (u32 *at = middle; at != end; at++) sum = sum * 10 + *at;
  return sum * 100 + (**both[0]) * 10 + (end - middle) + middle[-1];
}
