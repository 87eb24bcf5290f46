// Instruction to text in UAL, as GNU as reads it after `.syntax unified`. The operands' shape is the table's text.
// Source: DDI 0403E A7.2 and A7.7.

import { RowFlags, rowsOf, textOf } from './encodings.ts'
import { F } from './forms.ts'
import { fitsModified } from './immediates.ts'
import { Flags, Index, type Instruction, Shift } from './instruction.ts'
import { registerNames } from './registers.ts'

const conditionNames = ['eq', 'ne', 'cs', 'cc', 'mi', 'pl', 'vs', 'vc', 'hi', 'ls', 'ge', 'lt', 'gt', 'le', '']
const shiftNames = ['lsl', 'lsr', 'asr', 'ror', 'rrx']
const systemNames: Record<number, string> = {
  0: 'apsr',
  1: 'iapsr',
  2: 'eapsr',
  3: 'xpsr',
  5: 'ipsr',
  6: 'epsr',
  7: 'iepsr',
  8: 'msp',
  9: 'psp',
  16: 'primask',
  17: 'basepri',
  18: 'basepri_max',
  19: 'faultmask',
  20: 'control',
}
const maskNames = ['', '_g', '_nzcvq', '_nzcvqg']
const barrierNames: Record<number, string> = { 15: 'sy' }
const effectNames = ['', 'f', 'i', 'if']

/** What stands for a branch's target: an address in hex by default. */
export type NameTarget = (address: number) => string

function hex(address: number): string {
  return `0x${(address >>> 0).toString(16)}`
}

function shiftText(shift: number, amount: number): string {
  if (shift === Shift.RRX) return ', rrx'
  return amount === 0 ? '' : `, ${shiftNames[shift]} #${amount}`
}

function listText(mask: number): string {
  const names: string[] = []
  for (let r = 0; r < 16; r++) {
    if (((mask >>> r) & 1) === 0) continue
    let end = r
    while (end < 12 && (mask >>> (end + 1)) & 1) end++
    names.push(end > r + 1 ? `${registerNames[r]}-${registerNames[end]}` : registerNames[r]!)
    if (end > r + 1) r = end
  }
  return `{${names.join(', ')}}`
}

function addressText(x: Instruction): string {
  const base = registerNames[x.n]!
  if (x.index === Index.POST) return `[${base}], #${x.imm}`
  const offset = x.imm === 0 && x.index === Index.OFFSET ? '' : `, #${x.imm}`
  return `[${base}${offset}]${x.index === Index.PRE ? '!' : ''}`
}

function operand(token: string, x: Instruction, address: number | undefined, nameTarget: NameTarget): string {
  switch (token) {
    case 'd':
    case 'n':
    case 'm':
    case 'a':
      return registerNames[x[token]] ?? `?${x[token]}`
    case '#imm':
      return `#${x.imm}`
    case '#amount':
      return `#${x.amount}`
    case '{shift}':
      return shiftText(x.shift, x.amount)
    case '{rotation}':
      return shiftText(Shift.ROR, x.amount)
    case '{packed}':
      return shiftText(x.form === F.PKHBT ? Shift.LSL : Shift.ASR, x.amount)
    case '{address}':
      return addressText(x)
    case '{indexed}':
      return `[${registerNames[x.n]}, ${registerNames[x.m]}${shiftText(Shift.LSL, x.amount)}]`
    case '{base}':
      return `${registerNames[x.n]}${x.index === Index.PRE ? '!' : ''}`
    case '{list}':
      return listText(x.imm)
    case '{label}':
      if (address === undefined) return `. ${x.imm + 4 < 0 ? '-' : '+'} ${Math.abs(x.imm + 4)}`
      return nameTarget((address + 4 + x.imm) >>> 0)
    case '{it}':
      return conditionNames[x.cond] === '' ? 'al' : conditionNames[x.cond]!
    case '{hint}':
      return x.imm === 0 ? '' : ` {${x.imm}}`
    case '{option}':
      return barrierNames[x.imm] ?? `#${x.imm}`
    case '{system}':
      return `${systemNames[x.imm] ?? x.imm}${x.form === F.MSR && x.imm <= 3 ? maskNames[x.amount] : ''}`
    case '{effect}':
      return effectNames[x.imm] ?? `#${x.imm}`
    default:
      return token
  }
}

/** A form's text in parts: mnemonic, then operands and what lies between them. */
interface Shape {
  readonly mnemonic: string
  readonly parts: readonly string[]
  /** The form sets flags or not, so that its name says which. */
  readonly suffixed: boolean
  /** The form has encodings of both sizes. */
  readonly sized: boolean
}
const shapes: (Shape | undefined)[] = []

function shapeOf(form: number): Shape {
  const known = shapes[form]
  if (known !== undefined) return known
  const text = textOf(form)
  const mnemonic = /^[a-z0-9]+/.exec(text)![0]
  const own = rowsOf(form)
  const shape = {
    mnemonic,
    parts: text.slice(mnemonic.length).match(/\{\w+\}|#?\w+|[^\w#{]+/g) ?? [],
    suffixed: own.some((row) => row.flags !== RowFlags.KEEP && row.flags !== RowFlags.COMPARE),
    sized: own.some((row) => row.size === 2) && own.some((row) => row.size === 4),
  }
  shapes[form] = shape
  return shape
}

/** MOVW, ADDW and SUBW have names of their own where the immediate is no modified one. */
function plainImmediate(x: Instruction): boolean {
  if (x.form !== F.MOV_i && x.form !== F.ADD_i && x.form !== F.SUB_i) return false
  return x.size === 4 && x.s !== Flags.SET && !fitsModified(x.imm)
}

function itMnemonic(x: Instruction): string {
  let text = 'it'
  for (let bit = 3; (x.imm & ((1 << bit) - 1)) !== 0; bit--) text += ((x.imm >>> bit) & 1) === (x.cond & 1) ? 't' : 'e'
  return text
}

function mnemonicOf(x: Instruction, shape: Shape): string {
  if (x.form === F.IT) return itMnemonic(x)
  const condition = x.form === F.BKPT ? '' : (conditionNames[x.cond] ?? '')
  if (x.form === F.ADR && x.size === 4) return `${x.imm < 0 ? 'subw' : 'addw'}${condition}`
  if (plainImmediate(x)) return `${shape.mnemonic}w${condition}`
  const flags = x.s === Flags.SET && shape.suffixed ? 's' : ''
  return `${shape.mnemonic}${flags}${condition}${x.size === 4 && shape.sized ? '.w' : ''}`
}

/**
 * One line: mnemonic, a space, operands. Suffixes `.w` where a 16-bit encoding exists and `size` is 4. A branch's target
 * is an address when the instruction's own is given, else relative to `.`. Inside an IT block cond is the suffix.
 */
export function print(x: Instruction, address?: number, nameTarget: NameTarget = hex): string {
  if (x.n === 13 && x.index === Index.PRE && (x.form === F.LDM || x.form === F.STMDB)) {
    const condition = conditionNames[x.cond] ?? ''
    const wide = x.size === 4 ? '.w' : ''
    return `${x.form === F.LDM ? 'pop' : 'push'}${condition}${wide} ${listText(x.imm)}`
  }
  const shape = shapeOf(x.form)
  let text = mnemonicOf(x, shape)
  for (const part of shape.parts) {
    if (x.form === F.ADR && part === '#imm') text += `#${Math.abs(x.imm)}`
    else text += operand(part, x, address, nameTarget)
  }
  return text
}
