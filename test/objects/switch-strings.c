// A switch between strings.
#include "objects.h"

static noinline const char *describe(u32 code) {
  switch (code) {
  case 0: return "ok";
  case 1: return "busy";
  case 2: return "error";
  case 3: return "timeout";
  case 4: return "unknown";
  default: return "";
  }
}
u64 entry(u8 *ctx, u64 len) {
  u64 hash = len;
  for (u32 i = 0; i < 16; i++) for (const char *at = describe(ctx[i] & 7); *at; at++) hash = hash * 65599 + *at;
  return hash;
}
