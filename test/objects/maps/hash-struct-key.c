// A hash with keys of 13 bytes, updated with every flag and deleted from.
#include "maps.h"

struct __attribute__((packed)) flow { u32 from, to; u16 port; u8 kind[3]; };
struct state { u64 bytes; u32 packets; };
MAP(flows, HASH, struct flow, struct state, 16);
u64 entry(u8 *ctx, u64 len) {
  u64 hash = 7;
  for (u32 i = 0; i < 16; i++) {
    struct flow key = { ctx[i] & 1, ctx[i + 1] & 1, 80, { 1, ctx[i + 2] & 1, 3 } };
    struct state *at = map_lookup(&flows, &key), fresh = { len, 1 };
    if (at) { at->bytes += ctx[i]; at->packets++; hash = hash * 31 + at->bytes; }
    if (ctx[i] & 8) hash = hash * 31 + map_delete(&flows, &key);
    else hash = hash * 31 + map_update(&flows, &key, &fresh, ctx[i] & 3);
  }
  return hash;
}
