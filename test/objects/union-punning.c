// One value seen as words, halves and bytes.
#include "objects.h"

static union { u64 whole; u32 words[2]; u16 halves[4]; u8 bytes[8]; } value = {0x0011223344556677};
u64 entry(u8 *ctx, u64 len) {
  value.bytes[ctx[0] & 7] ^= ctx[1];
  value.halves[1] += len;
  value.words[1] *= 3;
  return value.whole ^ value.bytes[6];
}
