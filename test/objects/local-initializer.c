// Arrays on the stack with first values: constants that are copied (.rodata.cst).
#include "objects.h"

u64 entry(u8 *ctx, u64 len) {
  u32 weights[8] = {3, 1, 4, 1, 5, 9, 2, 6};
  u64 masks[4] = {0xff, 0xff00, 0xff0000, 0xff000000};
  volatile u32 *changed = weights;
  changed[ctx[0] & 7] += len;
  u64 sum = 0;
  for (u32 i = 0; i < 64; i++) sum += ctx[i] * changed[i & 7] ^ masks[i & 3];
  return sum;
}
