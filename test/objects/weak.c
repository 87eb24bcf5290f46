// Weak definitions, which count where no other is there.
#include "objects.h"

__attribute__((weak)) u32 setting = 12;
__attribute__((weak)) noinline u64 handler(u64 a) { return a * 5 + setting; }
u64 entry(u8 *ctx, u64 len) { setting += ctx[0]; return handler(len) + handler(setting); }
