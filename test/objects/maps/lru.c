// A hash that drops what was used least recently.
#include "maps.h"

MAP(recent, LRU_HASH, u8, u64, 9);
u64 entry(u8 *ctx, u64 len) {
  u64 hits = 0;
  for (u32 i = 0; i < 48; i++) {
    u8 key = ctx[i] & 31;
    u64 *at = map_lookup(&recent, &key), value = i + len;
    if (at) { hits++; *at += 1; }
    else if (map_update(&recent, &key, &value, 0)) return -1;
  }
  return hits;
}
