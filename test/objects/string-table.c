// Pointers to strings: constants with addresses in them.
#include "objects.h"

static const char *const names[] = {"zero", "one", "two", "three", "four", "five", "six", "seven"};
u64 entry(u8 *ctx, u64 len) {
  u64 hash = 5381 + len;
  for (u32 i = 0; i < 8; i++)
    for (const char *at = names[ctx[i] & 7]; *at; at++) hash = hash * 33 + *at;
  return hash;
}
