// --machine: QEMU, targets behind a GDB stub, and what is wrong with what was asked for.

import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

import { describeWith } from '../support/tools.ts'
import { thumbpf } from './support.ts'

const path = (name: string): string => fileURLToPath(new URL(`../../${name}`, import.meta.url))
const fletcher = [path('examples/fletcher32.o'), '--ctx', `@${path('examples/inputs/fletcher32.bin')}`]

describeWith(['qemu-system-arm'], '--machine qemu', () => {
  it('gives what the simulator gives, and the same count of instructions', async () => {
    const [qemu, sim] = await Promise.all(
      ['qemu', 'sim'].map(async (machine) => {
        const { status, stdout } = await thumbpf(['run', ...fletcher, '--machine', machine, '--json'])
        return { status, ...(JSON.parse(stdout) as Record<string, unknown>) }
      }),
    )
    expect(qemu).toEqual({ ...sim, machine: 'qemu', cycles: null })
    expect(qemu).toMatchObject({ status: 0 })
  })
  it('stops what does not end after --timeout', async () => {
    const { status, stderr } = await thumbpf(['run', '-', '--machine', 'qemu', '--timeout', '100'], 'l: goto l')
    expect({ status, stderr }).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/limit on time.*--timeout raises/),
    })
  })
  const conformance = path('../shared/conformance/tests')
  if (existsSync(conformance)) {
    it('passes the conformance files', async () => {
      const { stdout } = await thumbpf(['test', conformance, '--machine', 'qemu'])
      expect(stdout).toMatch(/^\d{2,} passed, 0 failed\n$/)
    })
  }
})

describe('--machine', () => {
  const complaint = async (...args: string[]): Promise<string> => {
    const { status, stderr } = await thumbpf(['run', ...fletcher, ...args])
    expect(status).not.toBe(0)
    expect(stderr.trim().split('\n')).toHaveLength(1)
    return stderr
  }
  it('says what it may be', async () => {
    expect(await complaint('--machine', 'qemuu')).toMatch(
      /Allowed: sim, interp, qemu, gdb:HOST:PORT, serial:.*; did you mean 'qemu'/,
    )
  })
  it('wants to know the memory behind a debugger', async () => {
    expect(await complaint('--machine', 'gdb:localhost:1')).toMatch(/needs --code BASE:SIZE and --ram BASE:SIZE/)
    const ram = ['--ram', '0x20014000:0x8000']
    expect(await complaint('--machine', 'gdb:localhost:1', '--code', '0x2000', ...ram)).toMatch(
      /--code is '0x2000', must be/,
    )
  })
  it('says what is wrong with a serial line', async () => {
    expect(await complaint('--machine', 'serial:')).toMatch(/Allowed: .*serial:tcp:HOST:PORT/)
    expect(await complaint('--machine', 'serial:tcp:127.0.0.1:9')).toMatch(/127.0.0.1:9: nobody listens there/)
    expect(await complaint('--machine', 'serial:unix:/nowhere')).toMatch(/no connection to \/nowhere/)
    expect(await complaint('--machine', 'serial:/dev/nowhere:9600')).toMatch(/^error: \/dev\/nowhere can not be/)
    expect(await complaint('--machine', 'serial:tcp:127.0.0.1:9', '--max-instructions', '9')).toMatch(/--timeout/)
  })
  it('says where nobody listens', async () => {
    const memory = ['--code', '0x20010000:0x4000', '--ram', '0x20014000:0x8000']
    expect(await complaint('--machine', 'gdb:127.0.0.1:1', ...memory)).toMatch(
      /no connection to 127.0.0.1:1: nobody listens/,
    )
    expect(await complaint('--machine', 'gdb:127.0.0.1:70000', ...memory)).toMatch(/ports go to 65535/)
  })
  it('counts instructions as a limit only where they are counted', async () => {
    expect(await complaint('--machine', 'qemu', '--max-instructions', '5')).toMatch(/--timeout limits a run/)
  })
})
