// Records reserved, filled in place, submitted or discarded.
#include "maps.h"

struct event { u32 kind; u64 when; u8 text[10]; };
struct { __uint(type, RINGBUF); __uint(max_entries, 512); } events SEC(".maps");
static noinline int report(u32 kind, u64 when, const u8 *text) {
  struct event *event = ringbuf_reserve(&events, sizeof *event, 0);
  if (!event) return 0;
  event->kind = kind;
  event->when = when;
  for (int i = 0; i < 10; i++) event->text[i] = text[i];
  *((u32 *)event + 1) = 0;
  *(u32 *)(event->text + 10) = 0;
  *(u16 *)(event->text + 14 - 2) = 0;
  if (kind & 1) ringbuf_discard(event, 0);
  else ringbuf_submit(event, 0);
  return 1;
}
u64 entry(u8 *ctx, u64 len) {
  u64 made = 0;
  for (u32 i = 0; i < 5; i++) made += report(ctx[i], len + i, ctx + i);
  return made * 100000 + ringbuf_query(&events, 0);
}
