// A ring buffer: indices in .data, bytes in .bss.
#include "objects.h"

static u8 ring[32];
static u32 head = 5, tail = 5;
static noinline s32 put(u8 byte) {
  if (((head + 1) & 31) == tail) return 0;
  ring[head] = byte;
  head = (head + 1) & 31;
  return 1;
}
static noinline s32 get(void) {
  if (head == tail) return -1;
  u8 byte = ring[tail];
  tail = (tail + 1) & 31;
  return byte;
}
u64 entry(u8 *ctx, u64 len) {
  u64 hash = len;
  for (u32 i = 0; i < 64; i++) {
    if (ctx[i] & 1) hash = hash * 3 + put(ctx[i]);
    else hash = hash * 5 + get();
  }
  return hash;
}
