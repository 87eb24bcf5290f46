// Constants of 64 bits in code, and addresses among them.
#include "objects.h"

static u64 kept;
u64 entry(u8 *ctx, u64 len) {
  u64 *at = &kept;
  *at = 0xcbf29ce484222325;
  for (u32 i = 0; i < len && i < 64; i++) *at = (*at ^ ctx[i]) * 0x100000001b3;
  return kept;
}
