// Finds words in a text: Horspool's search with a table of shifts on the stack; ends each found word's count.
#include "kernel.h"

struct input {
  u32 length; // of the text
  struct word {
    u8 length, bytes[15];
    u32 count, last;
  } words[8];
  u8 text[];
};

u64 entry(void *ctx, u64 len) {
  struct input *input = ctx;
  const u8 *text = input->text;
  const u32 length = input->length;
  u64 total = 0;
  for (u32 w = 0; w < (u32)len; w++) {
    struct word *word = &input->words[w & 7];
    const u32 last = word->length - 1u;
    u8 shifts[64]; // by the low six bits of a character
    for (u32 i = 0; i < 64; i++)
      shifts[i] = (u8)(last + 1);
    for (u32 i = 0; i < last; i++)
      shifts[word->bytes[i] & 63] = (u8)(last - i);

    u32 at = 0;
    while (at + last < length) {
      u32 i = last;
      while (text[at + i] == word->bytes[i]) {
        if (i-- == 0) {
          word->count++;
          word->last = at;
          total += at;
          break;
        }
      }
      at += shifts[text[at + last] & 63];
    }
  }
  return total;
}
