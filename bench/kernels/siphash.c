// SipHash-2-4 of `len` bytes.
#include "kernel.h"

struct input {
  u64 key[2];
  u8 message[];
};

INLINE u64 rotate(u64 x, int n) { return (x << n) | (x >> (64 - n)); }

#define ROUND()                                                                                                        \
  do {                                                                                                                 \
    v0 += v1, v1 = rotate(v1, 13), v1 ^= v0, v0 = rotate(v0, 32);                                                      \
    v2 += v3, v3 = rotate(v3, 16), v3 ^= v2;                                                                           \
    v0 += v3, v3 = rotate(v3, 21), v3 ^= v0;                                                                           \
    v2 += v1, v1 = rotate(v1, 17), v1 ^= v2, v2 = rotate(v2, 32);                                                      \
  } while (0)

u64 entry(void *ctx, u64 len) {
  const struct input *input = ctx;
  const u64 *key = input->key;
  const u8 *message = input->message;
  const u32 length = (u32)len;
  u64 v0 = 0x736f6d6570736575ull ^ key[0], v1 = 0x646f72616e646f6dull ^ key[1];
  u64 v2 = 0x6c7967656e657261ull ^ key[0], v3 = 0x7465646279746573ull ^ key[1];

  u32 at = 0;
  for (; at + 8 <= length; at += 8) {
    u64 word = *(const u64 *)(message + at);
    v3 ^= word;
    for (int i = 0; i < 2; i++)
      ROUND();
    v0 ^= word;
  }
  u64 last = (u64)length << 56;
  for (u32 i = 0; at + i < length; i++)
    last |= (u64)message[at + i] << (8 * i);
  v3 ^= last;
  for (int i = 0; i < 2; i++)
    ROUND();
  v0 ^= last;
  v2 ^= 0xff;
  for (int i = 0; i < 4; i++)
    ROUND();
  return v0 ^ v1 ^ v2 ^ v3;
}
