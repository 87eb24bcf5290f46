// Heap sort of `len` records of a key and a value; gives a hash of the values in their order.
#include "kernel.h"

struct record {
  u32 key;
  u16 value, flags;
};

static void sift(struct record *records, u32 root, u32 count) {
  struct record moved = records[root];
  for (;;) {
    u32 child = 2 * root + 1;
    if (child >= count)
      break;
    if (child + 1 < count && records[child + 1].key > records[child].key)
      child++;
    if (records[child].key <= moved.key)
      break;
    records[root] = records[child];
    root = child;
  }
  records[root] = moved;
}

u64 entry(void *ctx, u64 len) {
  struct record *records = ctx;
  const u32 count = (u32)len;
  for (u32 root = count / 2; root-- > 0;)
    sift(records, root, count);
  for (u32 end = count; end-- > 1;) {
    struct record last = records[end];
    records[end] = records[0];
    records[0] = last;
    sift(records, 0, end);
  }
  u64 hash = 0xcbf29ce484222325ull;
  for (u32 i = 0; i < count; i++)
    hash = (hash ^ records[i].value) * 0x100000001b3ull;
  return hash;
}
