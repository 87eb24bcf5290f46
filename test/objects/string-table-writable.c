// Pointers to strings that the program changes, in .data.
#include "objects.h"

static const char *words[4] = {"alpha", "beta", "gamma", "delta"};
static noinline void swap(u32 i, u32 j) { const char *kept = words[i]; words[i] = words[j]; words[j] = kept; }
u64 entry(u8 *ctx, u64 len) {
  for (u32 i = 0; i < 8; i++) swap(ctx[i] & 3, ctx[i + 8] & 3);
  u64 hash = len;
  for (u32 i = 0; i < 4; i++)
    for (const char *at = words[i]; *at; at++) hash = (hash << 5) - hash + *at;
  return hash;
}
