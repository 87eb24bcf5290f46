// Atomic operations on values of maps.
#include "maps.h"

MAP(counters, ARRAY, u32, u64, 4);
MAP(bits, HASH, u8, u32, 4);
u64 entry(u8 *ctx, u64 len) {
  u64 result = 0;
  for (u32 i = 0; i < 4; i++) {
    u64 *at = map_lookup(&counters, &i);
    if (at) __sync_fetch_and_add(at, ctx[i] + len);
    u8 key = ctx[i] & 7;
    u32 *word = map_lookup(&bits, &key), fresh = i;
    if (word) __sync_fetch_and_add(word, 3);
    else result = result * 3 + map_update(&bits, &key, &fresh, 0);
  }
  return result;
}
