/* The loader of runtime/ on the host, under sanitizers: every buffer is an allocation of its own, so that any access outside of
   one is seen.

     harness check FILE...                 a line for each: what thumbpf_load answers, and the size of its needs
     harness fuzz COUNT SEED FILE...       COUNT mutations of the images; ends with a line of counts, or in the first fault */

#include "../../runtime/thumbpf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../runtime/maps.h"

#define MOST_FILES 64
#define FILLER 0xa5

struct file {
  unsigned char *bytes;
  uint32_t size;
};

static struct file files[MOST_FILES];
static uint64_t state;

/* splitmix64 */
static uint32_t random32(void) {
  uint64_t z = (state += 0x9e3779b97f4a7c15u);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return (uint32_t)(z >> 32);
}

static void fail(const char *what) {
  fprintf(stderr, "FAULT: %s\n", what);
  abort();
}

static struct file read_file(const char *path) {
  struct file file = {NULL, 0};
  FILE *stream = fopen(path, "rb");
  long size;
  if (stream == NULL || fseek(stream, 0, SEEK_END) != 0 || (size = ftell(stream)) < 0) fail(path);
  rewind(stream);
  file.size = (uint32_t)size;
  file.bytes = malloc(file.size + 1u);
  if (fread(file.bytes, 1, file.size, stream) != file.size) fail(path);
  fclose(stream);
  return file;
}

static void helper(void) {
}

/* Every helper number below 256, without prototypes. */
static struct thumbpf_helper helpers[256];

static struct thumbpf_memory filled(uint32_t size) {
  struct thumbpf_memory memory = {NULL, size};
  if (size == 0) return memory;
  memory.at = malloc(size);
  memset(memory.at, FILLER, size);
  return memory;
}

static int untouched(struct thumbpf_memory memory) {
  const unsigned char *at = memory.at;
  for (uint32_t index = 0; index < memory.size; index++) {
    if (at[index] != FILLER) return 0;
  }
  return 1;
}

static void put(struct file *file, uint32_t at, uint32_t value) {
  for (uint32_t byte = 0; byte < 4 && at + byte < file->size; byte++) file->bytes[at + byte] = (unsigned char)(value >> (8 * byte));
}

static uint32_t get(const struct file *file, uint32_t at) {
  uint32_t value = 0;
  for (uint32_t byte = 0; byte < 4 && at + byte < file->size; byte++) value |= (uint32_t)file->bytes[at + byte] << (8 * byte);
  return value;
}

/* Another image: some bytes, words, lengths or pieces changed, and mostly a checksum that fits again. */
static struct file mutate(const struct file *from) {
  static const uint32_t odd[] = {0, 1, 2, 3, 4, 7, 8, 0xff, 0x100, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff};
  struct file to = {NULL, from->size};
  uint32_t changes = 1 + random32() % 4;
  to.bytes = malloc(to.size + 64u);
  memcpy(to.bytes, from->bytes, to.size);
  for (; changes > 0; changes--) {
    uint32_t words = to.size / 4;
    uint32_t at = random32() % 3 == 0 ? random32() % 80 : random32() % to.size;
    uint32_t word = words == 0 ? 0 : at / 4 * 4;
    switch (random32() % 8) {
      case 0:
        to.bytes[at % to.size] ^= (unsigned char)(1u << (random32() % 8));
        break;
      case 1:
        to.bytes[at % to.size] = (unsigned char)random32();
        break;
      case 2:
        put(&to, word, odd[random32() % (sizeof odd / sizeof odd[0])]);
        break;
      case 3:
        put(&to, word, get(&to, word) + odd[random32() % 8]);
        break;
      case 4:
        put(&to, word, get(&to, word) - odd[random32() % 8]);
        break;
      case 5:
        put(&to, word, get(&to, random32() % to.size / 4 * 4));
        break;
      case 6: {
        /* A piece over another. */
        uint32_t length = random32() % 24, other = random32() % to.size;
        if (at + length <= to.size && other + length <= to.size) memmove(to.bytes + at, to.bytes + other, length);
        break;
      }
      default:
        if (random32() % 8 == 0 && to.size > 1) to.size = 1 + random32() % to.size;
        break;
    }
  }
  if (random32() % 8 != 0 && to.size >= 84) {
    uint32_t total = get(&to, 8);
    if (random32() % 8 == 0) put(&to, 8, total = to.size & ~3u);
    if (total >= 84 && total <= to.size) put(&to, total - 4, thumbpf_crc32(0, to.bytes, total - 4));
  }
  /* Of exactly its size, so that a read behind it is seen. */
  unsigned char *exact = malloc(to.size);
  memcpy(exact, to.bytes, to.size);
  free(to.bytes);
  to.bytes = exact;
  return to;
}

