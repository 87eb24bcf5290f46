// Frames of docs/serial.md: a payload and its CRC-32, stuffed (COBS: consistent overhead byte stuffing) so that 0 is at its ends alone.

import { crc32 } from '../../base/crc32.ts'

/** What a frame carries, ready to be sent: 0 before it too, which ends whatever noise came before. */
export function encodeFrame(payload: Uint8Array): Uint8Array {
  const plain = new Uint8Array(payload.length + 4)
  plain.set(payload)
  new DataView(plain.buffer).setUint32(payload.length, crc32(payload), true)
  const out: number[] = [0]
  let run: number[] = []
  const flush = (): void => {
    out.push(run.length + 1, ...run)
    run = []
  }
  for (const [index, byte] of plain.entries()) {
    if (byte === 0) {
      flush()
    } else {
      run.push(byte)
      // A run of 254 stands for no 0 behind it.
      if (run.length === 254 && index + 1 < plain.length) flush()
    }
  }
  flush()
  out.push(0)
  return Uint8Array.from(out)
}

/** The payload of the bytes between two zeros; undefined where they are no frame. */
export function decodeFrame(stuffed: Uint8Array): Uint8Array | undefined {
  const plain: number[] = []
  for (let at = 0; at < stuffed.length;) {
    const end = at + stuffed[at]!
    if (end === at || end > stuffed.length) return undefined
    for (let index = at + 1; index < end; index++) plain.push(stuffed[index]!)
    if (end - at < 255 && end < stuffed.length) plain.push(0)
    at = end
  }
  if (plain.length < 4) return undefined
  const bytes = Uint8Array.from(plain)
  const payload = bytes.slice(0, -4)
  return new DataView(bytes.buffer).getUint32(payload.length, true) === crc32(payload) ? payload : undefined
}

/** Finds the frames in a stream of bytes that may hold anything. */
export class FrameReader {
  readonly #most: number
  #bytes: number[] = []

  /** `most` bytes of a stuffed frame; longer ones are dropped. */
  constructor(most = 70_000) {
    this.#most = most
  }

  /** The payloads that these bytes complete. */
  push(bytes: Uint8Array): Uint8Array[] {
    const payloads: Uint8Array[] = []
    for (const byte of bytes) {
      if (byte !== 0) {
        if (this.#bytes.length <= this.#most) this.#bytes.push(byte)
        continue
      }
      const payload = this.#bytes.length > this.#most ? undefined : decodeFrame(Uint8Array.from(this.#bytes))
      if (payload !== undefined) payloads.push(payload)
      this.#bytes = []
    }
    return payloads
  }
}
