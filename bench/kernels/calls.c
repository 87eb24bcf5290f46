// Local functions three calls deep: a hash of `len` words, four at a time.
#include "kernel.h"

NOINLINE u32 mix(u32 hash, u32 word) {
  hash ^= word;
  hash *= 0x9e3779b1u;
  return hash ^ (hash >> 15);
}

NOINLINE u32 mix_pair(const u32 *words, u32 hash) {
  hash = mix(hash, words[0]);
  return mix(hash, words[1]);
}

NOINLINE u64 mix_four(const u32 *words, u64 state) {
  u32 first = mix_pair(words, (u32)state);
  u32 second = mix_pair(words + 2, (u32)(state >> 32));
  return ((u64)first << 32) | (second ^ first);
}

u64 entry(void *ctx, u64 len) {
  const u32 *words = ctx;
  u64 state = 0x0123456789abcdefull;
  for (u32 i = 0; i + 4 <= (u32)len; i += 4)
    state = mix_four(words + i, state);
  return state;
}
