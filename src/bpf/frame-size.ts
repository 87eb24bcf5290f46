// How much stack a program's functions have: the kernel's 512 bytes, or more where clang was told that there is more (-mllvm -bpf-stack-size).

import type { Program } from './program.ts'

const KERNEL_BYTES = 512
/** What is farther below R10 is not its stack: 64 functions deep, such stacks end where the data begins. */
const REACH = 1 << 13

/** Bytes below R10 for each function, a multiple of 8: what the deepest of them accesses, or takes the address of. */
export function frameSize(program: Program): number {
  let deepest = KERNEL_BYTES
  let copied = -1
  for (const { row, dst, src, offset, imm } of program.instructions) {
    let from = 0
    if (row.kind === 'alu' && row.op === 'add' && row.source === 'imm' && dst === copied) from = imm
    else if ((row.kind === 'load' ? src : row.kind === 'store' || row.kind === 'atomic' ? dst : -1) === 10)
      from = offset
    if (from >= -REACH) deepest = Math.max(deepest, -from)
    if (row.kind === 'alu' && row.op === 'mov' && row.source === 'reg' && src === 10) copied = dst
    else if (dst === copied) copied = -1
  }
  return (deepest + 7) & ~7
}
