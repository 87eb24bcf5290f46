// Inputs of the kernels that compute: checksums, ciphers, filters, matrices.

import type { KernelInput } from './kernel-input.ts'
import { Random } from './random.ts'
import { Writer } from './writer.ts'

function crcTable(): number[] {
  return Array.from({ length: 256 }, (_, byte) => {
    let crc = byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1
    return crc
  })
}

/** The first 32 bits of the fractions of `root` of the first primes: SHA-256's constants. */
function fractions(count: number, root: (value: number) => number): number[] {
  const primes: number[] = []
  for (let value = 2; primes.length < count; value++) {
    if (primes.every((prime) => value % prime !== 0)) primes.push(value)
  }
  return primes.map((prime) => Math.floor((root(prime) % 1) * 2 ** 32))
}

/** A measurement that goes up and down, with noise. */
function wave(random: Random, count: number, amplitude: number, noise: number): number[] {
  let phase = 0
  return Array.from({ length: count }, () => {
    phase = (phase + 37) & 1023
    // A parabola a half-wave: no sine, which hosts may round differently.
    const half = phase & 511
    const height = Math.trunc((amplitude * half * (511 - half)) / 65_280)
    return (phase < 512 ? height : -height) + random.between(-noise, noise + 1)
  })
}

export const mathInputs: Readonly<Record<string, () => KernelInput>> = {
  attitude: () => {
    const random = new Random(17)
    const writer = new Writer().u32(1 << 30, 0, 0, 0)
    for (let index = 0; index < 40; index++) {
      writer.u16(random.between(-3000, 3000), random.between(-3000, 3000), random.between(-30_000, 30_000), 0)
    }
    return { ctx: writer.done(), len: 40 }
  },
  average: () => {
    const random = new Random(3)
    const writer = new Writer().u32(16, 0)
    for (let index = 0; index < 96; index++) writer.u32(random.between(1000, 4095))
    return { ctx: writer.zeros(4 * 96).done(), len: 96 }
  },
  biquad: () => {
    const writer = new Writer()
    // Low-pass sections: 2^28 is 1.
    const sections = [
      [5_550_000, 11_100_000, 5_550_000, -440_000_000, 195_000_000],
      [6_000_000, 12_000_000, 6_000_000, -460_000_000, 216_000_000],
      [268_435_456, -500_000_000, 268_435_456, -480_000_000, 240_000_000],
    ]
    for (const coefficients of sections) writer.u32(...coefficients).u32(0, 0, 0, 0)
    return { ctx: writer.u16(...wave(new Random(9), 64, 20_000, 9000)).done(), len: 64 }
  },
  calls: () => ({ ctx: new Writer().random(new Random(64), 256).done(), len: 64 }),
  chacha20: () => {
    const random = new Random(20)
    const writer = new Writer().text('expand 32-byte k').random(random, 32).u32(1).random(random, 12)
    return { ctx: writer.random(random, 200).done(), len: 200 }
  },
  crc32_tab: () => {
    const writer = new Writer().u32(...crcTable()).random(new Random(32), 512)
    return { ctx: writer.done(), len: 512 }
  },
  fir: () => {
    const random = new Random(16)
    const writer = new Writer()
    for (let tap = 0; tap < 16; tap++) writer.u32(random.between(-12_000, 20_000))
    for (let index = 0; index < 79; index++) writer.u32(random.word())
    return { ctx: writer.zeros(4 * 64).done(), len: 64 }
  },
  fletcher16: () => ({ ctx: new Writer().random(new Random(640), 640).done(), len: 640 }),
  fletcher32: () => ({ ctx: new Writer().random(new Random(360), 360).done(), len: 360 }),
  kalman: () => {
    const random = new Random(8)
    const writer = new Writer().u32(0, 0, 1 << 20, 0, 1 << 16, 6554, 300, 200, 1 << 17, 0)
    for (const value of wave(random, 48, 3 << 16, 40_000)) {
      writer.u32(random.below(12) === 0 ? value + (90 << 16) : value)
    }
    return { ctx: writer.done(), len: 48 }
  },
  matmul: () => {
    const random = new Random(10)
    const writer = new Writer()
    for (let index = 0; index < 200; index++) writer.u32(random.between(-10_000, 10_000))
    return { ctx: writer.zeros(400).done(), len: 10 }
  },
  pid: () => {
    const random = new Random(5)
    const writer = new Writer().u32(90_000, 2500, 40_000, 50 << 16, 0, 0, -(20 << 16), 120 << 16)
    for (const value of wave(random, 64, 60 << 16, 1 << 18)) writer.u32(value + (40 << 16))
    return { ctx: writer.done(), len: 64 }
  },
  sha256: () => {
    const writer = new Writer().u32(...fractions(64, Math.cbrt), ...fractions(8, Math.sqrt))
    const message = 'abc'
    writer
      .text(message)
      .u8(0x80)
      .pad(288 + 63)
    return { ctx: writer.u8(8 * message.length).done(), len: 1 }
  },
  siphash: () => {
    const count = (length: number): Uint8Array => Uint8Array.from({ length }, (_, index) => index)
    return { ctx: new Writer().bytes(count(16)).bytes(count(63)).u8(0).done(), len: 63 }
  },
  sqrt64: () => {
    const random = new Random(6)
    const writer = new Writer()
    for (let index = 0; index < 12; index++) {
      const size = 2 ** random.between(4, 30)
      writer.u32(random.between(-size, size), random.between(-size, size), random.between(-size, size), 0)
    }
    return { ctx: writer.done(), len: 12 }
  },
  u64dec: () => {
    const random = new Random(12)
    const writer = new Writer()
    for (let index = 0; index < 12; index++) {
      const high = index % 3 === 0 ? random.below(1 << 20) : 0
      writer.u64(((BigInt(high) << 32n) | BigInt(random.word())) * 4n)
    }
    return { ctx: writer.zeros(24 * 12).done(), len: 12 }
  },
}
