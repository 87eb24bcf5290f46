// The agent of runtime/agent.c, built for the host under sanitizers, and src/machine/serial/ that talks to it: over a line that is good,
// noisy, broken or nonsense.

import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { assemble } from '../../src/bpf/asm.ts'
import { compile } from '../../src/compile.ts'
import { writeImage } from '../../src/image/file.ts'
import type { Transport } from '../../src/machine/gdb/transport.ts'
import { SerialAgent, statusNames } from '../../src/machine/serial/agent.ts'
import { decodeFrame, encodeFrame, FrameReader } from '../../src/machine/serial/frame.ts'
import { runOnAgent } from '../../src/machine/serial/run.ts'
import { describeWith, tool } from '../support/tools.ts'
import { machineError, noisy, processLine, randomNumbers } from './noise.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const program = compile(assemble('r0 = *(u32 *)(r1 + 0)\nr0 += 5\nexit'))
const bytes = writeImage(program)

describe('frames', () => {
  it('carry any payload between two zeros, and no other zero', () => {
    const payload = fc.uint8Array({ maxLength: 700 })
    const zeros = fc.array(fc.constantFrom(0, 0, 1, 255), { maxLength: 600 }).map((list) => Uint8Array.from(list))
    fc.assert(
      fc.property(fc.oneof(payload, zeros), (data) => {
        const frame = encodeFrame(data)
        expect([frame[0], frame.at(-1), frame.subarray(1, -1).includes(0)]).toEqual([0, 0, false])
        expect(decodeFrame(frame.subarray(1, -1))).toEqual(data)
      }),
      { numRuns: 300 },
    )
  })

  it('are found behind noise, and altered ones are not', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 1, maxLength: 300 }),
        fc.nat(),
        fc.integer({ min: 1, max: 255 }),
        (data, at, flip) => {
          const frame = encodeFrame(data)
          expect(new FrameReader().push(Uint8Array.of(3, 0, 9, 9, ...frame))).toEqual([data])
          const altered = frame.slice()
          altered[1 + (at % (frame.length - 2))]! ^= flip
          expect(new FrameReader().push(altered)).toEqual([])
        },
      ),
      { numRuns: 300 },
    )
    expect(new FrameReader(100).push(encodeFrame(new Uint8Array(200).fill(1)))).toEqual([])
  })
})

describe('names of statuses', () => {
  it('are those of runtime/thumbpf.h', () => {
    const header = readFileSync(join(root, 'runtime/thumbpf.h'), 'utf8')
    expect([...header.matchAll(/^ {2}X\((\w+)\)/gm)].map(([, name]) => name)).toEqual(statusNames)
  })
})

