// A kernel's code at its address, ready to be called, from whichever compiler: what the simulator and QEMU run alike.

import { compile, type CompileOptions, link } from '../src/index.ts'
import { type Build, builds, type BuiltKernels, CODE_BASE } from './builds.ts'
import { readElf32 } from './elf32.ts'
import type { KernelInput } from './kernel-input.ts'

/** Bytes that lie in memory from `address` on. */
export interface Piece {
  readonly address: number
  readonly bytes: Uint8Array
}

export interface PlacedKernel {
  /** Code and constants. */
  readonly pieces: readonly Piece[]
  /** Bit 0 is set. */
  readonly entry: number
  /** r0 to r3. */
  readonly args: readonly number[]
  /** Of code and of its constants, without libgcc's. */
  readonly bytes: number
}

/** Where the context is. */
export const CONTEXT = 0x2001_0000
/** Where constants of compiled BPF are, if it has any. */
const DATA = 0x2004_0000
/** What R2 holds where there is no env. */
const NO_ENV = 0xdead_beef

export function placeKernel(
  built: BuiltKernels,
  kernel: string,
  build: Build,
  { len }: KernelInput,
  options: CompileOptions = {},
): PlacedKernel {
  const object = built.object(kernel, build)
  if (builds[build].native) {
    const { sections, symbols } = readElf32(built.linked(kernel, build))
    const bytes = readElf32(object).sections.reduce((sum, section) => sum + section.bytes.length, 0)
    // A 64-bit argument begins in an even register.
    return { pieces: sections, entry: symbols.get('entry')! | 1, args: [CONTEXT, 0, len, 0], bytes }
  }
  const { image } = compile(object, options)
  if (image.needsEnv) throw new Error('needs env, which no kernel should')
  let end = DATA
  const addresses = image.sections.map(({ align, size }) => {
    const address = Math.ceil(end / align) * align
    end = address + size
    return address
  })
  const linked = link(image, { code: CODE_BASE, sections: addresses }, ({ name }) => {
    throw new Error(`refers to ${name}, which no kernel should`)
  })
  const pieces = image.sections.map(({ kind, size }, index) => ({
    address: addresses[index]!,
    bytes: kind === 'bss' ? new Uint8Array(size) : linked.sections[index]!,
  }))
  const entry = (CODE_BASE + image.symbols[image.entry]!.offset) | 1
  return {
    pieces: [{ address: CODE_BASE, bytes: linked.code }, ...pieces],
    entry,
    args: [CONTEXT, len, NO_ENV, 0],
    bytes: linked.code.length + image.sections.reduce((sum, { size }) => sum + size, 0),
  }
}
