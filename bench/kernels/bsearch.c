// Binary search: looks up `len` queries in a sorted table and gives the sum of the places found and the number of misses.
#include "kernel.h"

struct input {
  u32 count;
  u32 keys[]; // count sorted keys, then len queries
};

u64 entry(void *ctx, u64 len) {
  const struct input *input = ctx;
  const u32 *keys = input->keys;
  const u32 count = input->count;
  const u32 *queries = keys + count;
  u32 sum = 0, misses = 0;

  for (u32 i = 0; i < (u32)len; i++) {
    u32 low = 0, high = count;
    while (low < high) {
      u32 middle = (low + high) >> 1;
      if (keys[middle] < queries[i])
        low = middle + 1;
      else
        high = middle;
    }
    if (low < count && keys[low] == queries[i])
      sum += low;
    else
      misses++;
  }
  return ((u64)sum << 16) | misses;
}
