// exp and log2 of `len` numbers in Q16.16: exp by factors of the form 2^k and 1 + 2^-k, log2 by squaring.
#include "kernel.h"

#define ONE 65536u

static u32 exponential(s32 x) {
  // Logarithms of 2^16, 2^8, 2^4, 2^2, 2, then of 1 + 2^-1, 1 + 2^-2, ...
  static const s32 logarithms[] = {726817, 363409, 181704, 90852, 45426, 26573, 14624,
                                   7719,   3973,   2017,   1016,  510,   256,   128};
  u32 result = ONE;
  for (u32 i = 0; i < 5; i++) {
    s32 rest = x - logarithms[i];
    if (rest >= 0) {
      x = rest;
      result <<= 16 >> i;
    }
  }
  for (u32 i = 5; i < 14; i++) {
    s32 rest = x - logarithms[i];
    if (rest >= 0) {
      x = rest;
      result += result >> (i - 4);
    }
  }
  return result + (u32)((u64)result * (u32)x >> 16);
}

static s32 logarithm(u32 x) {
  s32 result = 0;
  if (x == 0)
    return -0x7fffffff - 1;
  for (; x < ONE; x <<= 1)
    result -= (s32)ONE;
  for (; x >= 2 * ONE; x >>= 1)
    result += (s32)ONE;
  for (s32 bit = ONE / 2; bit > 0; bit >>= 1) {
    x = (u32)((u64)x * x >> 16);
    if (x >= 2 * ONE) {
      x >>= 1;
      result += bit;
    }
  }
  return result;
}

u64 entry(void *ctx, u64 len) {
  u32 *values = ctx;
  u64 sum = 0;
  for (u32 i = 0; i < (u32)len; i++) {
    u32 power = exponential((s32)(values[i] % 600000));
    s32 root = logarithm(values[i] >> 4);
    sum = sum * 3 + power + (u64)(s64)root;
    values[i] = power ^ (u32)root;
  }
  return sum;
}
