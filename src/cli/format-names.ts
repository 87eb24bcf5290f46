// What `thumbpf compile --format` can write. Apart from formats.ts, so that --help need not load all of it.

export const formatNames = {
  elf: 'object for GNU ld, lld and LLEXT, with C or BPF lines',
  image: 'what the C runtime loads, complete and checksummed',
  bin: 'plain bytes: position-independent code, or linked for --at',
  hex: 'Intel HEX, linked for --at',
  uf2: 'UF2, linked for --at',
  c: 'C source with an aligned array and the prototype',
  rust: 'the same in Rust',
} as const

export type FormatName = keyof typeof formatNames
