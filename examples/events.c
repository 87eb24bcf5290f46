/* A node that counts what happens to it and tells the firmware of what is not as it should be.
 * ctx: records of two bytes, the kind of an event and the number of the device that it came from; len: their length in bytes.
 * Counts events by kind in an array and by device in a hash: the firmware, or the next call, reads both. A device that reaches the
 * threshold of its severity sends a message, once.
 * Returns the number of messages, and in the high word the number of records that were not understood. */
#include <stdint.h>

#define HASH 1
#define ARRAY 2
#define RING_BUFFER 27

/* Maps are declared by types, as libbpf reads them. */
#define NUMBER(name, value) int (*name)[value]
#define TYPE(name, type) type *name
#define SECTION(name) __attribute__((section(name), used))

static void *(*const map_lookup)(void *map, const void *key) = (void *)1;
static long (*const map_update)(void *map, const void *key, const void *value, uint64_t flags) = (void *)2;
static long (*const ring_output)(void *ring, const void *data, uint64_t size, uint64_t flags) = (void *)130;

enum kind { START, READING, WARNING, FAILURE, KINDS };

struct {
  NUMBER(type, ARRAY);
  NUMBER(max_entries, KINDS);
  TYPE(key, uint32_t);
  TYPE(value, uint32_t);
} by_kind SECTION(".maps");

struct {
  NUMBER(type, HASH);
  NUMBER(max_entries, 16);
  TYPE(key, uint32_t);
  TYPE(value, uint32_t);
} by_device SECTION(".maps");

struct {
  NUMBER(type, RING_BUFFER);
  NUMBER(max_entries, 256);
} messages SECTION(".maps");

/* .rodata, with pointers to strings: how much each kind weighs, and what it is called. */
static const struct {
  const char *name;
  uint32_t weight;
} kinds[KINDS] = {{"start", 0}, {"reading", 0}, {"warning", 1}, {"failure", 3}};

uint32_t threshold = 3; /* .data: the firmware may set it */
static uint32_t sent;   /* .bss */

struct message {
  uint8_t device;
  char text[15];
};

static __attribute__((noinline)) void send(uint32_t device, const char *text) {
  struct message message = {.device = (uint8_t)device};
  for (uint32_t i = 0; i < sizeof message.text - 1 && text[i] != 0; i++) message.text[i] = text[i];
  if (ring_output(&messages, &message, sizeof message, 0) == 0) sent++;
}

uint64_t events(const uint8_t *records, uint64_t len) {
  uint32_t unknown = 0;
  sent = 0;
  for (uint32_t at = 0; at + 2 <= (uint32_t)len; at += 2) {
    uint32_t kind = records[at], device = records[at + 1];
    uint32_t *count = map_lookup(&by_kind, &kind);
    if (!count) { /* beyond the end of the array */
      unknown++;
      continue;
    }
    ++*count;

    uint32_t weight = kinds[kind].weight, first = 0;
    uint32_t *sum = map_lookup(&by_device, &device);
    if (!sum) {
      map_update(&by_device, &device, &first, 0);
      sum = map_lookup(&by_device, &device);
      if (!sum) continue; /* the hash is full */
    }
    if (*sum < threshold && *sum + weight >= threshold) send(device, kinds[kind].name);
    *sum += weight;
  }
  return (uint64_t)unknown << 32 | sent;
}
