/* CMSDK UARTs and SysTick of the mps2-an386: Arm DAI 0386, Cortex-M System Design Kit. */

#include "board.h"
#include "guard.h"

#define CLOCK 25000000u
#define BAUD 115200u

struct uart {
  volatile uint32_t data;
  volatile uint32_t state; /* 1: the transmitter is full, 2: the receiver has a byte, 8: one was lost */
  volatile uint32_t control;
  volatile uint32_t interrupts;
  volatile uint32_t divider;
};

#define AGENT_UART ((struct uart *)0x40004000u)
#define CONSOLE_UART ((struct uart *)0x40005000u)
#define TRANSMIT 1u
#define RECEIVE 2u
#define RECEIVE_INTERRUPT 8u

#define SYSTICK_CONTROL (*(volatile uint32_t *)0xe000e010u)
#define SYSTICK_RELOAD (*(volatile uint32_t *)0xe000e014u)
#define SYSTICK_VALUE (*(volatile uint32_t *)0xe000e018u)
#define NVIC_ENABLE (*(volatile uint32_t *)0xe000e100u)

/* Bytes that came in while a program ran. */
static volatile unsigned char ring[1024];
static volatile uint32_t written, taken;
static volatile uint32_t milliseconds;

void board_init(void) {
  SYSTICK_RELOAD = CLOCK / 1000u - 1;
  SYSTICK_VALUE = 0;
  SYSTICK_CONTROL = 7;
  AGENT_UART->divider = CLOCK / BAUD;
  AGENT_UART->control = TRANSMIT | RECEIVE | RECEIVE_INTERRUPT;
  CONSOLE_UART->divider = CLOCK / BAUD;
  CONSOLE_UART->control = TRANSMIT;
  NVIC_ENABLE = 1u;
}

/* Exception 15, from startup.s with the frame of what was interrupted: where SP goes on. */
uint32_t *tick(uint32_t *frame) {
  milliseconds++;
  return guard_limit(frame, milliseconds);
}

/* Interrupt 0. */
void line_interrupt(void) {
  AGENT_UART->interrupts = 2;
  while ((AGENT_UART->state & 2u) != 0) {
    unsigned char byte = (unsigned char)AGENT_UART->data;
    if (written - taken < sizeof ring) {
      ring[written % sizeof ring] = byte;
      written++;
    }
  }
}

uint32_t board_milliseconds(void) {
  return milliseconds;
}

int line_read(void) {
  unsigned char byte;
  if (taken == written) return -1;
  byte = ring[taken % sizeof ring];
  taken++;
  return byte;
}

static void send(struct uart *uart, unsigned char byte) {
  while ((uart->state & 1u) != 0) {
  }
  uart->data = byte;
}

void line_send(const unsigned char *bytes, uint32_t size) {
  for (; size > 0; size--) send(AGENT_UART, *bytes++);
}

void console_text(const char *text) {
  for (; *text != 0; text++) send(CONSOLE_UART, (unsigned char)*text);
}

void console_hex(uint32_t value) {
  int shift;
  console_text("0x");
  for (shift = 28; shift >= 0; shift -= 4) send(CONSOLE_UART, (unsigned char)"0123456789abcdef"[(value >> shift) & 15u]);
}
