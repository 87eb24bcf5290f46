// Unaligned members: a packed header of constants and one read from the context.
#include "objects.h"

struct __attribute__((packed)) header { u8 kind; u16 length; u32 address; u64 time; };
static const struct header expected = {1, 0x2345, 0x6789abcd, 0x1020304050607080};
static struct header last;
u64 entry(u8 *ctx, u64 len) {
  const struct header *got = (const struct header *)(ctx + 1);
  last = *got;
  return (last.kind == expected.kind) + last.length * 3ull + (last.address ^ expected.address) + last.time - expected.time + len;
}
