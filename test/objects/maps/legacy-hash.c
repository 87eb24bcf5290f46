// A hash and an array in the declarations of before BTF.
#include "maps.h"

struct bpf_map_def SEC("maps") seen = { HASH, 4, 8, 10, 0 };
struct bpf_map_def SEC("maps") last = { ARRAY, 4, 4, 2, 0 };
u64 entry(u8 *ctx, u64 len) {
  u32 zero = 0, key = *(u32 *)ctx & 15;
  u32 *before = map_lookup(&last, &zero);
  u64 *at = map_lookup(&seen, &key), first = len;
  if (at) *at += *before;
  else if (map_update(&seen, &key, &first, 1)) return -1;
  *before = key;
  return at ? *at : 0;
}
