// Maps and helpers for the programs of this folder. They are run on the interpreter and on the simulator, several calls in a row, and
// both must agree on results and on what is in the maps.
#pragma once
#include "../objects.h"
#define __uint(name, value) int(*name)[value]
#define __type(name, type) typeof(type) *name
#define HELPER(number) __attribute__((unused)) = (void *)number
static void *(*const map_lookup)(void *map, const void *key) HELPER(1);
static long (*const map_update)(void *map, const void *key, const void *value, u64 flags) HELPER(2);
static long (*const map_delete)(void *map, const void *key) HELPER(3);
static long (*const tail_call)(void *ctx, void *map, u32 index) HELPER(12);
static long (*const ringbuf_output)(void *map, void *data, u64 size, u64 flags) HELPER(130);
static void *(*const ringbuf_reserve)(void *map, u64 size, u64 flags) HELPER(131);
static void (*const ringbuf_submit)(void *data, u64 flags) HELPER(132);
static void (*const ringbuf_discard)(void *data, u64 flags) HELPER(133);
static u64 (*const ringbuf_query)(void *map, u64 what) HELPER(134);
enum { HASH = 1, ARRAY, PROGRAM_ARRAY, PERCPU_HASH = 5, PERCPU_ARRAY, LRU_HASH = 9, RINGBUF = 27 };
#define MAP(name, kind, key_type, value_type, entries) \
  struct { __uint(type, kind); __uint(max_entries, entries); __type(key, key_type); __type(value, value_type); } name SEC(".maps")
struct bpf_map_def { u32 type, key_size, value_size, max_entries, map_flags; };
