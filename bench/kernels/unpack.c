// Unpacks an LZ4 block of `len` bytes: literals and matches by tokens, with lengths that go on byte by byte.
#include "kernel.h"

#define ROOM 2048

struct input {
  u8 output[ROOM];
  u8 packed[];
};

u64 entry(void *ctx, u64 len) {
  struct input *input = ctx;
  const u8 *from = input->packed, *end = from + len;
  u8 *start = input->output, *to = start, *limit = start + ROOM;
  while (from < end) {
    u32 token = *from++;
    u32 length = token >> 4;
    if (length == 15) {
      u32 more;
      do {
        more = *from++;
        length += more;
      } while (more == 255);
    }
    if (length > (u32)(limit - to) || length > (u32)(end - from))
      return ~0ull;
    while (length--)
      *to++ = *from++;
    if (from == end)
      break;

    u32 distance = from[0] | (u32)from[1] << 8;
    from += 2;
    length = (token & 15) + 4;
    if (length == 19) {
      u32 more;
      do {
        more = *from++;
        length += more;
      } while (more == 255);
    }
    if (distance == 0 || distance > (u32)(to - start) || length > (u32)(limit - to))
      return ~1ull;
    const u8 *match = to - distance;
    while (length--)
      *to++ = *match++;
  }
  u32 hash = 0;
  for (const u8 *byte = start; byte < to; byte++)
    hash = hash * 33 + *byte;
  return (u64)hash << 32 | (u32)(to - start);
}
