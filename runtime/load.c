/* thumbpf.h says what this does. First all is found out that could refuse an image (sizes, helpers, whether calls reach), with
   nothing written; then it is placed, where nothing can go wrong any more. Addresses in the target's words are 32 bits; the rest
   is in uintptr_t, so that the same code is tested on a host. */

#include "image.h"

#ifndef THUMBPF_WITHOUT_MAPS
#include "maps.h"
#endif

#define HEADER_BYTES 80u
#define VENEER_BYTES 8u
#define REACH 0x1000000u

/* An image on its way to a place. Data is placed in the order: table, sections, maps. */
struct loading {
  struct thumbpf_image image;
  const struct thumbpf_setup *setup;
  uintptr_t code;
  uintptr_t data;
  uintptr_t data_end;
};

static void copy(uintptr_t to, const unsigned char *from, uint32_t size) {
  volatile unsigned char *d = (volatile unsigned char *)to;
  for (; size > 0; size--) *d++ = *from++;
}

static void clear(uintptr_t to, uint32_t size) {
  volatile unsigned char *d = (volatile unsigned char *)to;
  for (; size > 0; size--) *d++ = 0;
}

/* A word at any address. */
struct __attribute__((packed, may_alias)) unaligned {
  uint32_t value;
};

static void put_word(uintptr_t to, uintptr_t value) {
  ((struct unaligned *)to)->value = (uint32_t)value;
}

static int same_text(const char *a, const char *b) {
  for (; *a == *b; a++, b++) {
    if (*a == 0) return 1;
  }
  return 0;
}

/* Makes code that was written visible to instruction fetch. */
static void synchronize(void) {
#ifdef __arm__
  __asm__ volatile("dsb\n\tisb" : : : "memory");
#endif
}

/* Helpers */

#ifndef THUMBPF_WITHOUT_MAPS
static const struct thumbpf_helper map_helpers[] = {
    {1, (thumbpf_function)thumbpf_map_lookup, "pointer(map,pointer)"},
    {2, (thumbpf_function)thumbpf_map_update, "s32(map,pointer,pointer,u64)"},
    {3, (thumbpf_function)thumbpf_map_delete, "s32(map,pointer)"},
    {130, (thumbpf_function)thumbpf_ringbuf_output, "s32(map,pointer,u64,u64)"},
    {131, (thumbpf_function)thumbpf_ringbuf_reserve, "pointer(map,u64,u64)"},
    {132, (thumbpf_function)thumbpf_ringbuf_submit, "void(pointer,u64)"},
    {133, (thumbpf_function)thumbpf_ringbuf_discard, "void(pointer,u64)"},
    {134, (thumbpf_function)thumbpf_ringbuf_query, "u64(map,u64)"},
};
#endif

static const struct thumbpf_helper *find_helper(const struct loading *l, uint32_t number) {
  uint32_t index;
  for (index = 0; index < l->setup->helper_count; index++) {
    if (l->setup->helpers[index].number == number) return &l->setup->helpers[index];
  }
#ifndef THUMBPF_WITHOUT_MAPS
  if (l->image.count[THUMBPF_MAPS] == 0) return NULL;
  for (index = 0; index < sizeof map_helpers / sizeof map_helpers[0]; index++) {
    if (map_helpers[index].number == number) return &map_helpers[index];
  }
#endif
  return NULL;
}

/* Is there a function for each import, with the same prototype? imports counts them. */
static enum thumbpf_status check_helpers(const struct loading *l, uint32_t *imports, uint32_t *detail) {
  uint32_t index;
  *imports = 0;
  for (index = 0; index < l->image.count[THUMBPF_SYMBOLS]; index++) {
    const struct thumbpf_helper *helper;
    struct thumbpf_symbol symbol;
    thumbpf_image_symbol(&l->image, index, &symbol);
    if (symbol.kind != THUMBPF_IMPORT) continue;
    ++*imports;
    *detail = symbol.value;
    helper = find_helper(l, symbol.value);
    if (helper == NULL || helper->function == NULL) return THUMBPF_NO_HELPER;
    if (*symbol.prototype == 0) symbol.prototype = "u64(u64,u64,u64,u64,u64)";
    if (helper->prototype != NULL && !same_text(helper->prototype, symbol.prototype)) return THUMBPF_OTHER_PROTOTYPE;
  }
  return THUMBPF_OK;
}

