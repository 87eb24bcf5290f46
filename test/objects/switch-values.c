// A switch that compilers make a table of values of.
#include "objects.h"

static noinline u32 value(u32 of) {
  switch (of) {
  case 0: return 17;
  case 1: return 4;
  case 2: return 99;
  case 3: return 1000;
  case 4: return 3;
  case 5: return 65535;
  case 6: return 12;
  case 7: return 8;
  default: return 1;
  }
}
u64 entry(u8 *ctx, u64 len) {
  u64 sum = len;
  for (u32 i = 0; i < 64; i++) sum = sum * 3 + value(ctx[i] & 15);
  return sum;
}
