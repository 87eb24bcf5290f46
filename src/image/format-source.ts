// An image as source text that firmware compiles in: an aligned array of words in C or Rust, in which addresses of helpers, maps
// and data are the compiler's to fill in, and a function with the entry's prototype.

import { InputError, unreachable } from '../base/errors.ts'
import { type Image, type ImageSymbol, Reloc, type Relocation } from './image.ts'

/** What stands at a word: a number, or the address of a thing plus a number. */
type Word =
  | { readonly kind: 'number'; readonly value: number }
  | { readonly kind: 'address'; readonly symbol: number; readonly addend: number }

/** The words of a piece of memory, with its relocations (R_ARM_ABS32 at multiples of 4). Bytes are filled up with zeros. */
function wordsOf(bytes: Uint8Array, relocations: readonly Relocation[], image: Image): Word[] {
  const padded = new Uint8Array((bytes.length + 3) & ~3)
  padded.set(bytes)
  const view = new DataView(padded.buffer)
  const words: Word[] = Array.from({ length: padded.length / 4 }, (_, at) => ({
    kind: 'number',
    value: view.getUint32(4 * at, true),
  }))
  for (const { offset, type, symbol } of relocations) {
    const { name } = image.symbols[symbol]!
    if (type !== Reloc.R_ARM_ABS32 || (offset & 3) !== 0) {
      throw new InputError(`the address of ${name} at offset ${offset} can't be written as source; use the format elf`)
    }
    words[offset / 4] = { kind: 'address', symbol, addend: view.getInt32(offset, true) }
  }
  return words
}

/** A piece of memory as source shows it. */
interface Piece {
  readonly name: string
  readonly kind: 'code' | 'rodata' | 'data' | 'bss'
  readonly align: number
  readonly size: number
  readonly words: readonly Word[]
}

/** `name_code`, then the sections as `name_rodata0`, ..., in the image's order. */
function piecesOf(image: Image, name: string): Piece[] {
  const of = (section: number): Relocation[] => image.relocations.filter((one) => one.section === section)
  const code = wordsOf(image.code, of(-1), image)
  const pieces: Piece[] = [{ name: `${name}_code`, kind: 'code', align: 4, size: image.code.length, words: code }]
  for (const [index, { kind, align, size, bytes }] of image.sections.entries()) {
    const words = kind === 'bss' ? [] : wordsOf(bytes, of(index), image)
    pieces.push({ name: `${name}_${kind}${index}`, kind, align: Math.max(align, 4), size, words })
  }
  return pieces
}

/** Where a symbol is: a piece and an offset in it, or a thing of the firmware. Bit 0 of functions is in the offset. */
function target(symbol: ImageSymbol): { piece: number; offset: number } | { outside: string } {
  if (symbol.kind === 'function') return { piece: 0, offset: symbol.offset + 1 }
  if (symbol.kind === 'section') return { piece: symbol.index + 1, offset: 0 }
  return { outside: symbol.name }
}

/** A name that C and Rust take. */
export function identifier(text: string): string {
  const name = text.replaceAll(/[^A-Za-z0-9_]/g, '_')
  return /^[0-9]/.test(name) || name === '' ? `_${name}` : name
}

const hex = (value: number): string => `0x${(value >>> 0).toString(16).padStart(8, '0')}`

function heading(image: Image, name: string): string {
  const { code, bpfInstructions, needsEnv, stackBytes } = image
  const stack = stackBytes < 0 ? 'recursive, so without a known greatest stack' : `${stackBytes} bytes of stack at most`
  const env = needsEnv ? 'env is read and written: set it up before each call' : 'env is not used and may be NULL'
  return `${name}: ${code.length} bytes of Thumb-2 code for Cortex-M4 from ${bpfInstructions} BPF instructions, made by thumbpf.
${stack}; ${env}.`
}

