// Global variables, written through pointers to them.
#include "objects.h"

u32 first = 3, second = 4;
s64 third = -5;
u32 *choice[2] = {&first, &second};
u64 entry(u8 *ctx, u64 len) {
  *choice[ctx[3] & 1] += len;
  *choice[1] *= 7;
  third -= first;
  return third + ((u64)second << 32);
}
