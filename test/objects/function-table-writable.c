// A table of functions that changes while the program runs.
#include "objects.h"

static noinline u32 up(u32 a) { return a + 3; }
static noinline u32 down(u32 a) { return a - 1; }
static noinline u32 twice(u32 a) { return a * 2; }
static u32 (*handlers[3])(u32) = {up, down, twice};
u64 entry(u8 *ctx, u64 len) {
  u32 value = len;
  for (u32 i = 0; i < 16; i++) {
    value = handlers[ctx[i] % 3](value);
    u32 (*kept)(u32) = handlers[0];
    handlers[0] = handlers[1]; handlers[1] = handlers[2]; handlers[2] = kept;
  }
  return value;
}
