// A stub's memory and core registers, by the remote protocol: what the machine (machine.ts) is built on.

import { InputError } from '../../base/errors.ts'
import { GdbClient } from './client.ts'
import { CORE_REGISTERS, oldLayout, readLayout, type RegisterLayout } from './registers.ts'
import { MachineError, type Transport } from './transport.ts'

/** Bytes of memory in one packet, where the stub's packets are long enough; QEMU refuses 4 KiB. */
const CHUNK = 0x400
const SMALLEST_PACKET = 64
/** Pieces of an annex, and its length. */
const ANNEX_PIECE = 0x400
const ANNEX_LIMIT = 1 << 20

const hex = (value: number): string => (value >>> 0).toString(16)
const hexBytes = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')

export class Remote {
  readonly client: GdbClient
  readonly #layout: RegisterLayout
  readonly #chunk: number
  /** The last `g`, so that `G` leaves what is not ours as it is. */
  #raw = ''
  #single = false

  private constructor(client: GdbClient, layout: RegisterLayout, chunk: number) {
    this.client = client
    this.#layout = layout
    this.#chunk = chunk
  }

  /** Asks the stub what it can and where its registers are. Throws MachineError where it is none, or not of a Cortex-M. */
  static async connect(transport: Transport, timeout: number): Promise<Remote> {
    const client = new GdbClient(transport, timeout)
    const supported = (await client.ask('qSupported:xmlRegisters=arm')).split(';')
    const packet = Number.parseInt(supported.find((item) => item.startsWith('PacketSize='))?.slice(11) ?? '400', 16)
    if (!(packet >= SMALLEST_PACKET)) throw new MachineError(`${transport.name} takes packets of ${packet} bytes only`)
    if (supported.includes('QStartNoAckMode+')) await client.stopAcknowledging()
    const described = supported.includes('qXfer:features:read+')
    const layout = (described ? await readLayout((annex) => readAnnex(client, annex)) : undefined) ?? oldLayout
    return new Remote(client, layout, Math.min(CHUNK, Math.floor((packet - 32) / 2)))
  }

  /** Throws InputError where the target has no memory. */
  async read(address: number, length: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(length)
    for (let at = 0; at < length; at += this.#chunk) {
      const size = Math.min(this.#chunk, length - at)
      const reply = await this.client.ask(`m${hex(address + at)},${hex(size)}`)
      if (reply.startsWith('E')) throw new InputError(`no memory can be read at 0x${hex(address + at)}`)
      bytes.set(this.#bytes(reply, size), at)
    }
    return bytes
  }

  async write(address: number, bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length; at += this.#chunk) {
      const piece = bytes.subarray(at, at + this.#chunk)
      const reply = await this.client.ask(`M${hex(address + at)},${hex(piece.length)}:${hexBytes(piece)}`)
      if (reply !== 'OK') throw new InputError(`no memory can be written at 0x${hex(address + at)}`)
    }
  }

  /** r0-r12, SP, LR, PC, xPSR. */
  async readRegisters(): Promise<Uint32Array> {
    const registers = new Uint32Array(CORE_REGISTERS)
    this.#raw = this.#single ? '' : await this.client.ask('g')
    if (!/^([0-9a-f]{2}|xx)+$/i.test(this.#raw)) {
      this.#raw = ''
      this.#single = true
    }
    for (let r = 0; r < CORE_REGISTERS; r++) {
      const at = 2 * this.#layout.offsets[r]!
      const known = this.#raw.slice(at, at + 8)
      const text = known.length === 8 ? known : await this.client.ask(`p${hex(this.#layout.numbers[r]!)}`)
      registers[r] = new DataView(this.#bytes(text, 4).buffer).getUint32(0, true)
    }
    return registers
  }

  /** Sets what readRegisters gives; after it. */
  async writeRegisters(registers: Uint32Array): Promise<void> {
    let raw = this.#raw
    const left: [number: number, text: string][] = []
    for (let r = 0; r < CORE_REGISTERS; r++) {
      const at = 2 * this.#layout.offsets[r]!
      const text = hexBytes(new Uint8Array(Uint32Array.of(registers[r]!).buffer))
      if (at + 8 <= raw.length) raw = raw.slice(0, at) + text + raw.slice(at + 8)
      else left.push([this.#layout.numbers[r]!, text])
    }
    if (raw !== '') await this.#must(`G${raw}`)
    for (const [number, text] of left) await this.#must(`P${hex(number)}=${text}`)
  }

  /** Whether the stub stops at this address from now on. */
  async setBreakpoint(address: number, set: boolean): Promise<boolean> {
    return (await this.client.ask(`${set ? 'Z' : 'z'}0,${hex(address)},2`)) === 'OK'
  }

  async #must(request: string): Promise<void> {
    const reply = await this.client.ask(request)
    if (reply !== 'OK') throw new MachineError(`the stub answers '${shorten(reply)}' to '${shorten(request)}'`)
  }

  #bytes(text: string, length: number): Uint8Array {
    if (text.length !== 2 * length || !/^[0-9a-f]*$/i.test(text)) {
      const why = `the stub answers '${shorten(text)}', must be ${length} bytes in hex`
      this.client.close()
      throw new MachineError(why)
    }
    return Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16))
  }
}

function shorten(text: string): string {
  const shown = text.replaceAll(/[^\x20-\x7e]/g, '?')
  return shown.length > 40 ? `${shown.slice(0, 37)}...` : shown
}

async function readAnnex(client: GdbClient, annex: string): Promise<string | undefined> {
  let text = ''
  while (text.length < ANNEX_LIMIT) {
    const reply = await client.ask(`qXfer:features:read:${annex}:${hex(text.length)},${hex(ANNEX_PIECE)}`)
    if (!/^[lm]/.test(reply)) return undefined
    text += reply.slice(1)
    if (reply.startsWith('l') || reply.length === 1) return text
  }
  throw new MachineError(`the stub's description '${annex}' has no end`)
}
