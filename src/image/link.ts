// Gives an image addresses: applies its relocations for one placement, as a linker does (AAELF32, REL: addends are in
// place). Nothing of the image is changed.

import { InputError, unreachable } from '../base/errors.ts'
import { type Image, type ImageSymbol, Reloc } from './image.ts'

/** Where the sections are put. */
export interface Placement {
  /** Address of the first byte of code; a multiple of 4. */
  readonly code: number
}

/**
 * The code as it must stand at `placement.code`. `importAddress` gives the address of an import, bit 0 clear or set.
 * Throws InputError where a call does not reach.
 */
export function link(image: Image, placement: Placement, importAddress: (symbol: ImageSymbol) => number): Uint8Array {
  const bytes = image.code.slice()
  const view = new DataView(bytes.buffer)
  for (const { offset, type, symbol: index } of image.relocations) {
    const symbol = image.symbols[index] ?? unreachable(`relocation of symbol ${index}`)
    const address = symbol.kind === 'import' ? importAddress(symbol) : placement.code + symbol.offset
    switch (type) {
      case Reloc.R_ARM_ABS32:
        // Bit 0 is or-ed to symbol + addend: every symbol is a function's.
        view.setInt32(offset, (address + view.getInt32(offset, true)) | 1, true)
        break
      case Reloc.R_ARM_THM_CALL:
        writeBranch(
          view,
          offset,
          ((address & ~1) + readBranch(view, offset) - (placement.code + offset)) | 0,
          symbol.name,
        )
        break
      default:
        unreachable(`relocation type ${type}`)
    }
  }
  return bytes
}

/** Offset of a BL: S:I1:I2:imm10:imm11:0, I = NOT(J EOR S). DDI 0403E A7.7.18. */
function readBranch(view: DataView, at: number): number {
  const first = view.getUint16(at, true)
  const second = view.getUint16(at + 2, true)
  const s = (first >>> 10) & 1
  const i1 = ((second >>> 13) & 1) ^ s ^ 1
  const i2 = ((second >>> 11) & 1) ^ s ^ 1
  const bits = (s << 24) | (i1 << 23) | (i2 << 22) | ((first & 0x3ff) << 12) | ((second & 0x7ff) << 1)
  return (bits << 7) >> 7
}

function writeBranch(view: DataView, at: number, distance: number, name: string): void {
  if (distance < -(2 ** 24) || distance >= 2 ** 24) {
    throw new InputError(
      `call of ${name} at byte ${at} does not reach: ${distance} bytes, BL reaches 16 MiB either way`,
    )
  }
  const s = (distance >>> 24) & 1
  const j1 = ((distance >>> 23) & 1) ^ s ^ 1
  const j2 = ((distance >>> 22) & 1) ^ s ^ 1
  view.setUint16(at, 0xf000 | (s << 10) | ((distance >>> 12) & 0x3ff), true)
  view.setUint16(at + 2, 0xd000 | (j1 << 13) | (j2 << 11) | ((distance >>> 1) & 0x7ff), true)
}
