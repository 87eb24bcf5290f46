// A rules engine, as in a gateway or an alarm panel: each event is tested against rules on its fields; the first rule that
// matches says what to do. Local functions, structs, signed and unsigned compares, narrow fields.
#include "kernel.h"

enum { ALWAYS, EQUAL, ABOVE, BELOW, WITHIN, MASK };
enum { DROP, COUNT, RAISE, LOWER, FORWARD };

struct event {
  u32 time;
  s16 value;
  u8 sensor, kind;
};
struct condition {
  u8 test, field;
  s16 low, high;
};
struct rule {
  struct condition conditions[2];
  u8 action, argument;
  u16 holdoff;
  u32 last, hits;
};
struct input {
  u32 rule_count;
  u32 level;
  struct rule rules[12];
  struct event events[]; // len
};

NOINLINE s32 field(const struct event *event, u32 which) {
  switch (which) {
  case 0:
    return event->value;
  case 1:
    return event->sensor;
  case 2:
    return event->kind;
  default:
    return (s32)(event->time & 0x7fff);
  }
}

NOINLINE u32 holds(const struct condition *condition, const struct event *event) {
  if (condition->test == ALWAYS)
    return 1;
  s32 value = field(event, condition->field);
  switch (condition->test) {
  case EQUAL:
    return value == condition->low;
  case ABOVE:
    return value > condition->low;
  case BELOW:
    return value < condition->low;
  case WITHIN:
    return value >= condition->low && value <= condition->high;
  case MASK:
    return (value & condition->low) == condition->high;
  default:
    return 0;
  }
}

NOINLINE u32 matches(struct rule *rule, const struct event *event) {
  if (!holds(&rule->conditions[0], event) || !holds(&rule->conditions[1], event))
    return 0;
  if (rule->hits != 0 && event->time - rule->last < rule->holdoff)
    return 0;
  rule->last = event->time;
  rule->hits++;
  return 1;
}

u64 entry(void *ctx, u64 len) {
  struct input *input = ctx;
  u64 forwarded = 0;
  u32 dropped = 0;
  for (u32 i = 0; i < (u32)len; i++) {
    const struct event *event = &input->events[i];
    u32 r = 0;
    while (r < input->rule_count && !matches(&input->rules[r], event))
      r++;
    if (r == input->rule_count) {
      dropped++;
      continue;
    }
    const struct rule *rule = &input->rules[r];
    switch (rule->action) {
    case RAISE:
      input->level += rule->argument;
      break;
    case LOWER:
      input->level -= input->level < rule->argument ? input->level : rule->argument;
      break;
    case FORWARD:
      forwarded = forwarded * 31 + ((u64)event->time << 16 | (u16)event->value);
      break;
    case DROP:
      dropped++;
      break;
    default:
      break;
    }
  }
  return forwarded ^ ((u64)dropped << 48) ^ input->level;
}
