/* A sensor node's job: take one temperature, keep the moving average of the last eight, and raise or clear an alarm
 * with hysteresis, so that a value at the threshold does not make it flicker.
 * ctx: struct node, kept by the firmware from one call to the next; len: its size.
 * Returns 1 if the alarm changed (the node then sends a message), else 0; -1 if the context is too short. */
#include <stdint.h>

#define SAMPLES 8

struct node {
  int16_t sample;  /* in: newest temperature, hundredths of a degree Celsius */
  int16_t raise;   /* in: at this average and above the alarm is raised */
  int16_t clear;   /* in: at this average and below it is cleared */
  uint8_t next;    /* slot of the ring that the next sample goes to */
  uint8_t count;   /* samples in the ring, at most SAMPLES */
  int32_t sum;     /* of the ring */
  int16_t average; /* out */
  uint8_t alarm;   /* out: 0 or 1 */
  uint8_t changes; /* how often the alarm changed, wraps */
  int16_t ring[SAMPLES];
};

uint64_t alarm(struct node *node, uint64_t len) {
  if (len < sizeof *node) return (uint64_t)-1;
  uint32_t slot = node->next % SAMPLES;
  if (node->count < SAMPLES)
    node->count++;
  else
    node->sum -= node->ring[slot];
  node->ring[slot] = node->sample;
  node->sum += node->sample;
  node->next = (slot + 1) % SAMPLES;

  /* BPF before v4 has no signed division: divide the magnitude. */
  uint32_t magnitude = node->sum < 0 ? -(uint32_t)node->sum : (uint32_t)node->sum;
  int32_t quotient = (int32_t)(magnitude / node->count);
  int32_t average = node->sum < 0 ? -quotient : quotient;
  node->average = (int16_t)average;

  uint8_t alarm = node->alarm;
  if (average >= node->raise) alarm = 1;
  if (average <= node->clear) alarm = 0;
  if (alarm == node->alarm) return 0;
  node->alarm = alarm;
  node->changes++;
  return 1;
}
