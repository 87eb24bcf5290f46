/* Helpers in C. They are plain functions; the prototypes are those of helpers.h. */
#include <stdbool.h>
#include <stdint.h>

#include "../../runtime/thumbpf.h"

static uint8_t speed;

/* True if the fan's speed changed. */
bool fan_set(uint8_t percent, bool boost) {
  uint8_t wanted = boost ? 100 : percent;
  bool changed = wanted != speed;
  speed = wanted;
  return changed;
}

/* value * factor / 2^shift */
int32_t scale(int32_t value, int64_t factor, uint8_t shift) {
  return (int32_t)((value * factor) >> shift);
}

/* What src/loader.rs takes for granted. */
_Static_assert(sizeof(struct thumbpf_helper) == 12, "Helper");
_Static_assert(sizeof(struct thumbpf_program) == 52, "RawProgram");
_Static_assert(sizeof(struct thumbpf_programs) == 8, "Programs");
_Static_assert(sizeof(struct thumbpf_setup) == 40, "Setup");
_Static_assert(sizeof(struct thumbpf_result) == 24, "CallResult");
