/* What the firmware offers to programs, and its numbers. thumbpf reads this (--helpers), and BPF programs include it. */
#include <stdbool.h>
#include <stdint.h>

static int16_t (*temperature)(uint8_t channel) = (void *)64;                                 /* helpers.rs */
static uint64_t (*now)(void) = (void *)65;                                                   /* helpers.rs */
static void (*report)(uint32_t code, uint64_t at, const char *text) = (void *)66;           /* helpers.rs */
static bool (*fan_set)(uint8_t percent, bool boost) = (void *)67;                            /* helpers.c */
static int32_t (*scale)(int32_t value, int64_t factor, uint8_t shift) = (void *)68;         /* helpers.c */
