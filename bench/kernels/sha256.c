// SHA-256 of `len` blocks, with the message schedule in 16 words of stack.
#include "kernel.h"

struct input {
  u32 constants[64];
  u32 hash[8];
  u8 message[]; // len blocks of 64 bytes
};

INLINE u32 rotate(u32 x, int n) { return (x >> n) | (x << (32 - n)); }

u64 entry(void *ctx, u64 len) {
  struct input *input = ctx;
  u32 *hash = input->hash;
  for (u32 block = 0; block < (u32)len; block++) {
    const u32 *message = (const u32 *)(input->message + 64 * block);
    u32 w[16];
    for (int i = 0; i < 16; i++)
      w[i] = __builtin_bswap32(message[i]);
    u32 a = hash[0], b = hash[1], c = hash[2], d = hash[3], e = hash[4], f = hash[5], g = hash[6], h = hash[7];
    for (int i = 0; i < 64; i++) {
      u32 word;
      if (i < 16) {
        word = w[i];
      } else {
        u32 x = w[(i + 1) & 15], y = w[(i + 14) & 15];
        word = w[i & 15] + (rotate(x, 7) ^ rotate(x, 18) ^ (x >> 3)) + w[(i + 9) & 15] +
               (rotate(y, 17) ^ rotate(y, 19) ^ (y >> 10));
        w[i & 15] = word;
      }
      u32 t1 =
          h + (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) + ((e & f) ^ (~e & g)) + input->constants[i] + word;
      u32 t2 = (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
      h = g;
      g = f;
      f = e;
      e = d + t1;
      d = c;
      c = b;
      b = a;
      a = t1 + t2;
    }
    hash[0] += a;
    hash[1] += b;
    hash[2] += c;
    hash[3] += d;
    hash[4] += e;
    hash[5] += f;
    hash[6] += g;
    hash[7] += h;
  }
  return ((u64)hash[0] << 32) | hash[1];
}
