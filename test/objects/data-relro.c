// Constant structs with pointers to each other, in a circle.
#include "objects.h"

struct place { const struct place *const *roads; u32 number; };
extern const struct place north, south, east;
static const struct place *const from_north[] = {&south, &east}, *const from_south[] = {&east, &north}, *const from_east[] = {&north, &north};
const struct place north = {from_north, 3}, south = {from_south, 5}, east = {from_east, 7};
u64 entry(u8 *ctx, u64 len) {
  const struct place *at = len & 1 ? &north : &south;
  u64 way = 0;
  for (u32 i = 0; i < 24; i++) { at = at->roads[ctx[i] & 1]; way = way * 3 + at->number; }
  return way;
}
