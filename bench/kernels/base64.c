// Base64 of `len` bytes, with padding and a line break after each 76 characters.
#include "kernel.h"

struct input {
  u8 alphabet[64];
  u8 bytes[]; // len bytes, then room for the text
};

u64 entry(void *ctx, u64 len) {
  struct input *input = ctx;
  const u32 length = (u32)len;
  const u8 *from = input->bytes;
  u8 *to = input->bytes + length, *start = to;
  u32 column = 0;

  for (u32 i = 0; i < length; i += 3) {
    u32 left = length - i;
    u32 group = (u32)from[i] << 16;
    if (left > 1)
      group |= (u32)from[i + 1] << 8;
    if (left > 2)
      group |= from[i + 2];
    *to++ = input->alphabet[group >> 18];
    *to++ = input->alphabet[(group >> 12) & 63];
    *to++ = left > 1 ? input->alphabet[(group >> 6) & 63] : '=';
    *to++ = left > 2 ? input->alphabet[group & 63] : '=';
    column += 4;
    if (column == 76) {
      *to++ = '\n';
      column = 0;
    }
  }
  return (u64)(to - start);
}
