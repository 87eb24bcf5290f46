// Inputs of the kernels that do what devices do: commands, frames, buttons, rules.

import type { KernelInput } from './kernel-input.ts'
import { Random } from './random.ts'
import { Writer } from './writer.ts'

function crc16(bytes: readonly number[]): number {
  let crc = 0xffff
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xa001 : crc >>> 1
  }
  return crc
}

/** The ones' complement of the sum of big-endian 16-bit words. */
function ipChecksum(bytes: readonly number[]): number {
  let sum = 0
  for (let index = 0; index < bytes.length; index += 2) sum += (bytes[index]! << 8) | bytes[index + 1]!
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16)
  return ~sum & 0xffff
}

const big16 = (value: number): [number, number] => [(value >> 8) & 255, value & 255]

/** 96 bytes: padding, Ethernet, IPv4, UDP. Every seventh or so is wrong somewhere. */
function packet(random: Random): number[] {
  const kind = random.below(8)
  const bytes = [0, 0, ...Array.from({ length: 12 }, () => random.below(256)), ...big16(kind === 0 ? 0x86dd : 0x0800)]
  const words = random.below(4) === 0 ? 6 : 5
  const source = random.below(2) === 0 ? [10, 1, 2, random.below(256)] : [192, 168, 0, random.below(256)]
  const length = random.between(8, 40)
  const header = [kind === 1 ? 0x65 : 0x40 | words, 0, ...big16(4 * words + length), 0x12, 0x34, 0, 0]
  header.push(random.pick([1, 64]), kind === 2 ? 6 : 17, 0, 0, ...source, 10, 1, 2, 1)
  while (header.length < 4 * words) header.push(1)
  header.splice(10, 2, ...big16(ipChecksum(header) ^ (kind === 3 ? 0x100 : 0)))
  const port = random.pick([7, 53, 5000, 5683, 5999, 6000])
  bytes.push(...header, ...big16(random.below(65_536)), ...big16(port), ...big16(length), 0, 0)
  while (bytes.length < 96) bytes.push(random.below(256))
  return bytes
}

/** A request to a Modbus slave, with its CRC: a read, a write, several writes, or something wrong. */
function request(random: Random): number[] {
  const address = random.below(5) === 0 ? 9 : 17
  const code = random.pick([3, 3, 6, 16, 16, 5])
  const first = random.below(28)
  const count = random.between(1, 8)
  const bytes = [address, code, ...big16(first), ...big16(code === 6 ? random.below(65_536) : count)]
  if (code === 16) bytes.push(2 * count, ...Array.from({ length: 2 * count }, () => random.below(256)))
  const crc = crc16(bytes) ^ (random.below(7) === 0 ? 4 : 0)
  return [...bytes, crc & 255, crc >> 8]
}

export const deviceInputs: Readonly<Record<string, () => KernelInput>> = {
  buttons: () => {
    const random = new Random(8)
    const writer = new Writer().zeros(16 + 32 + 4)
    let state = 0
    for (let index = 0; index < 120; index++) {
      if (random.below(7) === 0) state ^= 1 << random.below(8)
      // Contacts bounce.
      writer.u8(random.below(9) === 0 ? state ^ (1 << random.below(8)) : state)
    }
    return { ctx: writer.done(), len: 120 }
  },
  histogram: () => {
    const random = new Random(12)
    const writer = new Writer().zeros(128)
    for (let index = 0; index < 400; index++) {
      writer.u16(0x3000 | ((random.below(1024) + random.below(1024) + random.below(2048)) & 0xfff))
    }
    return { ctx: writer.done(), len: 400 }
  },
  memory: () => {
    const random = new Random(7)
    const writer = new Writer().random(random, 1024)
    for (let index = 0; index < 24; index++) {
      const length = random.pick([0, 1, 7, 16, 33, 64, 100, 200])
      const kind = index % 4
      // What is compared was mostly copied just before.
      const [to, from] = kind === 2 && index > 8 ? [100, 100 + random.below(2)] : [random.below(800), random.below(800)]
      writer.u8(kind, random.below(256)).u16(to, from, length)
    }
    return { ctx: writer.done(), len: 24 }
  },
  modbus: () => {
    const random = new Random(17)
    const writer = new Writer()
    for (let index = 0; index < 32; index++) writer.u16(random.below(65_536))
    writer.u8(17, 0, 0, 0).u32(0)
    for (let index = 0; index < 16; index++) {
      const bytes = request(random)
      writer
        .u32(bytes.length)
        .bytes(bytes)
        .zeros(64 - bytes.length)
    }
    return { ctx: writer.done(), len: 16 }
  },
  pktparse: () => {
    const random = new Random(96)
    const writer = new Writer().zeros(32)
    for (let index = 0; index < 16; index++) writer.bytes(packet(random))
    return { ctx: writer.done(), len: 16 }
  },
  rules: () => {
    const random = new Random(12)
    const [ALWAYS, EQUAL, ABOVE, BELOW, WITHIN, MASK] = [0, 1, 2, 3, 4, 5]
    const writer = new Writer().u32(10, 40)
    const rule = (
      first: readonly number[],
      second: readonly number[],
      action: number,
      argument = 0,
      holdoff = 0,
    ): void => {
      for (const [test = 0, field = 0, low = 0, high = 0] of [first, second]) writer.u8(test, field).u16(low, high)
      writer.u8(action, argument).u16(holdoff).u32(0, 0)
    }
    rule([EQUAL, 2, 9], [ALWAYS], 0)
    rule([EQUAL, 1, 3], [ABOVE, 0, 1500], 2, 5, 40)
    rule([EQUAL, 1, 3], [BELOW, 0, -1500], 3, 3, 40)
    rule([WITHIN, 1, 4, 6], [ABOVE, 0, 2500], 4)
    rule([MASK, 2, 3, 1], [WITHIN, 0, -200, 200], 1)
    rule([EQUAL, 2, 4], [WITHIN, 3, 100, 900], 4, 0, 100)
    rule([ABOVE, 1, 12], [BELOW, 0, 0], 3, 1)
    rule([EQUAL, 2, 2], [ALWAYS], 2, 1, 10)
    rule([BELOW, 0, -2800], [ALWAYS], 4)
    rule([WITHIN, 1, 0, 2], [MASK, 0, 1, 1], 1)
    writer.zeros(2 * 24)
    let time = 0
    for (let index = 0; index < 48; index++) {
      time += random.between(1, 60)
      writer.u32(time).u16(random.between(-3000, 3000)).u8(random.below(16), random.below(10))
    }
    return { ctx: writer.done(), len: 48 }
  },
  table: () => {
    const random = new Random(64)
    const writer = new Writer().zeros(16 * 64)
    const known = Array.from({ length: 40 }, () => (BigInt(random.word()) << 32n) | BigInt(random.word()))
    for (let index = 0; index < 100; index++) {
      writer
        .u64(random.pick(known))
        .u16(index)
        .u8(random.below(8) === 0 ? 2 : 0, random.below(256))
        .u32(0)
    }
    return { ctx: writer.done(), len: 100 }
  },
}
