// A firmware's agent (runtime/agent.h) over a stream of bytes: docs/serial.md. Requests are sent again until they are answered;
// the agent does none of them twice.

import { InputError } from '../../base/errors.ts'
import { MachineError, type Transport } from '../gdb/transport.ts'
import { encodeFrame, FrameReader } from './frame.ts'

const VERSION = 1
const ANSWER = 0x80
const Request = {
  HELLO: 1,
  BEGIN: 2,
  DATA: 3,
  LOAD: 4,
  CONTEXT: 5,
  CALL: 6,
  READ: 7,
  UNLOAD: 8,
  LIST: 9,
} as const

/** In the order of enum thumbpf_status (runtime/thumbpf.h). */
export const statusNames =
  'OK TRUNCATED BAD_MAGIC BAD_VERSION BAD_LENGTH BAD_CHECKSUM BAD_ABI BAD_STRINGS BAD_SYMBOL BAD_SECTION BAD_RELOCATION BAD_MAP BAD_PROGRAM BAD_TABLE BAD_LINES NO_HELPER OTHER_PROTOTYPE NO_MAPS NO_CODE_MEMORY NO_DATA_MEMORY NO_STACK NOT_ALIGNED OUT_OF_REACH OVERLAP NAME_TAKEN NOT_LOADED BUSY'.split(
    ' ',
  )
/** The agent's own. */
const refusals: Readonly<Record<number, string>> = {
  0xfc: 'NO_ROOM',
  0xfd: 'BAD_ORDER',
  0xfe: 'BAD_REQUEST',
  0xff: 'UNKNOWN_REQUEST',
}

/** Name of a status in an answer. */
export function statusName(status: number): string {
  return statusNames[status] ?? refusals[status] ?? `status ${status}`
}

export interface AgentOptions {
  /** Milliseconds to wait for an answer before the request is sent again. Default 1000. */
  readonly timeout?: number
  /** How often a request is sent before the agent counts as gone. Default 5. */
  readonly attempts?: number
}

/** How a call ended: numbers as the agent gives them. */
export interface AgentCall {
  readonly kind: 'returned' | 'trapped' | 'faulted' | 'limited'
  readonly r0: bigint
  /** Of a trap. */
  readonly code: number
  /** Byte offset in the code, -1 if outside. */
  readonly offset: number
  readonly pc: number
  readonly cfsr: number
  readonly address: number
  /** The context after the call. */
  readonly ctx: Uint8Array
}

export interface AgentProgram {
  readonly name: string
  readonly address: number
  readonly codeBytes: number
}

interface Answer {
  readonly status: number
  readonly body: DataView
}

const kinds = ['returned', 'trapped', 'faulted', 'limited'] as const

export class SerialAgent {
  readonly name: string
  readonly #transport: Transport
  readonly #timeout: number
  readonly #attempts: number
  readonly #reader = new FrameReader()
  #sequence = Math.floor(Math.random() * 256)
  #wanted: ((payload: Uint8Array) => void) | undefined
  #lost: ((error: MachineError) => void) | undefined
  #ended: string | undefined
  #nonce = 0
  /** Most bytes of a request's payload, of an image, of a context. */
  #frame = 64
  #imageBytes = 0
  #contextBytes = 0

