// A hash table with open addressing, as for neighbours in a radio network: `len` packets add, find and remove addresses of
// eight bytes, with counters each.
#include "kernel.h"

#define SLOTS 64

enum { EMPTY, USED, REMOVED };

struct slot {
  u64 address;
  u32 packets;
  u16 sequence;
  u8 state, signal;
};
struct packet {
  u64 address;
  u16 sequence;
  u8 kind, signal;
  u32 unused;
};
struct input {
  struct slot slots[SLOTS];
  struct packet packets[]; // len
};

static u32 hash(u64 address) {
  address ^= address >> 33;
  address *= 0xff51afd7ed558ccdull;
  return (u32)(address >> 40);
}

/** The slot of an address, or the one to put it in; SLOTS if the table is full. */
static u32 find(const struct slot *slots, u64 address) {
  u32 at = hash(address) % SLOTS, room = SLOTS;
  for (u32 probes = 0; probes < SLOTS; probes++) {
    u8 state = slots[at].state;
    if (state == USED && slots[at].address == address)
      return at;
    if (state != USED && room == SLOTS)
      room = at;
    if (state == EMPTY)
      break;
    at = (at + 1) % SLOTS;
  }
  return room;
}

u64 entry(void *ctx, u64 len) {
  struct input *input = ctx;
  u32 added = 0, lost = 0;
  for (u32 i = 0; i < (u32)len; i++) {
    const struct packet *packet = &input->packets[i];
    u32 at = find(input->slots, packet->address);
    if (at == SLOTS)
      continue;
    struct slot *slot = &input->slots[at];
    u32 known = slot->state == USED;
    if (packet->kind == 2) {
      if (known)
        slot->state = REMOVED;
      continue;
    }
    if (!known) {
      slot->address = packet->address;
      slot->packets = 0;
      slot->state = USED;
      slot->signal = packet->signal;
      added++;
    } else {
      lost += (u16)(packet->sequence - slot->sequence - 1);
      slot->signal = (u8)((7 * slot->signal + packet->signal) / 8);
    }
    slot->sequence = packet->sequence;
    slot->packets++;
  }
  return (u64)added << 32 | lost;
}
