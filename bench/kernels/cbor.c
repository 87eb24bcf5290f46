// CBOR: walks `len` bytes of items, adds integers, counts the bytes of strings, and keeps track of arrays and maps within each other.
#include "kernel.h"

#define DEEPEST 8

enum { UNSIGNED, NEGATIVE, BYTES, TEXT, ARRAY, MAP, TAG, SIMPLE };

u64 entry(void *ctx, u64 len) {
  const u8 *at = ctx, *end = at + len;
  u64 sum = 0;
  u32 text = 0, depth = 0, items = 0;
  u32 left[DEEPEST];

  while (at < end) {
    u32 initial = *at++, kind = initial >> 5, info = initial & 31;
    u64 value = info;
    if (info >= 24) {
      u32 bytes = 1u << (info - 24);
      if (info > 27 || (u64)(end - at) < bytes)
        return ~0ull;
      value = 0;
      for (u32 i = 0; i < bytes; i++)
        value = value << 8 | *at++;
    }
    items++;
    switch (kind) {
    case UNSIGNED:
      sum += value;
      break;
    case NEGATIVE:
      sum -= value + 1;
      break;
    case BYTES:
    case TEXT:
      if (value > (u64)(end - at))
        return ~0ull;
      text += (u32)value;
      at += value;
      break;
    case ARRAY:
    case MAP:
      if (depth == DEEPEST)
        return ~0ull;
      left[depth++] = (u32)value << (kind == MAP);
      continue;
    case SIMPLE:
      sum ^= value << 1;
      break;
    }
    while (depth > 0 && --left[depth - 1] == 0)
      depth--;
  }
  return sum ^ (u64)text << 40 ^ (u64)items << 20 ^ depth;
}
