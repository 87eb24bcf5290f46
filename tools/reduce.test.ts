// Makes a random program that interpreter and compiled code disagree on small: replaces instructions by moves of a register to
// itself while they still disagree, and prints what is left. `SEED=1,20,2,2 npx vitest run --config tools/vitest.config.ts`
// (seed, length, functions, level).

import { expect, it } from 'vitest'
import { formatOutcome } from '../src/base/outcome.ts'
import { disassemble } from '../src/bpf/disasm.ts'
import { readProgram } from '../src/bpf/read.ts'
import { Simulator } from '../src/machine/sim/simulator.ts'
import { compareRuns, makeContext } from '../test/support/differential.ts'
import { CONTEXT_BYTES, randomProgram } from '../test/support/random-program.ts'

const given = (process.env['SEED'] ?? '').split(',')
const [seed = 1, length = 20, functions = 2] = given.slice(0, 3).map(Number)
const optimize = given[3] === '0' ? 0 : given[3] === 's' ? 's' : 2

it('reduces', { timeout: 600_000 }, async () => {
  const machine = new Simulator()
  const ctx = makeContext(CONTEXT_BYTES, seed)
  const failure = async (text: Uint8Array): Promise<string | undefined> => {
    try {
      const { interpreter, machine: compiled, equal } = await compareRuns(text, ctx, machine, { optimize })
      if (equal) return undefined
      return `interpreter ${formatOutcome(interpreter.outcome)}, compiled ${formatOutcome(compiled.outcome)}`
    } catch (error) {
      return error instanceof Error && error.name === 'Error' ? error.message : undefined
    }
  }
  let { text } = randomProgram(seed, length, functions)
  let why = await failure(text)
  expect(why, 'the two agree').toBeDefined()
  const kind = why!.slice(0, 20)
  // Loops that fill a buffer, which end with `if r5 != 0 goto -4`, stay too.
  const fills = new Set<number>()
  for (let at = 0; at < text.length; at += 8) {
    const [opcode, registers, low] = text.subarray(at)
    if (opcode === 0x55 && registers === 5 && low === 0xfc)
      for (let back = 0; back < 7; back++) fills.add(at - 8 * back)
  }
  for (let changed = true; changed;) {
    changed = false
    for (let at = 0; at < text.length; at += 8) {
      // Stores to the stack stay: what is read there must have been written.
      if ((text[at] === 0xbf && text[at + 1] === 0) || (text[at]! & 0xe7) === 0x62 || text[at] === 0x7b) continue
      if (fills.has(at)) continue
      const shorter = text.slice()
      const slots = text[at] === 0x18 ? 2 : 1
      for (let slot = 0; slot < slots; slot++) shorter.set([0xbf, 0, 0, 0, 0, 0, 0, 0], at + 8 * slot)
      const still = await failure(shorter)
      if (still === undefined || still.slice(0, 20) !== kind) continue
      text = shorter
      why = still
      changed = true
    }
  }
  const lines = disassemble(readProgram(text)).filter((line) => !line.endsWith('r0 = r0'))
  console.log(`${lines.join('\n')}\n; ${why}`)
})
