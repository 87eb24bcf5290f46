// Checks UTF-8 (no overlong forms, no surrogates), counts its characters and makes ASCII letters capitals.
#include "kernel.h"

u64 entry(void *ctx, u64 len) {
  u8 *text = ctx;
  u64 characters = 0, capitals = 0;
  for (u64 i = 0; i < len; characters++) {
    u32 first = text[i], follow, least, point;
    if (first < 0x80) {
      if (first >= 'a' && first <= 'z') {
        text[i] = (u8)(first - 32);
        capitals++;
      }
      i++;
      continue;
    }
    if ((first & 0xe0) == 0xc0)
      follow = 1, least = 0x80, point = first & 0x1f;
    else if ((first & 0xf0) == 0xe0)
      follow = 2, least = 0x800, point = first & 0x0f;
    else if ((first & 0xf8) == 0xf0)
      follow = 3, least = 0x10000, point = first & 0x07;
    else
      return 1ull << 63 | i;
    if (i + follow >= len)
      return 1ull << 63 | i;
    for (u32 k = 1; k <= follow; k++) {
      u32 next = text[i + k];
      if ((next & 0xc0) != 0x80)
        return 1ull << 63 | i;
      point = point << 6 | (next & 0x3f);
    }
    if (point < least || point > 0x10ffff || (point >= 0xd800 && point < 0xe000))
      return 1ull << 63 | i;
    i += follow + 1;
  }
  return characters << 32 | capitals;
}
