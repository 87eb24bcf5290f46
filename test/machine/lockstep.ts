// Random instructions with random states, as one program for a bare Cortex-M4: for each case it loads flags and r0-r12,
// executes the case, and stores r0-r12, APSR and SP. The same bytes run in QEMU and in the simulator, and what they leave
// in RAM is compared. Random encodings are the table's rows with random bits; what is UNPREDICTABLE is left out.

import { decode } from '../../src/thumb/decode.ts'
import { type Row, allRows } from '../../src/thumb/encodings.ts'
import { F, FIELD, type FormName, formNames, reads, writes } from '../../src/thumb/forms.ts'
import type { Instruction } from '../../src/thumb/instruction.ts'
import { Random } from '../support/random.ts'

export const CODE_BASE = 0x2000
export const RESULT_BASE = 0x2000_0000
export const RESULT_BYTES = 64
export const WINDOW_BASE = 0x2010_0000
export const WINDOW_BYTES = 256
const STACK = 0x203f_0000

export interface Case {
  readonly text: string
  readonly halfwords: readonly number[]
  /** r0-r12. */
  readonly registers: Uint32Array
  readonly apsr: number
  /** It must be at a word-aligned address. */
  readonly aligned: boolean
}

const never = new Set<FormName>([
  'SVC',
  'BKPT',
  'UDF',
  'WFE',
  'WFI',
  'CPSIE',
  'CPSID',
  'IT',
  'B',
  'BL',
  'BX',
  'BLX_r',
  'CBZ',
  'CBNZ',
  'TBB',
  'TBH',
  'LDREX',
  'LDREXB',
  'LDREXH',
  'STREX',
  'STREXB',
  'STREXH',
  'CLREX',
  'DBG',
  'YIELD',
  'SEV',
])
const usable = allRows().filter((row) => !never.has(formNames[row.form]!))
const memoryForm = /^(LDR|STR|LDM|STM|PLD|PLI)/
const alignedForm = /^(LDRD|STRD|LDM|STM)/

/** Halfwords of a row with random bits. */
function randomBits(row: Row, random: Random): [number, number] {
  const word = ((random.word() & ~row.mask) | row.match) >>> 0
  return row.size === 2 ? [word & 0xffff, 0] : [word >>> 16, word & 0xffff]
}

/** A random instruction that the harness can observe, with the state it wants; undefined: try again. */
function randomInstruction(
  random: Random,
  registers: Uint32Array,
  window: number,
  row: Row,
  inIT: boolean,
): { halfwords: number[]; instruction: Instruction } | undefined {
  const [first, second] = randomBits(row, random)
  const instruction = decode(first, second, inIT)
  if (instruction === undefined || never.has(formNames[instruction.form]!)) return undefined
  const { form, d, n, m, a, imm, index } = instruction
  const name = formNames[form]!
  // LR and PC belong to the harness, SP may be written by additions.
  const written = writes[form]!
  if ((written & FIELD.d) !== 0 && (d > 13 || (d === 13 && !/^(ADD|SUB|MOV_r)/.test(name)))) return undefined
  if ((written & FIELD.a) !== 0 && a > 12) return undefined
  if (name === 'MSR' && imm > 3) return undefined
  if (name === 'MRS' && imm > 3) return undefined
  // PC as an operand of the high-register ADD, MOV and CMP is defined; elsewhere not.
  if (
    ((reads[form]! & FIELD.n) !== 0 && n === 15) ||
    ((reads[form]! & FIELD.m) !== 0 && m === 15 && !/^(ADD|MOV)_r$/.test(name))
  ) {
    return undefined
  }
  if (memoryForm.test(name)) {
    if (!name.endsWith('_l')) {
      if (n > 12 || d > 12 || a > 12) return undefined
      const many = name.startsWith('LDM') || name.startsWith('STM')
      if (many && (imm & ~0x1fff) !== 0) return undefined
      if (many && index !== 0 && ((imm >>> n) & 1) !== 0) return undefined
      if (name.startsWith('STM') && index !== 0 && (imm & (1 << n)) !== 0) return undefined
      const middle = window + 128 + (alignedForm.test(name) ? 0 : random.below(8))
      if (name.endsWith('_r')) {
        if (n === m || m > 12) return undefined
        const offset = random.below(63) - 31
        registers[m] = offset
        registers[n] = middle - (offset << instruction.amount)
      } else registers[n] = middle - (many || index === 2 ? 0 : imm)
    }
  }
  return { halfwords: row.size === 2 ? [first] : [first, second], instruction }
}

