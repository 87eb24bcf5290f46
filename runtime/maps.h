/* Maps in the target's memory, with the semantics of Linux's helpers, for firmware and for compiled programs alike. C11,
   freestanding, for 32-bit targets: no library, no allocation, no data of its own. The caller gives the memory of each map.
   On ARM each operation runs with interrupts masked, so that an interrupt may use a map that the main loop is using;
   unprivileged code, which can't mask them, must see to that itself. Ring buffers have one consumer.
   The numbers (types, flags, errors) are those of Linux's uapi/linux/bpf.h and errno.h. */

#ifndef THUMBPF_MAPS_H
#define THUMBPF_MAPS_H

#include <stddef.h>
#include <stdint.h>

enum thumbpf_map_type {
  THUMBPF_MAP_HASH = 1,
  THUMBPF_MAP_ARRAY = 2,
  THUMBPF_MAP_PROGRAM_ARRAY = 3,
  THUMBPF_MAP_PERCPU_HASH = 5,  /* one processor: a hash */
  THUMBPF_MAP_PERCPU_ARRAY = 6, /* one processor: an array */
  THUMBPF_MAP_LRU_HASH = 9,     /* full, it drops the entry that was used least recently */
  THUMBPF_MAP_RINGBUF = 27
};

/* Flags of update. */
#define THUMBPF_ANY 0u
#define THUMBPF_NOEXIST 1u
#define THUMBPF_EXIST 2u

/* Flags of a map. They say what holds here anyway, and change nothing. */
#define THUMBPF_NO_PREALLOC 1u /* hash */
#define THUMBPF_ZERO_SEED 64u  /* hash */
#define THUMBPF_MMAPABLE 1024u /* array */

/* What operations return as negative numbers. */
#define THUMBPF_ENOENT 2
#define THUMBPF_E2BIG 7
#define THUMBPF_EAGAIN 11
#define THUMBPF_EEXIST 17
#define THUMBPF_EINVAL 22

/* A ring buffer's record: this header, then the data, then padding to a multiple of 8. */
struct thumbpf_record {
  uint32_t length; /* of the data, with the two bits below */
  uint32_t offset; /* address of the header minus that of the map */
};
#define THUMBPF_RECORD_BUSY 0x80000000u    /* reserved, neither submitted nor discarded yet */
#define THUMBPF_RECORD_DISCARD 0x40000000u /* to be skipped */

/* What thumbpf_ringbuf_query answers. */
#define THUMBPF_RING_AVAILABLE 0u
#define THUMBPF_RING_SIZE 1u
#define THUMBPF_RING_CONSUMER 2u
#define THUMBPF_RING_PRODUCER 3u

/* An entry of a hash: this header (the last two members in an LRU hash alone), then key and value, each at a multiple of 8. */
struct thumbpf_element {
  struct thumbpf_element *next; /* in its bucket, or in the list of free ones */
  uint32_t hash;
  struct thumbpf_element *newer;
  struct thumbpf_element *older;
};

/* A map. Its address is what a program knows it by. src/bpf/maps.ts has these offsets too. */
struct thumbpf_map {
  uint32_t type;            /*  0 */
  uint32_t key_size;        /*  4: bytes; 4 in arrays, 0 in ring buffers */
  uint32_t value_size;      /*  8: bytes; 0 in ring buffers */
  uint32_t max_entries;     /* 12: ring buffers: bytes, a power of two */
  uint32_t flags;           /* 16 */
  uint32_t stride;          /* 20: bytes from an element to the next; ring buffers: 1 */
  unsigned char *elements;  /* 24: array: values; program array: addresses; hash: elements; ring buffer: records */
  uint32_t mask;            /* 28: hash: buckets minus 1; ring buffer: bytes minus 1 */
  union {
    struct {
      struct thumbpf_element **buckets; /* 32 */
      uint32_t key_offset;              /* 36: of the key in an element */
      uint32_t value_offset;            /* 40: of the value in an element */
      uint32_t count;                   /* 44: entries now */
      uint32_t fresh;                   /* 48: elements from this index on were never used */
      struct thumbpf_element *free;     /* 52: elements that were used and are not */
      struct thumbpf_element *newest;   /* 56: LRU hash: of all entries by use */
      struct thumbpf_element *oldest;   /* 60 */
    } hash;
    struct { /* Positions count bytes modulo 2^32. */
      uint32_t consumer; /* 32: all before is consumed */
      uint32_t producer; /* 36: all before is reserved */
      uint32_t pending;  /* 40: all before was seen submitted or discarded */
    } ring;
  } as;
};

/* Bytes of storage that such a map needs; 0 where there can be none such. */
uint32_t thumbpf_map_storage(uint32_t type, uint32_t key_size, uint32_t value_size, uint32_t max_entries, uint32_t flags);

/* Makes an empty map with storage (8-aligned, size bytes), which is its own from then on. 0, or -EINVAL: nothing was written. */
long thumbpf_map_init(struct thumbpf_map *map, uint32_t type, uint32_t key_size, uint32_t value_size, uint32_t max_entries,
                      uint32_t flags, void *storage, uint32_t size);

/* bpf_map_lookup_elem (1): the value's address, 8-aligned, or NULL. */
void *thumbpf_map_lookup(struct thumbpf_map *map, const void *key);
/* bpf_map_update_elem (2): 0, -EINVAL, -EEXIST, -ENOENT or -E2BIG. */
long thumbpf_map_update(struct thumbpf_map *map, const void *key, const void *value, uint64_t flags);
/* bpf_map_delete_elem (3): 0, -ENOENT, or -EINVAL where entries can't be deleted. */
long thumbpf_map_delete(struct thumbpf_map *map, const void *key);

/* For the firmware, not for programs: sets entry index of a program array; NULL empties it. 0, -EINVAL or -E2BIG. */
long thumbpf_map_set_program(struct thumbpf_map *map, uint32_t index, const void *entry);

/* bpf_ringbuf_output (130): 0, -EINVAL, or -EAGAIN where there is no room. */
long thumbpf_ringbuf_output(struct thumbpf_map *map, const void *data, uint64_t size, uint64_t flags);
/* bpf_ringbuf_reserve (131): the address of size bytes, 8-aligned and in one piece, or NULL. */
void *thumbpf_ringbuf_reserve(struct thumbpf_map *map, uint64_t size, uint64_t flags);
/* bpf_ringbuf_submit (132) and bpf_ringbuf_discard (133) of what reserve gave, once. */
void thumbpf_ringbuf_submit(void *sample, uint64_t flags);
void thumbpf_ringbuf_discard(void *sample, uint64_t flags);
/* bpf_ringbuf_query (134). */
uint64_t thumbpf_ringbuf_query(struct thumbpf_map *map, uint64_t flags);

/* For the consumer: the oldest record that was submitted and its size; NULL if there is none or an older one is busy. */
const void *thumbpf_ringbuf_peek(struct thumbpf_map *map, uint32_t *size);
/* Gives back the memory of the record that peek gave last. */
void thumbpf_ringbuf_release(struct thumbpf_map *map);

#endif
