// A program array that the object fills: with its entry, with programs of other sections, a static one, and one that is called too.
#include "../maps/maps.h"
#define __array(name, val) typeof(val) *name[]
u64 load_byte(void *ctx, u64 at) asm("llvm.bpf.load.byte");

u64 entry(u8 *ctx, u64 len);
u64 both(u8 *ctx, u64 len);
u64 second(u8 *ctx, u64 len);
u64 packet(u8 *ctx, u64 len);
u64 around(u8 *ctx, u64 len);
u64 misaligned(u8 *ctx, u64 len);
static u64 hidden(u8 *ctx, u64 len);
struct {
  __uint(type, PROGRAM_ARRAY); __uint(max_entries, 10); __uint(key_size, 4);
  __array(values, u64(u8 *, u64));
} jumps SEC(".maps") = {
  .values = { [0] = &entry, [1] = &second, [2] = &hidden, [3] = &both, [5] = &packet, [6] = &around, [7] = &misaligned },
};
static u32 calls;

u64 entry(u8 *ctx, u64 len) {
  calls++;
  ctx[1]++;
  long failed = tail_call(ctx, &jumps, ctx[0]);
  return failed * 1000 - calls * 10 - len;
}
SEC("other") u64 second(u8 *ctx, u64 len) {
  calls += 100;
  ctx[2] += len;
  return tail_call(ctx, &jumps, 2) + 77;
}
SEC("other") __attribute__((used)) static u64 hidden(u8 *ctx, u64 len) { return len * 1000 + ctx[0] + calls; }
// Called with other arguments, entered with the context.
noinline u64 both(u8 *ctx, u64 len) {
  ctx[3] ^= len;
  if (ctx[4]-- > 100) return tail_call(ctx, &jumps, ctx[5]) * 3;
  return len * 7 + ctx[4];
}
// Bytes of the packet, by a function as well: each program reads at the context that it was entered with.
static noinline u64 byte_at(u8 *ctx, u64 at) { return load_byte(ctx, at); }
SEC("packets") u64 packet(u8 *ctx, u64 len) { return load_byte(ctx, 9) * 1000 + byte_at(ctx, 10) + ctx[8]; }
// A call from which a program with a moved context returns.
static noinline u64 inner(u8 *ctx, u64 at) {
  u64 before = byte_at(ctx, at);
  return tail_call(ctx + ctx[6], &jumps, ctx[7]) + before;
}
SEC("packets") u64 around(u8 *ctx, u64 len) {
  u64 sum = byte_at(ctx, 11);
  for (u32 i = 0; i < 3; i++) {
    sum = sum * 5 + inner(ctx, i + 12);
    sum = sum * 3 + byte_at(ctx, i + 13) + load_byte(ctx, i + 14);
  }
  return sum + both(ctx + 1, len + 1) * 2;
}
SEC("other") u64 misaligned(u8 *ctx, u64 len) {
  __sync_fetch_and_add((u64 *)(ctx + 33), len);
  return 6;
}
