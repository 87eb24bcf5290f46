// Decodes `len` symbols of a canonical Huffman code from a stream of bits, as deflate and JPEG do.
#include "kernel.h"

struct input {
  u16 counts[16]; // of codes by length
  u8 symbols[256];
  u8 output[512];
  u8 stream[];
};

struct bits {
  const u8 *next;
  u32 buffer, left;
};

INLINE u32 take(struct bits *bits) {
  if (bits->left == 0) {
    bits->buffer = *bits->next++;
    bits->left = 8;
  }
  bits->left--;
  return (bits->buffer >> bits->left) & 1;
}

static s32 decode(struct bits *bits, const struct input *input) {
  s32 code = 0, first = 0, index = 0;
  for (u32 length = 1; length < 16; length++) {
    code |= (s32)take(bits);
    s32 count = input->counts[length];
    if (code - count < first)
      return input->symbols[(index + (code - first)) & 255];
    index += count;
    first = (first + count) << 1;
    code <<= 1;
  }
  return -1;
}

u64 entry(void *ctx, u64 len) {
  struct input *input = ctx;
  struct bits bits = {input->stream, 0, 0};
  u32 check = 0;
  for (u32 i = 0; i < (u32)len; i++) {
    s32 symbol = decode(&bits, input);
    if (symbol < 0)
      return ~0ull;
    input->output[i & 511] = (u8)symbol;
    check = (check << 3 | check >> 29) + (u32)symbol;
  }
  return (u64)(bits.next - input->stream) << 32 | check;
}
