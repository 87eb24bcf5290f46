// The simulator's memory: regions with permissions, little-endian, any alignment for plain accesses. Two regions have a
// fast path through typed-array views: `ram` (the first writable one that programs can't execute) and `code` (the first
// executable one). Everything else (other regions, unaligned, faults, the memory protection unit) goes the slow way; while the unit
// forbids something in one of the two, that one has no fast path.
// DDI 0403E A3.2 (alignment), B1.5.14 (faults), B3.5 (permissions).

import type { Region } from '../machine.ts'
import { InputError, unreachable } from '../../base/errors.ts'
import { type Mpu, Permission } from './mpu.ts'

/** Thrown inside the simulator when an instruction faults; never leaves it. */
export class Fault extends Error {
  readonly fault: string
  readonly address: number | undefined
  constructor(fault: string, message: string, address?: number) {
    super(message)
    this.fault = fault
    this.address = address === undefined ? undefined : address >>> 0
  }
}

/** One region and its bytes. Host accesses ignore the permissions. */
class Bank {
  readonly region: Region
  readonly base: number
  readonly size: number
  readonly bytes: Uint8Array
  constructor(region: Region) {
    this.region = region
    this.base = region.base >>> 0
    this.size = region.size
    // The views are laid out as from a word-aligned address, so that aligned addresses are aligned in the buffer.
    this.bytes = new Uint8Array(region.size)
  }
}

export class Memory {
  /** Cycles that unaligned accesses added since the run loop last took them. */
  stall = 0
  /** CCR.UNALIGN_TRP. */
  trapUnaligned = false
  /** Called when the program stores to a region that it may execute. */
  onCodeWrite: (address: number, length: number) => void = () => {}
  /** Called when the memory protection unit may permit other things than before. */
  onPermissions: () => void = () => {}
  readonly #mpu: Mpu | undefined
  readonly #banks: readonly Bank[]
  // Fast path: data region and code region. Sizes are the number of bytes that an access of that width may start in.
  readonly #ramBase: number
  #ramSize: number
  readonly #ram8: Uint8Array
  readonly #ram16: Uint16Array
  readonly #ram32: Int32Array
  readonly #codeBase: number
  #codeSize: number
  readonly #code8: Uint8Array
  readonly #code16: Uint16Array
  readonly #code32: Int32Array

  /** Regions have bases and sizes that are multiples of 4 and do not overlap. */
  constructor(regions: readonly Region[], mpu?: Mpu) {
    const sorted = regions.toSorted((a, b) => a.base - b.base)
    sorted.forEach((region, index) => {
      const previous = sorted[index - 1]
      if (((region.base | region.size) & 3) !== 0 || region.size <= 0 || region.base + region.size > 2 ** 32) {
        throw new InputError(`region ${region.name}: base and size must be multiples of 4 inside of 4 GiB`)
      }
      if (previous !== undefined && previous.base + previous.size > region.base) {
        throw new InputError(`regions ${previous.name} and ${region.name} overlap`)
      }
    })
    this.#banks = regions.map((region) => new Bank(region))
    const empty = new Bank({ name: 'none', base: 0, size: 0, execute: false, write: false })
    const ram = this.#banks.find(({ region }) => region.write && !region.execute) ?? empty
    const code = this.#banks.find(({ region }) => region.execute) ?? empty
    this.#ramBase = ram.base | 0
    this.#ramSize = ram.size
    this.#ram8 = ram.bytes
    this.#ram16 = new Uint16Array(ram.bytes.buffer)
    this.#ram32 = new Int32Array(ram.bytes.buffer)
    this.#codeBase = code.base | 0
    this.#codeSize = code.size
    this.#code8 = code.bytes
    this.#code16 = new Uint16Array(code.bytes.buffer)
    this.#code32 = new Int32Array(code.bytes.buffer)
    this.#mpu = mpu
    if (mpu !== undefined) {
      mpu.onChange = () => {
        const { READ, WRITE } = Permission
        this.#ramSize = !mpu.enabled || mpu.permitsAll(ram.base, ram.size, READ | WRITE) ? ram.size : 0
        this.#codeSize = !mpu.enabled || mpu.permitsAll(code.base, code.size, READ) ? code.size : 0
        this.onPermissions()
      }
    }
  }

  // --- the program's accesses -------------------------------------------------------------------------------------

