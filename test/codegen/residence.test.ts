// Values that are in memory and in a register by turns go to memory where nobody refers to them, and constants are not made for nobody.

import { expect, it } from 'vitest'

import { compile } from '../../src/compile.ts'
import { assemble } from '../../src/bpf/asm.ts'

/** Sums in memory-hungry code around a loop that reads none of what the outer one needs. */
function program(values: number): string {
  const lines: string[] = []
  for (let i = 0; i < values; i++) lines.push(`r2 = *(u32 *)(r1 + ${4 * i})`, `*(u64 *)(r10 - ${8 * (i + 1)}) = r2`)
  lines.push('r3 = *(u32 *)(r1 + 100)', 'r4 = 0', 'r5 = 1')
  lines.push('loop:', 'r4 ^= r3', 'r6 = r4', 'r6 >>= 3', 'r4 += r6', 'r7 = r4', 'r7 *= r5', 'r5 += r7', 'w5 = w5')
  lines.push(
    'if r4 & 1 goto odd',
    'r5 ^= 77',
    'odd:',
    'r3 += -1',
    'w3 = w3',
    'if r3 != 0 goto loop',
    'r0 = r4',
    'r0 += r5',
  )
  for (let i = 0; i < values; i++) lines.push(`r2 = *(u64 *)(r10 - ${8 * (i + 1)})`, 'r0 *= 31', 'r0 += r2')
  return `${lines.join('\n')}\nexit\n`
}

it('touches no spill slot in a loop that needs none', () => {
  let spills = 0
  for (const values of [6, 14]) {
    let code = ''
    compile(assemble(program(values)), {
      check: true,
      dump: (stage, text) => (code = stage === 'allocate' ? text : code),
    })
    spills += code.match(/SPILL/g)?.length ?? 0
    for (const block of code.split(/^b\d+:/m)) {
      if (/depth [1-9]/.test(block)) expect(block).not.toMatch(/SPILL/)
    }
  }
  expect(spills).toBeGreaterThan(0)
})
