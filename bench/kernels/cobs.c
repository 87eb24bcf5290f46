// COBS: frames `len` bytes so that none of them is zero, and takes the frame apart again.
#include "kernel.h"

struct input {
  u8 bytes[600], frame[610], again[600];
};

static u32 stuff(const u8 *from, u64 length, u8 *to) {
  u8 *start = to, *code = to++;
  u8 run = 1;
  for (u64 i = 0; i < length; i++) {
    if (from[i] != 0) {
      *to++ = from[i];
      run++;
    }
    if (from[i] == 0 || run == 0xff) {
      *code = run;
      code = to++;
      run = 1;
    }
  }
  *code = run;
  return (u32)(to - start);
}

static u32 unstuff(const u8 *from, u64 length, u8 *to) {
  u8 *start = to;
  const u8 *end = from + length;
  while (from < end) {
    u32 run = *from++;
    for (u32 i = 1; i < run && from < end; i++)
      *to++ = *from++;
    if (run != 0xff && from < end)
      *to++ = 0;
  }
  return (u32)(to - start);
}

u64 entry(void *ctx, u64 len) {
  struct input *input = ctx;
  u32 length = stuff(input->bytes, len, input->frame);
  u32 again = unstuff(input->frame, length, input->again);
  u32 wrong = 0;
  for (u32 i = 0; i < again; i++)
    wrong += input->again[i] != input->bytes[i];
  return (u64)wrong << 32 | again << 16 | length;
}