  /** Word, as int32. */
  load32(address: number): number {
    const offset = (address - this.#ramBase) >>> 0
    if (offset < this.#ramSize && (offset & 3) === 0) return this.#ram32[offset >>> 2]!
    const fromCode = (address - this.#codeBase) >>> 0
    if (fromCode < this.#codeSize && (fromCode & 3) === 0) return this.#code32[fromCode >>> 2]!
    return this.#loadSlowly(address, 4) | 0
  }
  /** Halfword, zero-extended. */
  load16(address: number): number {
    const offset = (address - this.#ramBase) >>> 0
    if (offset < this.#ramSize && (offset & 1) === 0) return this.#ram16[offset >>> 1]!
    const fromCode = (address - this.#codeBase) >>> 0
    if (fromCode < this.#codeSize && (fromCode & 1) === 0) return this.#code16[fromCode >>> 1]!
    return this.#loadSlowly(address, 2)
  }
  /** Byte, zero-extended. */
  load8(address: number): number {
    const offset = (address - this.#ramBase) >>> 0
    if (offset < this.#ramSize) return this.#ram8[offset]!
    const fromCode = (address - this.#codeBase) >>> 0
    if (fromCode < this.#codeSize) return this.#code8[fromCode]!
    return this.#loadSlowly(address, 1)
  }
  store32(address: number, value: number): void {
    const offset = (address - this.#ramBase) >>> 0
    if (offset < this.#ramSize && (offset & 3) === 0) this.#ram32[offset >>> 2] = value
    else this.#storeSlowly(address, value, 4)
  }
  store16(address: number, value: number): void {
    const offset = (address - this.#ramBase) >>> 0
    if (offset < this.#ramSize && (offset & 1) === 0) this.#ram16[offset >>> 1] = value
    else this.#storeSlowly(address, value, 2)
  }
  store8(address: number, value: number): void {
    const offset = (address - this.#ramBase) >>> 0
    if (offset < this.#ramSize) this.#ram8[offset] = value
    else this.#storeSlowly(address, value, 1)
  }

  /** Halfword of code for execution; throws the fault of the fetch. */
  fetch(address: number): number {
    this.#permit(address >>> 0, Permission.EXECUTE)
    const bank = this.#bankOf(address >>> 0)
    if (bank === undefined) throw new Fault('IBUSERR', `no memory to fetch from at ${hex(address)}`)
    if (!bank.region.execute) throw new Fault('IACCVIOL', `${bank.region.name} at ${hex(address)} is not executable`)
    const offset = (address >>> 0) - bank.base
    return bank.bytes[offset]! | (bank.bytes[offset + 1]! << 8)
  }

  #loadSlowly(address: number, size: number): number {
    this.#unaligned(address, size)
    const mpu = this.#mpuAt(address, size)
    if (mpu !== undefined) return mpu.load(address)
    let value = 0
    for (let index = 0; index < size; index++) {
      const at = (address + index) >>> 0
      this.#permit(at, Permission.READ)
      const bank = this.#bankOf(at)
      if (bank === undefined) throw new Fault('PRECISERR', `load from ${hex(at)}, where no memory is`, at)
      value |= bank.bytes[at - bank.base]! << (8 * index)
    }
    return value
  }

  #storeSlowly(address: number, value: number, size: number): void {
    this.#unaligned(address, size)
    const mpu = this.#mpuAt(address, size)
    if (mpu !== undefined) {
      mpu.store(address, value)
      return
    }
    for (let index = 0; index < size; index++) {
      const at = (address + index) >>> 0
      this.#permit(at, Permission.WRITE)
      const bank = this.#bankOf(at)
      if (bank === undefined) throw new Fault('PRECISERR', `store to ${hex(at)}, where no memory is`, at)
      if (!bank.region.write)
        throw new Fault('DACCVIOL', `store to ${hex(at)}, ${bank.region.name} is not writable`, at)
    }
    for (let index = 0; index < size; index++) {
      const at = (address + index) >>> 0
      const bank = this.#bankOf(at) ?? unreachable('bank')
      bank.bytes[at - bank.base] = value >>> (8 * index)
      if (bank.region.execute) this.onCodeWrite(at, 1)
    }
  }

  #unaligned(address: number, size: number): void {
    if ((address & (size - 1)) === 0) return
    if (this.trapUnaligned)
      throw new Fault('UNALIGNED', `unaligned access to ${hex(address)} with CCR.UNALIGN_TRP`, address)
    this.stall += size === 4 && (address & 1) !== 0 ? 2 : 1
  }

  /** CONTROL.nPRIV is clear. */
  set privileged(value: boolean) {
    if (this.#mpu !== undefined) this.#mpu.privileged = value
  }

  /** The memory protection unit, if an access is one of its registers. It does not guard itself: they are in system space. */
  #mpuAt(address: number, size: number): Mpu | undefined {
    const mpu = this.#mpu
    if (mpu === undefined || !mpu.holds(address)) return undefined
    if (size !== 4 || (address & 3) !== 0 || !mpu.privileged) {
      throw new Fault('PRECISERR', `access to ${hex(address)}: privileged code only, and whole words`, address)
    }
    return mpu
  }

  /** Throws the fault of an access that the memory protection unit forbids. */
  #permit(at: number, access: number): void {
    const mpu = this.#mpu
    if (mpu === undefined || !mpu.enabled || (mpu.permissions(at) & access) !== 0) return
    const byMpu = 'the memory protection unit forbids it'
    if (access === Permission.EXECUTE) throw new Fault('IACCVIOL', `execution at ${hex(at)}: ${byMpu}`)
    throw new Fault('DACCVIOL', `${access === Permission.WRITE ? 'store to' : 'load from'} ${hex(at)}: ${byMpu}`, at)
  }

  // --- the host's accesses ----------------------------------------------------------------------------------------

  /** A copy of `length` bytes; all in one region. */
  read(address: number, length: number): Uint8Array {
    if (this.#mpu?.holds(address) === true) return this.#mpu.read(address, length)
    const bank = this.#bankFor(address, length)
    return bank.bytes.slice(address - bank.base, address - bank.base + length)
  }
  /** Writes bytes, permissions aside; all in one region. */
  write(address: number, bytes: Uint8Array): void {
    if (this.#mpu?.holds(address) === true) {
      this.#mpu.write(address, bytes)
      return
    }
    const bank = this.#bankFor(address, bytes.length)
    bank.bytes.set(bytes, address - bank.base)
  }

  #bankOf(address: number): Bank | undefined {
    for (const bank of this.#banks) {
      if (address >= bank.base && address - bank.base < bank.size) return bank
    }
    return undefined
  }

  #bankFor(address: number, length: number): Bank {
    const bank = this.#bankOf(address)
    if (bank === undefined || address - bank.base + length > bank.size) {
      throw new InputError(`no region holds the ${length} bytes at ${hex(address)}`)
    }
    return bank
  }
}

/** 0x and eight digits. */
export function hex(value: number): string {
  return `0x${(value >>> 0).toString(16).padStart(8, '0')}`
}
