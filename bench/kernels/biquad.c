// A cascade of three IIR sections (direct form I, coefficients in Q28) over `len` samples of 16 bits, rounded and saturated.
#include "kernel.h"

#define SECTIONS 3

struct section {
  s32 b0, b1, b2, a1, a2;
  s32 x1, x2, y1, y2;
};
struct input {
  struct section sections[SECTIONS];
  s16 samples[]; // len, filtered in place
};

u64 entry(void *ctx, u64 len) {
  struct input *input = ctx;
  u64 energy = 0;
  for (u32 i = 0; i < (u32)len; i++) {
    s32 x = (s32)input->samples[i] << 8;
    for (u32 k = 0; k < SECTIONS; k++) {
      struct section *s = &input->sections[k];
      s64 sum = (s64)s->b0 * x + (s64)s->b1 * s->x1 + (s64)s->b2 * s->x2;
      sum -= (s64)s->a1 * s->y1 + (s64)s->a2 * s->y2;
      s32 y = (s32)((sum + (1 << 27)) >> 28);
      s->x2 = s->x1;
      s->x1 = x;
      s->y2 = s->y1;
      s->y1 = y;
      x = y;
    }
    s32 y = (x + 128) >> 8;
    if (y > 32767)
      y = 32767;
    if (y < -32768)
      y = -32768;
    input->samples[i] = (s16)y;
    energy += (u64)((s64)y * y);
  }
  return energy;
}
