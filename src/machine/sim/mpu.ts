// The memory protection unit of ARMv7-M (PMSAv7) with eight regions: its registers, and what they permit.
// DDI 0403E B3.5; where the manual leaves an access permission unpredictable, nothing is permitted.

import { InputError } from '../../base/errors.ts'
import { MpuControl, MpuRegister } from '../mpu.ts'

/** What an address permits, as bits. */
export const Permission = { READ: 1, WRITE: 2, EXECUTE: 4 } as const

const REGIONS = 8
const { READ, WRITE, EXECUTE } = Permission
/** By AP, for privileged and unprivileged code. */
const privilegedAccess = [0, READ | WRITE, READ | WRITE, READ | WRITE, 0, READ, READ, READ]
const unprivilegedAccess = [0, 0, READ, READ | WRITE, 0, 0, READ, READ]
const SYSTEM_SPACE = 0xe000_0000

export class Mpu {
  /** CONTROL.nPRIV is clear. */
  #privileged = true
  /** Called when what is permitted may have changed. */
  onChange: () => void = () => {}
  #control = 0
  #number = 0
  readonly #bases = new Uint32Array(REGIONS)
  readonly #attributes = new Uint32Array(REGIONS)

  get enabled(): boolean {
    return (this.#control & MpuControl.ENABLE) !== 0
  }
  get privileged(): boolean {
    return this.#privileged
  }
  set privileged(value: boolean) {
    if (value === this.#privileged) return
    this.#privileged = value
    this.onChange()
  }

  /** An address of its registers. */
  holds(address: number): boolean {
    return address >>> 0 >= MpuRegister.TYPE && address >>> 0 < MpuRegister.END
  }

  /** A register, by its aligned address. */
  load(address: number): number {
    switch (address >>> 0) {
      case MpuRegister.TYPE:
        return REGIONS << 8
      case MpuRegister.CTRL:
        return this.#control
      case MpuRegister.RNR:
        return this.#number
      default:
        return isBase(address) ? this.#bases[this.#number]! | this.#number : this.#attributes[this.#number]!
    }
  }

  store(address: number, value: number): void {
    switch (address >>> 0) {
      case MpuRegister.TYPE:
        return
      case MpuRegister.RNR:
        this.#number = value & (REGIONS - 1)
        return
      case MpuRegister.CTRL:
        this.#control = value & 7
        break
      default:
        if (isBase(address)) {
          // VALID: the region's number comes with its base.
          if ((value & 0x10) !== 0) this.#number = value & (REGIONS - 1)
          this.#bases[this.#number] = value & ~0x1f
        } else {
          this.#attributes[this.#number] = value & 0x173f_ff3f
        }
    }
    this.onChange()
  }

  /** What is permitted at an address by the unit, if it is enabled: bits of Permission. */
  permissions(address: number): number {
    for (let number = REGIONS - 1; number >= 0; number--) {
      const attributes = this.#attributes[number]!
      if (!this.#hits(number, address)) continue
      const access = (this.#privileged ? privilegedAccess : unprivilegedAccess)[(attributes >>> 24) & 7]!
      const never = (attributes & (1 << 28)) !== 0 || address >>> 0 >= SYSTEM_SPACE
      return access | (never || (access & READ) === 0 ? 0 : EXECUTE)
    }
    // The default memory map: devices are never executed.
    const background = this.#privileged && (this.#control & MpuControl.PRIVDEFENA) !== 0
    const device = (address >>> 29) & 7
    return background ? READ | WRITE | (device === 2 || device >= 5 ? 0 : EXECUTE) : 0
  }

  /** All bytes of [base, base + size) permit `access`. */
  permitsAll(base: number, size: number, access: number): boolean {
    // Permissions change at the ends of subregions only.
    const points = [base]
    for (let number = 0; number < REGIONS; number++) {
      const length = 2 ** sizeLog2(this.#attributes[number]!)
      const start = Math.floor(this.#bases[number]! / length) * length
      for (let part = 0; part <= 8; part++) points.push(start + (part * length) / 8)
    }
    return points.every(
      (point) => point < base || point >= base + size || (this.permissions(point) & access) === access,
    )
  }

  #hits(number: number, address: number): boolean {
    const attributes = this.#attributes[number]!
    const log2 = sizeLog2(attributes)
    if ((attributes & 1) === 0 || log2 < 5) return false
    if (log2 < 32 && (address ^ this.#bases[number]!) >>> log2 !== 0) return false
    // Eighths of a region of 256 bytes and more can be switched off.
    const part = (address >>> (log2 - 3)) & 7
    return log2 < 8 || ((attributes >>> (8 + part)) & 1) === 0
  }

  // --- the host's accesses ----------------------------------------------------------------------------------------

  /** Registers as bytes; whole words only. */
  read(address: number, length: number): Uint8Array {
    const bytes = new Uint8Array(length)
    const view = new DataView(bytes.buffer)
    for (const at of words(address, length)) view.setUint32(at, this.load(address + at), true)
    return bytes
  }
  write(address: number, bytes: Uint8Array): void {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    for (const at of words(address, bytes.length)) this.store(address + at, view.getUint32(at, true))
  }
}

/** RBAR or one of its aliases, and not RASR. */
function isBase(address: number): boolean {
  return (((address >>> 0) - MpuRegister.RBAR) & 4) === 0
}
function sizeLog2(attributes: number): number {
  return ((attributes >>> 1) & 31) + 1
}
/** Offsets of the words of an access by the host. */
function words(address: number, length: number): number[] {
  if (((address | length) & 3) !== 0 || address + length > MpuRegister.END) {
    throw new InputError('registers of the memory protection unit are read and written as whole words')
  }
  return Array.from({ length: length / 4 }, (_, index) => index * 4)
}
