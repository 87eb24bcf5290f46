/* thumbpf.h says what an image is. Everything here reads the bytes of one that may be anything: each offset, index and length is
   compared with what is left before it is used, and only sums that can't wrap are made. */

#include "image.h"

#define MAGIC 0x46504254u
#define VERSION 1u
#define ABI 1u
#define HEADER_BYTES 80u
#define MOST_ALIGN 16u
#define FILE_ALIGN 4u
#define PROGRAM_ARRAY 3u

static const unsigned char record_bytes[THUMBPF_PARTS] = {20, 12, 12, 24, 12, 4};

uint32_t thumbpf_half(const unsigned char *at) {
  return at[0] | ((uint32_t)at[1] << 8);
}

uint32_t thumbpf_word(const unsigned char *at) {
  return thumbpf_half(at) | (thumbpf_half(at + 2) << 16);
}

uint32_t thumbpf_crc32(uint32_t crc, const void *bytes, uint32_t size) {
  /* Four bits at a time: 64 bytes of table. */
  static const uint32_t table[16] = {0x00000000u, 0x1db71064u, 0x3b6e20c8u, 0x26d930acu, 0x76dc4190u, 0x6b6b51f4u,
                                     0x4db26158u, 0x5005713cu, 0xedb88320u, 0xf00f9344u, 0xd6d6a3e8u, 0xcb61b38cu,
                                     0x9b64c2b0u, 0x86d3d2d4u, 0xa00ae278u, 0xbdbdf21cu};
  const unsigned char *at = bytes;
  crc = ~crc;
  for (; size > 0; size--) {
    crc ^= *at++;
    crc = (crc >> 4) ^ table[crc & 15u];
    crc = (crc >> 4) ^ table[crc & 15u];
  }
  return ~crc;
}

const unsigned char *thumbpf_image_record(const struct thumbpf_image *image, enum thumbpf_part part, uint32_t index) {
  return image->bytes + image->at[part] + index * record_bytes[part];
}

void thumbpf_image_symbol(const struct thumbpf_image *image, uint32_t index, struct thumbpf_symbol *symbol) {
  const unsigned char *at = thumbpf_image_record(image, THUMBPF_SYMBOLS, index);
  symbol->kind = at[0];
  symbol->value = thumbpf_word(at + 4);
  symbol->prototype = (const char *)image->bytes + image->strings + thumbpf_word(at + 16);
}

void thumbpf_image_section(const struct thumbpf_image *image, uint32_t index, struct thumbpf_section *section) {
  const unsigned char *at = thumbpf_image_record(image, THUMBPF_SECTIONS, index);
  section->size = thumbpf_word(at + 4);
  section->kind = at[8];
  section->align = (uint32_t)1 << (at[9] & 31u);
}

void thumbpf_image_relocation(const struct thumbpf_image *image, uint32_t index, struct thumbpf_relocation *relocation) {
  const unsigned char *at = thumbpf_image_record(image, THUMBPF_RELOCATIONS, index);
  relocation->offset = thumbpf_word(at);
  relocation->section = thumbpf_half(at + 4);
  relocation->type = thumbpf_half(at + 6);
  relocation->symbol = thumbpf_word(at + 8);
}

uint32_t thumbpf_image_contents(const struct thumbpf_section *section, uint32_t *end) {
  uint32_t align = section->align < 1u << FILE_ALIGN ? section->align : 1u << FILE_ALIGN;
  uint32_t at = (*end + align - 1) & ~(align - 1);
  if (section->kind == THUMBPF_BSS) return *end;
  *end = at + section->size;
  return at;
}

/* Is a name at this place of a record inside of the strings? They end with 0, so that it ends too. */
static int named(const struct thumbpf_image *image, const unsigned char *at) {
  return thumbpf_word(at) < image->string_bytes;
}

/* Takes count times size bytes of *left from *at; 0 if they are not there. */
static int take(uint32_t *at, uint32_t *left, uint32_t count, uint32_t size) {
  if (count > *left / size) return 0;
  *at += count * size;
  *left -= count * size;
  return 1;
}

