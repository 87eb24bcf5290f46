// What `thumbpf run` answers to helpers itself, by their names: time, random numbers, printing, strings, memory and a key-value
// store. The same functions serve the simulator and the interpreter. Printing goes to standard error.

import type { Helper, HelperMemory, HelperSet, HostHelper } from '../index.ts'
import type { HelperChoice } from './helper-tables.ts'
import type { Io } from './io.ts'

/** Longest string that is read. */
const LONGEST = 4096

/** Helpers of the table that have an answer here. */
export function hostHelpers({ table }: HelperChoice, io: Io): HelperSet {
  const answers = hostFunctions(io)
  const helpers = new Map<number, Helper>()
  for (const [number, prototype] of table) {
    const { name } = prototype
    const fn = answers.get(name.startsWith('bpf_') ? name.slice(4) : name)
    if (fn !== undefined) helpers.set(number, { name, fn, prototype })
  }
  return { helpers }
}

/** By name without `bpf_`. */
function hostFunctions(io: Io): ReadonlyMap<string, HostHelper> {
  const nanoseconds: HostHelper = () => process.hrtime.bigint()
  const nothing: HostHelper = () => 0n
  const copy: HostHelper = async (to, from, size, _, __, memory) => {
    await memory.write(Number(to), await memory.read(Number(from), Number(size)))
    return to
  }
  const probe: HostHelper = async (to, size, from, _, __, memory) => {
    await memory.write(Number(to), await memory.read(Number(from), Number(size)))
  }
  const printed = async (
    memory: HelperMemory,
    format: bigint,
    values: readonly bigint[],
    bits: 32 | 64,
  ): Promise<string> =>
    formatC(await readString(memory, format), values, bits, (address) => readString(memory, address))
  const array = async (memory: HelperMemory, address: bigint, size: bigint): Promise<bigint[]> => {
    const bytes = await memory.read(Number(address), Number(size) & ~7)
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    return Array.from({ length: bytes.length / 8 }, (_, index) => view.getBigUint64(8 * index, true))
  }
  const print = (text: string): bigint => {
    io.stderr(new TextDecoder().decode(bytesOf(text)))
    return BigInt(text.length)
  }
  const writeText = async (memory: HelperMemory, address: bigint, text: string): Promise<bigint> => {
    await memory.write(Number(address), bytesOf(text))
    return BigInt(text.length)
  }
  const store = (): { store: HostHelper; fetch: HostHelper } => {
    const values = new Map<bigint, bigint>()
    return {
      store: (key, value) => void values.set(key, value),
      // A key that was never stored has 0.
      fetch: async (key, place, _, __, ___, memory) => {
        const bytes = new Uint8Array(4)
        new DataView(bytes.buffer).setUint32(0, Number(values.get(key) ?? 0n), true)
        await memory.write(Number(place), bytes)
      },
    }
  }
  const local = store()
  const global = store()
  return new Map<string, HostHelper>([
    ['ktime_get_ns', nanoseconds],
    ['ktime_get_boot_ns', nanoseconds],
    ['ktime_get_coarse_ns', nanoseconds],
    ['ktime_get_tai_ns', () => BigInt(Date.now()) * 1_000_000n],
    // Linux's usual 250 a second.
    ['jiffies64', () => process.hrtime.bigint() / 4_000_000n],
    ['now_ms', () => process.hrtime.bigint() / 1_000_000n],
    ['ztimer_now', () => process.hrtime.bigint() / 1_000n],
    ['get_prandom_u32', () => BigInt(Math.floor(Math.random() * 2 ** 32))],
    ['get_smp_processor_id', nothing],
    ['get_numa_node_id', nothing],
    ['spin_lock', nothing],
    ['spin_unlock', nothing],
    ['memcpy', copy],
    ['probe_read', probe],
    ['probe_read_kernel', probe],
    ['printf', async (format, a, b, c, d, memory) => print(await printed(memory, format, [a, b, c, d], 32))],
    ['print_debug', (value) => print(`${value}\n`)],
    ['trace_printk', async (format, _, a, b, c, memory) => print(await printed(memory, format, [a, b, c], 64))],
    [
      'trace_vprintk',
      async (format, _, data, size, __, memory) =>
        print(await printed(memory, format, await array(memory, data, size), 64)),
    ],
    [
      'snprintf',
      async (out, size, format, data, dataSize, memory) => {
        const text = await printed(memory, format, await array(memory, data, dataSize), 64)
        if (size > 0n) await writeText(memory, out, `${text.slice(0, Number(size) - 1)}\0`)
        return BigInt(text.length + 1)
      },
    ],
    ['strlen', async (text, _, __, ___, ____, memory) => BigInt((await readString(memory, text)).length)],
    [
      'strncmp',
      async (text, size, other, _, __, memory) => {
        const a = await readString(memory, text, Number(size))
        const b = await readString(memory, other, Number(size))
        return a < b ? -1n : a > b ? 1n : 0n
      },
    ],
    ['fmt_u32_dec', (out, value, _, __, ___, memory) => writeText(memory, out, `${value}`)],
    [
      'fmt_s16_dfp',
      (out, value, digits, _, __, memory) =>
        // RIOT takes no more places than this.
        digits < -7n || digits > 7n ? 0n : writeText(memory, out, fixedPoint(value, Number(digits))),
    ],
    ['store_local', local.store],
    ['fetch_local', local.fetch],
    ['store_global', global.store],
    ['fetch_global', global.fetch],
  ])
}