/* Places */

#ifndef THUMBPF_WITHOUT_MAPS
static struct thumbpf_map *shared_map(const struct loading *l, uint32_t index) {
  const unsigned char *record = thumbpf_image_record(&l->image, THUMBPF_MAPS, index);
  const char *name = (const char *)l->image.bytes + l->image.strings + thumbpf_word(record);
  uint32_t at;
  for (at = 0; at < l->setup->map_count; at++) {
    if (same_text(l->setup->maps[at].name, name)) return l->setup->maps[at].map;
  }
  return NULL;
}
#endif

/* Where a section's bytes are in the image; the section too. */
static const unsigned char *contents(const struct loading *l, uint32_t index, struct thumbpf_section *section) {
  uint32_t end = l->image.contents, at = 0, each;
  for (each = 0; each <= index; each++) {
    thumbpf_image_section(&l->image, each, section);
    at = thumbpf_image_contents(section, &end);
  }
  return l->image.bytes + at;
}

/* May a section be used where it is in the image? */
static int stays(const struct loading *l, uint32_t index, const struct thumbpf_section *section, const unsigned char *bytes) {
  struct thumbpf_relocation relocation;
  uint32_t at;
  if (section->kind != THUMBPF_RODATA || l->setup->transient != 0) return 0;
  if (((uintptr_t)bytes & (section->align - 1)) != 0) return 0;
  for (at = 0; at < l->image.count[THUMBPF_RELOCATIONS]; at++) {
    thumbpf_image_relocation(&l->image, at, &relocation);
    if (relocation.section == index) return 0;
  }
  return 1;
}

/* Takes size bytes, aligned, up to end; 0 if they are not there. */
static int take(uintptr_t *cursor, uintptr_t end, uint32_t align, uint32_t size, uintptr_t *at) {
  uintptr_t start = (*cursor + align - 1) & ~(uintptr_t)(align - 1);
  if (start < *cursor || start > end || size > end - start) return 0;
  *at = start;
  *cursor = start + size;
  return 1;
}

/* What is placed where: the table is item 0, then come sections, then maps; *address is that of an item, and behind all the end.
   *align is the greatest alignment up to there. */
static enum thumbpf_status place(const struct loading *l, uint32_t item, uintptr_t *address, uint32_t *align) {
  uintptr_t cursor = l->data;
  uint32_t index;
  *align = 4;
  if (!take(&cursor, l->data_end, 4, 4 * l->image.count[THUMBPF_TABLE], address)) return THUMBPF_NO_DATA_MEMORY;
  if (item == 0) return THUMBPF_OK;
  for (index = 0; index < l->image.count[THUMBPF_SECTIONS]; index++) {
    struct thumbpf_section section;
    const unsigned char *bytes = contents(l, index, &section);
    if (stays(l, index, &section, bytes)) {
      *address = (uintptr_t)bytes;
    } else {
      if (section.align > *align) *align = section.align;
      if (!take(&cursor, l->data_end, section.align, section.size, address)) return THUMBPF_NO_DATA_MEMORY;
    }
    if (--item == 0) return THUMBPF_OK;
  }
#ifndef THUMBPF_WITHOUT_MAPS
  for (index = 0; index < l->image.count[THUMBPF_MAPS]; index++) {
    const unsigned char *at = thumbpf_image_record(&l->image, THUMBPF_MAPS, index);
    const struct thumbpf_map *shared = shared_map(l, index);
    uint32_t type = thumbpf_word(at + 4), key = thumbpf_word(at + 8), value = thumbpf_word(at + 12);
    uint32_t entries = thumbpf_word(at + 16);
    uint32_t storage = thumbpf_map_storage(type, key, value, entries, thumbpf_word(at + 20));
    if (storage == 0) return THUMBPF_BAD_MAP;
    if (shared != NULL) {
      if (shared->type != type || shared->key_size != key || shared->value_size != value || shared->max_entries != entries) {
        return THUMBPF_BAD_MAP;
      }
      *address = (uintptr_t)shared;
    } else {
      uintptr_t elements;
      if (*align < 8) *align = 8;
      if (!take(&cursor, l->data_end, 8, sizeof(struct thumbpf_map), address)) return THUMBPF_NO_DATA_MEMORY;
      if (!take(&cursor, l->data_end, 8, storage, &elements)) return THUMBPF_NO_DATA_MEMORY;
    }
    if (--item == 0) return THUMBPF_OK;
  }
#endif
  *address = cursor;
  return THUMBPF_OK;
}

