// Variables without a first value and without a place (-fcommon).
#include "objects.h"

u32 shared_total;
u64 shared_list[4];
u64 entry(u8 *ctx, u64 len) {
  for (u32 i = 0; i < 16; i++) { shared_total += ctx[i]; shared_list[i & 3] += shared_total * len; }
  return shared_list[0] ^ shared_list[1] * 3 ^ shared_list[3] * 5 ^ shared_total;
}
