// JSON by a state machine over `len` characters: depth, strings, words, and the sum of the numbers.
#include "kernel.h"

enum state { VALUE, STRING, ESCAPE, NUMBER, WORD };

u64 entry(void *ctx, u64 len) {
  const char *text = ctx;
  enum state state = VALUE;
  u32 depth = 0, deepest = 0, strings = 0, words = 0, hash = 0;
  s32 number = 0;
  s64 sum = 0;
  u8 negative = 0;

  for (u64 i = 0; i < len;) {
    char c = text[i];
    switch (state) {
    case VALUE:
      switch (c) {
      case '{':
      case '[':
        if (++depth > deepest)
          deepest = depth;
        break;
      case '}':
      case ']':
        depth--;
        break;
      case '"':
        state = STRING;
        strings++;
        break;
      case 't':
      case 'f':
      case 'n':
        state = WORD;
        words++;
        break;
      default:
        if (c == '-' || (c >= '0' && c <= '9')) {
          negative = c == '-';
          number = negative ? 0 : c - '0';
          state = NUMBER;
        }
      }
      break;
    case STRING:
      if (c == '\\')
        state = ESCAPE;
      else if (c == '"')
        state = VALUE;
      else
        hash = hash * 31 + (u8)c;
      break;
    case ESCAPE:
      hash ^= (u8)c;
      state = STRING;
      break;
    case NUMBER:
      if (c < '0' || c > '9') {
        sum += negative ? -number : number;
        state = VALUE;
        continue;
      }
      number = number * 10 + (c - '0');
      break;
    case WORD:
      if (c < 'a' || c > 'z') {
        state = VALUE;
        continue;
      }
      break;
    }
    i++;
  }
  return (u64)sum ^ (u64)hash << 32 ^ (u64)deepest << 24 ^ strings << 12 ^ words;
}
