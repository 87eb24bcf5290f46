// Bit sets of 64: population, parity, first free bit, reversal and Hamming distances of `len` words.
#include "kernel.h"

static u32 population(u64 x) {
  x -= (x >> 1) & 0x5555555555555555ull;
  x = (x & 0x3333333333333333ull) + ((x >> 2) & 0x3333333333333333ull);
  x = (x + (x >> 4)) & 0x0f0f0f0f0f0f0f0full;
  return (u32)((x * 0x0101010101010101ull) >> 56);
}

static u32 trailing_zeros(u64 x) {
  u32 count = 0;
  if (x == 0)
    return 64;
  for (u32 step = 32; step != 0; step >>= 1) {
    if ((x & ((1ull << step) - 1)) == 0) {
      x >>= step;
      count += step;
    }
  }
  return count;
}

static u64 reverse(u64 x) {
  u64 result = 0;
  for (int i = 0; i < 64; i++) {
    result = result << 1 | (x & 1);
    x >>= 1;
  }
  return result;
}

u64 entry(void *ctx, u64 len) {
  u64 *words = ctx;
  u64 previous = 0, result = 0;
  for (u32 i = 0; i < (u32)len; i++) {
    u64 word = words[i];
    u32 apart = population(word ^ previous);
    u32 free = trailing_zeros(~word);
    if (free < 64)
      word |= 1ull << free;
    if (apart & 1)
      word = reverse(word);
    previous = words[i];
    words[i] = word;
    result = result * 67 + (apart << 8 | free);
  }
  return result;
}
