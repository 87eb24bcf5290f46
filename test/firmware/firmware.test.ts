// examples/firmware, built and run in QEMU: the program that it links, the one that it loads from flash, and those that come over
// its line from the command line, also over a bad one.

import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { assemble } from '../../src/bpf/asm.ts'
import { compile } from '../../src/compile.ts'
import { writeImage } from '../../src/image/file.ts'
import { connectTcp } from '../../src/machine/node/tcp.ts'
import { SerialAgent } from '../../src/machine/serial/agent.ts'
import { encodeFrame } from '../../src/machine/serial/frame.ts'
import { runOnAgent } from '../../src/machine/serial/run.ts'
import { example, input, root, thumbpf } from '../cli/support.ts'
import { compileForBpf } from '../support/objects.ts'
import { describeWith, tool } from '../support/tools.ts'
import { noisy } from './noise.ts'

/** Programs of the firmware's own. */
const fixed = ['in place', 'average']
const source = join(root, 'examples', 'firmware')

/** A port that nobody has now. */
function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0))
    })
  })
}

describeWith(['arm-none-eabi-gcc', 'make', 'qemu-system-arm'], 'the demo firmware in QEMU', () => {
  let folder = ''
  let port = 0
  let board = ''
  let machine: string[] = []

  const boards: ChildProcess[] = []
  process.once('exit', () => boards.forEach((qemu) => qemu.kill('SIGKILL')))

  /** Starts QEMU with the agent's line; gives what the firmware says, when it is ready, and before that what QEMU says. */
  const startBoard = (line: string): Promise<string> => {
    const options = ['-M', 'mps2-an386', '-display', 'none', '-monitor', 'none', '-serial', line, '-serial', 'stdio']
    const qemu = spawn('qemu-system-arm', [...options, '-kernel', join(folder, 'firmware.elf')], { stdio: 'pipe' })
    boards.push(qemu)
    return new Promise((resolve, reject) => {
      let text = ''
      const hear = (bytes: Buffer): void => {
        text += bytes.toString()
        if (/^ready\r?$/m.test(text)) resolve(text)
      }
      qemu.stdout.on('data', hear)
      qemu.stderr.on('data', hear)
      qemu.once('exit', () => reject(new Error(`QEMU has ended: ${text}`)))
    })
  }

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'thumbpf-firmware-'))
    // What `make` would have the built command line do, so that this needs none.
    const average = [join(source, 'average.s'), '--helpers', join(source, 'helpers.h')]
    const compiled: [name: string, format: string, ...args: string[]][] = [
      ['linked-fletcher32.o', 'elf', example('fletcher32.o')],
      ['linked-average.o', 'elf', ...average, '--name', 'average_linked'],
      ['average.tbpf', 'image', ...average],
      ['in-place.tbpf', 'image', ...average, '--position-independent'],
    ]
    for (const [name, format, ...args] of compiled) {
      await thumbpf(['compile', ...args, '--format', format, '-o', join(folder, name)])
    }
    execFileSync('make', ['-s', `OUT=${folder}`, 'THUMBPF=false'], { cwd: source, stdio: 'pipe' })
    port = await freePort()
    board = await startBoard(`tcp:127.0.0.1:${port},server=on,wait=off`)
    machine = ['--machine', `serial:tcp:127.0.0.1:${port}`]
  }, 120_000)

  afterAll(() => {
    for (const qemu of boards) qemu.kill('SIGKILL')
    rmSync(folder, { recursive: true, force: true })
  })

  const agentOn = async (rate = 0, seed = 1): Promise<SerialAgent> => {
    const line = await connectTcp('127.0.0.1', port, 2000)
    return SerialAgent.connect(
      rate === 0 ? line : noisy(line, rate, seed),
      rate === 0 ? {} : { timeout: 100, attempts: 60 },
    )
  }
  const names = async (): Promise<string[]> => {
    const agent = await agentOn()
    const list = await agent.list()
    agent.close()
    return list.map(({ name }) => name)
  }

  it('calls what it links and what it loads, and reports INVSTATE where bit 0 is clear', () => {
    expect(
      board
        .trim()
        .split('\n')
        .map((line) => line.trim()),
    ).toEqual([
      'linked: fletcher32 of abcdef is 0x56502d2a',
      'linked: average is 0x00000177',
      'average: OK',
      'its result is 0x00000177',
      'LEDs are 0x00000008',
      'in place: OK',
      'its result is 0x00000177',
      'LEDs are 0x00000008',
      'bit 0 clear: INVSTATE, CFSR 0x00020000',
      'ready',
    ])
  })

  it('runs programs from the command line, with maps, data and its own helpers', async () => {
    const both = async (...args: string[]): Promise<void> => {
      const there = await thumbpf(['run', ...args, ...machine, '--json'])
      const here = await thumbpf(['run', ...args, '--json'])
      const [a, b] = [there, here].map(({ stdout }) => JSON.parse(stdout) as Record<string, unknown>)
      expect(a).toEqual({ ...b, machine: machine[1], instructions: null, cycles: null })
    }
    for (const name of ['fletcher32', 'events', 'packet', 'alarm', 'vibration']) {
      await both(example(`${name}.o`), '--ctx', input(name))
    }
    const helpers = ['--helpers', join(source, 'helpers.h')]
    const average = await thumbpf(['run', join(source, 'average.s'), ...helpers, '--ctx', 'ff000000', ...machine])
    expect(average).toMatchObject({ status: 0, stdout: 'r0 = 0x177\n' })
    expect(await names()).toEqual(fixed)
  }, 60_000)

  it('runs programs with every kind of data, and tail calls', async () => {
    if (tool('clang-19') === undefined) return
    for (const name of ['function-table-writable', 'bss-and-data', 'maps/several-maps', 'tail-calls/filled']) {
      const object = join(folder, 'object.o')
      writeFileSync(object, compileForBpf(name, { cpu: 'v3', level: '-O2', debug: true }))
      const args = ['run', object, '--ctx', '0105020304060708'.repeat(8), '--json']
      const { r0 } = JSON.parse((await thumbpf(args)).stdout) as { r0: string }
      for (const more of [[], name.startsWith('tail') ? ['-O', '0'] : ['--position-independent']]) {
        const there = await thumbpf([...args, ...more, ...machine])
        expect([name, JSON.parse(there.stdout)]).toEqual([name, expect.objectContaining({ r0 })])
      }
    }
  }, 60_000)

  it('is reached over a device and a Unix socket too', async () => {
    const socket = join(folder, 'line')
    const [, device = ''] = /redirected to (\S+)/.exec(await startBoard('pty')) ?? []
    await startBoard(`unix:${socket},server=on,wait=off`)
    const gcd = ['run', example('gcd.s'), '--ctx', 'c80d0000c40e0000', '--machine']
    for (const line of [`${device}:115200`, device, `unix:${socket}`]) {
      expect(await thumbpf([...gcd, `serial:${line}`])).toMatchObject({ status: 0, stdout: 'r0 = 0xfc\n', stderr: '' })
    }
  }, 60_000)

  it('reports faults, traps, loops and helpers that it has not, and goes on', async () => {
    const failing = async (program: string, ...args: string[]): Promise<string> => {
      const { status, stderr } = await thumbpf(['run', '-', ...args, ...machine], program)
      expect(status).toBe(1)
      return stderr
    }
    expect(await failing('r1 = 0xf0000000\nr0 = *(u32 *)(r1 + 0)\nexit')).toMatch(
      /faulted at BPF instruction 1 .*PRECISERR: access where no memory is at 0xf0000000/,
    )
    const misaligned = 'r2 = 1\nlock *(u64 *)(r1 + 1) += r2\nexit'
    expect(await failing(misaligned, '--ctx', '00'.repeat(16))).toMatch(
      /trapped at BPF instruction 1.*misaligned atomic/,
    )
    expect(await failing('l: goto l', '--timeout', '50')).toMatch(
      /limited at BPF instruction 0.*--timeout raises the limit/,
    )
    expect(await failing('call 7\nexit', '--helpers', 'linux')).toMatch(/refuses the program: NO_HELPER \(helper 7\)/)
    const header = join(folder, 'other.h')
    writeFileSync(header, 'THUMBPF_HELPER(64) u64 sensor_read(u32 channel);')
    expect(await failing('r1 = 1\ncall 64\nexit', '--helpers', header)).toMatch(/OTHER_PROTOTYPE \(helper 64\)/)
    expect(await names()).toEqual(fixed)
  }, 60_000)

  it('gets by with noise on the line, and loses no program', async () => {
    const program = compile(assemble('r0 = *(u32 *)(r1 + 0)\nr0 += 5\nexit'))
    const kept = await agentOn()
    await kept.unload('kept')
    await kept.load('kept', writeImage(program))
    kept.close()
    for (let seed = 1; seed <= 2; seed++) {
      const agent = await agentOn(0.002, seed)
      for (let value = 0; value < 3; value++) {
        const { outcome } = await runOnAgent(agent, program, {
          ctx: Uint8Array.of(value, seed, 0, 0),
          len: 4,
          limit: 1000,
        })
        expect(outcome).toEqual({ kind: 'returned', r0: BigInt(256 * seed + value + 5) })
      }
      agent.close()
    }
    // A sender that stops in the middle of a frame of a program.
    const line = await connectTcp('127.0.0.1', port, 2000)
    line.send(encodeFrame(Uint8Array.of(2, 1, 200, 0, 0, 0)))
    line.send(encodeFrame(Uint8Array.of(3, 2, 0, 0, 0, 0, 1, 2, 3)).subarray(0, 7))
    await new Promise((resolve) => setTimeout(resolve, 100))
    line.close()
    expect(await names()).toEqual(['kept', ...fixed])
    const agent = await agentOn()
    expect((await agent.call('kept', Uint8Array.of(1, 0, 0, 0), 4, 1000)).r0).toBe(6n)
    expect((await agent.call('average', Uint8Array.of(1, 0, 0, 0), 4, 1000)).r0).toBe(0x177n)
    expect(await agent.unload('average')).toBe(false)
    await agent.unload('kept')
    agent.close()
  }, 60_000)
})
