/* The board: QEMU's mps2-an386, a Cortex-M4 with 4 MiB at 0 and at 0x20000000. For another one, this, board.c and firmware.ld change. */

#ifndef BOARD_H
#define BOARD_H

#include <stdint.h>

/* Starts the clock of milliseconds and both lines. */
void board_init(void);

uint32_t board_milliseconds(void);

/* The line of the agent: the next byte that came in, or -1. */
int line_read(void);
void line_send(const unsigned char *bytes, uint32_t size);

/* The second line is for people. */
void console_text(const char *text);
void console_hex(uint32_t value);

#endif
