// Lines that lose, change and invent bytes, for tests of the agent and of who talks to it.

import type { ChildProcess } from 'node:child_process'
import { MachineError, type Transport } from '../../src/machine/gdb/transport.ts'

/** Standard input and output of a process as a line. */
export function processLine(child: ChildProcess): Transport {
  const transport: Transport = {
    name: 'agent',
    send: (bytes) => void child.stdin!.write(bytes),
    onData: () => {},
    onEnd: () => {},
    close: () => child.stdin!.end(),
  }
  child.stdin!.on('error', () => {})
  child.stdout!.on('data', (bytes: Buffer) => transport.onData(bytes))
  child.once('exit', (code) => transport.onEnd(`exit ${code}`))
  return transport
}

/** Numbers from 0 up to 1, the same for the same seed. */
export function randomNumbers(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return ((state ^ (state >>> 15)) >>> 0) / 2 ** 32
  }
}

/** `line` with noise in both directions: each byte is hit with probability `rate`. */
export function noisy(line: Transport, rate: number, seed: number): Transport {
  const random = randomNumbers(seed)
  const spoil = (bytes: Uint8Array): Uint8Array => {
    const out: number[] = []
    for (const byte of bytes) {
      if (random() >= rate) {
        out.push(byte)
        continue
      }
      const what = Math.floor(random() * 4)
      if (what === 1) out.push(byte ^ (1 << Math.floor(random() * 8)))
      if (what === 2) out.push(byte, Math.floor(random() * 256))
      if (what === 3) for (let count = random() * 40; count > 0; count--) out.push(Math.floor(random() * 256))
    }
    return Uint8Array.from(out)
  }
  const transport: Transport = {
    name: line.name,
    send: (bytes) => line.send(spoil(bytes)),
    onData: () => {},
    onEnd: () => {},
    close: () => line.close(),
  }
  line.onData = (bytes) => transport.onData(spoil(bytes))
  line.onEnd = (reason) => transport.onEnd(reason)
  return transport
}

/** What a promise is refused with; fails where it is not a MachineError. */
export async function machineError(promise: Promise<unknown>): Promise<string> {
  try {
    await promise
  } catch (error) {
    if (error instanceof MachineError) return error.message
    throw error
  }
  throw new Error('no error came')
}
