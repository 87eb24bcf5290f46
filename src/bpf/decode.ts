// Bytes of a program's text -> typed instructions, and the split of them into functions (RFC 9669, section 3).
// Every instruction is checked on its own here (check.ts), so that what is returned has no unknown opcode and no bad field;
// where jumps and calls lead is checked by `readProgram` (read.ts), which is the entry for everyone else.

import { checkFields, type Report } from './check.ts'
import { distance, findRow, rowsOfOpcode } from './isa.ts'
import type { Instruction, Reference } from './program.ts'

/** Most slots of a program's text. */
export const maximumSlots = 1_000_000

/** Typed instructions of a text. */
export interface DecodedText {
  readonly instructions: readonly Instruction[]
  /** Index in `instructions` of the instruction that starts at each slot; -1 for the second half of LDDW. */
  readonly indexOfSlot: Int32Array
}

/** What `src` of LDDW means when it is not 0 (RFC 9669, section 5.4). */
const lddwKinds = [
  'a 64-bit constant',
  'a map by file descriptor',
  'the address of a map value by file descriptor',
  'the address of a variable',
  'the address of code',
  'a map by index',
  'the address of a map value by index',
]

/**
 * Reads all of a text; what is wrong with single instructions goes to `report`, with codes `text-size`, `empty-program`,
 * `program-too-long`, `unknown-opcode`, `lddw-truncated`, `lddw-pseudo` and those of `checkFields`. The result is only of use if
 * nothing was reported. `target` is -1 for a jump or call that leads to no instruction. `references` has the LDDWs, by slot, that
 * load an address.
 */
export function decodeText(
  text: Uint8Array,
  report: Report,
  references: ReadonlyMap<number, Reference> = new Map(),
): DecodedText {
  const slots = Math.floor(text.length / 8)
  const indexOfSlot = new Int32Array(slots).fill(-1)
  const instructions: Instruction[] = []
  if (text.length % 8 !== 0) {
    report('text-size', slots, `the program is ${text.length} bytes long, must be a multiple of 8`)
    return { instructions, indexOfSlot }
  }
  if (slots === 0) {
    report('empty-program', undefined, 'the program has no instructions, must have at least one')
    return { instructions, indexOfSlot }
  }
  if (slots > maximumSlots) {
    report('program-too-long', undefined, `the program has ${slots} instructions, at most ${maximumSlots} are allowed`)
    return { instructions, indexOfSlot }
  }
  let count = 0
  for (let slot = 0; slot < slots; slot++) {
    indexOfSlot[slot] = count++
    if (text[slot * 8] === 0x18) slot++
  }

  const view = new DataView(text.buffer, text.byteOffset, text.byteLength)
  const fields = { dst: 0, src: 0, offset: 0, imm: 0 }
  for (let slot = 0; slot < slots; slot++) {
    const at = slot * 8
    const opcode = view.getUint8(at)
    const registers = view.getUint8(at + 1)
    fields.dst = registers & 15
    fields.src = registers >> 4
    fields.offset = view.getInt16(at + 2, true)
    fields.imm = view.getInt32(at + 4, true)
    const row = findRow(opcode, fields)
    if (row === undefined) {
      reportUnknown(opcode, fields, slot, report)
      continue
    }
    let immHigh = 0
    if (row.kind === 'lddw') {
      const pseudo = fields.src > 0 ? lddwKinds[fields.src] : undefined
      if (pseudo !== undefined) {
        report(
          'lddw-pseudo',
          slot,
          `lddw loads ${pseudo} (src is ${fields.src}); without a loader that knows it; give the object with its relocations, or a 64-bit constant (src 0)`,
        )
      } else checkFields(row, fields, slot, report)
      if (slot + 1 >= slots) {
        report('lddw-truncated', slot, 'lddw takes two slots, but the program ends after its first')
        continue
      }
      if (view.getInt32(at + 8, true) !== 0) {
        report(
          'lddw-second-half',
          slot + 1,
          'the second half of lddw has opcode, registers or offset other than 0, must be 0',
        )
      }
      immHigh = view.getInt32(at + 12, true)
    } else checkFields(row, fields, slot, report)
    const leap = distance(row, fields.offset, fields.imm)
    const target = leap === undefined ? -1 : (indexOfSlot[slot + 1 + leap] ?? -1)
    instructions.push({
      row,
      slot,
      dst: fields.dst,
      src: fields.src,
      offset: fields.offset,
      imm: fields.imm,
      immHigh,
      target,
      reference: row.kind === 'lddw' ? (references.get(slot) ?? null) : null,
    })
    if (row.kind === 'lddw') slot++
  }
  return { instructions, indexOfSlot }
}

function reportUnknown(opcode: number, fields: Parameters<typeof findRow>[1], slot: number, report: Report): void {
  const byte = `0x${opcode.toString(16).padStart(2, '0')}`
  const group = rowsOfOpcode(opcode)
  if (group?.discriminator === undefined) {
    report('unknown-opcode', slot, `opcode ${byte} is no BPF instruction`)
    return
  }
  if (opcode === 0x85 && fields.src === 2) {
    report(
      'kernel-function',
      slot,
      `calls function ${fields.imm} of the Linux kernel by its BTF number (kfunc); the target has none, call a helper instead`,
    )
    return
  }
  const field = group.discriminator
  const allowed = group.rows.map((row) => `${row.fixed[field]} (${row.name})`).join(', ')
  report(
    'unknown-operation',
    slot,
    `opcode ${byte} with ${field} ${fields[field]} is no BPF instruction; ${field} must be one of ${allowed}`,
  )
}