/** value * 10^digits, with -digits places behind the point if digits is negative. */
function fixedPoint(value: bigint, digits: number): string {
  if (digits >= 0) return `${value * 10n ** BigInt(digits)}`
  const scale = 10n ** BigInt(-digits)
  const size = value < 0n ? -value : value
  return `${value < 0n ? '-' : ''}${size / scale}.${`${size % scale}`.padStart(-digits, '0')}`
}

/** The opposite of readString: characters are bytes. */
function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0))
}

/** Bytes up to a zero, as characters of the same codes. */
async function readString(memory: HelperMemory, address: bigint, most = LONGEST): Promise<string> {
  let text = ''
  for (let at = Number(address); text.length < Math.min(most, LONGEST); at++) {
    const [byte] = await memory.read(at, 1)
    if (byte === 0) break
    text += String.fromCharCode(byte!)
  }
  return text
}

/** printf's conversions d i u x X o c s p %, with flags, width and precision; `bits` is how wide long is. */
async function formatC(
  format: string,
  values: readonly bigint[],
  bits: 32 | 64,
  string: (address: bigint) => Promise<string>,
): Promise<string> {
  let out = ''
  let end = 0
  let next = 0
  for (const match of format.matchAll(/%([-+ #0]*)(\d{0,3})(?:\.(\d{1,3}))?(hh|h|ll|l|z|j|t)?([diuxXocsp%])/g)) {
    out += format.slice(end, match.index)
    end = match.index + match[0].length
    const [, flags = '', width = '', precision, length = '', conversion] = match
    if (conversion === '%') {
      out += '%'
      continue
    }
    const value = values[next++] ?? 0n
    const wide =
      length === 'll' || length === 'j' ? 64 : length === 'l' ? bits : length === 'h' ? 16 : length === 'hh' ? 8 : 32
    let text: string
    if (conversion === 's')
      text = (await string(BigInt.asUintN(32, value))).slice(0, precision === undefined ? undefined : Number(precision))
    else if (conversion === 'c') text = String.fromCharCode(Number(value & 0xffn))
    else if (conversion === 'p') text = `0x${BigInt.asUintN(32, value).toString(16)}`
    else if (conversion === 'd' || conversion === 'i') {
      const number = BigInt.asIntN(wide, value)
      const sign = number < 0n ? '-' : flags.includes('+') ? '+' : flags.includes(' ') ? ' ' : ''
      const digits = `${number < 0n ? -number : number}`.padStart(Number(precision ?? 0), '0')
      const zeros = flags.includes('0') && !flags.includes('-') && precision === undefined
      text = sign + (zeros ? digits.padStart(Number(width) - sign.length, '0') : digits)
    } else {
      const radix = conversion === 'u' ? 10 : conversion === 'o' ? 8 : 16
      const prefix = flags.includes('#') && radix === 16 ? '0x' : ''
      let digits = BigInt.asUintN(wide, value)
        .toString(radix)
        .padStart(Number(precision ?? 0), '0')
      const zeros = flags.includes('0') && !flags.includes('-') && precision === undefined
      if (zeros) digits = digits.padStart(Number(width) - prefix.length, '0')
      text = prefix + digits
      if (conversion === 'X') text = text.toUpperCase()
    }
    out += flags.includes('-') ? text.padEnd(Number(width)) : text.padStart(Number(width))
  }
  return out + format.slice(end)
}
