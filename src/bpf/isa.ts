// The BPF instruction set as one table (RFC 9669): decoder, checks, assembler, disassembler and interpreter all read it.
// A row is what an instruction means (`kind` and what belongs to it), which of its fields are fixed, and how it is written.
// All conformance groups (base32, base64, divmul32, divmul64, atomic32, atomic64, packet); outside of the RFC also callx.

export type AluOp =
  | 'add'
  | 'sub'
  | 'mul'
  | 'div'
  | 'sdiv'
  | 'mod'
  | 'smod'
  | 'or'
  | 'and'
  | 'xor'
  | 'lsh'
  | 'rsh'
  | 'arsh'
  | 'neg'
  | 'mov'
  | 'movsx8'
  | 'movsx16'
  | 'movsx32' // sign-extending moves; width says how far (movsx32 only in 64)
  | 'le16'
  | 'le32'
  | 'le64'
  | 'be16'
  | 'be32'
  | 'be64'
  | 'bswap16'
  | 'bswap32'
  | 'bswap64' // always all 64 bits written
export type JumpOp = 'ja' | 'jeq' | 'jne' | 'jgt' | 'jge' | 'jlt' | 'jle' | 'jsgt' | 'jsge' | 'jslt' | 'jsle' | 'jset'
export type AtomicOp = 'add' | 'or' | 'and' | 'xor' | 'xchg' | 'cmpxchg'

/** The operand fields of an instruction; the order is that of the encoding. */
export const fieldNames = ['dst', 'src', 'offset', 'imm'] as const
export type FieldName = (typeof fieldNames)[number]
/** Fields that must hold one value: 0 where unused, else a part of the operation. A field that is not named is an operand. */
export type FixedFields = { readonly [field in FieldName]?: number }

interface RowBase {
  /** Unique name, e.g. `add64_imm`, `ldxsw`, `jeq32_reg`, `lock_fetch_add64`, `call_local`. */
  readonly name: string
  readonly opcode: number
  readonly fixed: FixedFields
  /**
   * How it is written: the first in the kernel's and LLVM's syntax, the others as aliases or with ubpf's mnemonics. Operands are
   * `$d` `$s` (registers r0-r10), `$wd` `$ws` (the same as w0-w10), `$imm`, `$imm64` (LDDW), `$off` and `$plus` (`offset` and `imm`
   * as `+ 4` or `- 4`), `$to` (a label or the distance in `offset`), `$far` (the same in `imm`) and `$label` (only a label, for `imm`).
   */
  readonly syntax: readonly string[]
}
export type Row = RowBase &
  (
    | { readonly kind: 'alu'; readonly op: AluOp; readonly width: 32 | 64; readonly source: 'imm' | 'reg' }
    | { readonly kind: 'lddw' }
    | { readonly kind: 'load'; readonly size: 1 | 2 | 4 | 8; readonly signed: boolean }
    | { readonly kind: 'store'; readonly size: 1 | 2 | 4 | 8; readonly source: 'imm' | 'reg' }
    | { readonly kind: 'atomic'; readonly op: AtomicOp; readonly fetch: boolean; readonly size: 4 | 8 }
    | { readonly kind: 'jump'; readonly op: JumpOp; readonly width: 32 | 64; readonly source: 'imm' | 'reg' }
    | { readonly kind: 'call'; readonly callee: 'helper' | 'local' | 'register' }
    | { readonly kind: 'exit' }
    | { readonly kind: 'packet'; readonly indirect: boolean; readonly size: 1 | 2 | 4 }
  )

// Instruction classes and flags of the opcode byte (RFC 9669, section 3.3).
const LD = 0x00,
  LDX = 0x01,
  ST = 0x02,
  STX = 0x03,
  ALU = 0x04,
  JMP = 0x05,
  JMP32 = 0x06,
  ALU64 = 0x07
const K = 0x00,
  X = 0x08
const ABS = 0x20,
  IND = 0x40,
  MEM = 0x60,
  MEMSX = 0x80,
  ATOMIC = 0xc0