function hexOf(halfwords: readonly number[]): string {
  return halfwords.map((half) => half.toString(16).padStart(4, '0')).join(' ')
}

/** Sequences for what random bits can't do alone: branches and exclusive accesses. r0 is in the window, word-aligned. */
const templates: readonly ((random: Random) => number[])[] = [
  // b<cond> over an instruction; cbz, cbnz; the wide b<cond>.
  (random) => [0xd000 | (random.below(14) << 8), 0x3101],
  (random) => [0xb100 | (random.below(2) << 11) | 1, 0x3201],
  (random) => [0xf000 | (random.below(14) << 6), 0x8001, 0x3101],
  // adr r3, +5; bx r3; adds (skipped).  bl +2; adds (skipped); mov r5, lr
  () => [0xf20f, 0x0305, 0x4718, 0x3101],
  () => [0xf000, 0xf801, 0x3101, 0x4675],
  // movs r1, #1; tbb [pc, r1]; bytes 1, 2, then two instructions, of which it skips one.
  (random) => [0x2100 | random.below(2), 0xe8df, 0xf001, 0x0201, 0x3201, 0x3301],
  (random) => [0x2100 | random.below(2), 0xe8df, 0xf011, 0x0002, 0x0003, 0x3201, 0x3301],
  // ldrex/strex, both succeed; clrex; strex fails; byte and halfword.
  (random) => [0xe850, 0x1f00 | random.below(16), 0xe840, 0x2300 | random.below(16)],
  () => [0xe850, 0x1f02, 0xe840, 0x2302],
  () => [0xe850, 0x1f00, 0xf3bf, 0x8f2f, 0xe840, 0x2300],
  () => [0xe8d0, 0x1f4f, 0xe8c0, 0x2f43],
  () => [0xe8d0, 0x1f5f, 0xe8c0, 0x2f53],
  // push {r1-r4}; pop {r5-r8}
  () => [0xb41e, 0xe8bd, 0x01e0],
]
/** Index of the template whose two exclusive accesses may be of different addresses: not comparable with QEMU. */
const MIXED_EXCLUSIVES = 7

export function randomCases(count: number, seed: number): Case[] {
  const random = new Random(seed)
  const cases: Case[] = []
  for (let index = 0; cases.length < count; index++) {
    const window = WINDOW_BASE + cases.length * WINDOW_BYTES
    const registers = Uint32Array.from({ length: 13 }, () => random.value())
    const apsr = (random.word() & 0xf80f0000) >>> 0
    const kind = random.below(10)
    if (kind === 0) {
      const which = random.below(templates.length)
      if (which === MIXED_EXCLUSIVES) continue
      registers[0] = window + 128
      const halfwords = templates[which]!(random)
      cases.push({ text: `template ${hexOf(halfwords)}`, halfwords, registers, apsr, aligned: true })
      continue
    }
    if (kind === 1) {
      const block = randomItBlock(random, registers, window)
      if (block !== undefined)
        cases.push({ text: `it ${hexOf(block)}`, halfwords: block, registers, apsr, aligned: false })
      continue
    }
    // Every row in turn, so that each is seen many times; few of their bits may be good (MSR's number, CLZ's copy of m).
    const row = usable[index % usable.length]!
    let made: ReturnType<typeof randomInstruction>
    for (let tries = 0; tries < 1000 && made === undefined; tries++)
      made = randomInstruction(random, registers, window, row, false)
    if (made === undefined) continue
    const name = formNames[made.instruction.form]!
    cases.push({ text: `${name} ${hexOf(made.halfwords)}`, halfwords: made.halfwords, registers, apsr, aligned: false })
  }
  return cases
}

function randomItBlock(random: Random, registers: Uint32Array, window: number): number[] | undefined {
  const length = 1 + random.below(4)
  const condition = random.below(14)
  // Bits above the mask's lowest one are the low bit of each further instruction's condition.
  const mask = ((random.below(16) << (5 - length)) & 15 & ~((1 << (4 - length)) - 1)) | (1 << (4 - length))
  const halfwords = [0xbf00 | (condition << 4) | mask]
  for (let done = 0; done < length;) {
    const row = usable[random.below(usable.length)]!
    if (memoryForm.test(formNames[row.form]!)) continue
    const made = randomInstruction(random, registers, window, row, true)
    if (made === undefined || made.instruction.d === 13) continue
    if (made.instruction.form === F.MSR) continue
    halfwords.push(...made.halfwords)
    done++
  }
  return halfwords
}

