// Arithmetic of 64-bit numbers, `len` of them: products modulo a number by doubling, and greatest common divisors by halving.
#include "kernel.h"

static u64 product_modulo(u64 a, u64 b, u64 modulus) {
  u64 result = 0;
  for (; b != 0; b >>= 1) {
    if (b & 1) {
      u64 sum = result + a;
      result = sum >= modulus || sum < a ? sum - modulus : sum;
    }
    u64 twice = a << 1;
    a = twice >= modulus || twice < a ? twice - modulus : twice;
  }
  return result;
}

static u64 greatest_common_divisor(u64 a, u64 b) {
  u32 twos = 0;
  if (a == 0 || b == 0)
    return a | b;
  for (; ((a | b) & 1) == 0; twos++) {
    a >>= 1;
    b >>= 1;
  }
  while ((a & 1) == 0)
    a >>= 1;
  do {
    while ((b & 1) == 0)
      b >>= 1;
    if (a > b) {
      u64 less = b;
      b = a;
      a = less;
    }
    b -= a;
  } while (b != 0);
  return a << twos;
}

u64 entry(void *ctx, u64 len) {
  const u64 *values = ctx;
  u64 hash = 0;
  for (u32 i = 0; i + 2 < (u32)len; i++) {
    u64 modulus = values[i + 2] | 1ull << 62;
    hash += product_modulo(values[i] % modulus, values[i + 1] & 0xffffffffff, modulus);
    hash ^= greatest_common_divisor(values[i], values[i + 1]);
  }
  return hash;
}
