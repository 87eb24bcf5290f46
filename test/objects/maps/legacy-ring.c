// A ring buffer and an LRU hash in the declarations of before BTF.
#include "maps.h"

struct bpf_map_def SEC("maps") events = { .type = RINGBUF, .max_entries = 128 };
struct bpf_map_def SEC("maps") recent = { .type = LRU_HASH, .key_size = 3, .value_size = 5, .max_entries = 4 };
u64 entry(u8 *ctx, u64 len) {
  u8 key[3] = { ctx[0] & 3, ctx[1] & 1, 9 };
  u8 *at = map_lookup(&recent, key);
  if (at) { at[4]++; return ringbuf_output(&events, at, 5, len & 1); }
  return map_update(&recent, key, ctx + 8, 0) + 1000;
}
