// Lengths of vectors of three Q16.16 components, and the vectors scaled to unit length: 64-bit square roots by bits, and a
// 64-bit division each.
#include "kernel.h"

struct vector {
  s32 x, y, z;
  u32 length;
};

static u32 root(u64 value) {
  u64 result = 0, bit = 1ull << 62;
  while (bit > value)
    bit >>= 2;
  while (bit) {
    if (value >= result + bit) {
      value -= result + bit;
      result = (result >> 1) + bit;
    } else {
      result >>= 1;
    }
    bit >>= 2;
  }
  return (u32)result;
}

INLINE s32 scale(s32 component, u64 inverse) { return (s32)(((s64)component * (s64)inverse) >> 24); }

u64 entry(void *ctx, u64 len) {
  struct vector *vectors = ctx;
  u64 longest = 0;
  for (u32 i = 0; i < (u32)len; i++) {
    struct vector *v = &vectors[i];
    u64 square = (u64)((s64)v->x * v->x) + (u64)((s64)v->y * v->y) + (u64)((s64)v->z * v->z);
    v->length = root(square);
    if (v->length == 0)
      continue;
    u64 inverse = (1ull << 40) / v->length;
    v->x = scale(v->x, inverse);
    v->y = scale(v->y, inverse);
    v->z = scale(v->z, inverse);
    if (square > longest)
      longest = square;
  }
  return longest;
}
