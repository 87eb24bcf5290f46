// Inputs of the kernels that parse, unpack and convert.

import type { KernelInput } from './kernel-input.ts'
import { Random } from './random.ts'
import { Writer } from './writer.ts'

/** The Internet's checksum, as it stands in headers. */
function checksum(bytes: readonly number[]): readonly [number, number] {
  let sum = 0
  for (let at = 0; at < bytes.length; at += 2) sum += (bytes[at]! << 8) | (bytes[at + 1] ?? 0)
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16)
  return [~(sum >> 8) & 255, ~sum & 255]
}

const randomBytes = (random: Random, count: number): number[] => Array.from({ length: count }, () => random.below(256))

/** Some have a VLAN tag, options, another protocol than IP, or a bit that is wrong. */
function frame(random: Random, index: number): number[] {
  const [protocol, header] = (
    [
      [17, 8],
      [6, 20],
      [1, 8],
    ] as const
  )[index % 3]!
  const options = index % 7 === 0 ? 4 : 0
  const size = header + random.below(40)
  const total = 20 + options + size
  const ip = [0x45 + options / 4, 0, total >> 8, total & 255, 0, index, 0, 0, 64, protocol, 0, 0]
  ip.push(...randomBytes(random, 8 + options))
  ip.splice(10, 2, ...checksum(ip))
  const payload = randomBytes(random, size)
  if (protocol !== 1) {
    const at = protocol === 17 ? 6 : 16
    payload.splice(at, 2, 0, 0)
    payload.splice(at, 2, ...checksum([...ip.slice(12, 20), 0, protocol, size >> 8, size & 255, ...payload]))
  }
  const bytes = randomBytes(random, 12)
  if (index % 5 === 0) bytes.push(0x81, 0, 0, 5)
  bytes.push(index % 11 === 10 ? 0x86 : 8, 0, ...ip, ...payload)
  if (index % 13 === 12) bytes[20]! ^= 1
  return bytes
}

/** One CBOR item, with others in it as far as `depth` lets. */
function putItem(writer: Writer, random: Random, depth: number): void {
  const head = (kind: number, value: number): void => {
    if (value < 24) writer.u8((kind << 5) | value)
    else if (value < 256) writer.u8((kind << 5) | 24, value)
    else if (value < 65_536) writer.u8((kind << 5) | 25, value >> 8, value)
    else writer.u8((kind << 5) | 26, value >>> 24, value >> 16, value >> 8, value)
  }
  const kind = random.below(depth > 3 ? 4 : 7)
  if (kind < 2) head(kind, random.word() >>> random.below(32))
  else if (kind < 4) {
    const length = random.below(30)
    head(kind, length)
    writer.random(random, length)
  } else if (kind < 6) {
    const count = 1 + random.below(4)
    head(kind, count)
    for (let left = kind === 5 ? 2 * count : count; left > 0; left--) putItem(writer, random, depth + 1)
  } else writer.u8(0xf4 + random.below(3))
}

export const parseInputs: Readonly<Record<string, () => KernelInput>> = {
  calendar: () => {
    const random = new Random(28)
    const writer = new Writer().zeros(8 * 64)
    for (let index = 0; index < 64; index++) writer.u32(random.word())
    return { ctx: writer.done(), len: 40 }
  },
  cbor: () => {
    const random = new Random(8)
    const writer = new Writer()
    while (writer.length < 600) putItem(writer, random, 0)
    return { ctx: writer.done(), len: writer.length }
  },
  exponent: () => ({ ctx: new Writer().random(new Random(11), 4 * 60).done(), len: 60 }),
  ipv4: () => {
    const random = new Random(4)
    const writer = new Writer().zeros(32)
    for (let index = 0; index < 30; index++) {
      const bytes = frame(random, index)
      writer.u16(bytes.length).bytes(bytes)
    }
    return { ctx: writer.done(), len: writer.length - 32 }
  },
  json: () => {
    const list = Array.from({ length: 20 }, (_, index) => ({
      id: index,
      value: index * index - 50,
      on: index % 2 === 0,
    }))
    const text = JSON.stringify({
      device: 'pump-7',
      values: [1, -20, 33_456, 0, 7],
      nested: {
        a: {
          b: [
            [1, 2],
            [3, [4]],
          ],
        },
        text: 'say "hi"\n',
      },
      empty: null,
      list,
    })
    return { ctx: new Writer().text(text).done(), len: text.length }
  },
  lzss: () => ({ ctx: new Writer().zeros(1024).random(new Random(22), 300).done(), len: 300 }),
  median: () => {
    const random = new Random(12)
    const writer = new Writer()
    for (let index = 0; index < 200; index++) writer.u16(random.between(-1000, 1000))
    return { ctx: writer.zeros(2 * 200 + 2 * 18).done(), len: 200 }
  },
  modular: () => ({ ctx: new Writer().random(new Random(26), 8 * 12).done(), len: 12 }),
}
