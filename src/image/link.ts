// Gives an image addresses: applies its relocations for one placement, as a linker does (AAELF32, REL: addends are in
// place). Nothing of the image is changed.

import { UNMAPPED_END } from '../base/abi.ts'
import { InputError, unreachable } from '../base/errors.ts'
import { type Image, type ImageSymbol, Reloc } from './image.ts'

/** What must be behind everything. */
const END = 2 ** 32 - UNMAPPED_END

/** Where an image is put. Addresses are multiples of the alignment: 4 for code. */
export interface Placement {
  readonly code: number
  /** By index of the image's section. */
  readonly sections?: readonly number[]
}

/** An image with addresses: what must stand at them. bss has no bytes: it is zeroed. */
export interface Linked {
  readonly code: Uint8Array
  readonly sections: readonly Uint8Array[]
}

/**
 * The image as it must stand at `placement`. `addressOf` gives the address of an import (bit 0 clear or set) or a map.
 * Throws InputError where a call does not reach, and for a place that is missing, not aligned or outside of the address space.
 */
export function link(image: Image, placement: Placement, addressOf: (symbol: ImageSymbol) => number): Linked {
  checkPlacement(image, placement)
  const code = image.code.slice()
  const sections = image.sections.map((section) => section.bytes.slice())
  const address = (symbol: ImageSymbol): number => {
    switch (symbol.kind) {
      case 'function':
        return placement.code + symbol.offset
      case 'section':
        return placement.sections![symbol.index]!
      default:
        return addressOf(symbol)
    }
  }
  for (const { section, offset, type, symbol: index } of image.relocations) {
    const bytes = section < 0 ? code : sections[section]!
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    const symbol = image.symbols[index] ?? unreachable(`relocation of symbol ${index}`)
    // Bit 0 of a function's address is or-ed to symbol + addend.
    const thumb = symbol.kind === 'function' || symbol.kind === 'import' ? 1 : 0
    switch (type) {
      case Reloc.R_ARM_ABS32:
        view.setInt32(offset, (address(symbol) + view.getInt32(offset, true)) | thumb, true)
        break
      case Reloc.R_ARM_THM_CALL:
        writeBranch(
          view,
          offset,
          ((address(symbol) & ~1) + readBranch(view, offset) - (placement.code + offset)) | 0,
          symbol.name,
        )
        break
      default:
        unreachable(`relocation type ${type}`)
    }
  }
  return { code, sections }
}

function checkPlacement(image: Image, { code, sections = [] }: Placement): void {
  const check = (what: string, address: number | undefined, align: number, size: number): void => {
    if (address === undefined || !Number.isInteger(address) || address < 0 || address + size > END) {
      throw new InputError(
        `${what} is placed at ${address}: must be an address with room for ${size} bytes behind it, below 0x${END.toString(16)}`,
      )
    }
    if (address % align !== 0) throw new InputError(`${what} is placed at ${address}, must be a multiple of ${align}`)
  }
  check('the code', code, 4, image.code.length)
  for (const [index, { name, align, size }] of image.sections.entries()) {
    check(`section ${name}`, sections[index], align, size)
  }
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
