/* A firmware with programs: two that are linked with it, two that it loads from flash, and those that come over its line
   (thumbpf run --machine serial:...). */

#include "board.h"
#include "guard.h"
#include "helpers.h"

#define IDLE_MILLISECONDS 10000u

/* Helpers: plain functions, with the prototypes of helpers.h. */

static uint32_t leds;

uint32_t sensor_read(uint32_t channel) {
  return 100 * (channel + 1);
}

void led_set(uint32_t led, bool on) {
  leds = on ? leds | (1u << led) : leds & ~(1u << led);
}

int16_t scale(int16_t value, uint64_t factor, uint8_t shift) {
  return (int16_t)(((int64_t)value * (int64_t)factor) >> shift);
}

static const struct thumbpf_helper helpers[] = {
    {64, (thumbpf_function)sensor_read, "u32(u32)"},
    {65, (thumbpf_function)led_set, "void(u32,bool)"},
    {66, (thumbpf_function)scale, "s16(s16,u64,u8)"},
};
#define HELPERS (sizeof helpers / sizeof helpers[0])

/* Memory of programs. That of code must be executable; here all RAM is. */
#define SLOTS 4u
#define MEMORY(name, size) static unsigned char name[size] __attribute__((section(".programs"), aligned(32)))
MEMORY(average_code, 512);
MEMORY(in_place_data, 64);
MEMORY(slot_code, SLOTS * 4096);
MEMORY(slot_data, SLOTS * 4096);
MEMORY(image_buffer, 16384);
MEMORY(context_buffer, 2048);

static struct thumbpf_programs programs;
static struct thumbpf_program average, in_place;
static struct thumbpf_agent_slot slots[SLOTS];
static struct thumbpf_agent agent;

uint64_t fletcher32(void *ctx, uint32_t len, struct thumbpf_env *env);
uint64_t average_linked(void *ctx, uint32_t len, struct thumbpf_env *env);
extern const unsigned char average_image[], average_image_end[];
extern const unsigned char in_place_image[], in_place_image_end[];

static void say(const char *what, uint32_t value) {
  console_text(what);
  console_hex(value);
  console_text("\n");
}

/* A program that was linked is a function like any other. */
static void call_linked(void) {
  static unsigned char text[] = "abcdef";
  /* One for each call: all zeros, as neither program has packet loads or tail calls. */
  static struct thumbpf_env first, second;
  uint32_t limit = 300;
  say("linked: fletcher32 of abcdef is ", (uint32_t)fletcher32(text, 6, &first));
  say("linked: average is ", (uint32_t)average_linked(&limit, sizeof limit, &second));
}

/* Loads an image from flash and calls it. */
static void call_loaded(struct thumbpf_program *program, const char *name, const unsigned char *image, const unsigned char *end,
                        struct thumbpf_memory code, struct thumbpf_memory data) {
  struct thumbpf_setup setup = {helpers, HELPERS, NULL, 0, code, data, 1024, 0};
  uint32_t limit = 300;
  struct thumbpf_result result;
  enum thumbpf_status status = thumbpf_load(&programs, program, name, image, (uint32_t)(end - image), &setup);
  leds = 0;
  console_text(name);
  console_text(": ");
  console_text(thumbpf_status_name(status));
  console_text("\n");
  if (status != THUMBPF_OK) return;
  thumbpf_call(program, &limit, sizeof limit, &result);
  say("its result is ", (uint32_t)result.r0);
  say("LEDs are ", leds);
}

/* What happens where the address of a program has lost its bit 0. */
static void call_wrongly(void) {
  struct thumbpf_agent_end end;
  static struct thumbpf_env env;
  thumbpf_entry wrong = (thumbpf_entry)((uintptr_t)fletcher32 & ~(uintptr_t)1);
  guard_invoke(wrong, NULL, 0, &env, 0, &end);
  console_text(end.kind == THUMBPF_FAULTED && (end.cfsr & 0x20000u) != 0 ? "bit 0 clear: INVSTATE, CFSR " : "bit 0 clear: no INVSTATE, CFSR ");
  say("", end.cfsr);
}

static void start_agent(void) {
  uint32_t index;
  agent.programs = &programs;
  agent.helpers = helpers;
  agent.helper_count = HELPERS;
  agent.most_stack = 8192;
  agent.slots = slots;
  agent.slot_count = SLOTS;
  agent.image.at = image_buffer;
  agent.image.size = sizeof image_buffer;
  agent.context.at = context_buffer;
  agent.context.size = sizeof context_buffer;
  agent.send = line_send;
  agent.invoke = guard_invoke;
  for (index = 0; index < SLOTS; index++) {
    slots[index].code.at = slot_code + 4096u * index;
    slots[index].code.size = 4096;
    slots[index].data.at = slot_data + 4096u * index;
    slots[index].data.size = 4096;
  }
}

int main(void) {
  uint32_t last = 0;
  board_init();
  call_linked();
  call_loaded(&average, "average", average_image, average_image_end, (struct thumbpf_memory){average_code, sizeof average_code},
              (struct thumbpf_memory){NULL, 0});
  /* Without memory for code: it runs in flash, where it is. */
  call_loaded(&in_place, "in place", in_place_image, in_place_image_end, (struct thumbpf_memory){NULL, 0},
              (struct thumbpf_memory){in_place_data, sizeof in_place_data});
  call_wrongly();
  start_agent();
  console_text("ready\n");
  for (;;) {
    int byte = line_read();
    if (byte >= 0) {
      thumbpf_agent_receive(&agent, (unsigned char)byte);
      last = board_milliseconds();
    } else if (board_milliseconds() - last > IDLE_MILLISECONDS) {
      thumbpf_agent_idle(&agent);
      last = board_milliseconds();
    }
  }
}
