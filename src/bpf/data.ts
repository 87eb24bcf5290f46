// Data of a placed program: the bytes that each section starts with once every address is known.

import type { DataSection, Reference } from './program.ts'

/** Where the parts of a program are: 32-bit addresses, in the order of `Program.data`, `.maps` and `.functions` (bit 0 set). */
export interface Addresses {
  readonly data: readonly number[]
  readonly maps: readonly number[]
  readonly functions: readonly number[]
}

/** The 32-bit address that a reference means. */
export function addressOf(reference: Reference, addresses: Addresses): number {
  switch (reference.kind) {
    case 'data':
      return (addresses.data[reference.section]! + reference.offset) >>> 0
    case 'function':
      return addresses.functions[reference.index]! >>> 0
    case 'map':
      return addresses.maps[reference.index]! >>> 0
  }
}

/** The first bytes of each section, pointers filled in (a pointer of 8 bytes has a high word of 0). New arrays. */
export function initialData(program: { readonly data: readonly DataSection[] }, addresses: Addresses): Uint8Array[] {
  return program.data.map((section) => {
    const bytes = new Uint8Array(section.size)
    bytes.set(section.bytes)
    const view = new DataView(bytes.buffer)
    for (const { offset, width, target } of section.pointers) {
      view.setUint32(offset, addressOf(target, addresses), true)
      if (width === 8) view.setUint32(offset + 4, 0, true)
    }
    return bytes
  })
}

/** Addresses for the sections one after the other, each aligned, from `base` on. */
export function placeData(sections: readonly DataSection[], base: number): number[] {
  let next = base
  return sections.map(({ align, size }) => {
    const address = Math.ceil(next / align) * align
    next = address + size
    return address
  })
}
