// Product of two square matrices of 32-bit integers, `len` rows each.
#include "kernel.h"

u64 entry(void *ctx, u64 len) {
  const u32 n = (u32)len;
  const s32 *a = ctx, *b = a + n * n;
  s32 *product = (s32 *)ctx + 2 * n * n;
  u32 check = 0;
  for (u32 row = 0; row < n; row++)
    for (u32 column = 0; column < n; column++) {
      s32 sum = 0;
      for (u32 k = 0; k < n; k++)
        sum += a[row * n + k] * b[k * n + column];
      product[row * n + column] = sum;
      check = check * 3 + (u32)sum;
    }
  return check;
}
