// Structs in an array, written through pointers and by update.
#include "maps.h"

struct point { s16 x; u8 tag; s32 y; u8 name[5]; };
MAP(points, ARRAY, u32, struct point, 7);
u64 entry(u8 *ctx, u64 len) {
  s64 sum = 0;
  for (u32 i = 0; i < 9; i++) {
    struct point *at = map_lookup(&points, &i);
    if (!at) { ctx[i] ^= 0x55; continue; }
    sum += at->x * 3 + at->y;
    at->x -= ctx[i];
    at->y += (s32)len * at->x;
    at->tag++;
    at->name[i % 5] = ctx[i + 1];
  }
  struct point fresh = { -5, 1, -100000, { 1, 2, 3, 4, 5 } };
  u32 index = len & 7;
  sum += map_update(&points, &index, &fresh, ctx[0] & 3);
  return sum;
}
