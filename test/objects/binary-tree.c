// A tree of pointers, searched.
#include "objects.h"

struct tree { const struct tree *left, *right; u32 key; u64 value; };
static const struct tree a = {0, 0, 10, 1000}, b = {0, 0, 50, 5000}, c = {&a, &b, 30, 3000}, d = {0, 0, 90, 9000}, e = {0, &d, 80, 8000};
static const struct tree root = {&c, &e, 70, 7000};
static noinline u64 find(const struct tree *at, u32 key) {
  while (at) {
    if (at->key == key) return at->value;
    at = key < at->key ? at->left : at->right;
  }
  return 1;
}
u64 entry(u8 *ctx, u64 len) {
  u64 sum = len;
  for (u32 i = 0; i < 32; i++) sum = sum * 7 + find(&root, (ctx[i] % 10) * 10);
  return sum;
}
