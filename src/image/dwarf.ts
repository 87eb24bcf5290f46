// A DWARF line table, so that a debugger shows the C or BPF lines of compiled code: .debug_line, and the compilation unit
// that leads to it. Source: DWARF 4, sections 2.17 (code addresses and ranges), 6.2 (line number information), 7.5 (abbreviations).

/** From an address on (an offset in one section of code) code belongs to a line. */
export interface LineRow {
  readonly offset: number
  /** Index in the files. */
  readonly file: number
  readonly line: number
}

/** A section of code with its rows, by offset; `end` is the offset behind it. */
export interface LineSequence {
  readonly rows: readonly LineRow[]
  readonly end: number
}

/** A section's bytes, and where the addresses in it are: word `offset` is the start of code section `sequence`, or of .debug_line. */
export interface DebugSection {
  readonly bytes: Uint8Array
  readonly addresses: readonly { readonly offset: number; readonly sequence: number }[]
}
/** Stands for the start of another debug section in DebugSection.addresses. */
export const DEBUG_LINE = -1
export const DEBUG_ABBREV = -2
export const DEBUG_RANGES = -3

const encoder = new TextEncoder()

class Writer {
  readonly bytes: number[] = []
  readonly addresses: { offset: number; sequence: number }[] = []
  u8(value: number): void {
    this.bytes.push(value & 0xff)
  }
  u16(value: number): void {
    this.bytes.push(value & 0xff, (value >>> 8) & 0xff)
  }
  u32(value: number): void {
    this.u16(value)
    this.u16(value >>> 16)
  }
  uleb(value: number): void {
    let rest = value >>> 0
    for (; rest > 127; rest >>>= 7) this.u8((rest & 127) | 128)
    this.u8(rest)
  }
  sleb(value: number): void {
    let rest = value | 0
    for (;;) {
      const byte = rest & 127
      rest >>= 7
      if ((rest === 0 && (byte & 64) === 0) || (rest === -1 && (byte & 64) !== 0)) {
        this.u8(byte)
        return
      }
      this.u8(byte | 128)
    }
  }
  text(value: string): void {
    this.bytes.push(...encoder.encode(value), 0)
  }
  address(sequence: number, addend = 0): void {
    this.addresses.push({ offset: this.bytes.length, sequence })
    this.u32(addend)
  }
  /** A length that is filled in when what follows has been written. */
  sized(write: () => void): void {
    const at = this.bytes.length
    this.u32(0)
    write()
    const size = this.bytes.length - at - 4
    for (let byte = 0; byte < 4; byte++) this.bytes[at + byte] = (size >>> (8 * byte)) & 0xff
  }
  section(): DebugSection {
    return { bytes: Uint8Array.from(this.bytes), addresses: this.addresses }
  }
}

const OPCODE_BASE = 13
const Standard = { COPY: 1, ADVANCE_PC: 2, ADVANCE_LINE: 3, SET_FILE: 4 } as const
const Extended = { END_SEQUENCE: 1, SET_ADDRESS: 2 } as const
const MINIMUM_INSTRUCTION = 2

/** .debug_line of these sequences. */
export function debugLine(files: readonly string[], sequences: readonly LineSequence[]): DebugSection {
  const out = new Writer()
  out.sized(() => {
    out.u16(4)
    out.sized(() => {
      for (const byte of [MINIMUM_INSTRUCTION, 1, 1, 0xff, 1, OPCODE_BASE]) out.u8(byte) // line base -1, range 1: not used
      for (const count of [0, 1, 1, 1, 1, 0, 0, 0, 1, 0, 0, 1]) out.u8(count)
      out.u8(0) // no folders
      for (const file of files) {
        out.text(file)
        for (let field = 0; field < 3; field++) out.uleb(0)
      }
      out.u8(0)
    })
    for (const [index, sequence] of sequences.entries()) writeSequence(out, index, sequence)
  })
  return out.section()
}

function writeSequence(out: Writer, index: number, { rows, end }: LineSequence): void {
  if (rows.length === 0) return
  const extended = (opcode: number, size: number): void => {
    out.u8(0)
    out.uleb(size + 1)
    out.u8(opcode)
  }
  let [address, file, line] = [rows[0]!.offset, 1, 1]
  extended(Extended.SET_ADDRESS, 4)
  out.address(index, address)
  const advance = (to: number): void => {
    if (to === address) return
    out.u8(Standard.ADVANCE_PC)
    out.uleb((to - address) / MINIMUM_INSTRUCTION)
    address = to
  }
  for (const row of rows) {
    advance(row.offset)
    if (row.file + 1 !== file) {
      file = row.file + 1
      out.u8(Standard.SET_FILE)
      out.uleb(file)
    }
    if (row.line !== line) {
      out.u8(Standard.ADVANCE_LINE)
      out.sleb(row.line - line)
      line = row.line
    }
    out.u8(Standard.COPY)
  }
  advance(end)
  extended(Extended.END_SEQUENCE, 0)
}

const Tag = { COMPILE_UNIT: 0x11 } as const
const Attribute = { NAME: 0x03, STMT_LIST: 0x10, LOW_PC: 0x11, LANGUAGE: 0x13, PRODUCER: 0x25, RANGES: 0x55 } as const
const Form = { ADDRESS: 0x01, STRING: 0x08, DATA2: 0x05, SEC_OFFSET: 0x17 } as const
const C99 = 0x0c

/** .debug_ranges: where the sequences are, without which GDB does not look at the lines. */
export function debugRanges(sequences: readonly LineSequence[]): DebugSection {
  const out = new Writer()
  for (const [index, { rows, end }] of sequences.entries()) {
    if (rows.length === 0) continue
    out.address(index)
    out.address(index, end)
  }
  for (let end = 0; end < 2; end++) out.u32(0)
  return out.section()
}

/** .debug_abbrev and .debug_info of one compilation unit that has that line table and these ranges. */
export function debugInfo(name: string, producer: string): { abbrev: DebugSection; info: DebugSection } {
  const abbrev = new Writer()
  const fields = [
    [Attribute.PRODUCER, Form.STRING],
    [Attribute.LANGUAGE, Form.DATA2],
    [Attribute.NAME, Form.STRING],
    [Attribute.STMT_LIST, Form.SEC_OFFSET],
    [Attribute.LOW_PC, Form.ADDRESS],
    [Attribute.RANGES, Form.SEC_OFFSET],
  ] as const
  abbrev.uleb(1)
  abbrev.uleb(Tag.COMPILE_UNIT)
  abbrev.u8(0)
  for (const [attribute, form] of fields) {
    abbrev.uleb(attribute)
    abbrev.uleb(form)
  }
  for (let end = 0; end < 3; end++) abbrev.u8(0)
  const info = new Writer()
  info.sized(() => {
    info.u16(4)
    info.address(DEBUG_ABBREV)
    info.u8(4)
    info.uleb(1)
    info.text(producer)
    info.u16(C99)
    info.text(name)
    info.address(DEBUG_LINE)
    info.u32(0) // what ranges count from
    info.address(DEBUG_RANGES)
  })
  return { abbrev: abbrev.section(), info: info.section() }
}
