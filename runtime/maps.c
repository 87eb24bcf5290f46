/* maps.h says what this does. A hash has chains of elements behind a power of two of buckets; elements come from a list of
   freed ones, else from those never used. A ring buffer's storage is nearly twice its size: a record that begins before the
   end is written on beyond it, in one piece, while the bytes at the beginning that are its own by position lie idle. */

#include "maps.h"

#define MOST_BYTES 0x7fffffffu

/* A word at any address. */
struct __attribute__((packed, may_alias)) word {
  uint32_t value;
};

static uint32_t round8(uint32_t size) {
  return (size + 7u) & ~7u;
}

static void copy(void *to, const void *from, uint32_t size) {
  unsigned char *d = to;
  const unsigned char *s = from;
  for (; size >= 4; size -= 4, d += 4, s += 4) ((struct word *)d)->value = ((const struct word *)s)->value;
  for (; size > 0; size--) *d++ = *s++;
}

static void clear(void *at, uint32_t size) {
  unsigned char *d = at;
  for (; size >= 4; size -= 4, d += 4) ((struct word *)d)->value = 0;
  for (; size > 0; size--) *d++ = 0;
}

static int same(const void *a, const void *b, uint32_t size) {
  const unsigned char *p = a;
  const unsigned char *q = b;
  for (; size >= 4; size -= 4, p += 4, q += 4) {
    if (((const struct word *)p)->value != ((const struct word *)q)->value) return 0;
  }
  for (; size > 0; size--) {
    if (*p++ != *q++) return 0;
  }
  return 1;
}

static uint32_t mix(uint32_t hash, uint32_t value) {
  hash = (hash ^ value) * 0x9e3779b1u;
  return hash ^ (hash >> 15);
}

static uint32_t hash_of(const void *key, uint32_t size) {
  const unsigned char *k = key;
  uint32_t hash = size;
  for (; size >= 4; size -= 4, k += 4) hash = mix(hash, ((const struct word *)k)->value);
  for (; size > 0; size--) hash = mix(hash, *k++);
  return hash;
}

/* Keeps interrupts out; gives what unlock wants. */
static uint32_t lock(void) {
  uint32_t mask = 0;
#ifdef __arm__
  __asm__ volatile("mrs %0, primask\n\tcpsid i" : "=r"(mask) : : "memory");
#endif
  return mask;
}

static void unlock(uint32_t mask) {
#ifdef __arm__
  __asm__ volatile("msr primask, %0" : : "r"(mask) : "memory");
#else
  (void)mask;
#endif
}

static int is_hash(uint32_t type) {
  return type == THUMBPF_MAP_HASH || type == THUMBPF_MAP_PERCPU_HASH || type == THUMBPF_MAP_LRU_HASH;
}

static int is_array(uint32_t type) {
  return type == THUMBPF_MAP_ARRAY || type == THUMBPF_MAP_PERCPU_ARRAY;
}

static uint32_t key_offset_of(uint32_t type) {
  return type == THUMBPF_MAP_LRU_HASH ? 16 : 8;
}

static uint32_t buckets_of(uint32_t max_entries) {
  uint32_t buckets = 1;
  while (buckets < max_entries) buckets <<= 1;
  return buckets;
}

static uint32_t stride_of(uint32_t type, uint32_t key_size, uint32_t value_size) {
  if (is_hash(type)) return key_offset_of(type) + round8(key_size) + round8(value_size);
  if (is_array(type)) return round8(value_size);
  return type == THUMBPF_MAP_PROGRAM_ARRAY ? 4 : 1;
}

static uint32_t flags_of(uint32_t type) {
  if (is_array(type)) return type == THUMBPF_MAP_ARRAY ? THUMBPF_MMAPABLE : 0;
  if (!is_hash(type)) return 0;
  return type == THUMBPF_MAP_LRU_HASH ? THUMBPF_ZERO_SEED : THUMBPF_NO_PREALLOC | THUMBPF_ZERO_SEED;
}