static uintptr_t place_of(const struct loading *l, uint32_t item) {
  uintptr_t address = 0;
  uint32_t align;
  place(l, item, &address, &align);
  return address;
}

static uintptr_t map_address(const struct loading *l, uint32_t index) {
  return place_of(l, 1 + l->image.count[THUMBPF_SECTIONS] + index);
}

static uintptr_t address_of(const struct loading *l, uint32_t index) {
  struct thumbpf_symbol symbol;
  thumbpf_image_symbol(&l->image, index, &symbol);
  if (symbol.kind == THUMBPF_FUNCTION) return (l->code + symbol.value) | 1u;
  if (symbol.kind == THUMBPF_IMPORT) return (uintptr_t)find_helper(l, symbol.value)->function | 1u;
  if (symbol.kind == THUMBPF_SECTION) return place_of(l, 1 + symbol.value);
  return map_address(l, symbol.value);
}

/* A jump to a helper that BL does not reach stands behind the code, one for each import. */
static uintptr_t veneer_of(const struct loading *l, uint32_t index) {
  uintptr_t at = l->code + l->image.code_bytes;
  uint32_t each;
  for (each = 0; each < index; each++) {
    if (*thumbpf_image_record(&l->image, THUMBPF_SYMBOLS, each) == THUMBPF_IMPORT) at += VENEER_BYTES;
  }
  return at;
}

/* BL: S:I1:I2:imm10:imm11:0, I = NOT(J EOR S). DDI 0403E A7.7.18. */
static uint32_t branch_offset(const unsigned char *at) {
  uint32_t first = thumbpf_half(at), second = thumbpf_half(at + 2);
  uint32_t s = (first >> 10) & 1u;
  uint32_t i1 = ((second >> 13) & 1u) ^ s ^ 1u, i2 = ((second >> 11) & 1u) ^ s ^ 1u;
  uint32_t bits = (i1 << 23) | (i2 << 22) | ((first & 0x3ffu) << 12) | ((second & 0x7ffu) << 1);
  return s != 0 ? bits | 0xff000000u : bits;
}

static int reaches(uint32_t distance) {
  return distance + REACH < 2 * REACH;
}

/* The offset that a BL gets: to its symbol, or to the veneer of one that is too far. */
static uint32_t call_distance(const struct loading *l, const struct thumbpf_relocation *relocation) {
  uint32_t rest = branch_offset(l->image.bytes + HEADER_BYTES + relocation->offset) - (uint32_t)(l->code + relocation->offset);
  uint32_t distance = (uint32_t)(address_of(l, relocation->symbol) & ~(uintptr_t)1) + rest;
  if (reaches(distance) || *thumbpf_image_record(&l->image, THUMBPF_SYMBOLS, relocation->symbol) != THUMBPF_IMPORT) return distance;
  return (uint32_t)veneer_of(l, relocation->symbol) + rest;
}

/* Checks */

static int overlap(uintptr_t a, uint32_t a_size, uintptr_t b, uint32_t b_size) {
  return a_size != 0 && b_size != 0 && a < b + b_size && b < a + a_size;
}

static int touches(const struct thumbpf_memory *memory, uintptr_t at, uint32_t size) {
  return overlap((uintptr_t)memory[0].at, memory[0].size, at, size) || overlap((uintptr_t)memory[1].at, memory[1].size, at, size);
}

static int is_memory(const struct thumbpf_memory *memory) {
  uintptr_t at = (uintptr_t)memory->at;
  return memory->size == 0 || (memory->at != NULL && at + memory->size > at);
}