describeWith(['gcc'], 'the agent', () => {
  let folder = ''
  const children: ChildProcess[] = []
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'thumbpf-agent-'))
    const sources = ['agent.c', 'image.c', 'load.c', 'status.c', 'maps.c'].map((file) => join(root, 'runtime', file))
    const flags = '-std=gnu11 -O1 -g -Wall -Wextra -fsanitize=address,undefined -fno-sanitize-recover=all'.split(' ')
    const main = join(root, 'test/runtime/agent-host.c')
    execFileSync(tool('gcc') ?? 'gcc', [...flags, main, ...sources, '-o', join(folder, 'agent')])
    writeFileSync(join(folder, 'fixed.tbpf'), bytes)
  })
  afterAll(() => {
    for (const child of children) child.kill()
    rmSync(folder, { recursive: true, force: true })
  })
  const start = (): { line: Transport; child: ChildProcess; complaint: () => string } => {
    // What is allocated lives as long as the process.
    const env = { ...process.env, ASAN_OPTIONS: 'detect_leaks=0' }
    const child = spawn(join(folder, 'agent'), [join(folder, 'fixed.tbpf')], { stdio: 'pipe', env })
    children.push(child)
    let text = ''
    child.stderr.on('data', (chunk: Buffer) => (text += chunk.toString()))
    return { line: processLine(child), child, complaint: () => text }
  }
  const names = async (agent: SerialAgent): Promise<string[]> => (await agent.list()).map(({ name }) => name).toSorted()

  it('loads, calls, lists and unloads', async () => {
    const agent = await SerialAgent.connect(start().line)
    await agent.load('one', bytes)
    await agent.load('two', bytes)
    expect(await names(agent)).toEqual(['fixed', 'one', 'two'])
    const ctx = Uint8Array.from({ length: 600 }, (_, index) => index & 127)
    const sum = ctx.reduce((total, byte) => total + byte, 0)
    expect(await agent.call('one', ctx, 600, 100)).toMatchObject({
      kind: 'returned',
      r0: (1n << 32n) | BigInt(sum),
      ctx,
    })
    expect(await agent.unload('one')).toBe(true)
    expect(await agent.unload('one')).toBe(false)
    expect(await agent.unload('fixed')).toBe(false)
    expect(await names(agent)).toEqual(['fixed', 'two'])
    agent.close()
  })

  it('runs a program, and tells of its fault with the BPF instruction', async () => {
    const agent = await SerialAgent.connect(start().line)
    const ctx = Uint8Array.of(1, 2, 3)
    expect(await runOnAgent(agent, program, { ctx, len: 3, limit: 10 })).toEqual({
      outcome: { kind: 'returned', r0: (1n << 32n) | 6n },
      ctx,
    })
    const { outcome } = await runOnAgent(agent, program, { ctx: Uint8Array.of(0xff), len: 1, limit: 10 })
    expect(outcome).toMatchObject({ kind: 'faulted', fault: 'INVSTATE', slot: expect.toSatisfy((slot) => slot >= 0) })
    expect(await names(agent)).toEqual(['fixed'])
    agent.close()
  })

  it('refuses images with a reason, and keeps what is there', async () => {
    const agent = await SerialAgent.connect(start().line)
    await agent.load('one', bytes)
    const altered = bytes.slice()
    altered[90]! ^= 1
    expect(await machineError(agent.load('two', altered))).toMatch(/refuses the program: BAD_CHECKSUM$/)
    expect(await machineError(agent.load('one', bytes))).toMatch(/NAME_TAKEN/)
    const calling = compile(assemble('call 9\nexit'), { helpers: new Set([9]) })
    expect(await machineError(agent.load('two', writeImage(calling)))).toMatch(/NO_HELPER \(helper 9\)/)
    expect(await machineError(agent.load('two', new Uint8Array(5000)))).toMatch(
      /5000 bytes, the agent on agent takes 4096/,
    )
    await agent.load('two', bytes)
    await agent.load('three', bytes)
    expect(await machineError(agent.load('four', bytes))).toMatch(/NO_ROOM/)
    expect(await machineError(agent.call('four', new Uint8Array(0), 0, 1))).toMatch(/NOT_LOADED/)
    expect(await machineError(agent.call('one', new Uint8Array(601), 0, 1))).toMatch(/context of 601 bytes/)
    expect(await names(agent)).toEqual(['fixed', 'one', 'three', 'two'])
    agent.close()
  })

  it('gets by with noise: what was asked for is done, once, and nothing is lost', async () => {
    for (let seed = 1; seed <= 3; seed++) {
      const { line, complaint } = start()
      const agent = await SerialAgent.connect(noisy(line, 0.0015, seed), { timeout: 60, attempts: 60 })
      for (let round = 1; round <= 4; round++) {
        await agent.load('kept', bytes)
        const ctx = Uint8Array.from({ length: 400 }, (_, index) => (index * round) & 127)
        const sum = ctx.reduce((total, byte) => total + byte, 0)
        const { r0, ctx: after } = await agent.call('kept', ctx, 400, 10)
        // The high word counts calls: none was made twice.
        expect([r0, after]).toEqual([(BigInt(round) << 32n) | BigInt(sum), ctx])
        expect(await names(agent)).toEqual(['fixed', 'kept'])
        expect(await agent.unload('kept')).toBe(true)
      }
      expect(complaint()).toBe('')
      agent.close()
    }
  }, 60_000)

  it('goes on after senders that stop in the middle, and after rubbish', async () => {
    const { line, complaint } = start()
    const random = randomNumbers(7)
    for (let round = 0; round < 5; round++) {
      const agent = await SerialAgent.connect(line, { timeout: 500 })
      if (round === 0) await agent.load('kept', bytes)
      // Half an upload; half a frame; and a kilobyte of anything.
      line.send(encodeFrame(Uint8Array.of(2, 1, 0, 1, 0, 0)))
      line.send(encodeFrame(Uint8Array.of(3, 2, 0, 0, 0, 0, ...bytes.subarray(0, 40))))
      line.send(encodeFrame(Uint8Array.of(4, 3, 65)).subarray(0, 5 + round))
      line.send(Uint8Array.from({ length: 1000 * round }, () => Math.floor(random() * 256)))
    }
    const agent = await SerialAgent.connect(line)
    expect(await names(agent)).toEqual(['fixed', 'kept'])
    expect((await agent.call('kept', Uint8Array.of(9), 1, 10)).r0 & 0xffn).toBe(9n)
    expect(complaint()).toBe('')
    agent.close()
  })

  it('drops an upload when nothing comes, and keeps programs', async () => {
    const { line } = start()
    const agent = await SerialAgent.connect(line)
    await agent.load('kept', bytes)
    const answers: Uint8Array[] = []
    const reader = new FrameReader()
    const listen = line.onData
    line.onData = (data) => void answers.push(...reader.push(data))
    const answer = async (...payload: number[]): Promise<number[]> => {
      const count = answers.length
      line.send(encodeFrame(Uint8Array.from(payload)))
      while (answers.length === count) await new Promise((resolve) => setTimeout(resolve, 5))
      return [...answers.at(-1)!]
    }
    const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 900))
    expect(await answer(2, 1, 9, 0, 0, 0)).toEqual([0x82, 1, 0])
    expect(await answer(3, 2, 0, 0, 0, 0, 7, 7)).toEqual([0x83, 2, 0, 2, 0, 0, 0])
    await pause()
    expect(await answer(3, 3, 2, 0, 0, 0, 7)).toEqual([0x83, 3, 0xfd, 0, 0, 0, 0])
    line.onData = listen
    expect(await names(agent)).toEqual(['fixed', 'kept'])
    agent.close()
  })

  it('does what frames with any body say, or refuses, without a fault', async () => {
    const { line, complaint } = start()
    const random = randomNumbers(11)
    for (let round = 0; round < 3000; round++) {
      const size = Math.floor(random() * (random() < 0.5 ? 24 : 262))
      const body = Uint8Array.from({ length: size }, () =>
        random() < 0.5 ? Math.floor(random() * 4) : Math.floor(random() * 256),
      )
      line.send(encodeFrame(Uint8Array.of(1 + Math.floor(random() * 10), round & 255, ...body)))
    }
    const agent = await SerialAgent.connect(line, { timeout: 5000 })
    expect(await names(agent)).toContain('fixed')
    expect(complaint()).toBe('')
    agent.close()
  })
})