  private constructor(transport: Transport, options: AgentOptions) {
    this.name = transport.name
    this.#transport = transport
    this.#timeout = options.timeout ?? 1000
    this.#attempts = options.attempts ?? 5
    transport.onData = (bytes) => {
      for (const payload of this.#reader.push(bytes)) this.#wanted?.(payload)
    }
    transport.onEnd = (reason) => {
      this.#ended = reason
      this.#lost?.(new MachineError(`the connection to ${this.name} is lost: ${reason}`))
    }
  }

  /** Greets an agent. Throws MachineError where none answers, and closes the transport then. */
  static async connect(transport: Transport, options: AgentOptions = {}): Promise<SerialAgent> {
    const agent = new SerialAgent(transport, options)
    try {
      // Answers to whoever asked before may still be on their way: all that come behind this number are ours.
      agent.#nonce = Math.floor(Math.random() * 2 ** 32)
      const greeting = join(Uint8Array.of(VERSION), words(agent.#nonce))
      const { body } = await agent.#do('greeting', Request.HELLO, greeting, 15)
      if (body.getUint8(4) !== VERSION) {
        throw new MachineError(`the agent on ${agent.name} speaks version ${body.getUint8(4)}, must be ${VERSION}`)
      }
      agent.#frame = body.getUint16(5, true)
      agent.#imageBytes = body.getUint32(7, true)
      agent.#contextBytes = body.getUint32(11, true)
      if (agent.#frame < 64) throw new MachineError(`the agent on ${agent.name} takes frames of ${agent.#frame} bytes`)
      return agent
    } catch (error) {
      transport.close()
      throw error
    }
  }

  /** Sends a file with an image (writeImage) and has it loaded. Throws MachineError with the agent's reason where it refuses. */
  async load(name: string, image: Uint8Array): Promise<void> {
    if (image.length > this.#imageBytes) {
      throw new MachineError(`the image has ${image.length} bytes, the agent on ${this.name} takes ${this.#imageBytes}`)
    }
    await this.#do('upload', Request.BEGIN, words(image.length))
    await this.#pieces(image, (offset, piece) => this.#do('upload', Request.DATA, join(words(offset), piece), 4))
    const { status, body } = await this.#request(Request.LOAD, nameBytes(name), this.#timeout)
    if (status === 0) return
    const detail = body.byteLength >= 4 ? body.getUint32(0, true) : 0
    const about = ['NO_HELPER', 'OTHER_PROTOTYPE'].includes(statusName(status)) ? `helper ${detail}` : `${detail} bytes`
    const shown = /HELPER|PROTOTYPE|CODE_MEMORY|STACK/.test(statusName(status)) ? ` (${about})` : ''
    throw new MachineError(`the agent on ${this.name} refuses the program: ${statusName(status)}${shown}`)
  }

  /** Calls a program with a copy of the context; `len` is R2. A call ends after `limit` milliseconds, where the firmware can. */
  async call(name: string, ctx: Uint8Array, len: number, limit: number): Promise<AgentCall> {
    if (ctx.length > this.#contextBytes) {
      throw new MachineError(`a context of ${ctx.length} bytes, the agent on ${this.name} takes ${this.#contextBytes}`)
    }
    await this.#pieces(ctx, (offset, piece) => this.#do('context', Request.CONTEXT, join(words(offset), piece)))
    const body = join(words(ctx.length, len, limit), nameBytes(name))
    const { body: ended } = await this.#do('call', Request.CALL, body, 29, this.#timeout + limit)
    const after = new Uint8Array(ctx.length)
    const most = this.#frame - 3
    for (let at = 0; at < ctx.length; at += most) {
      const count = Math.min(most, ctx.length - at)
      const read = await this.#do(
        'context',
        Request.READ,
        join(words(at), Uint8Array.of(count & 255, count >> 8)),
        count,
      )
      after.set(new Uint8Array(read.body.buffer, read.body.byteOffset, count), at)
    }
    const word = (offset: number): number => ended.getUint32(offset, true)
    const kind = kinds[ended.getUint8(0)]
    if (kind === undefined) throw new MachineError(`the agent on ${this.name} tells of an end that there is not`)
    return {
      kind,
      r0: (BigInt(word(5)) << 32n) | BigInt(word(1)),
      code: word(9),
      offset: word(13) | 0,
      pc: word(17),
      cfsr: word(21),
      address: word(25),
      ctx: after,
    }
  }

  /** Takes a program away that came over this line; false if there is none of that name. */
  async unload(name: string): Promise<boolean> {
    const { status } = await this.#request(Request.UNLOAD, nameBytes(name), this.#timeout)
    if (status === 0) return true
    if (statusName(status) === 'NOT_LOADED') return false
    throw new MachineError(`the agent on ${this.name} does not unload ${name}: ${statusName(status)}`)
  }

  /** All programs of the firmware, its own too. */
  async list(): Promise<AgentProgram[]> {
    const programs: AgentProgram[] = []
    for (let index = 0; index < 256; index++) {
      const { status, body } = await this.#request(Request.LIST, Uint8Array.of(index), this.#timeout)
      if (statusName(status) === 'NOT_LOADED') break
      if (status !== 0 || body.byteLength < 8) {
        throw new MachineError(`the agent on ${this.name} does not list its programs: ${statusName(status)}`)
      }
      const name = new TextDecoder().decode(new Uint8Array(body.buffer, body.byteOffset + 8, body.byteLength - 8))
      programs.push({ name, address: body.getUint32(0, true), codeBytes: body.getUint32(4, true) })
    }
    return programs
  }

  close(): void {
    this.#ended ??= 'it was closed'
    this.#transport.close()
  }

  async #pieces(bytes: Uint8Array, send: (offset: number, piece: Uint8Array) => Promise<unknown>): Promise<void> {
    const most = this.#frame - 6
    for (let at = 0; at < bytes.length; at += most) await send(at, bytes.subarray(at, at + most))
  }

  /** A request that must succeed, with so many bytes in its answer at least. */
  async #do(what: string, type: number, body: Uint8Array, size = 0, timeout = this.#timeout): Promise<Answer> {
    const answer = await this.#request(type, body, timeout)
    if (answer.status !== 0) {
      throw new MachineError(`the agent on ${this.name} refuses the ${what}: ${statusName(answer.status)}`)
    }
    if (answer.body.byteLength < size)
      throw new MachineError(`the agent on ${this.name} answers a ${what} with too little`)
    return answer
  }

  async #request(type: number, body: Uint8Array, timeout: number): Promise<Answer> {
    this.#sequence = (this.#sequence + 1) & 255
    const frame = encodeFrame(join(Uint8Array.of(type, this.#sequence), body))
    for (let attempt = 0; attempt < this.#attempts; attempt++) {
      const payload = await this.#answer(frame, type, this.#sequence, timeout)
      if (payload !== undefined) return { status: payload[2]!, body: new DataView(payload.buffer, 3) }
    }
    const seconds = (this.#attempts * timeout) / 1000
    throw new MachineError(`the agent on ${this.name} does not answer within ${seconds} s`)
  }

  /** Whether a greeting is answered that we have sent. */
  #isOurs(payload: Uint8Array): boolean {
    return payload.length >= 7 && payload[2] === 0 && new DataView(payload.buffer).getUint32(3, true) === this.#nonce
  }

  /** Sends a frame and waits; undefined where no answer came in time. */
  #answer(frame: Uint8Array, type: number, sequence: number, timeout: number): Promise<Uint8Array | undefined> {
    return new Promise((resolve, reject) => {
      if (this.#ended !== undefined) {
        reject(new MachineError(`the connection to ${this.name} is lost: ${this.#ended}`))
        return
      }
      const settle = (): void => {
        clearTimeout(timer)
        this.#wanted = undefined
        this.#lost = undefined
      }
      const timer = setTimeout(() => {
        settle()
        resolve(undefined)
      }, timeout)
      this.#wanted = (payload) => {
        if (payload.length < 3 || payload[0] !== (type | ANSWER) || payload[1] !== sequence) return
        if (type === Request.HELLO && !this.#isOurs(payload)) return
        settle()
        resolve(payload)
      }
      this.#lost = (error) => {
        settle()
        reject(error)
      }
      this.#transport.send(frame)
    })
  }
}

function words(...values: number[]): Uint8Array {
  return new Uint8Array(Uint32Array.from(values).buffer)
}

function join(...parts: Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]))
}

function nameBytes(name: string): Uint8Array {
  const bytes = new TextEncoder().encode(name)
  if (bytes.length === 0 || bytes.length > 15)
    throw new InputError(`a program's name is 1 to 15 bytes, '${name}' is not`)
  return bytes
}
