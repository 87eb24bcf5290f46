// ChaCha20: enciphers `len` bytes in place, block by block, with the state on the stack.
#include "kernel.h"

struct input {
  u32 state[16]; // constants, key, counter, nonce
  u8 bytes[];
};

INLINE u32 rotate(u32 x, int n) { return (x << n) | (x >> (32 - n)); }

INLINE void quarter(u32 *x, int a, int b, int c, int d) {
  x[a] += x[b];
  x[d] = rotate(x[d] ^ x[a], 16);
  x[c] += x[d];
  x[b] = rotate(x[b] ^ x[c], 12);
  x[a] += x[b];
  x[d] = rotate(x[d] ^ x[a], 8);
  x[c] += x[d];
  x[b] = rotate(x[b] ^ x[c], 7);
}

u64 entry(void *ctx, u64 len) {
  struct input *input = ctx;
  const u32 length = (u32)len;
  u32 check = 0;
  for (u32 at = 0; at < length; at += 64) {
    u32 x[16];
    for (int i = 0; i < 16; i++)
      x[i] = input->state[i];
    for (int round = 0; round < 10; round++) {
      quarter(x, 0, 4, 8, 12);
      quarter(x, 1, 5, 9, 13);
      quarter(x, 2, 6, 10, 14);
      quarter(x, 3, 7, 11, 15);
      quarter(x, 0, 5, 10, 15);
      quarter(x, 1, 6, 11, 12);
      quarter(x, 2, 7, 8, 13);
      quarter(x, 3, 4, 9, 14);
    }
    for (int i = 0; i < 16; i++)
      x[i] += input->state[i];
    for (u32 i = 0; i < 64 && at + i < length; i++) {
      input->bytes[at + i] ^= (u8)(x[i / 4] >> (8 * (i % 4)));
      check = check * 31 + input->bytes[at + i];
    }
    input->state[12]++;
  }
  return check;
}
