// Strings in arrays of a fixed size, wide and narrow.
#include "objects.h"

static const char months[12][4] = {"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"};
static char buffer[32] = "buffer:";
u64 entry(u8 *ctx, u64 len) {
  const char *month = months[ctx[5] % 12];
  for (u32 i = 0; i < 3; i++) buffer[7 + i] = month[i];
  u64 hash = len;
  for (u32 i = 0; i < sizeof buffer; i++) hash = hash * 131 + (u8)buffer[i];
  return hash;
}
