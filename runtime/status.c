/* The names of what thumbpf.h's functions answer, for messages; firmware that shows none need not link this. */

#include "thumbpf.h"

const char *thumbpf_status_name(enum thumbpf_status status) {
#define NAME(name) #name "\0"
  static const char names[] = THUMBPF_STATUSES(NAME);
  const char *at = names;
  uint32_t left = (uint32_t)status;
  if (left >= THUMBPF_STATUS_COUNT) return "?";
  for (; left > 0; left--) {
    while (*at++ != 0) {
    }
  }
  return at;
}
