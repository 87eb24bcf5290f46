// A Modbus RTU slave: checks each frame's address and CRC-16 (bit by bit), reads and writes registers and answers in place.
#include "kernel.h"

#define REGISTERS 32
#define FRAME 64

struct input {
  u16 registers[REGISTERS];
  u8 address, unused[3];
  u32 errors;
  struct {
    u32 length;
    u8 bytes[FRAME];
  } frames[]; // len
};

static u32 crc16(const u8 *bytes, u32 length) {
  u32 crc = 0xffff;
  while (length--) {
    crc ^= *bytes++;
    for (int bit = 0; bit < 8; bit++)
      crc = crc & 1 ? crc >> 1 ^ 0xa001 : crc >> 1;
  }
  return crc;
}

INLINE u32 big16(const u8 *bytes) { return (u32)bytes[0] << 8 | bytes[1]; }

/** Answers a request of which the CRC is right, in place; gives the length of the answer without CRC. */
static u32 answer(struct input *input, u8 *bytes) {
  u32 code = bytes[1], first = big16(bytes + 2), count = big16(bytes + 4);
  u32 exception = 1;
  if (code == 3) {
    exception = 2;
    if (count >= 1 && count <= REGISTERS - 3 && first < REGISTERS && first + count <= REGISTERS) {
      bytes[2] = (u8)(2 * count);
      for (u32 i = 0; i < count; i++) {
        u32 value = input->registers[first + i];
        bytes[3 + 2 * i] = (u8)(value >> 8);
        bytes[4 + 2 * i] = (u8)value;
      }
      return 3 + 2 * count;
    }
  } else if (code == 6) {
    exception = 2;
    if (first < REGISTERS) {
      input->registers[first] = (u16)count;
      return 6;
    }
  } else if (code == 16) {
    exception = 3;
    if (bytes[6] == 2 * count && count <= 8 && first + count <= REGISTERS) {
      for (u32 i = 0; i < count; i++)
        input->registers[first + i] = (u16)big16(bytes + 7 + 2 * i);
      return 6;
    }
  }
  bytes[1] |= 0x80;
  bytes[2] = (u8)exception;
  return 3;
}

u64 entry(void *ctx, u64 len) {
  struct input *input = ctx;
  u64 answered = 0;
  for (u32 i = 0; i < (u32)len; i++) {
    u8 *bytes = input->frames[i].bytes;
    u32 length = input->frames[i].length;
    if (length < 8 || length > FRAME || bytes[0] != input->address)
      continue;
    if (crc16(bytes, length - 2) != ((u32)bytes[length - 1] << 8 | bytes[length - 2])) {
      input->errors++;
      continue;
    }
    u32 size = answer(input, bytes);
    u32 crc = crc16(bytes, size);
    bytes[size] = (u8)crc;
    bytes[size + 1] = (u8)(crc >> 8);
    input->frames[i].length = size + 2;
    answered += (u64)crc << (i & 31);
  }
  return answered << 8 | (input->errors & 255);
}
