// Insertion sort of `len` signed words, then a hash of them.
#include "kernel.h"

u64 entry(void *ctx, u64 len) {
  s32 *values = ctx;
  const u32 count = (u32)len;
  for (u32 i = 1; i < count; i++) {
    s32 value = values[i];
    u32 j = i;
    while (j > 0 && values[j - 1] > value) {
      values[j] = values[j - 1];
      j--;
    }
    values[j] = value;
  }
  u32 hash = 0;
  for (u32 i = 0; i < count; i++)
    hash = hash * 31 + (u32)values[i];
  return hash;
}