/** C11 for gcc and clang. `name` becomes the function `uint64_t name(void *ctx, uint32_t len, struct thumbpf_env *env)`. */
export function formatC(image: Image, name: string): string {
  const pieces = piecesOf(image, name)
  const address = ({ symbol, addend }: { symbol: number; addend: number }): string => {
    const at = target(image.symbols[symbol]!)
    const [base, offset] =
      'outside' in at
        ? [addressOf(image.symbols[symbol]!), addend]
        : [`(uint32_t)${pieces[at.piece]!.name}`, at.offset + addend]
    return offset === 0 ? base : `${base} + ${hex(offset)}u`
  }
  const addressOf = ({ kind, name }: ImageSymbol): string => `(uint32_t)${kind === 'map' ? '&' : ''}${name}`
  const outside = usedOutside(image)
  const declarations = outside.map(({ kind, name }) =>
    kind === 'map' ? `extern struct thumbpf_map ${name};` : `extern void ${name}(void);`,
  )
  const qualifier = (kind: Piece['kind']): string => (kind === 'code' || kind === 'rodata' ? 'const ' : '')
  const forward = pieces.map((piece) => {
    const count = Math.max(Math.ceil(piece.size / 4), 1)
    return `static ${qualifier(piece.kind)}uint32_t ${piece.name}[${count}] __attribute__((aligned(${piece.align})));`
  })
  const definitions = pieces
    .filter(({ kind }) => kind !== 'bss')
    .map((piece) => {
      const words = piece.words.map((word) => (word.kind === 'number' ? `${hex(word.value)}u` : address(word)))
      const count = Math.max(words.length, 1)
      return `static ${qualifier(piece.kind)}uint32_t ${piece.name}[${count}] = {\n${rows(words.length > 0 ? words : ['0u'], '    ')}\n};`
    })
  const table = image.table.map((symbol) => address({ symbol, addend: 0 }))
  const entry = image.symbols[image.entry]!.offset + 1
  return `/* ${heading(image, name).replaceAll('\n', '\n   ')} */

#include <stdint.h>

struct thumbpf_env;
struct thumbpf_map;
uint64_t ${name}(void *ctx, uint32_t len, struct thumbpf_env *env);
${declarations.map((line) => `${line}\n`).join('')}
${forward.join('\n')}

${definitions.join('\n\n')}
${table.length > 0 ? `\n/* Its address goes into env->table. */\nconst uint32_t ${name}_table[${table.length}] = {\n${rows(table, '    ')}\n};\n` : ''}
uint64_t ${name}(void *ctx, uint32_t len, struct thumbpf_env *env)
{
    typedef uint64_t entry(void *, uint32_t, struct thumbpf_env *);
    /* Bit 0 keeps the processor in Thumb state. */
    return ((entry *)((uintptr_t)${name}_code + ${entry}u))(ctx, len, env);
}
`
}