/* Opens an image; needs is what it needs with the setup. */
static enum thumbpf_status measure(struct loading *l, const void *image, uint32_t size, const struct thumbpf_setup *setup,
                                   struct thumbpf_needs *needs, uint32_t *detail) {
  uint32_t imports = 0;
  uintptr_t end;
  enum thumbpf_status status = thumbpf_image_open(&l->image, image, size);
  if (status != THUMBPF_OK) return status;
#ifdef THUMBPF_WITHOUT_MAPS
  if (l->image.count[THUMBPF_MAPS] != 0) return THUMBPF_NO_MAPS;
#endif
  l->setup = setup;
  l->data = 0;
  l->data_end = 0x7fffffffu;
  status = check_helpers(l, &imports, detail);
  if (status != THUMBPF_OK) return status;
  *detail = needs->stack_bytes = l->image.stack_bytes;
  if (setup->most_stack != 0 && needs->stack_bytes > setup->most_stack) return THUMBPF_NO_STACK;
  needs->code_bytes = 0;
  if ((l->image.flags & THUMBPF_IN_PLACE) == 0 || setup->transient != 0) {
    if (l->image.code_bytes > REACH / 2 || imports > REACH / 4 / VENEER_BYTES) return THUMBPF_OUT_OF_REACH;
    needs->code_bytes = l->image.code_bytes;
    if ((l->image.flags & THUMBPF_IN_PLACE) == 0) needs->code_bytes += imports * VENEER_BYTES;
  }
  status = place(l, ~0u, &end, &needs->data_align);
  needs->data_bytes = (uint32_t)end;
  return status;
}

enum thumbpf_status thumbpf_measure(const void *image, uint32_t size, const struct thumbpf_setup *setup,
                                    struct thumbpf_needs *needs) {
  struct loading l;
  uint32_t detail;
  return measure(&l, image, size, setup, needs, &detail);
}

/* Everything that may refuse an image. */
static enum thumbpf_status check(struct loading *l, const struct thumbpf_programs *programs, const struct thumbpf_program *program,
                                 const char *name, const struct thumbpf_needs *needs, uint32_t *detail) {
  const struct thumbpf_setup *setup = l->setup;
  const struct thumbpf_memory memory[2] = {setup->code, setup->data};
  uintptr_t image = (uintptr_t)l->image.bytes, end;
  const struct thumbpf_program *other;
  struct thumbpf_relocation relocation;
  enum thumbpf_status status;
  uint32_t index, align;
  *detail = needs->code_bytes;
  if (!is_memory(&setup->code) || (setup->code.size == 0 && needs->code_bytes != 0)) return THUMBPF_NO_CODE_MEMORY;
  if (!is_memory(&setup->data)) return THUMBPF_NO_DATA_MEMORY;
  l->code = image + HEADER_BYTES;
  if (setup->code.size != 0) {
    uintptr_t cursor = (uintptr_t)setup->code.at;
    uint32_t bytes = needs->code_bytes > l->image.code_bytes ? needs->code_bytes : l->image.code_bytes;
    *detail = bytes;
    if (!take(&cursor, cursor + setup->code.size, 4, bytes, &l->code)) return THUMBPF_NO_CODE_MEMORY;
  } else if (l->code % 4 != 0) {
    return THUMBPF_NOT_ALIGNED;
  }
  for (other = programs->first; other != NULL; other = other->next) {
    if (other == program || same_text(other->name, name)) return THUMBPF_NAME_TAKEN;
    if (touches(memory, (uintptr_t)other->memory[0].at, other->memory[0].size) ||
        touches(memory, (uintptr_t)other->memory[1].at, other->memory[1].size) ||
        touches(memory, (uintptr_t)other->image, other->image_bytes)) {
      return THUMBPF_OVERLAP;
    }
  }
  if (touches(memory, image, l->image.total)) return THUMBPF_OVERLAP;
  if (overlap((uintptr_t)setup->code.at, setup->code.size, (uintptr_t)setup->data.at, setup->data.size)) return THUMBPF_OVERLAP;
  l->data = (uintptr_t)setup->data.at;
  l->data_end = l->data + setup->data.size;
  status = place(l, ~0u, &end, &align);
  if (status != THUMBPF_OK) return status;
  for (index = 0; index < l->image.count[THUMBPF_RELOCATIONS]; index++) {
    thumbpf_image_relocation(&l->image, index, &relocation);
    if (relocation.type == THUMBPF_R_ARM_THM_CALL && !reaches(call_distance(l, &relocation))) return THUMBPF_OUT_OF_REACH;
  }
  return THUMBPF_OK;
}