describe('an agent that is none', () => {
  const answering = (answer: (bytes: Uint8Array) => Uint8Array | undefined): Transport => {
    const transport: Transport = {
      name: 'line',
      send: (sent) => {
        const reply = answer(sent)
        if (reply !== undefined) setImmediate(() => transport.onData(reply))
      },
      onData: () => {},
      onEnd: () => {},
      close: () => {},
    }
    return transport
  }
  const quick = { timeout: 20, attempts: 3 }

  it('is told in bounded time: silence, echo, noise, an end', async () => {
    expect(
      await machineError(
        SerialAgent.connect(
          answering(() => undefined),
          quick,
        ),
      ),
    ).toMatch(/does not answer within 0\.06 s/)
    expect(
      await machineError(
        SerialAgent.connect(
          answering((sent) => sent),
          quick,
        ),
      ),
    ).toMatch(/does not answer/)
    const random = randomNumbers(3)
    const noise = answering(() => Uint8Array.from({ length: 999 }, () => Math.floor(random() * 256)))
    expect(await machineError(SerialAgent.connect(noise, quick))).toMatch(/does not answer/)
    const ending = answering(() => undefined)
    const waiting = machineError(SerialAgent.connect(ending, quick))
    ending.onEnd('unplugged')
    expect(await waiting).toMatch(/connection to line is lost: unplugged/)
  })

  it('is told where its answers make no sense', async () => {
    // As many bytes of the request's body as the agent gives back, then others.
    const replying = (status: number, echoed: number, ...body: number[]): Transport =>
      answering((sent) => {
        const [type = 0, sequence = 0, , ...rest] = decodeFrame(sent.subarray(1, -1)) ?? []
        return encodeFrame(Uint8Array.of(type | 0x80, sequence, status, ...rest.slice(0, echoed), ...body))
      })
    const message = (transport: Transport): Promise<string> => machineError(SerialAgent.connect(transport, quick))
    expect(await message(replying(0, 4, 1))).toMatch(/answers a greeting with too little/)
    expect(await message(replying(0, 4, 2, 0, 1, ...new Uint8Array(8)))).toMatch(/version 2, must be 1/)
    expect(await message(replying(255, 0))).toMatch(/does not answer/)
    expect(await message(replying(0, 4, 1, 9, 0, ...new Uint8Array(8)))).toMatch(/frames of 9 bytes/)
    // An answer to somebody else's greeting.
    expect(await message(replying(0, 0, 0, 0, 0, 0, 1, 0, 1, ...new Uint8Array(8)))).toMatch(/does not answer/)
  })
})
