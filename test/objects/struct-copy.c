// Structs assigned as a whole, from constants.
#include "objects.h"

struct config { u32 a; u16 b; u8 c, d; u64 e; const u32 *f; };
static const u32 limit = 77;
static const struct config defaults = {1, 2, 3, 4, 0x1122334455667788, &limit};
static struct config current;
u64 entry(u8 *ctx, u64 len) {
  current = defaults;
  current.b += ctx[7];
  current.d ^= len;
  return current.a + current.b * 3ull + current.c * 5 + current.d * 7 + current.e + *current.f;
}
