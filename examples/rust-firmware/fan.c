/* A program for the firmware: turns the fan faster as it gets warmer. ctx is a struct fan that the firmware keeps. Returns true if
 * the speed changed. */
#include "helpers.h"

struct fan {
  int16_t celsius;  /* out: what was measured */
  uint8_t percent;  /* out: the speed that was set */
  bool boost;       /* out: too hot, full speed */
  uint32_t changes; /* counts changes of the speed */
};

uint64_t fan(struct fan *fan) {
  int16_t celsius = temperature(0);
  fan->celsius = celsius;
  fan->boost = celsius > 60;
  if (celsius < 20)
    fan->percent = 0;
  else if (celsius >= 50)
    fan->percent = 100;
  else
    fan->percent = (uint8_t)scale(celsius - 20, 0x355555556, 32); /* 10/3 */
  if (!fan_set(fan->percent, fan->boost)) return false;
  fan->changes++;
  report(fan->percent, now(), fan->boost ? "boost," : "speed");
  return true;
}
