// What calls many programs on a machine in one go, and helpers for them: see batch.ts, which knows the layout of struct job. Position
// independent, without data: it is linked at 0 and put anywhere.

typedef unsigned int u32;
typedef unsigned long long u64;

struct job {
  u32 entry, ctx, len, env;  // what the program is called with
  u32 low, high;             // r0 and r1 behind the call
  u32 kept[8];               // r4 to r11 behind the call
  u32 itsEnv[8];             // what env points to
};

// Calls one: r4 to r11 have values of their own before.
__attribute__((naked)) static void call(struct job *job) {
  __asm__("push {r4-r11, lr}\n"
          "sub sp, #4\n"
          "str r0, [sp]\n"
          "adr r3, 1f\n"
          "ldm r3, {r4-r11}\n"
          "ldr r12, [r0, #0]\n"
          "ldr r1, [r0, #8]\n"
          "ldr r2, [r0, #12]\n"
          "ldr r0, [r0, #4]\n"
          "blx r12\n"
          "ldr r2, [sp]\n"
          "strd r0, r1, [r2, #16]\n"
          "adds r2, #24\n"
          "stm r2, {r4-r11}\n"
          "add sp, #4\n"
          "pop {r4-r11, pc}\n"
          ".balign 4\n"
          "1: .word 0xca11ee04, 0xca11ee05, 0xca11ee06, 0xca11ee07\n"
          ".word 0xca11ee08, 0xca11ee09, 0xca11ee0a, 0xca11ee0b\n");
}

// Calls all; `begun` counts them.
__attribute__((used)) void batch(struct job *jobs, u32 count, volatile u32 *begun) {
  for (u32 index = 0; index < count; index++) {
    *begun = index + 1;
    call(&jobs[index]);
  }
}

// What a function may change, it changes.
#define LOSE                                                                                                           \
  __asm__ volatile("mvn r2, #0x55\n"                                                                                   \
                   "mvn r3, #0x66\n"                                                                                   \
                   "mvn r12, #0x77\n"                                                                                  \
                   "cmp r2, r3\n" ::                                                                                   \
                       : "r2", "r3", "r12", "cc")

// The helpers of differential.ts.
__attribute__((used)) u64 helper_1(u64 a, u64 b, u64 c, u64 d, u64 e) {
  u64 result = a * 3 + b * 5 + c * 7 + d * 11 + e * 13;
  LOSE;
  return result;
}
__attribute__((used)) u64 helper_2(u64 a, u64 b, u64 c, u64 d, u64 e) {
  u64 result = ~a;
  LOSE;
  return result;
}
__attribute__((used)) u64 helper_3(u64 a, u64 b, u64 c, u64 d, u64 e) {
  u64 result = (a ^ (b << 1) ^ (c << 2)) + (d - e);
  LOSE;
  return result;
}
