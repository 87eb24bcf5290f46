/* Calls of programs that may fault, or take too long: both end the call and leave the firmware as it was. */

#ifndef GUARD_H
#define GUARD_H

#include "../../runtime/agent.h"

/* For struct thumbpf_agent: calls entry, and ends the call after limit milliseconds (0: never) or where it faults. */
void guard_invoke(thumbpf_entry entry, void *ctx, uint32_t len, struct thumbpf_env *env, uint32_t limit,
                  struct thumbpf_agent_end *end);

/* From the clock's interrupt: ends a call that has had its time. frame is what the processor has stacked; gives the frame to return to. */
uint32_t *guard_limit(uint32_t *frame, uint32_t now);

#endif
