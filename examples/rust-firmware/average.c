/* A program that is loaded: the moving average of the temperature, which it keeps itself from call to call. Returns it in degrees. */
#include "helpers.h"

static int32_t average; /* 16 bits behind the point */

uint64_t moving_average(void) {
  average += (temperature(0) * 0x10000 - average) >> 2;
  return (uint64_t)scale(average, 1, 16);
}
