// Frames of an Ethernet: VLAN tag, IPv4 header with options and checksum, UDP and TCP with theirs. Each frame follows its length.
#include "kernel.h"

struct input {
  u32 frames, bad, udp, tcp, other, tagged, bytes, ports;
  u8 stream[]; // len bytes
};

static u32 big16(const u8 *bytes) { return (u32)bytes[0] << 8 | bytes[1]; }

static u32 checksum(const u8 *bytes, u32 length, u32 sum) {
  for (; length > 1; length -= 2, bytes += 2)
    sum += big16(bytes);
  if (length > 0)
    sum += (u32)*bytes << 8;
  while (sum >> 16)
    sum = (sum & 0xffff) + (sum >> 16);
  return ~sum & 0xffff;
}

/** 0 if the frame is right or of another protocol. */
static u32 parse(struct input *input, const u8 *frame, const u8 *end) {
  if (frame + 14 > end)
    return 1;
  u32 type = big16(frame + 12);
  const u8 *ip = frame + 14;
  if (type == 0x8100) {
    if (ip + 4 > end)
      return 1;
    type = big16(ip + 2);
    ip += 4;
    input->tagged++;
  }
  if (type != 0x0800)
    return 0;
  if (ip + 20 > end)
    return 1;
  u32 header = (ip[0] & 15) * 4u;
  if (ip[0] >> 4 != 4 || header < 20 || ip + header > end || checksum(ip, header, 0) != 0)
    return 1;
  u32 total = big16(ip + 2);
  if (total < header || ip + total > end)
    return 1;
  const u8 *payload = ip + header;
  u32 size = total - header;
  input->bytes += size;
  u32 pseudo = big16(ip + 12) + big16(ip + 14) + big16(ip + 16) + big16(ip + 18) + ip[9] + size;
  switch (ip[9]) {
  case 17:
    if (size < 8 || (big16(payload + 6) != 0 && checksum(payload, size, pseudo) != 0))
      return 1;
    input->udp++;
    input->ports ^= big16(payload + 2);
    return 0;
  case 6:
    if (size < 20 || checksum(payload, size, pseudo) != 0)
      return 1;
    input->tcp++;
    input->ports += big16(payload + 2);
    return 0;
  default:
    input->other++;
    return 0;
  }
}

u64 entry(void *ctx, u64 len) {
  struct input *input = ctx;
  const u8 *at = input->stream, *end = at + len;
  while (at + 2 <= end) {
    u32 size = (u32)at[0] | (u32)at[1] << 8;
    at += 2;
    if (at + size > end)
      break;
    input->frames++;
    input->bad += parse(input, at, at + size);
    at += size;
  }
  return (u64)input->bytes << 32 | input->ports;
}
