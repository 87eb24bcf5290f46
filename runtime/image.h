/* What image.c finds in an image and load.c uses. Not for firmware: that is thumbpf.h. */

#ifndef THUMBPF_IMAGE_H
#define THUMBPF_IMAGE_H

#include "thumbpf.h"

#define THUMBPF_NEEDS_ENV 1u
#define THUMBPF_IN_PLACE 2u
#define THUMBPF_CODE_SECTION 0xffffu
#define THUMBPF_R_ARM_ABS32 2u
#define THUMBPF_R_ARM_THM_CALL 10u

enum thumbpf_symbol_kind { THUMBPF_FUNCTION, THUMBPF_IMPORT, THUMBPF_SECTION, THUMBPF_MAP };
enum thumbpf_section_kind { THUMBPF_RODATA, THUMBPF_DATA, THUMBPF_BSS };

/* The arrays of records, in the order of the file. */
enum thumbpf_part {
  THUMBPF_SYMBOLS,
  THUMBPF_RELOCATIONS,
  THUMBPF_SECTIONS,
  THUMBPF_MAPS,
  THUMBPF_PROGRAMS,
  THUMBPF_TABLE,
  THUMBPF_PARTS
};

/* An image that was checked: where its parts are. Offsets count from its first byte. */
struct thumbpf_image {
  const unsigned char *bytes;
  uint32_t total;
  uint32_t flags;
  uint32_t code_bytes;
  uint32_t entry; /* offset in the code */
  uint32_t stack_bytes;
  uint32_t at[THUMBPF_PARTS];
  uint32_t count[THUMBPF_PARTS];
  uint32_t line_count;
  uint32_t lines;
  uint32_t line_bytes;
  uint32_t strings;
  uint32_t string_bytes;
  uint32_t contents; /* the bytes of sections */
};

/* Records, with what the file says of them. */
struct thumbpf_symbol {
  uint32_t kind;
  uint32_t value;
  const char *prototype;
};
struct thumbpf_section {
  uint32_t size;
  uint32_t kind;
  uint32_t align;
};
struct thumbpf_relocation {
  uint32_t offset;
  uint32_t section;
  uint32_t type;
  uint32_t symbol;
};

/* Little-endian, at any address. */
uint32_t thumbpf_word(const unsigned char *at);
uint32_t thumbpf_half(const unsigned char *at);

/* Checks all that can be checked without knowing where the image goes. */
enum thumbpf_status thumbpf_image_open(struct thumbpf_image *image, const void *bytes, uint32_t size);

/* Address of record index of a part; both must be. */
const unsigned char *thumbpf_image_record(const struct thumbpf_image *image, enum thumbpf_part part, uint32_t index);
void thumbpf_image_symbol(const struct thumbpf_image *image, uint32_t index, struct thumbpf_symbol *symbol);
void thumbpf_image_section(const struct thumbpf_image *image, uint32_t index, struct thumbpf_section *section);
void thumbpf_image_relocation(const struct thumbpf_image *image, uint32_t index, struct thumbpf_relocation *relocation);

/* Offset of the bytes of a section that stands behind *end, which moves on. bss has none. */
uint32_t thumbpf_image_contents(const struct thumbpf_section *section, uint32_t *end);

#endif
