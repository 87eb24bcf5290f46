// Moving medians of `len` samples: of five by a sorting network, of nine by a window that is kept sorted.
#include "kernel.h"

struct input {
  s16 samples[200], medians[200];
  s16 window[9], sorted[9];
};

#define ORDER(a, b)                                                                                                    \
  if (a > b) {                                                                                                         \
    s16 other = a;                                                                                                     \
    a = b;                                                                                                             \
    b = other;                                                                                                         \
  }

static s16 median_of_five(s16 a, s16 b, s16 c, s16 d, s16 e) {
  ORDER(a, b)
  ORDER(d, e)
  ORDER(a, c)
  ORDER(b, c)
  ORDER(a, d)
  ORDER(c, d)
  ORDER(b, e)
  ORDER(b, c)
  return c;
}

u64 entry(void *ctx, u64 len) {
  struct input *input = ctx;
  const s16 *samples = input->samples;
  s16 *sorted = input->sorted;
  u32 count = (u32)len, oldest = 0;
  u64 hash = 0;
  for (u32 i = 2; i + 2 < count; i++)
    input->medians[i] =
        median_of_five(samples[i - 2], samples[i - 1], samples[i], samples[i + 1], samples[i + 2]);
  for (u32 i = 0; i < count; i++) {
    s16 old = input->window[oldest], fresh = samples[i];
    input->window[oldest] = fresh;
    if (++oldest == 9)
      oldest = 0;
    u32 at = 0;
    while (sorted[at] != old)
      at++;
    for (; at > 0 && sorted[at - 1] > fresh; at--)
      sorted[at] = sorted[at - 1];
    for (; at < 8 && sorted[at + 1] < fresh; at++)
      sorted[at] = sorted[at + 1];
    sorted[at] = fresh;
    hash = hash * 7 + (u16)sorted[4] + (u16)input->medians[i];
  }
  return hash;
}
