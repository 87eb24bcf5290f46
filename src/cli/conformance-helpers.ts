// The helpers that a runner of the bpf_conformance suite grants, by the numbers that its plugins give them (ubpf's first
// ones). Those that follow pointers are left out: helpers see numbers alone in this version.

import type { HelperSet } from '../index.ts'

/** The greatest number whose square is not above `operand`. */
function squareRoot(operand: bigint): bigint {
  let root = BigInt(Math.floor(Math.sqrt(Number(operand))))
  while (root * root > operand) root--
  while ((root + 1n) * (root + 1n) <= operand) root++
  return root
}

export const conformanceHelpers: HelperSet = {
  helpers: new Map([
    [
      0,
      {
        name: 'gather_bytes',
        fn: (a: bigint, b: bigint, c: bigint, d: bigint, e: bigint) =>
          [a, b, c, d, e].reduce((gathered, value) => (gathered << 8n) | (value & 0xffn), 0n),
      },
    ],
    [2, { name: 'no_op', fn: () => 0n }],
    [3, { name: 'sqrti', fn: squareRoot }],
    [5, { name: 'unwind', fn: (result: bigint) => result }],
  ]),
  unwind: 5,
}