/* Writing */

static void write_code(const struct loading *l) {
  uintptr_t at = l->code + l->image.code_bytes;
  uint32_t index;
  copy(l->code, l->image.bytes + HEADER_BYTES, l->image.code_bytes);
  if ((l->image.flags & THUMBPF_IN_PLACE) != 0) return;
  for (index = 0; index < l->image.count[THUMBPF_SYMBOLS]; index++) {
    if (*thumbpf_image_record(&l->image, THUMBPF_SYMBOLS, index) != THUMBPF_IMPORT) continue;
    put_word(at, 0xf000f8dfu); /* LDR PC, [PC, #0] */
    put_word(at + 4, address_of(l, index));
    at += VENEER_BYTES;
  }
}

static void write_sections(const struct loading *l) {
  uint32_t index;
  for (index = 0; index < l->image.count[THUMBPF_SECTIONS]; index++) {
    struct thumbpf_section section;
    const unsigned char *bytes = contents(l, index, &section);
    uintptr_t at = place_of(l, 1 + index);
    if (section.kind == THUMBPF_BSS) clear(at, section.size);
    else if (at != (uintptr_t)bytes) copy(at, bytes, section.size);
  }
}

static void write_relocations(const struct loading *l) {
  struct thumbpf_relocation relocation;
  uint32_t index;
  for (index = 0; index < l->image.count[THUMBPF_RELOCATIONS]; index++) {
    uintptr_t at;
    thumbpf_image_relocation(&l->image, index, &relocation);
    at = (relocation.section == THUMBPF_CODE_SECTION ? l->code : place_of(l, 1 + relocation.section)) + relocation.offset;
    if (relocation.type == THUMBPF_R_ARM_THM_CALL) {
      uint32_t distance = call_distance(l, &relocation);
      uint32_t s = (distance >> 24) & 1u;
      uint32_t j1 = ((distance >> 23) & 1u) ^ s ^ 1u, j2 = ((distance >> 22) & 1u) ^ s ^ 1u;
      uint32_t second = 0xd000u | (j1 << 13) | (j2 << 11) | ((distance >> 1) & 0x7ffu);
      put_word(at, 0xf000u | (s << 10) | ((distance >> 12) & 0x3ffu) | (second << 16));
    } else {
      /* Bit 0 of a function's address is or-ed to the sum. */
      uintptr_t address = address_of(l, relocation.symbol);
      uint32_t thumb = *thumbpf_image_record(&l->image, THUMBPF_SYMBOLS, relocation.symbol) <= THUMBPF_IMPORT ? 1u : 0u;
      put_word(at, ((uint32_t)(address & ~(uintptr_t)thumb) + thumbpf_word((const unsigned char *)at)) | thumb);
    }
  }
}

#ifndef THUMBPF_WITHOUT_MAPS
static void write_maps(const struct loading *l) {
  uint32_t index;
  for (index = 0; index < l->image.count[THUMBPF_MAPS]; index++) {
    const unsigned char *at = thumbpf_image_record(&l->image, THUMBPF_MAPS, index);
    struct thumbpf_map *map = (struct thumbpf_map *)map_address(l, index);
    uint32_t type = thumbpf_word(at + 4), key = thumbpf_word(at + 8), value = thumbpf_word(at + 12);
    uint32_t entries = thumbpf_word(at + 16), flags = thumbpf_word(at + 20);
    uintptr_t storage = ((uintptr_t)map + sizeof *map + 7u) & ~(uintptr_t)7;
    if (shared_map(l, index) != NULL) continue;
    thumbpf_map_init(map, type, key, value, entries, flags, (void *)storage,
                     thumbpf_map_storage(type, key, value, entries, flags));
  }
  for (index = 0; index < l->image.count[THUMBPF_PROGRAMS]; index++) {
    const unsigned char *at = thumbpf_image_record(&l->image, THUMBPF_PROGRAMS, index);
    struct thumbpf_map *map = (struct thumbpf_map *)map_address(l, thumbpf_word(at));
    /* A map that is there already keeps what it holds. */
    if (shared_map(l, thumbpf_word(at)) != NULL) continue;
    put_word((uintptr_t)map->elements + 4 * thumbpf_word(at + 4), address_of(l, thumbpf_word(at + 8)));
  }
}
#endif

