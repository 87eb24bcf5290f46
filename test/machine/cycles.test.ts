// The cycle model: the sequences of the shared facts, where that folder is, and our own, one for each row of the model.

import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { bytesOfHex, DATA, machineWith, run } from './support.ts'

interface Sequence {
  name: string
  hex: string
  insns: number
  cycles: number
}

function check({ hex, insns, cycles }: Sequence): void {
  const machine = machineWith(bytesOfHex(hex), [DATA + 64, DATA + 128])
  const { stop } = run(machine)
  expect(stop).toMatchObject({ kind: 'breakpoint', number: 0xff })
  expect(machine.counters).toEqual({ instructions: insns, cycles })
}

const facts = new URL('../../../shared/facts/cycle-tests.json', import.meta.url)
if (existsSync(facts)) {
  describe('cycle model: shared sequences', () => {
    for (const sequence of JSON.parse(readFileSync(facts, 'utf8')) as Sequence[])
      it(sequence.name, () => check(sequence))
  })
} else {
  describe.skip('cycle model: shared sequences [needs ../shared/facts/cycle-tests.json]', () => {})
}

// Hex of each was made with GNU as; the figures follow from the rows of the model. r0 and r1 point to memory.
describe('cycle model: rows', () => {
  const rows: [row: string, assembly: string, hex: string, insns: number, cycles: number][] = [
    ['C1', 'adc.w r2, r0, r1, lsl #3; lsls r2, r1; rev r2, r2', '40ebc1028a4012ba7047', 4, 6],
    ['C2', 'umaal r2, r3, r0, r1; smlabb r2, r0, r1, r2', 'e0fb612310fb01227047', 3, 5],
    ['C3', 'movs r2, #0; udiv r3, r0, r2', '0022b0fbf2f37047', 3, 6],
    ['C3', 'movs r2, #100; movs r3, #7; sdiv r2, r2, r3', '6422072392fbf3f27047', 4, 11],
    ['C4', 'ldrb r2, [r0]; ldrsh r3, [r1]; ldr r2, [r0, r3]', '0278b1f90030c2587047', 4, 8],
    ['C6', 'ldr r2, [r0]; nop; str r2, [r0, r3]', '026800bfc2507047', 4, 8],
    ['C7', 'str r2, [r0]; ldm r1, {r2, r3}', '026091e80c007047', 3, 8],
    ['C8', 'str r2, [r0], #4; str r2, [r0]', '40f8042b02607047', 3, 6],
    ['C9', 'strd r2, r3, [r0]; ldrd r2, r3, [r0]', 'c0e90023d0e900237047', 3, 9],
    ['C10', 'movs r2, #0; cbz r2, 1f; nop; 1: nop', '002202b100bf00bf7047', 4, 7],
    ['C12', 'movs r2, #0; add pc, r2; nop; nop', '0022974400bf00bf7047', 4, 8],
    ['C13', 'mov r2, lr; push {r2}; pop {pc}', '724604b400bd7047', 3, 8],
    ['C13', 'push {lr}; ldr pc, [sp], #4', '00b55df804fb7047', 2, 7],
    ['C14', 'adds.w r2, r2, #1; it ne; addne r2, #1', '12f1010218bf01327047', 4, 6],
    ['C14, C15', 'ldr r3, [r0]; ite eq; moveq r2, r0; ldrne r2, [r0]; ldr r3, [r0]', '03680cbf0246026803687047', 6, 9],
    ['C16', 'ldr r2, [r0, #3]', 'd0f803207047', 2, 7],
    ['C16', 'strh r2, [r0, #1]', 'a0f801207047', 2, 5],
    [
      'C17',
      'mrs r2, apsr; msr apsr_nzcvq, r2; isb; dmb; cpsid i; cpsie i',
      'eff3008282f30088bff36f8fbff35f8f72b662b67047',
      7,
      12,
    ],
  ]
  for (const [row, assembly, hex, insns, cycles] of rows) {
    it(`${row}: ${assembly}`, () => check({ name: assembly, hex, insns, cycles }))
  }
})
