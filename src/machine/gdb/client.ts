// Requests to a GDB stub and their replies, each within a time. A reply that is lost or damaged is asked for again; when the
// stub stays silent, sends nonsense or goes away, the connection is over and every further request says why.
// Source: the GDB manual, appendix "Remote Protocol".

import { frame, type PacketEvent, PacketReader } from './packet.ts'
import { MachineError, type Transport } from './transport.ts'

/** Times that a damaged or refused packet is sent again, and stray packets that are dropped, before it is too much. */
const RETRIES = 3
const STRAYS = 64

interface Waiting {
  /** The reply may be a stop reply. Stubs send one unasked when a debugger comes while the target runs. */
  readonly stops: boolean
  readonly resolve: (reply: Uint8Array) => void
  readonly reject: (error: MachineError) => void
}

const encoder = new TextEncoder()
const decoder = new TextDecoder('latin1')

export class GdbClient {
  readonly #transport: Transport
  readonly #reader = new PacketReader()
  readonly #timeout: number
  #acks = true
  #last: Uint8Array = new Uint8Array()
  #waiting: Waiting | undefined
  #tries = 0
  #strays = 0
  #dead: MachineError | undefined

  /** `timeout`: milliseconds within which each reply must come. */
  constructor(transport: Transport, timeout: number) {
    this.#transport = transport
    this.#timeout = timeout
    transport.onData = (bytes) => {
      for (const event of this.#reader.read(bytes)) this.#event(event)
    }
    transport.onEnd = (reason) => this.#fail(`the connection to ${transport.name} is lost: ${reason}`)
  }

  /** Whether the connection is over. */
  get dead(): boolean {
    return this.#dead !== undefined
  }

  /** Sends a request and gives its reply as text; '' means that the stub does not know it. */
  async ask(request: string): Promise<string> {
    return decoder.decode(await this.exchange(encoder.encode(request), this.#timeout, request))
  }

  /** The same in bytes. Throws MachineError if no reply comes within `milliseconds`; `what` is for the message. */
  exchange(request: Uint8Array, milliseconds: number, what: string): Promise<Uint8Array> {
    const reply = this.#expect(what === '?', milliseconds, () => this.#fail(this.#silence(what, milliseconds)))
    if (this.#dead === undefined) {
      this.#last = frame(request)
      this.#tries = 0
      this.#transport.send(this.#last)
    }
    return reply
  }

  /** Lets the target run: the stop reply, or undefined if none came in time. */
  async resume(request: string, milliseconds: number): Promise<string | undefined> {
    let late = false
    const reply = this.#expect(true, milliseconds, () => {
      late = true
      this.#waiting?.resolve(new Uint8Array())
    })
    if (this.#dead === undefined) {
      this.#last = frame(encoder.encode(request))
      this.#tries = 0
      this.#transport.send(this.#last)
    }
    const text = decoder.decode(await reply)
    return late ? undefined : text
  }

  /** Stops the target by a break character: the stop reply. */
  async interrupt(): Promise<string> {
    const reply = this.#expect(true, this.#timeout, () => this.#fail(this.#silence('an interrupt', this.#timeout)))
    this.#transport.send(Uint8Array.of(3))
    return decoder.decode(await reply)
  }

  /** Both sides stop acknowledging, if the stub can. */
  async stopAcknowledging(): Promise<void> {
    if ((await this.ask('QStartNoAckMode')) === 'OK') this.#acks = false
  }

  close(): void {
    this.#dead ??= new MachineError(`the connection to ${this.#transport.name} was closed`)
    this.#waiting?.reject(this.#dead)
    this.#transport.close()
  }

  #silence(what: string, milliseconds: number): string {
    const shown = what.length > 40 ? `${what.slice(0, 37)}...` : what
    return `${this.#transport.name} did not answer '${shown}' within ${milliseconds / 1000} s`
  }

  #expect(stops: boolean, milliseconds: number, expired: () => void): Promise<Uint8Array> {
    if (this.#dead !== undefined) return Promise.reject(this.#dead)
    return new Promise((resolve, reject) => {
      const timer = setTimeout(expired, Math.min(milliseconds, 2 ** 31 - 1))
      const done = (): void => {
        clearTimeout(timer)
        this.#waiting = undefined
      }
      this.#waiting = {
        stops,
        resolve: (reply) => {
          done()
          resolve(reply)
        },
        reject: (error) => {
          done()
          reject(error)
        },
      }
    })
  }

  #event(event: PacketEvent): void {
    switch (event.kind) {
      case 'ack':
        return
      case 'nack':
        // Without a request there is nothing to repeat.
        if (this.#waiting !== undefined) this.#again('refuses every packet')
        return
      case 'damaged':
        if (this.#acks) this.#transport.send(Uint8Array.of(0x2d))
        if (++this.#tries > RETRIES || !this.#acks) this.#fail(`${this.#transport.name} sends damaged packets`)
        return
      case 'endless':
        this.#fail(`${this.#transport.name} sends a packet without end; is it a GDB stub?`)
        return
      case 'packet':
        if (this.#acks) this.#transport.send(Uint8Array.of(0x2b))
        this.#packet(event.data)
    }
  }

  #packet(data: Uint8Array): void {
    // O and hex digits: output of the target, for a console.
    const console = data[0] === 0x4f && !(data.length === 2 && data[1] === 0x4b)
    const stop = (data[0] === 0x53 || data[0] === 0x54) && this.#waiting?.stops === false
    if (this.#waiting !== undefined && !console && !stop) {
      this.#strays = 0
      this.#waiting.resolve(data)
    } else if (++this.#strays > STRAYS) this.#fail(`${this.#transport.name} sends packets that nobody asked for`)
  }

  #again(complaint: string): void {
    if (++this.#tries > RETRIES) this.#fail(`${this.#transport.name} ${complaint}`)
    else this.#transport.send(this.#last)
  }

  #fail(message: string): void {
    if (this.#dead !== undefined) return
    this.#dead = new MachineError(message)
    this.#waiting?.reject(this.#dead)
    this.#transport.close()
  }
}