/** Rust 2021, no_std, for a module of its own or `include!` in one. `name` becomes `pub unsafe fn name(ctx: *mut u8, len: u32, env: *mut c_void) -> u64`. */
export function formatRust(image: Image, name: string): string {
  const pieces = piecesOf(image, name)
  const outside = usedOutside(image)
  const declarations = outside.map(({ kind, name }) =>
    kind === 'map' ? `    static mut ${name}: [u8; 0];` : `    fn ${name}();`,
  )
  const constant = (text: string): string => text.toUpperCase()
  const address = ({ symbol, addend }: { symbol: number; addend: number }): string => {
    const at = target(image.symbols[symbol]!)
    if ('outside' in at) {
      const { kind, name } = image.symbols[symbol]!
      if (addend !== 0) unreachable(`address of ${name} + ${addend}`)
      return kind === 'map' ? `unsafe { addr_of!(${name}).cast::<u8>() }` : `${name} as *const u8`
    }
    const offset = at.offset + addend
    const base = `unsafe { addr_of!(${constant(pieces[at.piece]!.name)}).cast::<u8>() }`
    return offset === 0 ? base : `${base}.wrapping_add(${offset})`
  }
  const definitions = pieces.map((piece) => {
    const type = camel(piece.name)
    const fields = runs(piece)
    const shape = fields.map(
      (run, index) => `    f${index}: ${run.kind === 'address' ? '*const u8' : `[u32; ${run.words.length}]`},`,
    )
    const values = fields.map((run, index) =>
      run.kind === 'address'
        ? `    f${index}: ${address(run)},`
        : run.words.every((word) => word === 0)
          ? `    f${index}: [0; ${run.words.length}],`
          : `    f${index}: [\n${rows(run.words.map(hex), '        ')}\n    ],`,
    )
    const mutable = piece.kind === 'data' || piece.kind === 'bss'
    return `#[allow(dead_code)]
#[repr(C, align(${piece.align}))]
struct ${type} {
${shape.join('\n')}
}
// Only compiled code reads it.
unsafe impl Sync for ${type} {}
#[allow(unused_unsafe)]
static ${mutable ? 'mut ' : ''}${constant(piece.name)}: ${type} = ${type} {
${values.join('\n')}
};`
  })
  const table = image.table.map((symbol) => `    Address(${address({ symbol, addend: 0 })}),`)
  const tableText =
    table.length === 0
      ? ''
      : `
#[repr(transparent)]
pub struct Address(*const u8);
unsafe impl Sync for Address {}
/// Its address goes into env's table.
pub static ${constant(name)}_TABLE: [Address; ${table.length}] = [
${table.join('\n')}
];
`
  const entry = image.symbols[image.entry]!.offset + 1
  const externs = declarations.length > 0 ? `\nextern "C" {\n${declarations.join('\n')}\n}\n` : ''
  return `// ${heading(image, name).replaceAll('\n', '\n// ')}

use core::ffi::c_void;
use core::ptr::addr_of;
${externs}
${definitions.join('\n\n')}
${tableText}
/// Calls the program. # Safety: ctx, len and env as docs/abi.md says.
pub unsafe fn ${name}(ctx: *mut u8, len: u32, env: *mut c_void) -> u64 {
    // Bit 0 keeps the processor in Thumb state.
    let address = addr_of!(${constant(`${name}_code`)}) as usize + ${entry};
    let entry: unsafe extern "C" fn(*mut u8, u32, *mut c_void) -> u64 = core::mem::transmute(address);
    entry(ctx, len, env)
}
`
}

/** Symbols of the firmware that the image needs. */
function usedOutside(image: Image): ImageSymbol[] {
  const used = new Set([...image.relocations.map(({ symbol }) => symbol), ...image.table])
  return image.symbols.filter(({ kind }, index) => used.has(index) && (kind === 'import' || kind === 'map'))
}

type Run =
  | { readonly kind: 'numbers'; readonly words: number[] }
  | { readonly kind: 'address'; readonly symbol: number; readonly addend: number }

/** Numbers in a row together, addresses each alone. bss is zeros. */
function runs(piece: Piece): Run[] {
  if (piece.words.length === 0) {
    return [{ kind: 'numbers', words: Array.from({ length: Math.max(Math.ceil(piece.size / 4), 1) }, () => 0) }]
  }
  const all: Run[] = []
  for (const word of piece.words) {
    const last = all.at(-1)
    if (word.kind === 'address') all.push(word)
    else if (last?.kind === 'numbers') last.words.push(word.value)
    else all.push({ kind: 'numbers', words: [word.value] })
  }
  return all
}

function rows(items: readonly string[], indent: string): string {
  const lines: string[] = []
  for (let at = 0; at < items.length; at += 6) lines.push(`${indent}${items.slice(at, at + 6).join(', ')},`)
  return lines.join('\n')
}

function camel(name: string): string {
  return name
    .split('_')
    .map((part) => part.charAt(0).toUpperCase() + part.slice(1))
    .join('')
}
