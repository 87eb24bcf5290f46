// Structs of functions and data, as objects with methods.
#include "objects.h"

struct shape { u64 (*area)(const struct shape *); const char *name; u32 width, height; };
static noinline u64 rectangle(const struct shape *s) { return (u64)s->width * s->height; }
static noinline u64 triangle(const struct shape *s) { return (u64)s->width * s->height / 2; }
static struct shape shapes[] = {{rectangle, "rectangle", 3, 4}, {triangle, "triangle", 6, 7}, {rectangle, "square", 5, 5}};
u64 entry(u8 *ctx, u64 len) {
  u64 sum = len;
  for (u32 i = 0; i < COUNT(shapes); i++) {
    shapes[i].width += ctx[i];
    sum = sum * 1009 + shapes[i].area(&shapes[i]) + shapes[i].name[2];
  }
  return sum;
}
