// A table of constants, read at indices from the context.
#include "objects.h"

static const u16 squares[16] = {0, 1, 4, 9, 16, 25, 36, 49, 64, 81, 100, 121, 144, 169, 196, 225};
u64 entry(u8 *ctx, u64 len) {
  u64 sum = 0;
  for (u32 i = 0; i < 64; i++) sum = sum * 3 + squares[ctx[i] & 15];
  return sum + squares[len & 15];
}