uint32_t thumbpf_map_storage(uint32_t type, uint32_t key_size, uint32_t value_size, uint32_t max_entries, uint32_t flags) {
  uint64_t bytes;
  if (max_entries == 0 || max_entries > MOST_BYTES / 2 + 1 || (flags & ~flags_of(type)) != 0) return 0;
  if (type == THUMBPF_MAP_RINGBUF) {
    if (key_size != 0 || value_size != 0 || max_entries < 16 || (max_entries & (max_entries - 1)) != 0) return 0;
    return 2 * max_entries - 16;
  }
  /* With both, the stride has no overflow, and the product below has none in 64 bits. */
  if (key_size == 0 || value_size == 0 || value_size > MOST_BYTES || key_size > MOST_BYTES - value_size) return 0;
  bytes = (uint64_t)stride_of(type, key_size, value_size) * max_entries;
  if (is_hash(type)) {
    bytes += (uint64_t)buckets_of(max_entries) * 4;
  } else if (is_array(type)) {
    if (key_size != 4) return 0;
  } else if (type != THUMBPF_MAP_PROGRAM_ARRAY || key_size != 4 || value_size != 4) {
    return 0;
  }
  return bytes > MOST_BYTES ? 0 : (uint32_t)bytes;
}

long thumbpf_map_init(struct thumbpf_map *map, uint32_t type, uint32_t key_size, uint32_t value_size, uint32_t max_entries,
                      uint32_t flags, void *storage, uint32_t size) {
  uint32_t needed = thumbpf_map_storage(type, key_size, value_size, max_entries, flags);
  if (needed == 0 || size < needed || ((uintptr_t)storage & 7u) != 0) return -THUMBPF_EINVAL;
  clear(map, (uint32_t)sizeof *map);
  map->type = type;
  map->key_size = key_size;
  map->value_size = value_size;
  map->max_entries = max_entries;
  map->flags = flags;
  map->stride = stride_of(type, key_size, value_size);
  map->elements = storage;
  if (is_hash(type)) {
    uint32_t buckets = buckets_of(max_entries);
    uint32_t bytes = map->stride * max_entries;
    map->mask = buckets - 1;
    map->as.hash.buckets = (struct thumbpf_element **)(void *)(map->elements + bytes);
    map->as.hash.key_offset = key_offset_of(type);
    map->as.hash.value_offset = key_offset_of(type) + round8(key_size);
    clear(map->as.hash.buckets, buckets * 4);
  } else if (type == THUMBPF_MAP_RINGBUF) {
    map->mask = max_entries - 1;
  } else {
    clear(storage, needed);
  }
  return 0;
}

/* Hashes */

static void *key_of(const struct thumbpf_map *map, struct thumbpf_element *element) {
  return (unsigned char *)element + map->as.hash.key_offset;
}

static void *value_of(const struct thumbpf_map *map, struct thumbpf_element *element) {
  return (unsigned char *)element + map->as.hash.value_offset;
}

/* The pointer that leads to the entry with this key: to NULL, the end of its bucket, if there is none. */
static struct thumbpf_element **find(const struct thumbpf_map *map, const void *key, uint32_t hash) {
  struct thumbpf_element **link = &map->as.hash.buckets[hash & map->mask];
  for (; *link != NULL; link = &(*link)->next) {
    if ((*link)->hash == hash && same(key_of(map, *link), key, map->key_size)) break;
  }
  return link;
}

static void list_remove(struct thumbpf_map *map, struct thumbpf_element *element) {
  if (element->newer != NULL) element->newer->older = element->older;
  else map->as.hash.newest = element->older;
  if (element->older != NULL) element->older->newer = element->newer;
  else map->as.hash.oldest = element->newer;
}

static void list_insert(struct thumbpf_map *map, struct thumbpf_element *element) {
  element->newer = NULL;
  element->older = map->as.hash.newest;
  if (element->older != NULL) element->older->newer = element;
  else map->as.hash.oldest = element;
  map->as.hash.newest = element;
}

static void used(struct thumbpf_map *map, struct thumbpf_element *element) {
  if (map->type != THUMBPF_MAP_LRU_HASH || map->as.hash.newest == element) return;
  list_remove(map, element);
  list_insert(map, element);
}

static void remove_at(struct thumbpf_map *map, struct thumbpf_element **link) {
  struct thumbpf_element *element = *link;
  *link = element->next;
  if (map->type == THUMBPF_MAP_LRU_HASH) list_remove(map, element);
  element->next = map->as.hash.free;
  map->as.hash.free = element;
  map->as.hash.count--;
}

