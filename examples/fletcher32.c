/* Fletcher-32 checksum of a block of bytes, as a bootloader would check an image or a log its records.
 * ctx: the data, little-endian 16-bit words; len: its length in bytes, an odd last byte is left out.
 * Returns the checksum, high half sum2, low half sum1. */
#include <stdint.h>

static uint32_t fold(uint32_t sum) { return (sum & 0xffff) + (sum >> 16); }

uint64_t fletcher32(const uint16_t *data, uint64_t len) {
  uint32_t words = (uint32_t)len / 2;
  uint32_t sum1 = 0xffff, sum2 = 0xffff;
  while (words > 0) {
    /* 359 words are the most that fit before sum2 could overflow. */
    uint32_t block = words > 359 ? 359 : words;
    words -= block;
    do {
      sum1 += *data++;
      sum2 += sum1;
    } while (--block > 0);
    sum1 = fold(sum1);
    sum2 = fold(sum2);
  }
  return (uint64_t)fold(sum2) << 16 | fold(sum1);
}
