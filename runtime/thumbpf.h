/* Compiled programs in firmware: checks an image (thumbpf compile --format image; docs/image.md), places it in memory that the
   firmware gives, binds its helpers to the firmware's functions and calls it. C11, freestanding: no library, no allocation, no
   data of its own. Link image.c and load.c, maps.c for programs with maps and status.c for names of errors; with
   THUMBPF_WITHOUT_MAPS defined images with maps are refused and maps.c is not needed. For little-endian processors.

   What is checked is the file: nothing of it is read or written outside of its place, whatever its bytes are, and an image that
   is refused changes no memory. What the code itself does when it is called is not checked: load images from whom you trust. */

#ifndef THUMBPF_H
#define THUMBPF_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What functions answer, with the names that thumbpf_status_name gives. */
#define THUMBPF_STATUSES(X)                                                                         \
  X(OK)              /* done */                                                                     \
  X(TRUNCATED)       /* fewer bytes than the image has */                                           \
  X(BAD_MAGIC)       /* no image */                                                                 \
  X(BAD_VERSION)     /* a version of the format that this loader does not know */                   \
  X(BAD_LENGTH)      /* lengths in the header that do not agree */                                  \
  X(BAD_CHECKSUM)    /* altered bytes */                                                            \
  X(BAD_ABI)         /* code for another version of docs/abi.md, or flags that are not known */     \
  X(BAD_STRINGS)     /* names that do not end, or lie outside */                                    \
  X(BAD_SYMBOL)      /* a symbol outside of the code, or of no known kind; or the entry is none */  \
  X(BAD_SECTION)     /* a section with bytes outside, or of no known kind */                        \
  X(BAD_RELOCATION)  /* a relocation outside of its section, out of order or of no known type */    \
  X(BAD_MAP)         /* a map that there can not be; or a shared one with another definition */     \
  X(BAD_PROGRAM)     /* an element outside of its program array, or what is no program array */     \
  X(BAD_TABLE)       /* a table of symbols that there are not */                                    \
  X(BAD_LINES)       /* a line table that does not end */                                           \
  X(NO_HELPER)       /* a helper that the firmware does not give; detail: its number */             \
  X(OTHER_PROTOTYPE) /* the firmware's helper has another prototype; detail: its number */          \
  X(NO_MAPS)         /* the image has maps, and this runtime was built without */                   \
  X(NO_CODE_MEMORY)  /* the memory for code is too small, or not there; detail: bytes needed */     \
  X(NO_DATA_MEMORY)  /* the memory for data is too small, or not there */                           \
  X(NO_STACK)        /* it may use more stack than allowed; detail: bytes, all ones if it recurses */ \
  X(NOT_ALIGNED)     /* code to be run in place is not at a multiple of 4 */                        \
  X(OUT_OF_REACH)    /* a call leads further than 16 MiB */                                         \
  X(OVERLAP)         /* memory that the image or a program which is loaded has already */           \
  X(NAME_TAKEN)      /* a program with this name, or in this struct, is loaded */                   \
  X(NOT_LOADED)      /* not a program of this list */                                               \
  X(BUSY)            /* the program runs */

enum thumbpf_status {
#define THUMBPF_STATUS_MEMBER(name) THUMBPF_##name,
  THUMBPF_STATUSES(THUMBPF_STATUS_MEMBER)
#undef THUMBPF_STATUS_MEMBER
  THUMBPF_STATUS_COUNT
};

/* "OK", "TRUNCATED", ...; "?" for what is none. */
const char *thumbpf_status_name(enum thumbpf_status status);

/* Why a program trapped: docs/abi.md. */
enum thumbpf_trap { THUMBPF_TRAP_NONE = 0, THUMBPF_TRAP_MISALIGNED_ATOMIC = 1, THUMBPF_TRAP_UNKNOWN_HELPER = 2 };

/* One for each call, so that an interrupt may call a program while the main loop is inside of one. docs/abi.md says what is in it. */
struct thumbpf_env {
  uint32_t outcome;
  uint32_t pc;
  uint32_t sp;
  uint32_t ctx;
  uint32_t len;
  uint32_t tail_calls;
  uint32_t table;
  uint32_t reserved;
};

/* A compiled program, as C sees it; the address has bit 0 set. */
typedef uint64_t (*thumbpf_entry)(void *ctx, uint32_t len, struct thumbpf_env *env);

/* Any function: cast a helper to this to put it into a table. */
typedef void (*thumbpf_function)(void);

/* A helper that the firmware gives. */
struct thumbpf_helper {
  uint32_t number;
  thumbpf_function function;
  /* Its prototype as images have it, result and parameters without names or spaces, such as "s32(pointer,u64)"; the types are
     void bool u8 u16 u32 u64 s8 s16 s32 s64 pointer map. It is compared with the image's where both have one. Or NULL. */
  const char *prototype;
};

struct thumbpf_map;

