// A PID controller in Q16.16: clamped integral and output, and a count of the outputs at a limit.
#include "kernel.h"

#define INTEGRAL_LIMIT (1 << 24)

struct controller {
  s32 kp, ki, kd;
  s32 target, integral, previous;
  s32 low, high;
  s32 samples[]; // len measurements, replaced by the outputs
};

INLINE s32 clamp(s64 value, s32 low, s32 high) { return value < low ? low : value > high ? high : (s32)value; }

u64 entry(void *ctx, u64 len) {
  struct controller *pid = ctx;
  u32 alarms = 0, check = 0;
  for (u32 i = 0; i < (u32)len; i++) {
    s32 error = pid->target - pid->samples[i];
    pid->integral = clamp((s64)pid->integral + error, -INTEGRAL_LIMIT, INTEGRAL_LIMIT);
    s32 change = error - pid->previous;
    pid->previous = error;
    s64 sum = (s64)pid->kp * error + (s64)pid->ki * pid->integral + (s64)pid->kd * change;
    s32 output = clamp(sum >> 16, pid->low, pid->high);
    if (output == pid->low || output == pid->high)
      alarms++;
    pid->samples[i] = output;
    check = (check << 1 | check >> 31) ^ (u32)output;
  }
  return ((u64)alarms << 32) | check;
}