static enum thumbpf_status try_load(const struct file *file, int exact) {
  struct thumbpf_programs programs = {NULL, 0};
  struct thumbpf_program program, again;
  struct thumbpf_needs needs;
  struct thumbpf_setup setup = {helpers, 256, NULL, 0, {NULL, 0}, {NULL, 0}, 0, 0};
  struct thumbpf_map *shared = NULL;
  struct thumbpf_shared_map shared_map = {"counters", NULL};
  void *storage = NULL;
  if (!exact) {
    setup.helper_count = random32() % 8 == 0 ? random32() % 256 : 256;
    setup.transient = random32() % 2 == 0;
    setup.most_stack = random32() % 4 == 0 ? random32() % 1024 : 0;
    if (random32() % 4 == 0) {
      shared = malloc(sizeof *shared);
      storage = malloc(8 * 16);
      if (thumbpf_map_init(shared, THUMBPF_MAP_ARRAY, 4, 8, 16, 0, storage, 8 * 16) != 0) fail("no shared map");
      shared_map.map = shared;
      setup.maps = &shared_map;
      setup.map_count = 1;
    }
  }
  enum thumbpf_status checked = thumbpf_check(file->bytes, file->size);
  enum thumbpf_status status = thumbpf_measure(file->bytes, file->size, &setup, &needs);
  if (checked != THUMBPF_OK && status != checked) fail("measured what is no image");
  if (status == THUMBPF_OK) {
    uint32_t code = needs.code_bytes, data = needs.data_bytes;
    if (data > 1u << 20) data = 1u << 20;
    if (!exact) {
      uint32_t choice = random32() % 8;
      if (choice == 0 && code > 0) code = random32() % code;
      if (choice == 1 && data > 0) data = random32() % data;
      if (choice == 2) data += random32() % 64;
      if (choice == 3) code += random32() % 64;
    }
    if (needs.data_align > 16) data += needs.data_align;
    setup.code = filled(code);
    setup.data = filled(data);
    status = thumbpf_load(&programs, &program, "first", file->bytes, file->size, &setup);
    if (status != THUMBPF_OK && (!untouched(setup.code) || !untouched(setup.data))) fail("a refused image was written");
    if (status != THUMBPF_OK && programs.first != NULL) fail("a refused image is in the list");
    if (status == THUMBPF_OK) {
      struct thumbpf_env env;
      struct thumbpf_result result;
      if (thumbpf_find(&programs, "first") != &program || thumbpf_find(&programs, "other") != NULL) fail("not found");
      if (thumbpf_load(&programs, &again, "first", file->bytes, file->size, &setup) != THUMBPF_NAME_TAKEN) fail("twice one name");
      if ((code | data) != 0 && thumbpf_load(&programs, &again, "again", file->bytes, file->size, &setup) != THUMBPF_OVERLAP) {
        fail("memory given twice");
      }
      for (uint32_t offset = 0; offset <= program.code_bytes; offset += 2) thumbpf_instruction_at(&program, program.code + offset);
      thumbpf_begin(&program, NULL, 0, &env);
      if (thumbpf_unload(&programs, &program) != THUMBPF_BUSY) fail("unloaded while it runs");
      env.outcome = 1;
      env.pc = random32();
      thumbpf_end(&program, &env, 0, &result);
      if (thumbpf_unload(&programs, &program) != THUMBPF_OK || programs.first != NULL) fail("not unloaded");
      if (thumbpf_unload(&programs, &program) != THUMBPF_NOT_LOADED) fail("unloaded twice");
    }
    free(setup.code.at);
    free(setup.data.at);
  }
  free(shared);
  free(storage);
  if (exact) printf("%s %u %u\n", thumbpf_status_name(status), status == THUMBPF_OK ? needs.code_bytes : 0, status == THUMBPF_OK ? needs.data_bytes : 0);
  return status;
}

int main(int argc, char **argv) {
  int check = argc > 2 && strcmp(argv[1], "check") == 0;
  uint32_t counts[THUMBPF_STATUS_COUNT] = {0};
  for (uint32_t index = 0; index < 256; index++) {
    helpers[index].number = index;
    helpers[index].function = helper;
  }
  if (check) {
    for (int index = 2; index < argc; index++) {
      struct file file = read_file(argv[index]);
      struct file exact = {malloc(file.size + (file.size == 0)), file.size};
      memcpy(exact.bytes, file.bytes, file.size);
      try_load(&exact, 1);
      free(file.bytes);
      free(exact.bytes);
    }
    return 0;
  }
  if (argc < 5 || argc - 4 > MOST_FILES) return 2;
  long count = atol(argv[2]);
  uint64_t seed = (uint64_t)atol(argv[3]);
  for (int index = 4; index < argc; index++) files[index - 4] = read_file(argv[index]);
  for (long run = 0; run < count; run++) {
    state = (seed << 32) + (uint64_t)run;
    struct file mutant = mutate(&files[random32() % (uint32_t)(argc - 4)]);
    counts[try_load(&mutant, 0)]++;
    free(mutant.bytes);
  }
  for (int index = 4; index < argc; index++) free(files[index - 4].bytes);
  for (uint32_t status = 0; status < THUMBPF_STATUS_COUNT; status++) {
    if (counts[status] != 0) printf("%s %u\n", thumbpf_status_name((enum thumbpf_status)status), counts[status]);
  }
  return 0;
}
