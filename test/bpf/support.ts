// What the tests of this room share: random instructions and programs, from the table, and a writer of small ELF objects.

import fc from 'fast-check'
import { distance, rows, type Row } from '../../src/bpf/isa.ts'
import type { Instruction, Program } from '../../src/bpf/program.ts'

const edges = [0, 1, -1, 2, 4, 8, 31, 32, 63, 64, 255, 256, 0x7fff, -0x8000, 0xffff, 0x7fff_ffff, -0x8000_0000]
const imm = fc.oneof(fc.constantFrom(...edges), fc.integer({ min: -0x8000_0000, max: 0x7fff_ffff }))
const offset = fc.oneof(
  fc.constantFrom(...edges.filter((edge) => edge === (edge << 16) >> 16)),
  fc.integer({ min: -0x8000, max: 0x7fff }),
)
const register = fc.integer({ min: 0, max: 9 })

/** A well-formed instruction of one row; its target is not looked after. */
function instructionOf(row: Row): fc.Arbitrary<Instruction> {
  const { fixed } = row
  const helperCall = row.kind === 'call' && row.callee === 'helper'
  return fc.record({
    row: fc.constant(row),
    slot: fc.constant(0),
    dst: fixed.dst === undefined ? register : fc.constant(fixed.dst),
    src: fixed.src === undefined ? register : fc.constant(fixed.src),
    offset: fixed.offset === undefined ? offset : fc.constant(fixed.offset),
    imm: fixed.imm === undefined ? (helperCall ? fc.nat(0x7fff_ffff) : imm) : fc.constant(fixed.imm),
    immHigh: row.kind === 'lddw' ? imm : fc.constant(0),
    target: fc.constant(-1),
    reference: fc.constant(null),
  })
}

/** Any well-formed instruction. */
export const anyInstruction: fc.Arbitrary<Instruction> = fc.constantFrom(...rows).chain(instructionOf)

/** A whole program of one function, every jump leading somewhere inside; calls of helpers but no local ones. */
export const anyProgram: fc.Arbitrary<Program> = fc
  .tuple(
    fc.array(fc.tuple(anyInstruction, fc.nat()), { maxLength: 40 }),
    fc.constant(rows.find(({ kind }) => kind === 'exit')!),
  )
  .map(([parts, exit]) => {
    const chosen = parts.filter(([{ row }]) => row.kind !== 'call' || row.callee !== 'local')
    const last: Instruction = {
      row: exit,
      slot: 0,
      dst: 0,
      src: 0,
      offset: 0,
      imm: 0,
      immHigh: 0,
      target: -1,
      reference: null,
    }
    const slots: number[] = []
    let slot = 0
    for (const [{ row }] of chosen) {
      slots.push(slot)
      slot += row.kind === 'lddw' ? 2 : 1
    }
    slots.push(slot)
    const instructions = chosen.map(([instruction, choice], index): Instruction => {
      const placed = { ...instruction, slot: slots[index]! }
      if (distance(instruction.row, 0, 0) === undefined) return placed
      const target = choice % slots.length
      const leap = slots[target]! - placed.slot - 1
      const far = instruction.row.fixed.imm === undefined && instruction.row.fixed.offset !== undefined
      return { ...placed, target, ...(far ? { imm: leap } : { offset: leap }) }
    })
    instructions.push({ ...last, slot })
    return {
      instructions,
      functions: [{ name: 'entry', start: 0, end: instructions.length, global: true, section: '' }],
      entry: 0,
      data: [],
      maps: [],
      lines: [],
    }
  })

export interface TestSection {
  readonly name: string
  readonly bytes: Uint8Array
  readonly executable?: boolean
  /** ELF's type; PROGBITS if not given. */
  readonly type?: number
  /** Not in memory, like debug information. */
  readonly allocated?: boolean
  readonly align?: number
  readonly relocations?: readonly { readonly offset: number; readonly type: number; readonly symbol: number }[]
}
/** As `TestSymbol.section`; its value is the alignment. */
export const COMMON = 0xfff1

export interface TestSymbol {
  readonly name: string
  /** Index in the list of sections, -1 for undefined, COMMON for a variable without a place. */
  readonly section: number
  readonly value?: number
  readonly size?: number
  /** ELF's numbers; FUNC and GLOBAL if not given. */
  readonly type?: number
  readonly binding?: number
}