/* A map that programs share by its name, made by thumbpf_map_init of maps.h. */
struct thumbpf_shared_map {
  const char *name;
  struct thumbpf_map *map;
};

/* Memory that the firmware gives. at may be NULL where size is 0. */
struct thumbpf_memory {
  void *at;
  uint32_t size;
};

/* What a program is given when it is loaded. Only the two memories and the image must stay after loading. */
struct thumbpf_setup {
  const struct thumbpf_helper *helpers;
  uint32_t helper_count;
  const struct thumbpf_shared_map *maps;
  uint32_t map_count;
  /* RAM that may be executed, for the code. With size 0 the code runs where it stands in the image, which is possible where it has
     no relocations (thumbpf compile --position-independent). */
  struct thumbpf_memory code;
  /* RAM for the program's data and maps. */
  struct thumbpf_memory data;
  /* Refuse programs that may use more bytes of stack than this, helpers not counted; 0: any. */
  uint32_t most_stack;
  /* Not 0: the image's bytes will not stay after loading. Then constants are copied too, and results name no BPF instruction. */
  int transient;
};

/* What an image needs with a setup. Memory that is aligned to less than the numbers here may need to be larger. */
struct thumbpf_needs {
  uint32_t code_bytes; /* at a multiple of 4; 0: it can run in place */
  uint32_t data_bytes;
  uint32_t data_align;
  uint32_t stack_bytes; /* all ones: calls recurse */
};

/* A program that is loaded. The firmware gives the memory of this struct, and leaves what is in it to the functions below. */
struct thumbpf_program {
  struct thumbpf_program *next;
  const char *name;
  const unsigned char *image; /* NULL if it was transient */
  uint32_t image_bytes;
  uintptr_t code; /* address of the first byte */
  uint32_t code_bytes;
  uint32_t entry; /* offset in the code */
  uintptr_t table;
  struct thumbpf_memory memory[2]; /* for code and data, as given; code that runs in place has none */
  volatile uint32_t running;
};

/* Programs that are loaded, in no order. Set to zeros at first. Loading and unloading are for one thread of execution; calls may
   come from any. */
struct thumbpf_programs {
  struct thumbpf_program *first;
  uint32_t detail; /* about the last status that was not OK, where THUMBPF_STATUSES says so */
};

/* How a call ended. */
struct thumbpf_result {
  uint64_t r0;         /* 0 if it trapped */
  uint32_t trap;       /* enum thumbpf_trap, 0: it returned */
  uint32_t offset;     /* of a trap: a byte of the instruction in the code that trapped */
  int32_t instruction; /* of a trap: the BPF instruction, from 0; -1 if not known */
};

/* Checks an image: of size bytes that are there, those that it says it has. */
enum thumbpf_status thumbpf_check(const void *image, uint32_t size);

/* What an image needs when it is loaded with setup, whose memories are not looked at. */
enum thumbpf_status thumbpf_measure(const void *image, uint32_t size, const struct thumbpf_setup *setup,
                                    struct thumbpf_needs *needs);

/* Checks an image and places it: from then on it can be called, and is in the list under name (which must stay). If the answer is
   not OK nothing was written but programs->detail. */
enum thumbpf_status thumbpf_load(struct thumbpf_programs *programs, struct thumbpf_program *program, const char *name,
                                 const void *image, uint32_t size, const struct thumbpf_setup *setup);

/* Takes a program out of the list: its struct and memories are the firmware's again. BUSY while it runs, as from a helper of its
   own. That no program array or pointer leads to it any more is the firmware's to see to. */
enum thumbpf_status thumbpf_unload(struct thumbpf_programs *programs, struct thumbpf_program *program);

/* The program of that name, or NULL. To list all, begin at programs->first and follow next. */
struct thumbpf_program *thumbpf_find(const struct thumbpf_programs *programs, const char *name);

/* Calls a program: BPF's R1 is ctx, its R2 len. From any context that may use the program's data and helpers. */
void thumbpf_call(struct thumbpf_program *program, void *ctx, uint32_t len, struct thumbpf_result *result);

/* The same in two halves, for firmware that makes the call itself, to guard it or on a stack of its own: begin gives the function to
   be called with (ctx, len, env), end says what came of it. */
thumbpf_entry thumbpf_begin(struct thumbpf_program *program, void *ctx, uint32_t len, struct thumbpf_env *env);
void thumbpf_end(struct thumbpf_program *program, const struct thumbpf_env *env, uint64_t r0, struct thumbpf_result *result);

/* The BPF instruction that the code at address serves, such as the pc of a fault; -1 if none, or the image did not stay. */
int32_t thumbpf_instruction_at(const struct thumbpf_program *program, uintptr_t address);

/* CRC-32 (IEEE 802.3) of size bytes, continued from crc: 0 at first. */
uint32_t thumbpf_crc32(uint32_t crc, const void *bytes, uint32_t size);

#ifdef __cplusplus
}
#endif

#endif
