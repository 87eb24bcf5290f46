// Buttons: each sample of eight contacts is debounced, then each button goes through a state machine that tells presses, long
// presses, double presses and releases.
#include "kernel.h"

enum { IDLE, DOWN, HELD, WAIT, DOWN_AGAIN, STUCK };
enum { PRESS = 1, LONG, DOUBLE, RELEASE };

struct button {
  u8 state, timer;
};
struct input {
  struct button buttons[8];
  u32 counts[8]; // of events, by kind
  u8 stable, history[3];
  u8 samples[]; // len
};

static u32 step(struct button *button, u32 pressed) {
  u32 event = 0;
  button->timer++;
  switch (button->state) {
  case IDLE:
    if (pressed) {
      button->state = DOWN;
      button->timer = 0;
    }
    break;
  case DOWN:
    if (!pressed) {
      button->state = WAIT;
      button->timer = 0;
    } else if (button->timer >= 12) {
      button->state = HELD;
      event = LONG;
    }
    break;
  case HELD:
    if (!pressed) {
      button->state = IDLE;
      event = RELEASE;
    } else if (button->timer >= 200) {
      button->state = STUCK;
    }
    break;
  case WAIT:
    if (pressed) {
      button->state = DOWN_AGAIN;
      event = DOUBLE;
    } else if (button->timer >= 6) {
      button->state = IDLE;
      event = PRESS;
    }
    break;
  case DOWN_AGAIN:
    if (!pressed) {
      button->state = IDLE;
      event = RELEASE;
    }
    break;
  case STUCK:
    if (!pressed)
      button->state = IDLE;
    break;
  }
  return event;
}

u64 entry(void *ctx, u64 len) {
  struct input *input = ctx;
  u64 log = 0;
  for (u32 i = 0; i < (u32)len; i++) {
    u8 now = input->samples[i];
    u8 *history = input->history;
    // A contact counts once it has been the same four times.
    u8 same = (u8)~((now ^ history[0]) | (now ^ history[1]) | (now ^ history[2]));
    input->stable = (u8)((input->stable & ~same) | (now & same));
    history[2] = history[1];
    history[1] = history[0];
    history[0] = now;
    for (u32 b = 0; b < 8; b++) {
      u32 event = step(&input->buttons[b], (input->stable >> b) & 1);
      if (event) {
        input->counts[event]++;
        log = log << 5 ^ log >> 59 ^ (b << 3 | event);
      }
    }
  }
  return log;
}
