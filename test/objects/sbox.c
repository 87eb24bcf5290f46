// A byte cipher: a table that is inverted into .bss, both used.
#include "objects.h"

static const u8 box[16] = {12, 5, 6, 11, 9, 0, 10, 13, 3, 14, 15, 8, 4, 7, 1, 2};
static u8 inverse[16];
static noinline u8 through(const u8 *table, u8 byte) { return table[byte & 15] | table[byte >> 4] << 4; }
u64 entry(u8 *ctx, u64 len) {
  for (u32 i = 0; i < 16; i++) inverse[box[i]] = i;
  u64 wrong = 0;
  for (u32 i = 0; i < 64; i++) {
    u8 coded = through(box, ctx[i]);
    if (through(inverse, coded) != ctx[i]) wrong++;
    ctx[i] = coded + len;
  }
  return wrong * 1000 + ctx[17];
}