enum thumbpf_status thumbpf_load(struct thumbpf_programs *programs, struct thumbpf_program *program, const char *name,
                                 const void *image, uint32_t size, const struct thumbpf_setup *setup) {
  struct loading l;
  struct thumbpf_needs needs;
  uintptr_t table;
  uint32_t index;
  enum thumbpf_status status = measure(&l, image, size, setup, &needs, &programs->detail);
  if (status == THUMBPF_OK) status = check(&l, programs, program, name, &needs, &programs->detail);
  if (status != THUMBPF_OK) return status;
  if (setup->code.size != 0) write_code(&l);
  write_sections(&l);
  write_relocations(&l);
#ifndef THUMBPF_WITHOUT_MAPS
  write_maps(&l);
#endif
  table = place_of(&l, 0);
  for (index = 0; index < l.image.count[THUMBPF_TABLE]; index++) {
    put_word(table + 4 * index, address_of(&l, thumbpf_word(thumbpf_image_record(&l.image, THUMBPF_TABLE, index))));
  }
  synchronize();
  program->name = name;
  program->image = setup->transient != 0 ? NULL : l.image.bytes;
  program->image_bytes = setup->transient != 0 ? 0 : l.image.total;
  program->code = l.code;
  program->code_bytes = l.image.code_bytes;
  program->entry = l.image.entry;
  program->table = table;
  program->memory[0] = setup->code;
  program->memory[1] = setup->data;
  program->running = 0;
  program->next = programs->first;
  programs->first = program;
  return THUMBPF_OK;
}

enum thumbpf_status thumbpf_unload(struct thumbpf_programs *programs, struct thumbpf_program *program) {
  struct thumbpf_program **link = &programs->first;
  while (*link != NULL && *link != program) link = &(*link)->next;
  if (*link == NULL) return THUMBPF_NOT_LOADED;
  if (program->running != 0) return THUMBPF_BUSY;
  *link = program->next;
  return THUMBPF_OK;
}

struct thumbpf_program *thumbpf_find(const struct thumbpf_programs *programs, const char *name) {
  struct thumbpf_program *program = programs->first;
  while (program != NULL && !same_text(program->name, name)) program = program->next;
  return program;
}

/* Calls */

/* As interrupts nest, what one adds it has taken away again before this goes on: no lock is needed. */
thumbpf_entry thumbpf_begin(struct thumbpf_program *program, void *ctx, uint32_t len, struct thumbpf_env *env) {
  program->running++;
  env->outcome = 0;
  env->pc = 0;
  env->sp = 0;
  env->ctx = (uint32_t)(uintptr_t)ctx;
  env->len = len;
  env->tail_calls = 0;
  env->table = (uint32_t)program->table;
  env->reserved = 0;
  return (thumbpf_entry)((program->code + program->entry) | 1u);
}

void thumbpf_end(struct thumbpf_program *program, const struct thumbpf_env *env, uint64_t r0, struct thumbpf_result *result) {
  /* The byte before the return address belongs to the call of the trap path. */
  uint32_t offset = (env->pc & ~1u) - 1 - (uint32_t)program->code;
  program->running--;
  result->r0 = env->outcome == 0 ? r0 : 0;
  result->trap = env->outcome;
  result->offset = 0;
  result->instruction = -1;
  if (env->outcome == 0) return;
  result->offset = offset;
  result->instruction = thumbpf_instruction_at(program, program->code + offset);
}

void thumbpf_call(struct thumbpf_program *program, void *ctx, uint32_t len, struct thumbpf_result *result) {
  struct thumbpf_env env;
  thumbpf_entry entry = thumbpf_begin(program, ctx, len, &env);
  thumbpf_end(program, &env, entry(ctx, len, &env), result);
}
