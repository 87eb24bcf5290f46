// A Kalman filter for height and speed in Q16.16: two states, one measurement, outliers left out.
#include "kernel.h"

struct filter {
  s32 height, speed;
  s32 p00, p01, p11;
  s32 interval, noise_height, noise_speed, noise_measured;
  u32 outliers;
  s32 measured[]; // len, replaced by the estimates
};

INLINE s32 multiply(s32 a, s32 b) { return (s32)(((s64)a * b) >> 16); }

/** a / b in Q16.16 for a not negative and b positive, by 64-bit division. */
INLINE s32 ratio(s32 a, s32 b) { return (s32)(((u64)(u32)a << 16) / (u32)b); }

u64 entry(void *ctx, u64 len) {
  struct filter *f = ctx;
  u32 check = 0;
  for (u64 i = 0; i < len; i++) {
    s32 dt = f->interval;
    f->height += multiply(f->speed, dt);
    f->p00 += multiply(dt, 2 * f->p01 + multiply(dt, f->p11)) + f->noise_height;
    f->p01 += multiply(dt, f->p11);
    f->p11 += f->noise_speed;

    s32 residual = f->measured[i] - f->height;
    s32 variance = f->p00 + f->noise_measured;
    if ((s64)residual * residual > ((s64)variance << 16) * 16) {
      f->outliers++;
    } else {
      s32 k0 = ratio(f->p00, variance), k1 = f->p01 < 0 ? 0 : ratio(f->p01, variance);
      f->height += multiply(k0, residual);
      f->speed += multiply(k1, residual);
      s32 p00 = f->p00, p01 = f->p01;
      f->p00 = p00 - multiply(k0, p00);
      f->p01 = p01 - multiply(k0, p01);
      f->p11 -= multiply(k1, p01);
    }
    f->measured[i] = f->height;
    check = check * 5 + (u32)f->height;
  }
  return (u64)f->outliers << 32 | check;
}