/* An element for a new entry, or NULL where the map is full. */
static struct thumbpf_element *take(struct thumbpf_map *map) {
  struct thumbpf_element *element = map->as.hash.free;
  if (element == NULL && map->as.hash.fresh < map->max_entries) {
    uint32_t at = map->as.hash.fresh++ * map->stride;
    return (struct thumbpf_element *)(void *)(map->elements + at);
  }
  if (element == NULL && map->type == THUMBPF_MAP_LRU_HASH) {
    struct thumbpf_element *oldest = map->as.hash.oldest;
    struct thumbpf_element **link = &map->as.hash.buckets[oldest->hash & map->mask];
    while (*link != oldest) link = &(*link)->next;
    remove_at(map, link);
    element = oldest;
  }
  if (element != NULL) map->as.hash.free = element->next;
  return element;
}

static long hash_update(struct thumbpf_map *map, const void *key, const void *value, uint32_t flags) {
  uint32_t hash = hash_of(key, map->key_size);
  struct thumbpf_element *element = *find(map, key, hash);
  struct thumbpf_element **bucket = &map->as.hash.buckets[hash & map->mask];
  if (element != NULL) {
    if (flags == THUMBPF_NOEXIST) return -THUMBPF_EEXIST;
    used(map, element);
    copy(value_of(map, element), value, map->value_size);
    return 0;
  }
  if (flags == THUMBPF_EXIST) return -THUMBPF_ENOENT;
  element = take(map);
  if (element == NULL) return -THUMBPF_E2BIG;
  /* The key first: it may lie in the value of the entry that was dropped. */
  copy(key_of(map, element), key, map->key_size);
  copy(value_of(map, element), value, map->value_size);
  element->hash = hash;
  element->next = *bucket;
  *bucket = element;
  if (map->type == THUMBPF_MAP_LRU_HASH) list_insert(map, element);
  map->as.hash.count++;
  return 0;
}

void *thumbpf_map_lookup(struct thumbpf_map *map, const void *key) {
  if (is_array(map->type)) {
    uint32_t index = ((const struct word *)key)->value;
    return index < map->max_entries ? map->elements + index * map->stride : NULL;
  }
  if (is_hash(map->type)) {
    uint32_t hash = hash_of(key, map->key_size);
    uint32_t mask = lock();
    struct thumbpf_element *element = *find(map, key, hash);
    if (element != NULL) used(map, element);
    unlock(mask);
    return element != NULL ? value_of(map, element) : NULL;
  }
  return NULL;
}

long thumbpf_map_update(struct thumbpf_map *map, const void *key, const void *value, uint64_t flags) {
  if (flags > THUMBPF_EXIST) return -THUMBPF_EINVAL;
  if (is_array(map->type)) {
    uint32_t index = ((const struct word *)key)->value;
    if (index >= map->max_entries) return -THUMBPF_E2BIG;
    if (flags == THUMBPF_NOEXIST) return -THUMBPF_EEXIST;
    copy(map->elements + index * map->stride, value, map->value_size);
    return 0;
  }
  if (is_hash(map->type)) {
    uint32_t mask = lock();
    long result = hash_update(map, key, value, (uint32_t)flags);
    unlock(mask);
    return result;
  }
  return -THUMBPF_EINVAL;
}

long thumbpf_map_delete(struct thumbpf_map *map, const void *key) {
  uint32_t hash, mask;
  struct thumbpf_element **link;
  long result = -THUMBPF_ENOENT;
  if (!is_hash(map->type)) return -THUMBPF_EINVAL;
  hash = hash_of(key, map->key_size);
  mask = lock();
  link = find(map, key, hash);
  if (*link != NULL) {
    remove_at(map, link);
    result = 0;
  }
  unlock(mask);
  return result;
}

long thumbpf_map_set_program(struct thumbpf_map *map, uint32_t index, const void *entry) {
  if (map->type != THUMBPF_MAP_PROGRAM_ARRAY) return -THUMBPF_EINVAL;
  if (index >= map->max_entries) return -THUMBPF_E2BIG;
  ((const void **)(void *)map->elements)[index] = entry;
  return 0;
}

/* Ring buffers */

static struct thumbpf_record *record_at(const struct thumbpf_map *map, uint32_t position) {
  return (struct thumbpf_record *)(void *)(map->elements + (position & map->mask));
}