static enum thumbpf_status check_header(struct thumbpf_image *image, uint32_t size) {
  const unsigned char *bytes = image->bytes;
  const unsigned char *counts = bytes + 32;
  uint32_t at = HEADER_BYTES, left, part;
  if (size < HEADER_BYTES + 4) return THUMBPF_TRUNCATED;
  if (thumbpf_word(bytes) != MAGIC) return THUMBPF_BAD_MAGIC;
  if (thumbpf_word(bytes + 4) != (VERSION | HEADER_BYTES << 16)) return THUMBPF_BAD_VERSION;
  image->total = thumbpf_word(bytes + 8);
  if (image->total > size) return THUMBPF_TRUNCATED;
  if (image->total < HEADER_BYTES + 4 || image->total % 4 != 0 || image->total > 0x7fffffffu) return THUMBPF_BAD_LENGTH;
  left = image->total - 4;
  if (thumbpf_crc32(0, bytes, left) != thumbpf_word(bytes + left)) return THUMBPF_BAD_CHECKSUM;
  image->flags = thumbpf_half(bytes + 14);
  if (thumbpf_half(bytes + 12) != ABI || image->flags > (THUMBPF_NEEDS_ENV | THUMBPF_IN_PLACE)) return THUMBPF_BAD_ABI;
  left -= HEADER_BYTES;
  image->code_bytes = thumbpf_word(bytes + 16);
  image->stack_bytes = thumbpf_word(bytes + 24);
  image->line_count = thumbpf_word(bytes + 56);
  image->line_bytes = thumbpf_word(bytes + 64);
  image->string_bytes = thumbpf_word(bytes + 68);
  if (((image->code_bytes | image->line_bytes | image->string_bytes) & 3u) != 0 || image->string_bytes == 0 ||
      (thumbpf_word(bytes + 72) | thumbpf_word(bytes + 76)) != 0 || !take(&at, &left, image->code_bytes, 1)) {
    return THUMBPF_BAD_LENGTH;
  }
  for (part = 0; part < THUMBPF_PARTS; part++) {
    image->at[part] = at;
    image->count[part] = thumbpf_word(counts + 4 * part);
    if (!take(&at, &left, image->count[part], record_bytes[part])) return THUMBPF_BAD_LENGTH;
  }
  image->lines = at;
  if (!take(&at, &left, image->line_bytes, 1)) return THUMBPF_BAD_LENGTH;
  image->strings = at;
  if (!take(&at, &left, image->string_bytes, 1)) return THUMBPF_BAD_LENGTH;
  image->contents = at;
  if (bytes[image->strings] != 0 || bytes[at - 1] != 0) return THUMBPF_BAD_STRINGS;
  return THUMBPF_OK;
}

static enum thumbpf_status check_symbols(struct thumbpf_image *image) {
  uint32_t entry = thumbpf_word(image->bytes + 20);
  uint32_t index;
  for (index = 0; index < image->count[THUMBPF_SYMBOLS]; index++) {
    const unsigned char *at = thumbpf_image_record(image, THUMBPF_SYMBOLS, index);
    uint32_t value = thumbpf_word(at + 4);
    uint32_t size = thumbpf_word(at + 8);
    int good = 0;
    if (!named(image, at + 12) || !named(image, at + 16)) return THUMBPF_BAD_STRINGS;
    if (at[0] == THUMBPF_FUNCTION) good = value % 2 == 0 && value < image->code_bytes && size <= image->code_bytes - value;
    if (at[0] == THUMBPF_IMPORT) good = size == 0;
    if (at[0] == THUMBPF_SECTION) good = value < image->count[THUMBPF_SECTIONS];
    if (at[0] == THUMBPF_MAP) good = value < image->count[THUMBPF_MAPS] && size == 0;
    if (!good || at[1] > 1 || thumbpf_half(at + 2) != 0) return THUMBPF_BAD_SYMBOL;
    if (index == entry && at[0] != THUMBPF_FUNCTION) return THUMBPF_BAD_SYMBOL;
    if (index == entry) image->entry = value;
  }
  return entry < image->count[THUMBPF_SYMBOLS] ? THUMBPF_OK : THUMBPF_BAD_SYMBOL;
}

