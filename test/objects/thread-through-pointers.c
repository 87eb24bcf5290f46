// Pointers to globals passed down several functions.
#include "objects.h"

struct result { u64 sum; u32 count; u8 least, most; };
static struct result result = {0, 0, 255, 0};
static noinline void add(struct result *to, u8 byte) {
  to->sum += byte; to->count++;
  if (byte < to->least) to->least = byte;
  if (byte > to->most) to->most = byte;
}
static noinline void all(struct result *to, const u8 *bytes, u32 count) { for (u32 i = 0; i < count; i++) add(to, bytes[i]); }
static const u8 extra[5] = {200, 3, 17, 254, 90};
u64 entry(u8 *ctx, u64 len) {
  all(&result, ctx, len & 63);
  all(&result, extra, sizeof extra);
  return result.sum * 1000000 + result.count * 10000 + result.least * 100 + result.most;
}
