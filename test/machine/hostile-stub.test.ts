// Stubs that answer nonsense, slowly, in pieces or not at all: whatever they do, it ends in a clear error and in bounded time.

import { createServer } from 'node:net'
import { describe, expect, it } from 'vitest'

import { InputError } from '../../src/base/errors.ts'
import { GdbMachine } from '../../src/machine/gdb/machine.ts'
import { frame, PacketReader } from '../../src/machine/gdb/packet.ts'
import { STUB_OFFSETS } from '../../src/machine/gdb/stub-code.ts'
import { MachineError, type Transport } from '../../src/machine/gdb/transport.ts'
import { connectTcp } from '../../src/machine/node/tcp.ts'

const regions = [
  { name: 'code', base: 0x1000, size: 0x1000, execute: true, write: false },
  { name: 'ram', base: 0x2000, size: 0x800, execute: false, write: true },
]
const TIMEOUT = 60

/** How a stub goes wrong from its n-th answer on; what it does with the answer that would be right. */
type Fault = (send: (bytes: Uint8Array) => void, right: Uint8Array, end: (reason: string) => void) => void
const text = (value: string): Uint8Array => new TextEncoder().encode(value)
const faults: Record<string, Fault> = {
  'is silent': () => {},
  'goes away': (_send, _right, end) => end('the other side closed it'),
  'sends no packet': (send) => send(text('HTTP/1.1 400 Bad Request\r\n\r\n')),
  'sends a wrong checksum': (send) => send(text('$OK#00')),
  'refuses every packet': (send) => send(text('-')),
  'sends half of a packet': (send, right) => send(frame(right).subarray(0, 3)),
  'sends a packet without end': (send) => {
    for (let piece = 0; piece < 20; piece++) send(text(`${piece === 0 ? '$' : ''}${'a'.repeat(100_000)}`))
  },
  'answers errors': (send) => send(frame(text('E01'))),
  'answers nothing to everything': (send) => send(frame(text(''))),
  'answers nonsense': (send) => send(frame(text('what? 12 34'))),
  'answers too much': (send, right) => send(frame(Uint8Array.of(...right, ...right, 0x30))),
  'says that the target has ended': (send) => send(frame(text('W00'))),
}

