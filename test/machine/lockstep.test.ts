// The simulator against QEMU (qemu-system-arm, mps2-an386, a Cortex-M4): thousands of random instructions and states in
// one start of QEMU, registers, flags and memory compared after each. THUMBPF_SEED and THUMBPF_CASES choose others.

import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import { Simulator } from '../../src/machine/sim/simulator.ts'
import { describeWith, tool } from '../support/tools.ts'
import {
  type Case,
  makeBlob,
  randomCases,
  RESULT_BASE,
  RESULT_BYTES,
  WINDOW_BASE,
  WINDOW_BYTES,
  windowBytes,
} from './lockstep.ts'

const seed = Number(process.env['THUMBPF_SEED'] ?? 20260)
const count = Math.min(Number(process.env['THUMBPF_CASES'] ?? 6000), 11_000)

const regions = [
  { name: 'code', base: 0, size: 0x40_0000, execute: true, write: false },
  { name: 'ram', base: RESULT_BASE, size: 0x40_0000, execute: false, write: true },
]

describeWith(['qemu-system-arm'], `simulator and QEMU in lockstep, seed ${seed}, ${count} cases`, () => {
  it('leave the same registers, flags and memory', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'thumbpf-lockstep-'))
    try {
      const cases = randomCases(count, seed)
      const windows = windowBytes(count, seed)
      const dump = join(folder, 'dump')
      const blob = makeBlob(cases, dump)
      const machine = new Simulator({ regions })
      machine.writeSync(0, blob.bytes)
      machine.writeSync(WINDOW_BASE, windows)
      const registers = new Uint32Array(16)
      registers[15] = blob.entry | 1
      machine.writeRegistersSync(registers)
      const stop = machine.runSync({ instructions: 64 * count })
      expect({ ...stop, where: caseAt(cases, blob.addresses, stop.pc) }).toMatchObject({
        kind: 'breakpoint',
        number: 0xab,
      })

      await writeFile(join(folder, 'blob'), blob.bytes)
      await writeFile(join(folder, 'windows'), windows)
      await promisify(execFile)(
        tool('qemu-system-arm')!,
        [
          '-M',
          'mps2-an386',
          '-display',
          'none',
          '-serial',
          'none',
          '-monitor',
          'none',
          '-semihosting-config',
          'enable=on,target=native',
          '-device',
          `loader,file=${join(folder, 'blob')},addr=0,force-raw=on`,
          '-device',
          `loader,file=${join(folder, 'windows')},addr=${WINDOW_BASE},force-raw=on`,
        ],
        { timeout: 20_000 },
      )
      const expected = await readFile(dump)
      const actual = machine.readSync(RESULT_BASE, expected.length)
      const differences: string[] = []
      cases.forEach((one, index) => {
        const difference = compare(one, index, expected, actual)
        if (difference !== undefined) differences.push(difference)
      })
      expect(differences.slice(0, 20).join('\n')).toBe('')
    } finally {
      await rm(folder, { recursive: true })
    }
  })
})

function caseAt(cases: readonly Case[], addresses: readonly number[], pc: number): string {
  const index = addresses.findLastIndex((address) => address <= pc)
  return `case ${index}: ${cases[index]?.text ?? 'none'}`
}

function compare(one: Case, index: number, expected: Uint8Array, actual: Uint8Array): string | undefined {
  const lines: string[] = []
  const want = new DataView(expected.buffer, expected.byteOffset)
  const have = new DataView(actual.buffer, actual.byteOffset)
  for (let word = 0; word < 15; word++) {
    const at = index * RESULT_BYTES + 4 * word
    const [wanted, got] = [want.getUint32(at, true), have.getUint32(at, true)]
    const name = word < 13 ? `r${word}` : word === 13 ? 'apsr' : 'sp'
    if (wanted !== got) lines.push(`${name} ${got.toString(16)}, QEMU ${wanted.toString(16)}`)
  }
  const start = WINDOW_BASE - RESULT_BASE + index * WINDOW_BYTES
  for (let byte = 0; byte < WINDOW_BYTES; byte++) {
    const [wanted, got] = [expected[start + byte]!, actual[start + byte]!]
    if (wanted !== got) lines.push(`memory +${byte} ${got.toString(16)}, QEMU ${wanted.toString(16)}`)
  }
  if (lines.length === 0) return undefined
  const before = Array.from(one.registers, (value, r) => `r${r}=${value.toString(16)}`).join(' ')
  return `${index} ${one.text}: ${lines.slice(0, 4).join('; ')}   from ${before} apsr=${one.apsr.toString(16)}`
}
