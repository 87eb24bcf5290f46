// Which map is only known when it runs: array or hash by an argument.
#include "maps.h"

MAP(array, ARRAY, u32, u32, 8);
MAP(hash, HASH, u32, u32, 8);
static noinline u32 bump(void *map, u32 key, u32 by) {
  u32 *at = map_lookup(map, &key);
  if (!at) { map_update(map, &key, &by, 0); return 1; }
  return *at += by;
}
u64 entry(u8 *ctx, u64 len) {
  u64 result = 0;
  for (u32 i = 0; i < 20; i++) result = result * 7 + bump(ctx[i] & 1 ? (void *)&array : (void *)&hash, ctx[i] >> 4, len + i);
  return result;
}
