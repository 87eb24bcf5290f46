/* A call that must end is left by returning from the exception to the end of guard_enter (startup.s), with the SP of its beginning: there
   are the registers that the caller wants back. */

#include "guard.h"
#include "board.h"

#define CFSR (*(volatile uint32_t *)0xe000ed28u)
#define BFAR (*(volatile uint32_t *)0xe000ed38u)
#define MMFAR (*(volatile uint32_t *)0xe000ed34u)
#define BFAR_VALID 0x8000u
#define THUMB 0x01000000u

/* startup.s: calls entry with SP in guard_sp, which is 0 outside of such a call. */
uint64_t guard_enter(thumbpf_entry entry, void *ctx, uint32_t len, struct thumbpf_env *env);
extern const unsigned char guard_return[];
uint32_t *volatile guard_sp;

static volatile struct thumbpf_agent_end ended;
static volatile uint32_t deadline; /* 0: none */

static uint32_t *leave(const uint32_t *frame, enum thumbpf_agent_kind kind) {
  uint32_t *to = guard_sp - 8;
  uint32_t word;
  ended.kind = kind;
  ended.lr = frame[5];
  ended.pc = frame[6];
  for (word = 0; word < 6; word++) to[word] = 0;
  to[6] = (uint32_t)guard_return & ~1u;
  to[7] = THUMB;
  deadline = 0;
  /* The program may have masked them. */
  __asm__ volatile("cpsie i" : : : "memory");
  return to;
}

/* Exception 3 and those that escalate to it, from startup.s. */
uint32_t *fault(uint32_t *frame) {
  uint32_t cfsr = CFSR;
  if (guard_sp == NULL) {
    console_text("fault outside of programs at ");
    console_hex(frame[6]);
    for (;;) {
    }
  }
  ended.cfsr = cfsr;
  ended.address = (cfsr & BFAR_VALID) != 0 ? BFAR : MMFAR;
  CFSR = cfsr;
  return leave(frame, THUMBPF_FAULTED);
}

uint32_t *guard_limit(uint32_t *frame, uint32_t now) {
  if (guard_sp == NULL || deadline == 0 || (int32_t)(now - deadline) < 0) return frame;
  return leave(frame, THUMBPF_LIMITED);
}

void guard_invoke(thumbpf_entry entry, void *ctx, uint32_t len, struct thumbpf_env *env, uint32_t limit,
                  struct thumbpf_agent_end *end) {
  ended.kind = THUMBPF_RETURNED;
  ended.pc = ended.lr = ended.cfsr = ended.address = 0;
  deadline = limit == 0 ? 0 : (board_milliseconds() + limit) | 1u;
  end->r0 = guard_enter(entry, ctx, len, env);
  deadline = 0;
  end->kind = ended.kind;
  end->pc = ended.pc;
  end->lr = ended.lr;
  end->cfsr = ended.cfsr;
  end->address = ended.address;
}
