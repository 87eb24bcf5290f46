// Things that the entry does not use, among them calls of what is not there.
#include "objects.h"

extern u64 missing(u64);
extern u32 absent;
SEC("unused_data") u64 (*pointer)(u64) = missing;
SEC("other") u64 unused(u64 a) { return missing(a) + absent; }
SEC("more_data") u32 *where = &absent;
static u32 used = 5;
SEC("program") u64 entry(u8 *ctx, u64 len) { used += ctx[0]; return used + len; }
