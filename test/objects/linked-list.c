// A list that is linked in the data itself.
#include "objects.h"

struct node { struct node *next; u32 value; };
static struct node fourth = {0, 40}, third = {&fourth, 30}, second = {&third, 20}, first = {&second, 10};
u64 entry(u8 *ctx, u64 len) {
  third.value += ctx[1];
  if (len & 1) second.next = &fourth;
  u64 sum = 0;
  for (struct node *at = &first; at; at = at->next) sum = sum * 100 + at->value;
  return sum;
}
