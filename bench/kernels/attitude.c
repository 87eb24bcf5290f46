// Attitude from a gyroscope: quaternions in Q30, turned by each sample's rate and brought back to unit length.
#include "kernel.h"

struct sample {
  s16 x, y, z, unused;
};
struct input {
  s32 w, x, y, z;
  struct sample samples[]; // len
};

INLINE s32 multiply(s32 a, s32 b) { return (s32)(((s64)a * b + (1 << 29)) >> 30); }

u64 entry(void *ctx, u64 len) {
  struct input *q = ctx;
  s32 w = q->w, x = q->x, y = q->y, z = q->z;
  for (u32 i = 0; i < (u32)len; i++) {
    const struct sample *sample = &q->samples[i];
    s32 gx = sample->x * 128, gy = sample->y * 128, gz = sample->z * 128;
    s32 dw = -multiply(x, gx) - multiply(y, gy) - multiply(z, gz);
    s32 dx = multiply(w, gx) + multiply(y, gz) - multiply(z, gy);
    s32 dy = multiply(w, gy) - multiply(x, gz) + multiply(z, gx);
    s32 dz = multiply(w, gz) + multiply(x, gy) - multiply(y, gx);
    w += dw;
    x += dx;
    y += dy;
    z += dz;
    // One step of Newton's towards 1 / length.
    s32 square = multiply(w, w) + multiply(x, x) + multiply(y, y) + multiply(z, z);
    s32 factor = (s32)(((3ll << 30) - square) >> 1);
    w = multiply(w, factor);
    x = multiply(x, factor);
    y = multiply(y, factor);
    z = multiply(z, factor);
  }
  q->w = w;
  q->x = x;
  q->y = y;
  q->z = z;
  return (u64)((u32)w ^ (u32)x) << 32 | ((u32)y ^ (u32)z);
}
