// A hash table with open addressing in .bss.
#include "objects.h"

struct slot { u32 key, value; };
static struct slot slots[64];
static noinline struct slot *find(u32 key) {
  for (u32 at = key * 2654435761u >> 26;; at = (at + 1) & 63)
    if (slots[at].key == key || slots[at].key == 0) return &slots[at];
}
u64 entry(u8 *ctx, u64 len) {
  for (u32 i = 0; i < 32; i++) { struct slot *at = find(ctx[i] + 1); at->key = ctx[i] + 1; at->value += i + len; }
  u64 hash = 0;
  for (u32 i = 0; i < 64; i++) hash = hash * 17 + slots[i].key * 3 + slots[i].value;
  return hash;
}
