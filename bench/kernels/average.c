// A moving average and mean deviation over the last `window` samples: 64-bit sums, divided by a number that is not constant.
#include "kernel.h"

struct input {
  u32 window, unused;
  u32 samples[]; // len, then room for len outputs
};

u64 entry(void *ctx, u64 len) {
  struct input *input = ctx;
  const u32 window = input->window;
  u32 *output = input->samples + len;
  u64 sum = 0, deviation = 0;
  for (u64 i = 0; i < len; i++) {
    u32 sample = input->samples[i];
    sum += sample;
    if (i >= window)
      sum -= input->samples[i - window];
    u64 count = i + 1 < window ? i + 1 : window;
    u32 mean = (u32)(sum / count);
    output[i] = mean;
    deviation += sample > mean ? sample - mean : mean - sample;
  }
  return len == 0 ? 0 : (deviation << 8) / len;
}
