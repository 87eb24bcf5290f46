/* An agent on a serial line, or any stream of bytes: thumbpf run --machine serial:... sends it images, which it loads, calls and
   unloads. docs/serial.md is the protocol. C11, freestanding, no allocation: the firmware gives the memory. It answers requests
   and never speaks first; whatever bytes it is given, only whole frames with a checksum that fits do anything, and programs that it has
   not loaded itself are never unloaded. */

#ifndef THUMBPF_AGENT_H
#define THUMBPF_AGENT_H

#include "thumbpf.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Most bytes of a request or an answer, without checksum: at least 64. */
#ifndef THUMBPF_AGENT_FRAME
#define THUMBPF_AGENT_FRAME 256u
#endif
#define THUMBPF_AGENT_NAME 16u

/* How a call ended. */
enum thumbpf_agent_kind { THUMBPF_RETURNED, THUMBPF_TRAPPED, THUMBPF_FAULTED, THUMBPF_LIMITED };

/* What the firmware's own way to call says of a call, every member; those behind r0 tell of faults and limits. */
struct thumbpf_agent_end {
  enum thumbpf_agent_kind kind; /* THUMBPF_TRAPPED is the agent's to find */
  uint64_t r0;
  uint32_t pc;
  uint32_t lr;
  uint32_t cfsr;
  uint32_t address; /* of the data, where cfsr says that it is valid */
};

/* Room for a program that comes over the line. */
struct thumbpf_agent_slot {
  struct thumbpf_memory code;
  struct thumbpf_memory data;
  struct thumbpf_program program;
  char name[THUMBPF_AGENT_NAME]; /* empty: nothing is here */
};

struct thumbpf_agent {
  /* Set by the firmware; the rest must be zeros at first. */
  struct thumbpf_programs *programs;
  const struct thumbpf_helper *helpers;
  uint32_t helper_count;
  const struct thumbpf_shared_map *maps;
  uint32_t map_count;
  uint32_t most_stack; /* as in struct thumbpf_setup */
  struct thumbpf_agent_slot *slots;
  uint32_t slot_count;
  struct thumbpf_memory image;   /* for an image on its way */
  struct thumbpf_memory context; /* for what R1 points at, at a multiple of 8 */
  /* Sends bytes, all of them. */
  void (*send)(const unsigned char *bytes, uint32_t size);
  /* Calls entry, for limit milliseconds at most (0: any time) where the firmware can end it, and says how it went. */
  void (*invoke)(thumbpf_entry entry, void *ctx, uint32_t len, struct thumbpf_env *env, uint32_t limit,
                 struct thumbpf_agent_end *end);

  uint32_t expected; /* bytes of the image that were announced */
  uint32_t received;
  uint32_t count; /* bytes of the frame that is coming in; more than there is room for: it is dropped */
  uint32_t answered; /* checksum of the last request, 0 if there was none */
  uint32_t answer_size;
  unsigned char frame[THUMBPF_AGENT_FRAME + THUMBPF_AGENT_FRAME / 254u + 6u];
  unsigned char answer[THUMBPF_AGENT_FRAME + THUMBPF_AGENT_FRAME / 254u + 8u];
};

/* Takes a byte that came in. Answers from within where it completes a request, calls of programs included. */
void thumbpf_agent_receive(struct thumbpf_agent *agent, unsigned char byte);

/* Drops what is incomplete: for the firmware to call when nothing has come in for some time. */
void thumbpf_agent_idle(struct thumbpf_agent *agent);

#ifdef __cplusplus
}
#endif

#endif