static enum thumbpf_status check_sections(const struct thumbpf_image *image) {
  uint32_t end = image->contents;
  uint32_t index;
  for (index = 0; index < image->count[THUMBPF_SECTIONS]; index++) {
    const unsigned char *at = thumbpf_image_record(image, THUMBPF_SECTIONS, index);
    struct thumbpf_section section;
    if (!named(image, at)) return THUMBPF_BAD_STRINGS;
    thumbpf_image_section(image, index, &section);
    if (section.kind > THUMBPF_BSS || at[9] > MOST_ALIGN || thumbpf_half(at + 10) != 0 || section.size > 0x7fffffffu) {
      return THUMBPF_BAD_SECTION;
    }
    /* end is less than 2^31, and so is the size: no sum here wraps. */
    thumbpf_image_contents(&section, &end);
    if (end > image->total - 4) return THUMBPF_BAD_SECTION;
  }
  return ((end + 3) & ~3u) == image->total - 4 ? THUMBPF_OK : THUMBPF_BAD_SECTION;
}

static enum thumbpf_status check_relocations(const struct thumbpf_image *image) {
  const unsigned char *code = image->bytes + HEADER_BYTES;
  uint32_t order = 0, end = 0, index;
  for (index = 0; index < image->count[THUMBPF_RELOCATIONS]; index++) {
    struct thumbpf_relocation one;
    struct thumbpf_symbol symbol;
    uint32_t size, place;
    thumbpf_image_relocation(image, index, &one);
    /* Code comes first, then the sections by their index. */
    place = one.section == THUMBPF_CODE_SECTION ? 0 : one.section + 1;
    if (place < order || (place == order && one.offset < end)) return THUMBPF_BAD_RELOCATION;
    if (one.symbol >= image->count[THUMBPF_SYMBOLS]) return THUMBPF_BAD_RELOCATION;
    size = image->code_bytes;
    if (place != 0) {
      struct thumbpf_section section;
      if (one.section >= image->count[THUMBPF_SECTIONS]) return THUMBPF_BAD_RELOCATION;
      thumbpf_image_section(image, one.section, &section);
      size = section.kind == THUMBPF_BSS ? 0 : section.size;
    }
    if (size < 4 || one.offset > size - 4) return THUMBPF_BAD_RELOCATION;
    if (place == 0 && (image->flags & THUMBPF_IN_PLACE) != 0) return THUMBPF_BAD_RELOCATION;
    if (one.type == THUMBPF_R_ARM_THM_CALL) {
      thumbpf_image_symbol(image, one.symbol, &symbol);
      if (place != 0 || one.offset % 2 != 0 || symbol.kind > THUMBPF_IMPORT) return THUMBPF_BAD_RELOCATION;
      if ((thumbpf_half(code + one.offset) & 0xf800u) != 0xf000u) return THUMBPF_BAD_RELOCATION;
      if ((thumbpf_half(code + one.offset + 2) & 0xd000u) != 0xd000u) return THUMBPF_BAD_RELOCATION;
    } else if (one.type != THUMBPF_R_ARM_ABS32 || (place == 0 && one.offset % 4 != 0)) {
      return THUMBPF_BAD_RELOCATION;
    }
    if (index == 0 && place != 0 && (image->flags & THUMBPF_IN_PLACE) == 0) return THUMBPF_BAD_RELOCATION;
    order = place;
    end = one.offset + 4;
  }
  if (index == 0 && (image->flags & THUMBPF_IN_PLACE) == 0) return THUMBPF_BAD_RELOCATION;
  return THUMBPF_OK;
}

