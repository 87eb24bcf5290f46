// The framing of GDB's remote serial protocol: $data#checksum, with } as escape and * as run length, acknowledged by + or -.
// Bytes come in any pieces. Source: the GDB manual, appendix "Remote Protocol", section Overview.

/** Longest packet that is taken; a stub's PacketSize is some kilobytes. */
const MAX_PACKET = 1 << 20

export type PacketEvent =
  | { readonly kind: 'packet'; readonly data: Uint8Array }
  /** A packet whose checksum is wrong: to be asked for again. */
  | { readonly kind: 'damaged' }
  | { readonly kind: 'ack' }
  | { readonly kind: 'nack' }
  /** More than any stub sends. */
  | { readonly kind: 'endless' }

const DOLLAR = 0x24
const HASH = 0x23
const PERCENT = 0x25
const ESCAPE = 0x7d
const STAR = 0x2a

function checksum(bytes: readonly number[] | Uint8Array): number {
  let sum = 0
  for (const byte of bytes) sum = (sum + byte) & 0xff
  return sum
}

/** A packet with these bytes, escaped where they have to be. */
export function frame(data: Uint8Array): Uint8Array {
  const body: number[] = []
  for (const byte of data) {
    if (byte === DOLLAR || byte === HASH || byte === ESCAPE || byte === STAR) body.push(ESCAPE, byte ^ 0x20)
    else body.push(byte)
  }
  const sum = checksum(body).toString(16).padStart(2, '0')
  return Uint8Array.of(DOLLAR, ...body, HASH, sum.charCodeAt(0), sum.charCodeAt(1))
}

/** Takes what a stub sends apart. Notifications (%) and bytes between packets are dropped. */
export class PacketReader {
  #body: number[] = []
  #state: 'between' | 'body' | 'sum1' | 'sum2' = 'between'
  #notification = false
  #sum = ''

  /** Events of these bytes, in order. */
  read(bytes: Uint8Array): PacketEvent[] {
    const events: PacketEvent[] = []
    for (const byte of bytes) {
      const event = this.#take(byte)
      if (event !== undefined) events.push(event)
    }
    return events
  }

  #take(byte: number): PacketEvent | undefined {
    switch (this.#state) {
      case 'between':
        if (byte === DOLLAR || byte === PERCENT) {
          this.#state = 'body'
          this.#notification = byte === PERCENT
          this.#body = []
        } else if (byte === 0x2b) return { kind: 'ack' }
        else if (byte === 0x2d) return { kind: 'nack' }
        return undefined
      case 'body':
        if (byte === HASH) this.#state = 'sum1'
        else if (byte === DOLLAR) this.#body = [] // the end of the one before was lost
        else this.#body.push(byte)
        if (this.#body.length <= MAX_PACKET) return undefined
        this.#state = 'between'
        return { kind: 'endless' }
      case 'sum1':
        this.#sum = String.fromCharCode(byte)
        this.#state = 'sum2'
        return undefined
      default:
        this.#state = 'between'
        return this.#finish(this.#sum + String.fromCharCode(byte))
    }
  }

  #finish(sum: string): PacketEvent | undefined {
    const right = /^[0-9a-f]{2}$/i.test(sum) && Number.parseInt(sum, 16) === checksum(this.#body)
    if (this.#notification) return undefined
    const data = right ? expand(this.#body) : undefined
    return data === undefined ? { kind: 'damaged' } : { kind: 'packet', data }
  }
}

/** Without escapes and run lengths; undefined if they make no sense or too much. */
function expand(body: readonly number[]): Uint8Array | undefined {
  const out: number[] = []
  for (let at = 0; at < body.length; at++) {
    const byte = body[at]!
    if (byte === ESCAPE) {
      const next = body[++at]
      if (next === undefined) return undefined
      out.push(next ^ 0x20)
    } else if (byte === STAR) {
      const count = (body[++at] ?? 0) - 29
      const last = out.at(-1)
      if (count < 3 || last === undefined || out.length + count > MAX_PACKET) return undefined
      for (let left = count; left > 0; left--) out.push(last)
    } else out.push(byte)
  }
  return Uint8Array.from(out)
}
