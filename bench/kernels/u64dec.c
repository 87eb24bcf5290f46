// Prints `len` 64-bit numbers in decimal and finds their greatest common divisor: 64-bit division by ten and by anything.
#include "kernel.h"

#define ROOM 24

u64 entry(void *ctx, u64 len) {
  const u64 *values = ctx;
  const u32 count = (u32)len;
  u8 *text = (u8 *)ctx + 8 * count; // ROOM bytes a number, filled from the end
  u64 divisor = values[0];
  u32 digits = 0;
  for (u32 i = 0; i < count; i++) {
    u64 value = values[i];
    u8 *end = text + ROOM * i + ROOM - 1;
    *end = 0;
    do {
      u64 tenth = value / 10;
      *--end = '0' + (u8)(value - tenth * 10);
      value = tenth;
      digits++;
    } while (value);

    u64 a = divisor, b = values[i];
    while (b) {
      u64 rest = a % b;
      a = b;
      b = rest;
    }
    divisor = a;
  }
  return (divisor << 16) | digits;
}
