// Strings compared with strings.
#include "objects.h"

static noinline s32 compare(const char *a, const char *b) {
  while (*a && *a == *b) a++, b++;
  return (u8)*a - (u8)*b;
}
static const char *const sorted[] = {"apple", "apricot", "banana", "blueberry", "cherry"};
u64 entry(u8 *ctx, u64 len) {
  u64 result = len;
  for (u32 i = 0; i < COUNT(sorted); i++) {
    s32 order = compare(sorted[ctx[i] % COUNT(sorted)], sorted[i]);
    result = result * 3 + (order < 0 ? 0 : order > 0 ? 2 : 1);
  }
  return result;
}
