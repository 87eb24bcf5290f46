// What the fault status registers say. DDI 0403E B3.2.15 (CFSR), B3.2.16 (HFSR).

/** Bits of CFSR by the manual's names, the one that tells most first. */
const causes: readonly (readonly [bit: number, name: string, meaning: string])[] = [
  [17, 'INVSTATE', 'execution with the Thumb bit clear: a branch to an address with bit 0 clear'],
  [16, 'UNDEFINSTR', 'undefined instruction'],
  [18, 'INVPC', 'exception return to what is none'],
  [19, 'NOCP', 'coprocessor instruction'],
  [24, 'UNALIGNED', 'unaligned access'],
  [25, 'DIVBYZERO', 'division by zero'],
  [9, 'PRECISERR', 'access where no memory is'],
  [10, 'IMPRECISERR', 'store where no memory is, some instructions before'],
  [8, 'IBUSERR', 'execution where no memory is'],
  [1, 'DACCVIOL', 'access that the memory protection unit forbids'],
  [0, 'IACCVIOL', 'execution that the memory protection unit forbids'],
  [12, 'STKERR', 'no memory for an exception frame: the stack has overflowed'],
  [4, 'MSTKERR', 'no access to memory for an exception frame: the stack has overflowed'],
]
const MMARVALID = 1 << 7
const BFARVALID = 1 << 15
const FORCED = 1 << 30

export interface FaultStatus {
  readonly name: string
  readonly message: string
  /** Of the data access, where it is known. */
  readonly address: number | undefined
}

const hex = (value: number): string => `0x${(value >>> 0).toString(16).padStart(8, '0')}`

/** Reads the registers of a fault. */
export function faultStatus(cfsr: number, hfsr: number, mmfar: number, bfar: number): FaultStatus {
  const cause = causes.find(([bit]) => ((cfsr >>> bit) & 1) !== 0)
  const address = (cfsr & BFARVALID) !== 0 ? bfar >>> 0 : (cfsr & MMARVALID) !== 0 ? mmfar >>> 0 : undefined
  const status = `CFSR ${hex(cfsr)}`
  if (cause === undefined) {
    const name = (hfsr & FORCED) !== 0 ? 'FORCED' : 'HARDFAULT'
    return { name, message: `hard fault (HFSR ${hex(hfsr)}, ${status})`, address }
  }
  const at = address === undefined ? '' : ` at ${hex(address)}`
  return { name: cause[1], message: `${cause[2]}${at} (${status})`, address }
}
