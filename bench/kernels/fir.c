// A 16-tap FIR filter in Q15 with a 64-bit accumulator and saturation.
#include "kernel.h"

#define TAPS 16

struct input {
  s32 taps[TAPS];
  s32 samples[]; // len + TAPS - 1 samples, then room for len outputs
};

u64 entry(void *ctx, u64 len) {
  struct input *input = ctx;
  const u32 count = (u32)len;
  const s32 *samples = input->samples;
  s32 *output = input->samples + count + TAPS - 1;
  u32 check = 0;

  for (u32 i = 0; i < count; i++) {
    s64 sum = 1 << 14;
    for (u32 k = 0; k < TAPS; k++)
      sum += (s64)input->taps[k] * samples[i + TAPS - 1 - k];
    s64 value = sum >> 15;
    if (value > 0x7fffffff)
      value = 0x7fffffff;
    if (value < -0x7fffffff - 1)
      value = -0x7fffffff - 1;
    output[i] = (s32)value;
    check = check * 17 + (u32)output[i];
  }
  return check;
}
