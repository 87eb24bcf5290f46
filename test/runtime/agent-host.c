/* runtime/agent.c on the host: standard input and output are the line. A "call" sums the context and adds len; no compiled code runs.
   With a context whose first byte is 0xff it tells of a fault at the code's byte 6. After half a second without input it is idle. */

#include "../../runtime/agent.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define SLOTS 3u
#define IDLE_MILLISECONDS 500

static struct thumbpf_programs programs;
static struct thumbpf_program fixed;
static struct thumbpf_agent_slot slots[SLOTS];

static void send_bytes(const unsigned char *bytes, uint32_t size) {
  while (size > 0) {
    ssize_t written = write(1, bytes, size);
    if (written <= 0) exit(0);
    bytes += written;
    size -= (uint32_t)written;
  }
}

static struct thumbpf_agent *agent;
static unsigned calls;

static void invoke(thumbpf_entry entry, void *ctx, uint32_t len, struct thumbpf_env *env, uint32_t limit,
                   struct thumbpf_agent_end *end) {
  static const struct thumbpf_agent_end none;
  const unsigned char *bytes = ctx;
  (void)env;
  (void)limit;
  *end = none;
  for (uint32_t index = 0; ctx != NULL && index < len; index++) end->r0 += bytes[index];
  end->r0 += (uint64_t)++calls << 32;
  if (ctx == NULL || bytes[0] != 0xff) return;
  end->kind = THUMBPF_FAULTED;
  end->pc = ((uint32_t)(uintptr_t)entry & ~1u) + 6;
  end->cfsr = 0x20000;
}

/* A program of the firmware's own, that no line may take away. */
static void load_fixed(const char *path) {
  static unsigned char image[4096];
  struct thumbpf_setup setup = {NULL, 0, NULL, 0, {malloc(4096), 4096}, {malloc(4096), 4096}, 0, 0};
  FILE *file = fopen(path, "rb");
  if (file == NULL) exit(3);
  uint32_t size = (uint32_t)fread(image, 1, sizeof image, file);
  fclose(file);
  if (thumbpf_load(&programs, &fixed, "fixed", image, size, &setup) != THUMBPF_OK) exit(4);
}

int main(int argc, char **argv) {
  unsigned char bytes[256];
  ssize_t size;
  agent = calloc(1, sizeof *agent);
  if (argc > 1) load_fixed(argv[1]);
  agent->programs = &programs;
  agent->slots = slots;
  agent->slot_count = SLOTS;
  for (uint32_t index = 0; index < SLOTS; index++) {
    slots[index].code = (struct thumbpf_memory){malloc(1024), 1024};
    slots[index].data = (struct thumbpf_memory){malloc(512), 512};
  }
  agent->image = (struct thumbpf_memory){malloc(4096), 4096};
  agent->context = (struct thumbpf_memory){malloc(600), 600};
  agent->send = send_bytes;
  agent->invoke = invoke;
  for (;;) {
    struct pollfd input = {0, POLLIN, 0};
    if (poll(&input, 1, IDLE_MILLISECONDS) == 0) {
      thumbpf_agent_idle(agent);
      continue;
    }
    size = read(0, bytes, sizeof bytes);
    if (size <= 0) break;
    for (ssize_t index = 0; index < size; index++) thumbpf_agent_receive(agent, bytes[index]);
  }
  return 0;
}
