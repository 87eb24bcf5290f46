// Programs that go on in each other: `entry` chooses, `second` leads to `third`, which leads back to the chooser.
#include "../maps/maps.h"

struct { __uint(type, PROGRAM_ARRAY); __uint(max_entries, 8); __uint(key_size, 4); __uint(value_size, 4); } programs SEC(".maps");
MAP(steps, ARRAY, u32, u64, 8);
static u32 calls;

static noinline void note(u32 step) {
  u64 *at = map_lookup(&steps, &step);
  if (at) *at += 1;
}
// What the first byte asks for; R0 of a tail call that failed, mixed with what was counted in .bss.
u64 entry(u8 *ctx, u64 len) {
  note(0);
  calls++;
  ctx[1]++;
  long failed = tail_call(ctx, &programs, ctx[0]);
  return failed * 1000 - calls * 10 - len;
}
u64 second(u8 *ctx, u64 len) {
  note(1);
  ctx[2] += len;
  tail_call(ctx, &programs, 2);
  return 77;
}
u64 third(u8 *ctx, u64 len) {
  note(2);
  ctx[3] ^= len;
  return len * 1000 + ctx[0];
}
// A context that is moved, and 12 bytes fewer of it.
u64 moved(u8 *ctx, u64 len) { tail_call(ctx + 16, &programs, 2); return 5; }
// From a function: the target returns to its caller.
static noinline u64 inner(u8 *ctx, u32 index, u64 kept) {
  u64 local[4] = { kept, kept + 1, kept + 2, index };
  long failed = tail_call(ctx, &programs, index);
  return failed + local[ctx[4] & 3];
}
u64 nested(u8 *ctx, u64 len) {
  u64 sum = 0;
  for (u32 i = 0; i < 4; i++) sum = sum * 10 + inner(ctx, ctx[8 + i] & 15, len + i) + i;
  return sum + calls++;
}
// A trap there ends everything, also where a caller waits.
u64 misaligned(u8 *ctx, u64 len) {
  u64 *at = (u64 *)(ctx + 33);
  ctx[5] = 9;
  __sync_fetch_and_add(at, len);
  return 6;
}
// A trap of the first program after a target came back to it.
u64 late(u8 *ctx, u64 len) {
  u64 sum = inner(ctx, 2, len);
  ctx[6] = sum;
  __sync_fetch_and_add((u32 *)(ctx + 34), 1);
  return sum;
}
