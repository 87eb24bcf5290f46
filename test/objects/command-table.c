// Commands found by name, then called.
#include "objects.h"

struct command { const char *name; u64 (*run)(u64); };
static noinline u64 on(u64 a) { return a | 0x100; }
static noinline u64 off(u64 a) { return a & ~0x100ull; }
static noinline u64 toggle(u64 a) { return a ^ 0x101; }
static const struct command commands[] = {{"on", on}, {"off", off}, {"toggle", toggle}};
static noinline s32 same(const char *a, const char *b) { while (*a && *a == *b) a++, b++; return *a == *b; }
static noinline u64 run(const char *name, u64 value) {
  for (u32 i = 0; i < COUNT(commands); i++) if (same(commands[i].name, name)) return commands[i].run(value);
  return value + 1;
}
static const char *const script[] = {"on", "toggle", "nothing", "off", "toggle"};
u64 entry(u8 *ctx, u64 len) {
  u64 value = len;
  for (u32 i = 0; i < 16; i++) value = run(script[ctx[i] % COUNT(script)], value * 2);
  return value;
}
