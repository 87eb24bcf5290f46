// A small interpreter: bytes of a program in .rodata, a switch, a stack in .bss.
#include "objects.h"

enum { PUSH, ADD, MUL, DUP, SWAP, LOAD, JNZ, END };
static const u8 program[] = {PUSH, 5, LOAD, ADD, DUP, PUSH, 3, MUL, SWAP, PUSH, 7, ADD, ADD, END};
static u64 stack[16];
u64 entry(u8 *ctx, u64 len) {
  u32 sp = 0;
  for (u32 pc = 0; pc < sizeof program; pc++) {
    switch (program[pc]) {
    case PUSH: stack[sp++ & 15] = program[++pc]; break;
    case ADD: sp--; stack[(sp - 1) & 15] += stack[sp & 15]; break;
    case MUL: sp--; stack[(sp - 1) & 15] *= stack[sp & 15]; break;
    case DUP: stack[sp & 15] = stack[(sp - 1) & 15]; sp++; break;
    case SWAP: { u64 kept = stack[(sp - 1) & 15]; stack[(sp - 1) & 15] = stack[(sp - 2) & 15]; stack[(sp - 2) & 15] = kept; break; }
    case LOAD: stack[sp++ & 15] = ctx[3] + len; break;
    default: return stack[(sp - 1) & 15] * 16 + sp;
    }
  }
  return 0;
}
