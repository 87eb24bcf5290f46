// Bit fields in .data.
#include "objects.h"

static struct { u32 a : 3, b : 7, c : 12; s32 d : 10; u64 e : 40, f : 24; } fields = {5, 100, 3000, -300, 0x123456789a, 0xabcdef};
u64 entry(u8 *ctx, u64 len) {
  fields.a += ctx[0]; fields.b ^= ctx[1]; fields.c -= len; fields.d += ctx[2]; fields.e += fields.f; fields.f = ctx[3];
  return fields.a + fields.b * 10ull + fields.c * 1000 + (s64)fields.d * 7 + fields.e + fields.f;
}
