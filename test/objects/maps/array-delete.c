// Deleting from an array is an error; update with flags.
#include "maps.h"

MAP(words, ARRAY, u32, u32, 4);
u64 entry(u8 *ctx, u64 len) {
  u32 key = len & 7, value = *(u32 *)ctx;
  u64 all = 0;
  all = all * 31 + map_delete(&words, &key);
  for (u64 flags = 0; flags < 5; flags++) { value += flags; all = all * 31 + map_update(&words, &key, &value, flags); }
  return all;
}