// operation, code, offset field, LLVM's operator, ubpf's mnemonic
const arithmetic = [
  ['add', 0x00, 0, '+='],
  ['sub', 0x10, 0, '-='],
  ['mul', 0x20, 0, '*='],
  ['div', 0x30, 0, '/='],
  ['sdiv', 0x30, 1, 's/='],
  ['or', 0x40, 0, '|='],
  ['and', 0x50, 0, '&='],
  ['lsh', 0x60, 0, '<<='],
  ['rsh', 0x70, 0, '>>='],
  ['mod', 0x90, 0, '%='],
  ['smod', 0x90, 1, 's%='],
  ['xor', 0xa0, 0, '^='],
  ['mov', 0xb0, 0, '='],
  ['arsh', 0xc0, 0, 's>>='],
] as const
const conditions = [
  ['jeq', 0x10, '=='],
  ['jgt', 0x20, '>'],
  ['jge', 0x30, '>='],
  ['jset', 0x40, '&'],
  ['jne', 0x50, '!='],
  ['jsgt', 0x60, 's>'],
  ['jsge', 0x70, 's>='],
  ['jlt', 0xa0, '<'],
  ['jle', 0xb0, '<='],
  ['jslt', 0xc0, 's<'],
  ['jsle', 0xd0, 's<='],
] as const
// size in bytes, code, ubpf's suffix
const sizes = [
  [4, 0x00, 'w'],
  [2, 0x08, 'h'],
  [1, 0x10, 'b'],
  [8, 0x18, 'dw'],
] as const
const atomics = [
  ['add', 0x00, '+='],
  ['or', 0x40, '|='],
  ['and', 0x50, '&='],
  ['xor', 0xa0, '^='],
] as const
const widths = [32, 64] as const

function arithmeticRows(): Row[] {
  const rows: Row[] = []
  for (const width of widths) {
    const base = width === 32 ? ALU : ALU64
    const r = width === 32 ? 'w' : ''
    const suffixes = width === 32 ? ['32'] : ['', '64']
    for (const [op, code, offset, operator] of arithmetic) {
      rows.push(
        {
          kind: 'alu',
          op,
          width,
          source: 'imm',
          name: `${op}${width}_imm`,
          opcode: base | code | K,
          fixed: { src: 0, offset },
          syntax: [`$${r}d ${operator} $imm`, ...suffixes.map((suffix) => `${op}${suffix} $d, $imm`)],
        },
        {
          kind: 'alu',
          op,
          width,
          source: 'reg',
          name: `${op}${width}_reg`,
          opcode: base | code | X,
          fixed: { offset, imm: 0 },
          syntax: [`$${r}d ${operator} $${r}s`, ...suffixes.map((suffix) => `${op}${suffix} $d, $s`)],
        },
      )
    }
    rows.push({
      kind: 'alu',
      op: 'neg',
      width,
      source: 'imm',
      name: `neg${width}`,
      opcode: base | 0x80,
      fixed: { src: 0, offset: 0, imm: 0 },
      syntax: [`$${r}d = -$${r}d`, ...suffixes.map((suffix) => `neg${suffix} $d`)],
    })
    for (const from of [8, 16, 32] as const) {
      if (from >= width) continue
      rows.push({
        kind: 'alu',
        op: `movsx${from}`,
        width,
        source: 'reg',
        name: `movsx${from}_${width}`,
        opcode: base | 0xb0 | X,
        fixed: { offset: from, imm: 0 },
        syntax: [`$${r}d = (s${from})$${r}s`, `movsx${from}${width} $d, $s`],
      })
    }
  }
  for (const bits of [16, 32, 64] as const) {
    const fixed = { src: 0, offset: 0, imm: bits }
    rows.push(
      {
        kind: 'alu',
        op: `le${bits}`,
        width: 64,
        source: 'imm',
        name: `le${bits}`,
        opcode: ALU | 0xd0 | K,
        fixed,
        syntax: [`$d = le${bits} $d`, `le${bits} $d`],
      },
      {
        kind: 'alu',
        op: `be${bits}`,
        width: 64,
        source: 'imm',
        name: `be${bits}`,
        opcode: ALU | 0xd0 | X,
        fixed,
        syntax: [`$d = be${bits} $d`, `be${bits} $d`],
      },
      {
        kind: 'alu',
        op: `bswap${bits}`,
        width: 64,
        source: 'imm',
        name: `bswap${bits}`,
        opcode: ALU64 | 0xd0 | K,
        fixed,
        syntax: [`$d = bswap${bits} $d`, `bswap${bits} $d`, `swap${bits} $d`],
      },
    )
  }
  return rows
}

