/* The helpers of this firmware, for thumbpf (--helpers helpers.h), for programs in C and for the firmware itself. */

#ifndef HELPERS_H
#define HELPERS_H

#include <stdbool.h>
#include <stdint.h>

#define THUMBPF_HELPER(number)

THUMBPF_HELPER(64) uint32_t sensor_read(uint32_t channel);
THUMBPF_HELPER(65) void led_set(uint32_t led, bool on);
THUMBPF_HELPER(66) int16_t scale(int16_t value, uint64_t factor, uint8_t shift);

#endif
