// States are functions that return the next one.
#include "objects.h"

typedef struct state { struct state *(*next)(u8); } state;
static state idle, inside, after;
static u32 seen;
static noinline state *from_idle(u8 byte) { return byte & 1 ? &inside : &idle; }
static noinline state *from_inside(u8 byte) { seen += byte; return byte & 2 ? &after : &inside; }
static noinline state *from_after(u8 byte) { seen ^= byte << 8; return byte & 4 ? &idle : &after; }
static state idle = {from_idle}, inside = {from_inside}, after = {from_after};
u64 entry(u8 *ctx, u64 len) {
  state *at = &idle;
  for (u32 i = 0; i < 64; i++) at = at->next(ctx[i] + len);
  return seen * 4ull + (at == &idle ? 0 : at == &inside ? 1 : 2);
}