function memoryRows(): Row[] {
  const rows: Row[] = [
    {
      kind: 'lddw',
      name: 'lddw',
      opcode: LD | 0x18,
      fixed: { src: 0, offset: 0 },
      syntax: ['$d = $imm64 ll', 'lddw $d, $imm64'],
    },
  ]
  for (const [size, code, suffix] of sizes) {
    const bits = size * 8
    rows.push(
      {
        kind: 'load',
        size,
        signed: false,
        name: `ldx${suffix}`,
        opcode: LDX | MEM | code,
        fixed: { imm: 0 },
        syntax: [
          `$d = *(u${bits} *)($s $off)`,
          ...(size < 8 ? [`$wd = *(u${bits} *)($s $off)`] : []),
          `ldx${suffix} $d, [$s $off]`,
        ],
      },
      {
        kind: 'store',
        size,
        source: 'imm',
        name: `st${suffix}`,
        opcode: ST | MEM | code,
        fixed: { src: 0 },
        syntax: [`*(u${bits} *)($d $off) = $imm`, `st${suffix} [$d $off], $imm`],
      },
      {
        kind: 'store',
        size,
        source: 'reg',
        name: `stx${suffix}`,
        opcode: STX | MEM | code,
        fixed: { imm: 0 },
        syntax: [
          `*(u${bits} *)($d $off) = $s`,
          ...(size < 8 ? [`*(u${bits} *)($d $off) = $ws`] : []),
          `stx${suffix} [$d $off], $s`,
        ],
      },
    )
    if (size === 8) continue
    rows.push(
      {
        kind: 'load',
        size,
        signed: true,
        name: `ldxs${suffix}`,
        opcode: LDX | MEMSX | code,
        fixed: { imm: 0 },
        syntax: [`$d = *(s${bits} *)($s $off)`, `ldxs${suffix} $d, [$s $off]`],
      },
      {
        kind: 'packet',
        indirect: false,
        size,
        name: `ldabs${suffix}`,
        opcode: LD | ABS | code,
        fixed: { dst: 0, src: 0, offset: 0 },
        syntax: [`r0 = *(u${bits} *)skb[$imm]`, `ldabs${suffix} $imm`],
      },
      {
        kind: 'packet',
        indirect: true,
        size,
        name: `ldind${suffix}`,
        opcode: LD | IND | code,
        fixed: { dst: 0, offset: 0 },
        syntax: [`r0 = *(u${bits} *)skb[$s $plus]`, `ldind${suffix} $s, $imm`],
      },
    )
  }
  return rows
}

