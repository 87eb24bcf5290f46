// The suite that all machines pass, on those that are here; and what is particular to QEMU and to targets that are restored.

import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { describe, expect, it } from 'vitest'

import { assemble } from '../../src/bpf/asm.ts'
import { compile } from '../../src/compile.ts'
import { GdbMachine } from '../../src/machine/gdb/machine.ts'
import { Remote } from '../../src/machine/gdb/remote.ts'
import type { Transport } from '../../src/machine/gdb/transport.ts'
import { instantiate } from '../../src/machine/instance.ts'
import { startQemu } from '../../src/machine/node/qemu.ts'
import { connectTcp } from '../../src/machine/node/tcp.ts'
import { Simulator } from '../../src/machine/sim/simulator.ts'
import { describeWith, tool } from '../support/tools.ts'
import { machineSuite } from './suite.ts'

describe('simulator', () => {
  machineSuite({ open: async () => new Simulator(), limitsInstructions: true, countsInstructions: true })
})
describeWith(['qemu-system-arm'], 'qemu', () => {
  machineSuite({ open: () => startQemu(), limitsInstructions: false, countsInstructions: true })
})
describeWith(['qemu-system-arm'], 'a stub over TCP', () => {
  machineSuite({
    open: async () => connectOwn(await startStub()),
    limitsInstructions: false,
    countsInstructions: false,
  })
  it('leaves registers and memory as it found them', async () => {
    const { port, end } = await startStub()
    try {
      // A firmware: b . at an address outside of our regions, registers of its own.
      const firmware = await remoteOf(port)
      await firmware.write(FIRMWARE, Uint8Array.of(0xfe, 0xe7))
      const marks = Uint8Array.from({ length: 64 }, (_, index) => 200 - index)
      for (const { base, size } of regions) for (const at of [base, base + size - 64]) await firmware.write(at, marks)
      const registers = await firmware.readRegisters()
      for (let r = 0; r < 13; r++) registers[r] = 0x1111_0000 + r
      registers.set([FIRMWARE - 0x100, 0x99, FIRMWARE], 13)
      registers[16] = 0xa100_0000
      await firmware.writeRegisters(registers)
      await firmware.client.ask('D')
      firmware.client.close()

      const machine = await connectOwn({ port, end: () => {} })
      const instance = await instantiate(compile(assemble('r0 = 11\nexit')), machine)
      expect((await instance.call()).outcome).toEqual({ kind: 'returned', r0: 11n })
      await machine.write(regions[1]!.base, new Uint8Array(1000))
      await machine.close()

      const after = await remoteOf(port)
      await after.client.ask('?')
      expect(await after.readRegisters()).toEqual(registers)
      for (const { base, size } of regions) {
        for (const at of [base, base + size - 64]) expect(await after.read(at, 64)).toEqual(marks)
      }
      after.client.close()
    } finally {
      end()
    }
  })
})
describeWith(['qemu-system-arm'], 'qemu and the simulator', () => {
  it('count the same instructions, and start within two seconds', async () => {
    const machine = await startQemu()
    for (const source of [
      'r0 = 1\nexit',
      'r0 = 0\nl: r0 += 3\nif r0 < 1000 goto l\nexit',
      'r0 = r2\nr0 *= r0\nr0 %= 77\nexit',
    ]) {
      const image = compile(assemble(source))
      const results = []
      for (const each of [machine, new Simulator()]) {
        const { outcome, instructions } = await (await instantiate(image, each)).call({ len: 12_345 })
        results.push({ outcome, instructions })
      }
      expect(results[0]).toEqual(results[1])
    }
    await machine.close()
  })
  it('ends QEMU when our process is killed', async () => {
    const code = `import('${new URL('../../dist/node.js', import.meta.url).href}').then(async ({ startQemu }) => {
      await startQemu()
      console.log('started')
      setInterval(() => {}, 1000)
    })`
    const child = spawn(process.execPath, ['-e', code], { stdio: ['ignore', 'pipe', 'inherit'] })
    await new Promise((resolve) => child.stdout.once('data', resolve))
    const shells = childrenOf(child.pid!)
    const all = shells.flatMap((shell) => [shell, ...childrenOf(shell)])
    expect(all.some((pid) => commandOf(pid).includes('qemu-system-arm'))).toBe(true)
    child.kill('SIGKILL')
    for (let tries = 0; tries < 100 && all.some((pid) => commandOf(pid) !== ''); tries++) {
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    expect(all.map(commandOf).filter((command) => command !== '')).toEqual([])
  })
  it('says that there is no QEMU', async () => {
    await expect(startQemu({ program: 'no-such-qemu' })).rejects.toThrow(/there is no program no-such-qemu/)
    await expect(startQemu({ program: 'false' })).rejects.toThrow(/false has ended/)
  })
})

/** Linux's own words for processes. */
function childrenOf(pid: number): number[] {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim()
  return text === '' ? [] : text.split(' ').map(Number)
}
function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8')
  } catch {
    return ''
  }
}

/** What a user might give: not where QEMU's own vectors are. */
const regions = [
  { name: 'code', base: 0x2000_0000, size: 0x1_0000, execute: true, write: false },
  { name: 'ram', base: 0x2001_0000, size: 0x2_0000, execute: false, write: true },
]

/** Where a firmware would be, in the test of what is restored. */
const FIRMWARE = 0x2003_8000

interface Stub {
  readonly port: number
  readonly end: () => void
}
async function startStub(): Promise<Stub> {
  const port = await new Promise<number>((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number }
      server.close(() => resolve(port))
    })
  })
  const child = spawn(
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
      '-S',
      '-gdb',
      `tcp:127.0.0.1:${port}`,
    ],
    { stdio: 'ignore' },
  )
  return { port, end: () => void child.kill('SIGKILL') }
}
async function connectOwn({ port, end }: Stub): Promise<GdbMachine> {
  const machine = await GdbMachine.connect(await patiently(port), { name: 'stub', regions })
  machine.onClose = end
  return machine
}
async function remoteOf(port: number): Promise<Remote> {
  return Remote.connect(await patiently(port), 2000)
}
/** Waits until QEMU listens. */
async function patiently(port: number): Promise<Transport> {
  for (let tries = 0; ; tries++) {
    try {
      return await connectTcp('127.0.0.1', port, 2000)
    } catch (error) {
      if (tries > 100) throw error
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }
}
