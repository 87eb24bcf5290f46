// Memory of the interpreter: a few regions of bytes in a 32-bit address space, little-endian, any alignment.

/** What the interpreter needs of memory. Addresses are 32 bits unsigned, sizes 1, 2, 4 or 8; values unsigned. */
export interface InterpreterMemory {
  /** undefined if not all bytes can be read. */
  load(address: number, size: number): bigint | undefined
  /** false, and nothing written, if not all bytes can be written. */
  store(address: number, size: number, value: bigint): boolean
}

export interface MemoryRegion {
  readonly base: number
  readonly bytes: Uint8Array
  /** Stores are refused. */
  readonly readOnly?: boolean
}

/** A list of regions; of those that overlap the first one counts. An access must lie in one of them as a whole. */
export class RegionMemory implements InterpreterMemory {
  private readonly regions: readonly { readonly region: MemoryRegion; readonly view: DataView }[]

  constructor(regions: readonly MemoryRegion[]) {
    this.regions = regions.map((region) => ({
      region,
      view: new DataView(region.bytes.buffer, region.bytes.byteOffset, region.bytes.byteLength),
    }))
  }

  load(address: number, size: number): bigint | undefined {
    for (const { region, view } of this.regions) {
      const at = address - region.base
      if (at < 0 || at + size > region.bytes.length) continue
      if (size === 8) return view.getBigUint64(at, true)
      return BigInt(size === 4 ? view.getUint32(at, true) : size === 2 ? view.getUint16(at, true) : view.getUint8(at))
    }
    return undefined
  }

  store(address: number, size: number, value: bigint): boolean {
    for (const { region, view } of this.regions) {
      const at = address - region.base
      if (at < 0 || at + size > region.bytes.length) continue
      if (region.readOnly === true) return false
      if (size === 8) view.setBigUint64(at, value, true)
      else if (size === 4) view.setUint32(at, Number(BigInt.asUintN(32, value)), true)
      else if (size === 2) view.setUint16(at, Number(BigInt.asUintN(16, value)), true)
      else view.setUint8(at, Number(BigInt.asUintN(8, value)))
      return true
    }
    return false
  }
}