function atomicRows(): Row[] {
  const rows: Row[] = []
  for (const size of [4, 8] as const) {
    const bits = size * 8
    const opcode = STX | ATOMIC | (size === 4 ? 0x00 : 0x18)
    const r = size === 4 ? 'w' : ''
    // How the kernel writes it: any register is an r.
    const kernel = size === 4 ? 'atomic' : 'atomic64'
    const exchange = size === 4 ? '32_32' : '_64'
    const suffixes = size === 4 ? ['32'] : ['', '64']
    for (const [op, imm, operator] of atomics) {
      rows.push(
        {
          kind: 'atomic',
          op,
          fetch: false,
          size,
          name: `lock_${op}${bits}`,
          opcode,
          fixed: { imm },
          syntax: [
            `lock *(u${bits} *)($d $off) ${operator} $${r}s`,
            `lock *(u${bits} *)($d $off) ${operator} $s`,
            ...suffixes.map((suffix) => `lock ${op}${suffix} [$d $off], $s`),
          ],
        },
        {
          kind: 'atomic',
          op,
          fetch: true,
          size,
          name: `lock_fetch_${op}${bits}`,
          opcode,
          fixed: { imm: imm | 1 },
          syntax: [
            `$${r}s = atomic_fetch_${op}((u${bits} *)($d $off), $${r}s)`,
            `$s = atomic_fetch_${op}((u${bits} *)($d $off), $s)`,
            `$s = ${kernel}_fetch_${op}((u${bits} *)($d $off), $s)`,
            ...suffixes.map((suffix) => `lock fetch ${op}${suffix} [$d $off], $s`),
            ...suffixes.map((suffix) => `lock fetch_${op}${suffix} [$d $off], $s`),
          ],
        },
      )
    }
    rows.push(
      {
        kind: 'atomic',
        op: 'xchg',
        fetch: true,
        size,
        name: `lock_xchg${bits}`,
        opcode,
        fixed: { imm: 0xe1 },
        syntax: [
          `$${r}s = xchg${exchange}($d $off, $${r}s)`,
          `$s = xchg${exchange}($d $off, $s)`,
          `$s = ${kernel}_xchg((u${bits} *)($d $off), $s)`,
          ...suffixes.map((suffix) => `lock xchg${suffix} [$d $off], $s`),
        ],
      },
      {
        kind: 'atomic',
        op: 'cmpxchg',
        fetch: true,
        size,
        name: `lock_cmpxchg${bits}`,
        opcode,
        fixed: { imm: 0xf1 },
        syntax: [
          `${r || 'r'}0 = cmpxchg${exchange}($d $off, ${r || 'r'}0, $${r}s)`,
          `r0 = cmpxchg${exchange}($d $off, r0, $s)`,
          `r0 = ${kernel}_cmpxchg((u${bits} *)($d $off), r0, $s)`,
          ...suffixes.map((suffix) => `lock cmpxchg${suffix} [$d $off], $s`),
        ],
      },
    )
  }
  return rows
}

function jumpRows(): Row[] {
  const rows: Row[] = [
    {
      kind: 'jump',
      op: 'ja',
      width: 64,
      source: 'imm',
      name: 'ja',
      opcode: JMP,
      fixed: { dst: 0, src: 0, imm: 0 },
      syntax: ['goto $to', 'ja $to'],
    },
    {
      kind: 'jump',
      op: 'ja',
      width: 32,
      source: 'imm',
      name: 'ja32',
      opcode: JMP32,
      fixed: { dst: 0, src: 0, offset: 0 },
      syntax: ['gotol $far', 'ja32 $far'],
    },
  ]
  for (const width of widths) {
    const base = width === 32 ? JMP32 : JMP
    const r = width === 32 ? 'w' : ''
    const suffix = width === 32 ? '32' : ''
    for (const [op, code, operator] of conditions) {
      rows.push(
        {
          kind: 'jump',
          op,
          width,
          source: 'imm',
          name: `${op}${width}_imm`,
          opcode: base | code | K,
          fixed: { src: 0 },
          syntax: [`if $${r}d ${operator} $imm goto $to`, `${op}${suffix} $d, $imm, $to`],
        },
        {
          kind: 'jump',
          op,
          width,
          source: 'reg',
          name: `${op}${width}_reg`,
          opcode: base | code | X,
          fixed: { imm: 0 },
          syntax: [`if $${r}d ${operator} $${r}s goto $to`, `${op}${suffix} $d, $s, $to`],
        },
      )
    }
  }
  rows.push(
    {
      kind: 'call',
      callee: 'helper',
      name: 'call',
      opcode: JMP | 0x80,
      fixed: { dst: 0, src: 0, offset: 0 },
      syntax: ['call $imm', 'call helper $imm'],
    },
    {
      kind: 'call',
      callee: 'local',
      name: 'call_local',
      opcode: JMP | 0x80,
      fixed: { dst: 0, src: 1, offset: 0 },
      syntax: ['call pc$far', 'call local $far', 'call $label'],
    },
    {
      kind: 'call',
      callee: 'register',
      name: 'callx',
      opcode: JMP | 0x80 | X,
      fixed: { src: 0, offset: 0, imm: 0 },
      syntax: ['callx $d', 'call $d', 'call helper $d'],
    },
    { kind: 'exit', name: 'exit', opcode: JMP | 0x90, fixed: { dst: 0, src: 0, offset: 0, imm: 0 }, syntax: ['exit'] },
  )
  return rows
}

