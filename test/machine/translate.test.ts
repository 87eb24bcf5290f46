// Blocks as JavaScript against the same blocks interpreted: registers, flags, memory, counters and faults are the same.

import { describe, expect, it } from 'vitest'
import { Simulator } from '../../src/machine/sim/simulator.ts'
import { Cond } from '../../src/thumb/instruction.ts'
import { Random } from '../support/random.ts'
import { type Case, randomCases, RESULT_BASE, WINDOW_BASE, WINDOW_BYTES, windowBytes } from './lockstep.ts'
import { CODE, DATA, machineWith } from './support.ts'

const regions = [
  { name: 'code', base: 0, size: 0x8000, execute: true, write: false },
  { name: 'ram', base: RESULT_BASE, size: 0x40_0000, execute: false, write: true },
]
const small = regions.slice(0, 1)
const BKPT = 0xbe00

/** What a run of these instructions leaves. */
function runOn(machine: Simulator, halfwords: readonly number[], one: Case, window: number) {
  machine.writeSync(CODE, new Uint8Array(new Uint16Array([...halfwords, BKPT]).buffer))
  const registers = new Uint32Array(16)
  registers.set(one.registers)
  registers[13] = RESULT_BASE + 0x1000
  registers[14] = CODE | 1
  registers[15] = CODE | 1
  machine.writeRegistersSync(registers)
  machine.apsr = one.apsr
  machine.resetCounters()
  const stop = machine.runSync({ instructions: 500 })
  return {
    stop,
    registers: machine.readRegistersSync(),
    apsr: machine.apsr,
    counters: { ...machine.counters },
    window: machine.readSync(WINDOW_BASE + window * WINDOW_BYTES, WINDOW_BYTES),
  }
}

describe('translated blocks do what interpreted ones do', () => {
  const seed = Number(process.env['THUMBPF_SEED'] ?? 4711)
  it(`random instructions, alone and in rows, seed ${seed}`, () => {
    const count = 2400
    const cases = randomCases(count, seed)
    const interpreter = new Simulator({ regions, translateAfter: Infinity })
    const translator = new Simulator({ regions, translateAfter: 0 })
    for (const machine of [interpreter, translator]) machine.writeSync(WINDOW_BASE, windowBytes(count, seed))
    cases.forEach((one, index) => {
      // In rows the later ones find any registers: faults in the middle of a block come up.
      const halfwords = cases.slice(index, index + 1 + (index % 6)).flatMap((each) => each.halfwords)
      const text = `case ${index}: ${one.text}`
      const wanted = runOn(interpreter, halfwords, one, index)
      expect({ text, ...runOn(translator, halfwords, one, index) }).toEqual({ text, ...wanted })
    })
  })
  it('branches on every condition, after every kind of comparison', () => {
    // cmp, cmp.w with a shift, subs, adds, ands, cmn, cmp r, #imm; then b<cond> over a movs.
    const comparisons = [[0x4288], [0xebb0, 0x0fc1], [0x1a42], [0x1842], [0x4008], [0x42c8], [0x2880], [0xf1b0, 0x4f00]]
    const random = new Random(7)
    for (const comparison of comparisons) {
      for (let cond: number = Cond.EQ; cond < Cond.AL; cond++) {
        const code = new Uint8Array(new Uint16Array([...comparison, 0xd000 | (cond << 8), 0x2301, BKPT]).buffer)
        for (let round = 0; round < 12; round++) {
          const operands = [random.value(), random.value(), 0, 0, DATA]
          const [wanted, got] = [Infinity, 0].map((translateAfter) => {
            const machine = machineWith(code, operands, { translateAfter, regions: small })
            const stop = machine.runSync({ instructions: 10 })
            return { stop, registers: machine.readRegistersSync(), apsr: machine.apsr, counters: machine.counters }
          })
          expect({ comparison, cond, operands, ...got }).toEqual({ comparison, cond, operands, ...wanted })
        }
      }
    }
  })
})
