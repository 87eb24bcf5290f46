// Text -> bytes of a program. Reads the kernel's and LLVM's syntax and ubpf's mnemonics (`add %r1, 5`), which may be mixed: both
// are templates of the table. `name:` is a label; `exit` is one too, at the first exit, as in bpf_conformance. Comments start
// with `#`, `;` or `//`. Instructions are only encoded here: `readProgram` says whether they make a program.

import { InputError } from '../base/errors.ts'
import { suggestion } from './names.ts'
import type { Instruction, Program } from './program.ts'
import type { Row } from './isa.ts'
import { exampleOf, mnemonics, shapeOf, templates, tokenize, keywords, type Template, type Token } from './syntax.ts'

interface Fields {
  dst: number
  src: number
  offset: number
  imm: number
  immHigh: number
}
interface Statement extends Fields {
  readonly row: Row
  readonly line: number
  readonly slot: number
  /** Label that `offset` or `imm` is the distance to. */
  label: string | undefined
}

/** Bytes of the program. Throws InputError with the line. */
export function assemble(source: string): Uint8Array {
  const labels = new Map<string, number>()
  const statements: Statement[] = []
  let slots = 0
  for (const [index, text] of source.split(/\r\n|\n|\r/).entries()) {
    const line = index + 1
    let rest = text.replace(/(?:#|;|\/\/).*$/, '').trim()
    for (let label = leadingLabel(rest); label !== undefined; label = leadingLabel(rest)) {
      if (labels.has(label)) throw new InputError(`label '${label}' is defined twice`, { line })
      labels.set(label, slots)
      rest = rest.slice(rest.indexOf(':') + 1).trim()
    }
    if (rest === '') continue
    const statement = parseStatement(rest, line, slots)
    statements.push(statement)
    slots += statement.row.kind === 'lddw' ? 2 : 1
  }
  const exit = statements.find(({ row }) => row.kind === 'exit')
  if (exit !== undefined && !labels.has('exit')) labels.set('exit', exit.slot)

  const writer = new Writer(slots)
  for (const statement of statements) {
    if (statement.label !== undefined) resolve(statement, statement.label, labels)
    writer.add(statement.row, statement)
  }
  return writer.bytes
}

/** Bytes of a decoded program: the inverse of decoding, but for addresses of functions, data and maps, which are 0 there. */
export function encodeProgram(program: Program): Uint8Array {
  const last = program.instructions.at(-1)
  const writer = new Writer(last === undefined ? 0 : last.slot + (last.row.kind === 'lddw' ? 2 : 1))
  for (const instruction of program.instructions) writer.add(instruction.row, instruction)
  return writer.bytes
}

class Writer {
  readonly bytes: Uint8Array
  private readonly view: DataView
  private at = 0

  constructor(slots: number) {
    this.bytes = new Uint8Array(slots * 8)
    this.view = new DataView(this.bytes.buffer)
  }

  add(row: Row, { dst, src, offset, imm, immHigh }: Fields | Instruction): void {
    const { view, at } = this
    view.setUint8(at, row.opcode)
    view.setUint8(at + 1, dst | (src << 4))
    view.setInt16(at + 2, offset, true)
    view.setInt32(at + 4, imm, true)
    if (row.kind === 'lddw') view.setInt32(at + 12, immHigh, true)
    this.at += row.kind === 'lddw' ? 16 : 8
  }
}

function leadingLabel(text: string): string | undefined {
  return /^([A-Za-z_.][\w.]*)\s*:/.exec(text)?.[1]
}

function parseStatement(text: string, line: number, slot: number): Statement {
  const tokens = tokenize(text)
  if (typeof tokens === 'string') throw new InputError(`can't read '${shorten(tokens)}'`, { line })
  const bad = tokens.find(({ kind, value }) => (kind === 'R' || kind === 'W') && value > 10)
  if (bad !== undefined)
    throw new InputError(`register ${shorten(bad.text)} does not exist, must be r0 to r10`, { line })
  const last = tokens.at(-1)!
  const labelled =
    last.kind === 'text' && tokens.length > 1 ? [...tokens.slice(0, -1), { ...last, kind: 'L' as const }] : tokens
  const template = templates().get(shapeOf(tokens)) ?? templates().get(shapeOf(labelled))
  if (template === undefined) throw new InputError(complaint(text, tokens), { line })
  return fillIn(template, tokens, line, slot)
}

/** Why no template has this shape. */
function complaint(text: string, tokens: readonly Token[]): string {
  const [first] = tokens
  const word = first!.text
  if (first!.kind !== 'text' || !/^[a-z]/i.test(word)) {
    const all = keywords()
    const unknown = tokens.find(({ kind, text }) => kind === 'text' && /^[a-z]\w/i.test(text) && !all.has(text))
    const hint = unknown === undefined ? '' : suggestion(unknown.text, all)
    return `'${shorten(text)}' is no instruction${hint}`
  }
  const known = mnemonics()
  if (!known.has(word)) return `unknown mnemonic '${shorten(word)}'${suggestion(word, known)}`
  const forms = [...templates().values()].filter(({ tokens }) => tokens[0]!.text === word)
  const shown = [...new Set(forms.map(exampleOf))]
  const more = shown.length > 8 ? `, and ${shown.length - 8} more` : ''
  return `'${shorten(text)}' has operands that '${word}' does not take; it is written ${shown
    .slice(0, 8)
    .map((form) => `'${form}'`)
    .join(' or ')}${more}`
}

function fillIn({ row, tokens: pattern }: Template, tokens: readonly Token[], line: number, slot: number): Statement {
  const { fixed } = row
  const statement: Statement = {
    row,
    line,
    slot,
    label: undefined,
    dst: fixed.dst ?? -1,
    src: fixed.src ?? -1,
    offset: fixed.offset ?? 0,
    imm: fixed.imm ?? 0,
    immHigh: 0,
  }
  for (const [index, { kind, text, value }] of pattern.entries()) {
    const token = tokens[index]!
    switch (text) {
      case '$d':
      case '$wd':
        statement.dst = sameRegister(statement.dst, token, line)
        break
      case '$s':
      case '$ws':
        statement.src = sameRegister(statement.src, token, line)
        break
      case '$off':
        statement.offset = inRange(token, 'offset', -0x8000, 0x7fff, line)
        break
      case '$imm':
        statement.imm = immediate(token, line)
        break
      case '$plus':
        statement.imm = immediate(token, line)
        break
      case '$imm64':
        setWide(statement, token, line)
        break
      case '$to':
        if (token.kind === 'text') statement.label = token.text
        else statement.offset = inRange(token, 'jump distance', -0x8000, 0x7fff, line)
        break
      case '$far':
      case '$label':
        if (token.kind === 'text') statement.label = token.text
        else statement.imm = inRange(token, 'jump distance', -0x8000_0000, 0x7fff_ffff, line)
        break
      default:
        // A register that the operation fixes, like cmpxchg's r0.
        if ((kind === 'R' || kind === 'W') && token.value !== value) {
          throw new InputError(`register is ${token.text}, must be ${text}`, { line })
        }
    }
  }
  return statement
}

function sameRegister(before: number, token: Token, line: number): number {
  if (before >= 0 && before !== token.value) {
    throw new InputError(`register is ${token.text}, must be ${token.text[0]}${before}, the same as before`, { line })
  }
  return token.value
}

function inRange(token: Token, what: string, low: number, high: number, line: number): number {
  if (token.value < low || token.value > high)
    throw new InputError(`${what} is ${shorten(token.text)}, must be ${low} to ${high}`, { line })
  return token.value
}

/** 32 bits: signed in decimal; hexadecimal numbers may be the unsigned pattern. */
function immediate(token: Token, line: number): number {
  const hexadecimal = /^-?0x/i.test(token.text)
  return inRange(token, 'immediate', -0x8000_0000, hexadecimal ? 0xffff_ffff : 0x7fff_ffff, line) | 0
}

function setWide(statement: Statement, token: Token, line: number): void {
  const negative = token.text.startsWith('-')
  const digits = negative ? token.text.slice(1) : token.text
  // Longer numbers are out of range, unless they start with zeros.
  const magnitude = digits.length > 80 ? 1n << 65n : BigInt(digits)
  const value = negative ? -magnitude : magnitude
  if (value < -(1n << 63n) || value >= 1n << 64n) {
    throw new InputError(`immediate is ${shorten(token.text)}, must be ${-(1n << 63n)} to ${(1n << 64n) - 1n}`, {
      line,
    })
  }
  statement.imm = Number(BigInt.asIntN(32, value))
  statement.immHigh = Number(BigInt.asIntN(32, value >> 32n))
}

function resolve(statement: Statement, label: string, labels: ReadonlyMap<string, number>): void {
  const { line, row } = statement
  const to = labels.get(label)
  if (to === undefined)
    throw new InputError(`there is no label '${shorten(label)}'${suggestion(label, labels.keys())}`, { line })
  const leap = to - statement.slot - 1
  if (row.fixed.imm === undefined && row.fixed.offset !== undefined) statement.imm = leap
  else if (leap < -0x8000 || leap > 0x7fff) {
    throw new InputError(
      `label '${shorten(label)}' is ${leap} instructions away, must be -32768 to 32767; 'gotol' reaches further`,
      { line },
    )
  } else statement.offset = leap
}

function shorten(text: string): string {
  return text.length > 60 ? `${text.slice(0, 57)}...` : text
}
