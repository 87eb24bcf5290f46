// Three maps and data together: a queue in .data, totals in an array, names in a hash.
#include "maps.h"

MAP(totals, ARRAY, u32, u64, 3);
MAP(names, HASH, u64, u8[6], 8);
static u32 calls = 100;
static const char greeting[6] = "hello";
u64 entry(u8 *ctx, u64 len) {
  u32 which = calls++ % 4;
  u64 *total = map_lookup(&totals, &which), id = (u64)ctx[3] << 33 | (ctx[0] & 3);
  u8 name[6];
  for (int i = 0; i < 6; i++) name[i] = greeting[i] + which;
  if (total) *total += len;
  u64 result = map_update(&names, &id, name, 0);
  u8 *found = map_lookup(&names, &id);
  if (found) for (int i = 0; i < 6; i++) ctx[i] = found[i];
  return result << 32 | calls;
}
