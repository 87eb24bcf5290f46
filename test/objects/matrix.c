// Matrices: a constant one, one of variables, one that is made.
#include "objects.h"

static const s32 turn[3][3] = {{0, -1, 2}, {1, 0, -3}, {4, 0, 1}};
static s32 place[3][3] = {{1, 2, 3}, {4, 5, 6}, {7, 8, 9}};
static s32 made[3][3];
u64 entry(u8 *ctx, u64 len) {
  place[1][1] += ctx[4];
  for (u32 i = 0; i < 3; i++)
    for (u32 j = 0; j < 3; j++) {
      s32 sum = 0;
      for (u32 k = 0; k < 3; k++) sum += turn[i][k] * place[k][j];
      made[i][j] = sum + (s32)len;
    }
  u64 hash = 0;
  for (u32 i = 0; i < 9; i++) hash = hash * 31 + made[i / 3][i % 3];
  return hash;
}
