// Ethernet, IPv4 and UDP headers: checks the header checksum, answers the echo port by swapping addresses, filters by port
// and source, counts the rest. Gives the last 32 decisions, two bits each.
#include "kernel.h"

#define SLOT 96

struct ethernet {
  u8 destination[6], source[6];
  u16 type;
};
struct ipv4 {
  u8 version_length, service;
  u16 length, id, fragment;
  u8 ttl, protocol;
  u16 checksum;
  u32 source, destination;
};
struct udp {
  u16 source, destination, length, checksum;
};
struct input {
  u32 other, bad, echoed, allowed, bytes, not_udp, malformed, unused;
  u8 slots[]; // len slots: two bytes of padding, then a frame
};

u64 entry(void *ctx, u64 len) {
  struct input *counts = ctx;
  u64 decisions = 0;
  for (u32 i = 0; i < (u32)len; i++) {
    u8 *slot = counts->slots + SLOT * i;
    struct ethernet *frame = (struct ethernet *)(slot + 2);
    u32 decision = 0;
    if (__builtin_bswap16(frame->type) == 0x0800) {
      struct ipv4 *ip = (struct ipv4 *)(slot + 16);
      u32 length = (ip->version_length & 15) * 4;
      if ((ip->version_length >> 4) == 4 && length >= 20) {
        u32 sum = 0;
        for (u32 k = 0; k < length; k += 2)
          sum += *(u16 *)((u8 *)ip + k);
        sum = (sum & 0xffff) + (sum >> 16);
        sum = (sum & 0xffff) + (sum >> 16);
        if (sum != 0xffff) {
          counts->bad++;
        } else if (ip->protocol == 17) {
          struct udp *udp = (struct udp *)((u8 *)ip + length);
          u32 port = __builtin_bswap16(udp->destination);
          if (port == 7) {
            for (int k = 0; k < 6; k++) {
              u8 byte = frame->destination[k];
              frame->destination[k] = frame->source[k];
              frame->source[k] = byte;
            }
            decision = 3;
            counts->echoed++;
          } else if (port >= 5000 && port < 6000 && (__builtin_bswap32(ip->source) >> 8) == 0x0a0102) {
            decision = 2;
            counts->allowed++;
          } else {
            decision = 1;
            counts->bytes += __builtin_bswap16(udp->length);
          }
        } else {
          counts->not_udp++;
          decision = ip->ttl > 1;
        }
      } else {
        counts->malformed++;
      }
    } else {
      counts->other++;
    }
    decisions = (decisions << 2) | decision;
  }
  return decisions;
}
