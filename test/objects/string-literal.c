// A string literal, by index.
#include "objects.h"

static noinline u32 length(const char *text) { u32 n = 0; while (text[n]) n++; return n; }
u64 entry(u8 *ctx, u64 len) {
  const char *text = len & 1 ? "an odd number of bytes" : "even";
  return length(text) * 256 + text[ctx[0] & 3];
}
