// Counts 16-bit words in a hash that gets full.
#include "maps.h"

MAP(counts, HASH, u16, u32, 40);
u64 entry(u8 *ctx, u64 len) {
  u64 result = 0;
  for (u32 i = 0; i < 32; i++) {
    u16 key = ((u16 *)ctx)[i] + len;
    u32 *count = map_lookup(&counts, &key), one = 1;
    if (count) *count += 1;
    else result = result * 3 + map_update(&counts, &key, &one, 1);
  }
  return result;
}