static uint32_t record_bytes(uint32_t length) {
  return round8((length & ~(THUMBPF_RECORD_BUSY | THUMBPF_RECORD_DISCARD)) + (uint32_t)sizeof(struct thumbpf_record));
}

void *thumbpf_ringbuf_reserve(struct thumbpf_map *map, uint64_t size, uint64_t flags) {
  struct thumbpf_record *record = NULL;
  uint32_t bytes, end, pending, mask;
  if (map->type != THUMBPF_MAP_RINGBUF || flags != 0 || size > map->mask) return NULL;
  bytes = record_bytes((uint32_t)size);
  mask = lock();
  end = map->as.ring.producer + bytes;
  pending = map->as.ring.pending;
  while (pending != map->as.ring.producer) {
    uint32_t length = record_at(map, pending)->length;
    if ((length & THUMBPF_RECORD_BUSY) != 0) break;
    pending += record_bytes(length);
  }
  map->as.ring.pending = pending;
  if (end - map->as.ring.consumer <= map->mask && end - pending <= map->mask) {
    record = record_at(map, map->as.ring.producer);
    record->length = (uint32_t)size | THUMBPF_RECORD_BUSY;
    record->offset = (uint32_t)((uintptr_t)record - (uintptr_t)map);
    __atomic_store_n(&map->as.ring.producer, end, __ATOMIC_RELEASE);
  }
  unlock(mask);
  return record != NULL ? record + 1 : NULL;
}

static void commit(void *sample, uint32_t bits) {
  struct thumbpf_record *record = (struct thumbpf_record *)sample - 1;
  __atomic_store_n(&record->length, record->length ^ bits, __ATOMIC_RELEASE);
}

/* Nobody sleeps here, so that the flags on waking the consumer have no meaning. */
void thumbpf_ringbuf_submit(void *sample, uint64_t flags) {
  (void)flags;
  commit(sample, THUMBPF_RECORD_BUSY);
}

void thumbpf_ringbuf_discard(void *sample, uint64_t flags) {
  (void)flags;
  commit(sample, THUMBPF_RECORD_BUSY | THUMBPF_RECORD_DISCARD);
}

long thumbpf_ringbuf_output(struct thumbpf_map *map, const void *data, uint64_t size, uint64_t flags) {
  void *sample;
  if (map->type != THUMBPF_MAP_RINGBUF || flags > 3) return -THUMBPF_EINVAL;
  sample = thumbpf_ringbuf_reserve(map, size, 0);
  if (sample == NULL) return -THUMBPF_EAGAIN;
  copy(sample, data, (uint32_t)size);
  commit(sample, THUMBPF_RECORD_BUSY);
  return 0;
}

uint64_t thumbpf_ringbuf_query(struct thumbpf_map *map, uint64_t flags) {
  if (map->type != THUMBPF_MAP_RINGBUF) return 0;
  if (flags == THUMBPF_RING_AVAILABLE) return map->as.ring.producer - map->as.ring.consumer;
  if (flags == THUMBPF_RING_SIZE) return map->max_entries;
  if (flags == THUMBPF_RING_CONSUMER) return map->as.ring.consumer;
  if (flags == THUMBPF_RING_PRODUCER) return map->as.ring.producer;
  return 0;
}

const void *thumbpf_ringbuf_peek(struct thumbpf_map *map, uint32_t *size) {
  while (map->as.ring.consumer != __atomic_load_n(&map->as.ring.producer, __ATOMIC_ACQUIRE)) {
    struct thumbpf_record *record = record_at(map, map->as.ring.consumer);
    uint32_t length = __atomic_load_n(&record->length, __ATOMIC_ACQUIRE);
    if ((length & THUMBPF_RECORD_BUSY) != 0) break;
    if ((length & THUMBPF_RECORD_DISCARD) == 0) {
      *size = length;
      return record + 1;
    }
    thumbpf_ringbuf_release(map);
  }
  return NULL;
}

void thumbpf_ringbuf_release(struct thumbpf_map *map) {
  uint32_t bytes = record_bytes(record_at(map, map->as.ring.consumer)->length);
  __atomic_store_n(&map->as.ring.consumer, map->as.ring.consumer + bytes, __ATOMIC_RELEASE);
}