/** An ELF64 little-endian relocatable object for BPF. Symbol numbers in relocations count from 1. */
export function writeElf(sections: readonly TestSection[], symbols: readonly TestSymbol[]): Uint8Array {
  const strings: number[] = [0]
  const string = (text: string): number => {
    const at = strings.length
    strings.push(...new TextEncoder().encode(text), 0)
    return at
  }
  const symbolTable = new Uint8Array((symbols.length + 1) * 24)
  const symbolView = new DataView(symbolTable.buffer)
  for (const [index, symbol] of symbols.entries()) {
    const at = (index + 1) * 24
    symbolView.setUint32(at, string(symbol.name), true)
    symbolView.setUint8(at + 4, ((symbol.binding ?? 1) << 4) | (symbol.type ?? 2))
    symbolView.setUint16(at + 6, symbol.section + 1, true)
    symbolView.setUint32(at + 8, symbol.value ?? 0, true)
    symbolView.setUint32(at + 16, symbol.size ?? 0, true)
  }
  interface Entry {
    name: number
    type: number
    flags: number
    bytes: Uint8Array
    link: number
    info: number
    entrySize: number
    align?: number | undefined
  }
  const entries: Entry[] = sections.map(({ name, bytes, executable, type, allocated, align }) => ({
    name: string(name),
    type: type ?? 1,
    flags: allocated === false ? 0 : executable === false ? 3 : 6,
    bytes,
    align,
    link: 0,
    info: 0,
    entrySize: 0,
  }))
  const related = sections.flatMap(({ relocations, name }, index) =>
    relocations === undefined ? [] : [{ relocations, name, index }],
  )
  const symbolIndex = sections.length + related.length + 1
  for (const { relocations, name, index } of related) {
    const bytes = new Uint8Array(relocations.length * 16)
    const view = new DataView(bytes.buffer)
    for (const [at, relocation] of relocations.entries()) {
      view.setUint32(at * 16, relocation.offset, true)
      view.setUint32(at * 16 + 8, relocation.type, true)
      view.setUint32(at * 16 + 12, relocation.symbol, true)
    }
    entries.push({
      name: string(`.rel${name}`),
      type: 9,
      flags: 0,
      bytes,
      link: symbolIndex,
      info: index + 1,
      entrySize: 16,
    })
  }
  entries.push({
    name: string('.symtab'),
    type: 2,
    flags: 0,
    bytes: symbolTable,
    link: symbolIndex + 1,
    info: 1,
    entrySize: 24,
  })
  const stringsName = string('.strtab')
  entries.push({
    name: stringsName,
    type: 3,
    flags: 0,
    bytes: Uint8Array.from(strings),
    link: 0,
    info: 0,
    entrySize: 0,
  })

  const total = 64 + entries.reduce((sum, { bytes }) => sum + Math.ceil(bytes.length / 8) * 8, 0)
  const file = new Uint8Array(total + (entries.length + 1) * 64)
  const view = new DataView(file.buffer)
  file.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1])
  view.setUint16(16, 1, true)
  view.setUint16(18, 247, true)
  view.setUint32(20, 1, true)
  view.setUint32(40, total, true)
  view.setUint16(52, 64, true)
  view.setUint16(58, 64, true)
  view.setUint16(60, entries.length + 1, true)
  view.setUint16(62, entries.length, true)
  let at = 64
  for (const [index, entry] of entries.entries()) {
    file.set(entry.bytes, at)
    const header = total + (index + 1) * 64
    view.setUint32(header, entry.name, true)
    view.setUint32(header + 4, entry.type, true)
    view.setUint32(header + 8, entry.flags, true)
    view.setUint32(header + 24, at, true)
    view.setUint32(header + 32, entry.bytes.length, true)
    view.setUint32(header + 40, entry.link, true)
    view.setUint32(header + 44, entry.info, true)
    view.setUint32(header + 48, entry.align ?? 8, true)
    view.setUint32(header + 56, entry.entrySize, true)
    at += Math.ceil(entry.bytes.length / 8) * 8
  }
  return file
}
