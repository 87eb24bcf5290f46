// LZSS: unpacks `len` bytes of flags, literals, and pairs of a 12-bit distance and a 4-bit length; Adler-32 of the result.
#include "kernel.h"

#define ROOM 1000

struct input {
  u8 out[1024];
  u8 packed[]; // len bytes
};

u64 entry(void *ctx, u64 len) {
  struct input *input = ctx;
  const u8 *from = input->packed, *end = from + len;
  u8 *out = input->out;
  u32 count = 0, flags = 0;
  while (from < end && count < ROOM) {
    flags >>= 1;
    if (!(flags & 0x100))
      flags = *from++ | 0xff00u;
    if (flags & 1) {
      out[count++] = *from++;
      continue;
    }
    u32 pair = (u32)from[0] | (u32)from[1] << 8;
    from += 2;
    u32 distance = (pair & 0xfff) % (count + 1), length = (pair >> 12) + 3;
    if (distance == 0) {
      out[count++] = 0;
      continue;
    }
    for (; length > 0 && count < ROOM; length--, count++)
      out[count] = out[count - distance];
  }
  u32 a = 1, b = 0;
  for (u32 i = 0; i < count; i++) {
    a = (a + out[i]) % 65521;
    b = (b + a) % 65521;
  }
  return (u64)count << 32 | b << 16 | a;
}
