// The public conformance files, where the folder with them is: through the command line, on interpreter and simulator.

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'

import { root, thumbpf } from './support.ts'

const folder = join(root, '..', 'shared', 'conformance')

describe.skipIf(!existsSync(folder))('conformance files [needs ../shared/conformance]', () => {
  it('of tests/ all pass', async () => {
    const ran = await thumbpf(['test', join(folder, 'tests')])
    expect(ran).toMatchObject({ stdout: '183 passed, 0 failed\n', status: 0, stderr: '' })
  })

  it('of negative/ none is accepted', async () => {
    const ran = await thumbpf(['test', join(folder, 'negative')])
    expect(ran.status).toBe(1)
    const lines = ran.stdout.trimEnd().split('\n')
    expect(lines.pop()).toBe('31 passed, 5 failed')
    const wrong = 'expected r0 = 0x8977665544332211, actual r0 = 0x8877665544332211'
    const mismatches = lines.filter((line) => !line.includes(': refused: '))
    expect(mismatches.map((line) => line.slice(line.lastIndexOf('/') + 1))).toEqual([
      `incorrect_return_value_high_bits.data: on interp: ${wrong}`,
      `incorrect_return_value_high_bits.data: on sim: ${wrong}`,
    ])
  })
})