static enum thumbpf_status check_maps(const struct thumbpf_image *image) {
  uint32_t index;
  for (index = 0; index < image->count[THUMBPF_MAPS]; index++) {
    if (!named(image, thumbpf_image_record(image, THUMBPF_MAPS, index))) return THUMBPF_BAD_STRINGS;
  }
  for (index = 0; index < image->count[THUMBPF_PROGRAMS]; index++) {
    const unsigned char *at = thumbpf_image_record(image, THUMBPF_PROGRAMS, index);
    const unsigned char *map;
    if (thumbpf_word(at) >= image->count[THUMBPF_MAPS]) return THUMBPF_BAD_PROGRAM;
    map = thumbpf_image_record(image, THUMBPF_MAPS, thumbpf_word(at));
    if (thumbpf_word(map + 4) != PROGRAM_ARRAY || thumbpf_word(at + 4) >= thumbpf_word(map + 16)) return THUMBPF_BAD_PROGRAM;
    if (thumbpf_word(at + 8) >= image->count[THUMBPF_SYMBOLS]) return THUMBPF_BAD_PROGRAM;
    if (*thumbpf_image_record(image, THUMBPF_SYMBOLS, thumbpf_word(at + 8)) != THUMBPF_FUNCTION) return THUMBPF_BAD_PROGRAM;
  }
  for (index = 0; index < image->count[THUMBPF_TABLE]; index++) {
    if (thumbpf_word(thumbpf_image_record(image, THUMBPF_TABLE, index)) >= image->count[THUMBPF_SYMBOLS]) {
      return THUMBPF_BAD_TABLE;
    }
  }
  return THUMBPF_OK;
}

/* A number of the line table, at most 32 bits; 0 if it does not end. */
static int read_number(const unsigned char **at, const unsigned char *end, uint32_t *value) {
  uint32_t shift;
  *value = 0;
  for (shift = 0; shift < 35 && *at < end; shift += 7) {
    uint32_t byte = *(*at)++;
    if (shift == 28 && (byte & 0x70u) != 0) return 0;
    *value |= (byte & 0x7fu) << shift;
    if (byte < 0x80u) return 1;
  }
  return 0;
}

/* Walks the lines up to offset; *slot is the last one's. 0 if they are not what they should be. */
static int walk_lines(const unsigned char *at, uint32_t size, uint32_t count, uint32_t most, uint32_t offset, int32_t *slot) {
  const unsigned char *end = at + size;
  uint32_t place = 0, delta, now = 0;
  *slot = -1;
  for (; count > 0; count--) {
    if (!read_number(&at, end, &delta) || delta > most - place) return 0;
    place += delta;
    if (!read_number(&at, end, &delta)) return 0;
    now += (delta >> 1) ^ (0u - (delta & 1u));
    if (now > 0x7fffffffu && now != 0xffffffffu) return 0;
    if (place <= offset) *slot = now > 0x7fffffffu ? -1 : (int32_t)now;
  }
  return 1;
}

int32_t thumbpf_instruction_at(const struct thumbpf_program *program, uintptr_t address) {
  const unsigned char *image = program->image;
  int32_t slot = -1;
  uint32_t at = HEADER_BYTES + program->code_bytes, part;
  if (image == NULL || address - program->code >= program->code_bytes) return -1;
  for (part = 0; part < THUMBPF_PARTS; part++) at += thumbpf_word(image + 32 + 4 * part) * record_bytes[part];
  walk_lines(image + at, thumbpf_word(image + 64), thumbpf_word(image + 56), program->code_bytes,
             (uint32_t)(address - program->code), &slot);
  return slot;
}

enum thumbpf_status thumbpf_image_open(struct thumbpf_image *image, const void *bytes, uint32_t size) {
  enum thumbpf_status status;
  int32_t slot;
  image->bytes = bytes;
  status = check_header(image, size);
  if (status == THUMBPF_OK) status = check_symbols(image);
  if (status == THUMBPF_OK) status = check_sections(image);
  if (status == THUMBPF_OK) status = check_relocations(image);
  if (status == THUMBPF_OK) status = check_maps(image);
  if (status != THUMBPF_OK) return status;
  bytes = image->bytes + image->lines;
  return walk_lines(bytes, image->line_bytes, image->line_count, image->code_bytes, 0, &slot) ? THUMBPF_OK : THUMBPF_BAD_LINES;
}

enum thumbpf_status thumbpf_check(const void *bytes, uint32_t size) {
  struct thumbpf_image image;
  return thumbpf_image_open(&image, bytes, size);
}