/** What any row may have. */
interface AnyRow extends RowBase {
  readonly kind: Row['kind']
  readonly op?: AluOp | AtomicOp | JumpOp
  readonly width?: 32 | 64
  readonly source?: 'imm' | 'reg'
  readonly size?: 1 | 2 | 4 | 8
  readonly signed?: boolean
  readonly fetch?: boolean
  readonly callee?: 'helper' | 'local' | 'register'
  readonly indirect?: boolean
}

/**
 * The row with all properties that rows may have, in one order, undefined where its kind has none: engines find those of alike objects
 * at once, and reading a program asks for many.
 */
function alike({ kind, op, width, source, size, signed, fetch, callee, indirect, ...base }: AnyRow): Row {
  const { name, opcode, syntax } = base
  const { dst, src, offset, imm } = base.fixed
  const fixed = { dst, src, offset, imm }
  return { kind, op, width, source, size, signed, fetch, callee, indirect, name, opcode, fixed, syntax } as Row
}

/** The table. Rows that share an opcode are told apart by one fixed field (`discriminator`). */
export const rows: readonly Row[] = [...arithmeticRows(), ...memoryRows(), ...atomicRows(), ...jumpRows()].map(alike)

/** All rows of one opcode byte, and the field whose value tells them apart (undefined for a single row). */
export interface OpcodeRows {
  readonly rows: readonly Row[]
  readonly discriminator: FieldName | undefined
}

const groups: (Row[] | undefined)[] = Array.from({ length: 256 }, () => undefined)
for (const row of rows) (groups[row.opcode] ??= []).push(row)

const byOpcode: readonly (OpcodeRows | undefined)[] = groups.map((group) => {
  if (group === undefined) return undefined
  const [first, ...others] = group
  const discriminator = fieldNames.find((field) => others.some((row) => row.fixed[field] !== first!.fixed[field]))
  return { rows: group, discriminator }
})

/** The rows of an opcode byte; undefined if no instruction has it. */
export function rowsOfOpcode(opcode: number): OpcodeRows | undefined {
  return byOpcode[opcode]
}

/** The row that an instruction's fields select; undefined if the opcode is unknown or the telling field holds another value. */
export function findRow(opcode: number, fields: { readonly [field in FieldName]: number }): Row | undefined {
  const group = byOpcode[opcode]
  if (group === undefined) return undefined
  const { discriminator } = group
  if (discriminator === undefined) return group.rows[0]
  const { rows: candidates } = group
  // Field by field: names that vary are looked up slowly.
  switch (discriminator) {
    case 'dst':
      for (const row of candidates) if (row.fixed.dst === fields.dst) return row
      return undefined
    case 'src':
      for (const row of candidates) if (row.fixed.src === fields.src) return row
      return undefined
    case 'offset':
      for (const row of candidates) if (row.fixed.offset === fields.offset) return row
      return undefined
    case 'imm':
      for (const row of candidates) if (row.fixed.imm === fields.imm) return row
      return undefined
  }
}

/** Slots from the instruction after this one to the target of a jump or a local call; undefined for every other row. */
export function distance(row: Row, offset: number, imm: number): number | undefined {
  if (row.kind === 'jump') return row.op === 'ja' && row.width === 32 ? imm : offset
  if (row.kind === 'call' && row.callee === 'local') return imm
  return undefined
}

/** The register that an instruction of this row writes itself (a call's clobbers are not in it); -1 if none. */
export function writtenRegister(row: Row, dst: number, src: number): number {
  switch (row.kind) {
    case 'alu':
    case 'lddw':
    case 'load':
      return dst
    case 'atomic':
      if (!row.fetch) return -1
      return row.op === 'cmpxchg' ? 0 : src
    case 'packet':
      return 0
    default:
      return -1
  }
}
