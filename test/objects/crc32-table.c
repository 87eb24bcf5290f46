// CRC-32 by a table of 16 words.
#include "objects.h"

static const u32 table[16] = {0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c,
                              0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c, 0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c};
u64 entry(u8 *ctx, u64 len) {
  u32 crc = ~0u;
  for (u32 i = 0; i < len && i < 64; i++) {
    crc = table[(crc ^ ctx[i]) & 15] ^ (crc >> 4);
    crc = table[(crc ^ (ctx[i] >> 4)) & 15] ^ (crc >> 4);
  }
  return ~crc;
}
