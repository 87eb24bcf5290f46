// Runs in QEMU's mps2-an386 without anything else: takes jobs that the loader has put into PSRAM, places each one's code and
// context, calls it by AAPCS between two reads of a timer, and prints by semihosting, a line a job in hexadecimal: ticks of the
// timer, r0, r1, and the 32-bit FNV-1a of the context afterwards. The first job is `bx lr`, to know what the reads cost.
//
// A job is words: entry, four arguments, the number of pieces, then each piece: address, length in bytes, bytes padded to a
// word. The last piece is the context. Before the jobs stands their number.

typedef unsigned int u32;
typedef unsigned char u8;

#define JOBS ((const u32 *)0x21000000)
#define STACK_TOP 0x20100000
// CMSDK timer 0 (ARM DDI 0479): counts down.
#define TIMER ((volatile u32 *)0x40000000)

enum { WRITE0 = 0x04, EXIT = 0x18, STOPPED = 0x20026 };

static void semihost(u32 operation, u32 argument) {
  register u32 r0 __asm__("r0") = operation;
  register u32 r1 __asm__("r1") = argument;
  __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
}

struct measured {
  u32 low, high, before, after;
};

/** Calls `entry` with the four words at `args`. */
__attribute__((naked)) static void measure(const u32 *args, u32 entry, struct measured *result, volatile u32 *timer) {
  __asm__("push {r4-r11, lr}\n"
          "sub sp, #4\n"
          "mov r4, r3\n"
          "mov r5, r2\n"
          "mov r6, r1\n"
          "ldm r0, {r0-r3}\n"
          "ldr r7, [r4, #4]\n"
          "blx r6\n"
          "ldr r8, [r4, #4]\n"
          "stm r5, {r0, r1, r7, r8}\n"
          "add sp, #4\n"
          "pop {r4-r11, pc}\n");
}

static char *hex(char *to, u32 word, char after) {
  for (int shift = 28; shift >= 0; shift -= 4)
    *to++ = "0123456789abcdef"[(word >> shift) & 15];
  *to++ = after;
  return to;
}

static u32 fnv1a(const u8 *bytes, u32 length) {
  u32 hash = 0x811c9dc5;
  while (length--)
    hash = (hash ^ *bytes++) * 0x01000193;
  return hash;
}

__attribute__((used)) static void run(void) {
  const u32 *next = JOBS;
  u32 jobs = *next++;
  while (jobs--) {
    const u32 entry = next[0], *args = next + 1;
    u32 pieces = next[5], length = 0;
    u8 *to = 0;
    next += 6;
    while (pieces--) {
      to = (u8 *)next[0];
      length = next[1];
      const u8 *from = (const u8 *)(next + 2);
      for (u32 i = 0; i < length; i++)
        to[i] = from[i];
      next += 2 + ((length + 3) >> 2);
    }
    __asm__ volatile("dsb\n isb" ::: "memory");
    struct measured result;
    TIMER[0] = 0;
    TIMER[2] = ~0u;
    TIMER[1] = ~0u;
    TIMER[0] = 1;
    measure(args, entry, &result, TIMER);
    char line[40], *end = hex(line, result.before - result.after, ' ');
    end = hex(hex(end, result.low, ' '), result.high, ' ');
    end = hex(end, fnv1a(to, length), '\n');
    *end = 0;
    semihost(WRITE0, (u32)line);
  }
  semihost(EXIT, STOPPED);
}

/** Initial SP and the reset handler; any fault ends the run, too early. */
static void fault(void) { semihost(EXIT, 0); }
__attribute__((section(".vectors"), used)) static const struct {
  u32 stack;
  void (*handlers[6])(void);
} vectors = {STACK_TOP, {run, fault, fault, fault, fault, fault}};