/** A stub with memory and registers, whose target does nothing but to arrive at the stub's `stop`. */
class FakeTarget implements Transport {
  readonly name = 'fake:1'
  onData: (bytes: Uint8Array) => void = () => {}
  onEnd: (reason: string) => void = () => {}
  answers = 0
  readonly #memory = new Uint8Array(0x3000)
  #registers = '00'.repeat(17 * 4)
  readonly #reader = new PacketReader()
  readonly #from: number
  readonly #fault: Fault
  readonly #pieces: boolean
  #closed = false
  constructor(from: number, fault: Fault, pieces = false) {
    this.#from = from
    this.#fault = fault
    this.#pieces = pieces
  }
  send(bytes: Uint8Array): void {
    for (const event of this.#reader.read(bytes)) {
      if (event.kind !== 'packet') continue
      const right = text(this.#answer(new TextDecoder().decode(event.data)))
      setImmediate(() => {
        if (this.#closed) return
        if (this.answers++ >= this.#from)
          this.#fault(
            (out) => this.onData(out),
            right,
            (reason) => this.onEnd(reason),
          )
        else if (this.#pieces) for (const byte of frame(right)) this.onData(Uint8Array.of(byte))
        else this.onData(frame(right))
      })
    }
  }
  close(): void {
    this.#closed = true
  }
  #answer(request: string): string {
    const [, kind = '', address = '0', length = '0'] = /^([mM])([0-9a-f]+),([0-9a-f]+)/.exec(request) ?? []
    const [at, size] = [Number.parseInt(address, 16), Number.parseInt(length, 16)]
    if (kind === 'm') return Buffer.from(this.#memory.subarray(at, at + size)).toString('hex')
    if (kind === 'M') {
      this.#memory.set(Buffer.from(request.slice(request.indexOf(':') + 1), 'hex'), at)
      return 'OK'
    }
    if (request === 'g') return this.#registers
    if (request.startsWith('G')) {
      this.#registers = request.slice(1)
      return 'OK'
    }
    if (request.startsWith('Z')) {
      if (stop === 0) stop = Number.parseInt(request.slice(3), 16)
      return 'OK'
    }
    if (request === 'c') {
      const pc = Buffer.alloc(4)
      pc.writeUInt32LE(stop)
      this.#registers = this.#registers.slice(0, 120) + pc.toString('hex') + this.#registers.slice(128)
      return 'T05'
    }
    if (request.startsWith('qSupported')) return 'PacketSize=400;qXfer:features:read+'
    if (request.includes('target.xml')) {
      const names = [...Array.from({ length: 13 }, (_, r) => `r${r}`), 'sp', 'lr', 'pc', 'xpsr']
      return `l${names.map((name) => `<reg name="${name}" bitsize="32"/>`).join('')}`
    }
    return request === '?' ? 'T05' : 'OK'
  }
}
/** The first breakpoint is the stub's `stop`. */
let stop = 0

/** Connects, and runs a little. Answers that were given, and the error if there was one. */
async function session(target: FakeTarget): Promise<unknown> {
  stop = 0
  try {
    const machine = await GdbMachine.connect(target, { name: 'fake', regions, timeout: TIMEOUT, runTimeout: TIMEOUT })
    await machine.write(0x2000, Uint8Array.of(1, 2, 3))
    await machine.read(0x2001, 2)
    const registers = new Uint32Array(16)
    registers[15] = 0x1001
    await machine.writeRegisters(registers)
    await machine.run({})
    await machine.close()
    return undefined
  } catch (error) {
    return error
  }
}

describe('a stub that', () => {
  it('is right is used to the end, in one piece or byte by byte', async () => {
    for (const pieces of [false, true]) {
      const target = new FakeTarget(Infinity, () => {}, pieces)
      const error = await session(target)
      // It stands at `stop`, where no program ends.
      expect(error === undefined || error instanceof MachineError).toBe(true)
      expect(target.answers).toBeGreaterThan(20)
      expect((stop - STUB_OFFSETS.stop) % 128).toBe(0)
    }
  })
  it('tells of stops that nobody waits for is used to the end', async () => {
    const target = new FakeTarget(0, (send, right) => {
      if (!new TextDecoder().decode(right).startsWith('T')) send(frame(text('T02thread:01;')))
      send(frame(right))
    })
    const error = await session(target)
    expect(error === undefined || error instanceof MachineError).toBe(true)
    expect(target.answers).toBeGreaterThan(20)
  })
  for (const [what, fault] of Object.entries(faults)) {
    it(`${what} ends in an error`, async () => {
      for (let from = 0; from < 28; from += from < 6 ? 1 : 4) {
        const error = await session(new FakeTarget(from, fault))
        const place = `${what} from answer ${from}: ${String(error)}`
        expect({ place, known: error instanceof MachineError || error instanceof InputError }).toEqual({
          place,
          known: true,
        })
        expect((error as Error).message.length).toBeGreaterThan(10)
      }
    })
  }
  it('answers random bytes ends in an error', async () => {
    let state = 12345
    const random = (): number => (state = (Math.imul(state, 1103515245) + 12345) >>> 0) >>> 16
    for (let round = 0; round < 40; round++) {
      const error = await session(
        new FakeTarget(round % 20, (send) => send(Uint8Array.from({ length: random() % 60 }, () => random()))),
      )
      expect(error instanceof MachineError || error instanceof InputError).toBe(true)
    }
  })
})

describe('over TCP', () => {
  it('a listener that says nothing, and one that closes, end in an error', async () => {
    for (const hangUp of [false, true]) {
      const server = createServer((socket) => {
        socket.on('error', () => {})
        if (hangUp) socket.end()
      })
      const port = await new Promise<number>((resolve) => {
        server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port))
      })
      const transport = await connectTcp('127.0.0.1', port, 1000)
      await expect(GdbMachine.connect(transport, { name: 'tcp', regions, timeout: TIMEOUT })).rejects.toThrow(
        hangUp ? /is lost/ : /did not answer 'qSupported.*within 0.06 s/,
      )
      server.close()
    }
  })
})