export interface Blob {
  /** From address 0: vectors, states, code. */
  readonly bytes: Uint8Array
  /** Address of each case's own instructions. */
  readonly addresses: readonly number[]
  readonly entry: number
}

/** The whole program. It ends with semihosting calls that write RAM's results and windows to `path` and leave. */
export function makeBlob(cases: readonly Case[], path: string): Blob {
  const halves: number[] = []
  const here = (): number => CODE_BASE + 2 * halves.length
  const word = (value: number): void => void halves.push(value & 0xffff, value >>> 16)
  const load = (register: number, value: number): void => {
    for (const [opcode, half] of [
      [0xf240, value & 0xffff],
      [0xf2c0, value >>> 16],
    ] as const) {
      halves.push(
        opcode | (((half >>> 11) & 1) << 10) | (half >>> 12),
        (((half >>> 8) & 7) << 12) | (register << 8) | (half & 0xff),
      )
    }
  }
  const addresses: number[] = []
  const states: number[] = []
  for (const { registers, apsr } of cases) {
    states.push(here())
    word(apsr)
    for (const value of registers) word(value)
  }
  const entry = here()
  cases.forEach((one, index) => {
    load(0, STACK)
    halves.push(0x4685) // mov sp, r0
    load(14, states[index]!)
    halves.push(0xf8de, 0x0000, 0xf380, 0x8c00) // ldr.w r0, [lr]; msr apsr_nzcvqg, r0
    halves.push(0xf10e, 0x0e04, 0xe89e, 0x1fff) // add.w lr, lr, #4; ldm lr, {r0-r12}
    const odd = one.aligned ? 0 : index & 2
    if ((here() & 2) !== odd) halves.push(0xbf00) // others at word-aligned addresses and not, in turn
    addresses.push(here())
    halves.push(...one.halfwords)
    load(14, RESULT_BASE + index * RESULT_BYTES)
    halves.push(0xe88e, 0x1fff, 0xf3ef, 0x8000) // stm lr, {r0-r12}; mrs r0, apsr
    halves.push(0xf8ce, 0x0034, 0xf8ce, 0xd038) // str r0, [lr, #52]; str sp, [lr, #56]
    // Literals of the next case's load are data of this code: both machines read the same bytes.
  })
  // Semihosting: open, write, exit. The blocks of arguments come after the code.
  const openBlock = here() + 80 + ((here() & 2) === 0 ? 0 : 2)
  const writeBlock = openBlock + 12
  const name = writeBlock + 12
  const windowsEnd = WINDOW_BASE + cases.length * WINDOW_BYTES
  load(1, openBlock)
  halves.push(0x2001, 0xbeab) // SYS_OPEN
  load(2, 0x203e_0000)
  load(1, writeBlock)
  halves.push(0x680b, 0x6013, 0x684b, 0x6053, 0x688b, 0x6093, 0x6010) // copy the block to RAM at r2, handle first
  halves.push(0x4611, 0x2005, 0xbeab) // r1 = r2; SYS_WRITE
  load(1, 0x0002_0026)
  halves.push(0x2018, 0xbeab, 0xe7fe) // SYS_EXIT
  while (here() < openBlock) halves.push(0xbf00)
  word(name)
  word(5)
  word(path.length)
  word(0)
  word(RESULT_BASE)
  word(windowsEnd - RESULT_BASE)
  const text = [...new TextEncoder().encode(path), 0, 0]
  for (let at = 0; at + 1 < text.length; at += 2) halves.push(text[at]! | (text[at + 1]! << 8))

  const bytes = new Uint8Array(CODE_BASE + 2 * halves.length)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, STACK, true)
  for (let vector = 1; vector < 16; vector++) view.setUint32(4 * vector, (vector === 1 ? entry : fault) | 1, true)
  // A fault ends QEMU at once, without results.
  const handler = [0xf240, 0x0124, 0xf2c0, 0x0102, 0x2018, 0xbeab, 0xe7fe]
  handler.forEach((half, index) => view.setUint16(fault + 2 * index, half, true))
  halves.forEach((half, index) => view.setUint16(CODE_BASE + 2 * index, half, true))
  return { bytes, addresses, entry }
}
const fault = 0x400

/** Bytes of RAM from WINDOW_BASE before the run. */
export function windowBytes(count: number, seed: number): Uint8Array {
  const random = new Random(seed ^ 0x5bd1e995)
  return Uint8Array.from({ length: count * WINDOW_BYTES }, () => random.word() & 0xff)
}
