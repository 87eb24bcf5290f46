// Commands on a buffer, as a bootloader has them: fill, copy (regions may overlap), compare and sum, with any lengths.
#include "kernel.h"

enum { FILL, COPY, COMPARE, SUM };

struct command {
  u8 kind, value;
  u16 to, from, length;
};
struct input {
  u8 buffer[1024];
  struct command commands[]; // len
};

static void fill(u8 *to, u8 value, u64 length) {
  for (u64 i = 0; i < length; i++)
    to[i] = value;
}

static void copy(u8 *to, const u8 *from, u64 length) {
  if (to <= from) {
    for (u64 i = 0; i < length; i++)
      to[i] = from[i];
  } else {
    while (length--)
      to[length] = from[length];
  }
}

static s32 compare(const u8 *a, const u8 *b, u64 length) {
  for (u64 i = 0; i < length; i++)
    if (a[i] != b[i])
      return a[i] - b[i];
  return 0;
}

static u32 sum(const u8 *from, u64 length) {
  u32 total = 0;
  while (length--)
    total += *from++;
  return total;
}

u64 entry(void *ctx, u64 len) {
  struct input *input = ctx;
  u64 result = 0;
  for (u32 i = 0; i < (u32)len; i++) {
    const struct command *command = &input->commands[i];
    u8 *to = input->buffer + command->to, *from = input->buffer + command->from;
    s32 answer = 0;
    switch (command->kind) {
    case FILL:
      fill(to, command->value, command->length);
      break;
    case COPY:
      copy(to, from, command->length);
      break;
    case COMPARE:
      answer = compare(to, from, command->length);
      break;
    case SUM:
      answer = (s32)sum(from, command->length);
      break;
    }
    result = result * 31 + (u64)(s64)answer;
  }
  return result;
}
