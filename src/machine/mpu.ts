// Code that is either writable or executable, never both, by the memory protection unit of the target (ARMv7-M's PMSAv7). Drives
// the unit through memory alone, as any machine offers it. DDI 0403E B3.5.

import { InputError } from '../base/errors.ts'
import { wordBytes } from './call.ts'
import type { Machine, Region } from './machine.ts'

/** Addresses of the unit's registers. RBAR and RASR have three aliases each behind them, 8 bytes apart. */
export const MpuRegister = {
  TYPE: 0xe000_ed90,
  CTRL: 0xe000_ed94,
  RNR: 0xe000_ed98,
  RBAR: 0xe000_ed9c,
  RASR: 0xe000_eda0,
  /** First address after them. */
  END: 0xe000_edbc,
} as const

/** MPU_CTRL. */
export const MpuControl = { ENABLE: 1, HFNMIENA: 2, PRIVDEFENA: 4 } as const

const RBAR_VALID = 1 << 4
const RASR_ENABLE = 1
/** Normal memory, write-through, shareable: what the manual advises for internal SRAM. */
const SRAM = 6 << 16
const EXECUTE_NEVER = 1 << 28
/** Access permissions: privileged code reads and writes, and all read only. */
const PRIVILEGED_WRITES = 1 << 24
const ALL_READ = 6 << 24
const SMALLEST_LOG2 = 5

/** One region of the unit over all code. Executable but while code is written. */
export class CodeProtection {
  /** The range that is protected: its size is a power of two, its base a multiple of it. */
  readonly base: number
  readonly size: number
  readonly #machine: Machine
  readonly #number: number

  private constructor(machine: Machine, number: number, base: number, size: number) {
    this.#machine = machine
    this.#number = number
    this.base = base
    this.size = size
  }

  /**
   * Protects the largest range inside of `region` that one region of the unit can describe. undefined where nothing is to be done:
   * programs can't write there anyway, or the machine has no such unit. Throws InputError if all its regions are taken.
   */
  static async place(machine: Machine, region: Region): Promise<CodeProtection | undefined> {
    const regions = region.write ? await regionCount(machine) : 0
    if (regions === 0) return undefined
    const { base, size } = protectable(region)
    // The highest number wins where regions overlap.
    for (let number = regions - 1; number >= 0; number--) {
      await machine.write(MpuRegister.RNR, wordBytes([number]))
      if (((await readWord(machine, MpuRegister.RASR)) & RASR_ENABLE) !== 0) continue
      const protection = new CodeProtection(machine, number, base, size)
      await protection.allowExecution()
      // A unit that the firmware has enabled stays as the firmware wants it.
      if (((await readWord(machine, MpuRegister.CTRL)) & MpuControl.ENABLE) === 0) {
        await machine.write(MpuRegister.CTRL, wordBytes([MpuControl.ENABLE | MpuControl.PRIVDEFENA]))
      }
      return protection
    }
    throw new InputError(`machine ${machine.name}: all ${regions} regions of its memory protection unit are in use`)
  }

  /** Code can be written, by privileged code, and executing it faults. Only while the processor stands. */
  allowWriting(): Promise<void> {
    return this.#set(PRIVILEGED_WRITES | EXECUTE_NEVER)
  }
  /** Code can be executed, and writing it faults. */
  allowExecution(): Promise<void> {
    return this.#set(ALL_READ)
  }

  /** RBAR and RASR in one go. What comes next must synchronize. */
  #set(permissions: number): Promise<void> {
    const log2 = 31 - Math.clz32(this.size)
    const attributes = permissions | SRAM | ((log2 - 1) << 1) | RASR_ENABLE
    return this.#machine.write(MpuRegister.RBAR, wordBytes([this.base | RBAR_VALID | this.#number, attributes]))
  }
}

/** MPU_TYPE.DREGION: 0 where no unit is. */
async function regionCount(machine: Machine): Promise<number> {
  try {
    return ((await readWord(machine, MpuRegister.TYPE)) >>> 8) & 0xff
  } catch (error) {
    if (error instanceof InputError) return 0
    throw error
  }
}

/** The largest power of two inside of a region, aligned to its size. */
function protectable({ name, base, size }: Region): { base: number; size: number } {
  for (let log2 = 31; log2 >= SMALLEST_LOG2; log2--) {
    const length = 2 ** log2
    const start = Math.ceil(base / length) * length
    if (start + length <= base + size) return { base: start, size: length }
  }
  throw new InputError(`region ${name} is too small to be protected: 32 bytes, aligned, are the least`)
}

async function readWord(machine: Machine, address: number): Promise<number> {
  const bytes = await machine.read(address, 4)
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true)
}
