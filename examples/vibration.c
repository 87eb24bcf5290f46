/* How strongly a motor shakes: root mean square of accelerometer samples about their mean, with 64-bit sums.
 * ctx: samples of 16 bits, signed; len: their length in bytes.
 * Returns the greatest distance from the mean in the high word and the RMS in the low word. */
#include <stdint.h>

/* The integer square root, bit by bit: two bits of the operand for each bit of the root. */
static __attribute__((noinline)) uint32_t square_root(uint64_t operand) {
  uint64_t root = 0, bit = 1ull << 62;
  while (bit > operand) bit >>= 2;
  while (bit != 0) {
    if (operand >= root + bit) {
      operand -= root + bit;
      root = (root >> 1) + bit;
    } else {
      root >>= 1;
    }
    bit >>= 2;
  }
  return (uint32_t)root;
}

uint64_t vibration(const int16_t *samples, uint64_t len) {
  uint32_t count = (uint32_t)len / 2;
  if (count == 0) return 0;

  int64_t sum = 0;
  for (uint32_t i = 0; i < count; i++) sum += samples[i];
  /* BPF before v4 has no signed division: divide the magnitude. */
  uint64_t magnitude = (uint64_t)(sum < 0 ? -sum : sum) / count;
  int32_t mean = sum < 0 ? -(int32_t)magnitude : (int32_t)magnitude;

  uint64_t squares = 0;
  uint32_t peak = 0;
  for (uint32_t i = 0; i < count; i++) {
    int32_t distance = samples[i] - mean;
    uint32_t size = distance < 0 ? (uint32_t)-distance : (uint32_t)distance;
    if (size > peak) peak = size;
    squares += (uint64_t)size * size;
  }
  return (uint64_t)peak << 32 | square_root(squares / count);
}
