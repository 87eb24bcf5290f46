// How instructions are written, read off the table's templates (isa.ts): the tokens of a line, its shape (the tokens with operands
// replaced by their kind), and which row and template a shape belongs to. Assembler and disassembler both work with it.

import { unreachable } from '../base/errors.ts'
import { rows, type Row } from './isa.ts'

/** What a token is; in a shape each kind but `text` is one letter. */
export type TokenKind = 'R' | 'W' | 'N' | 'O' | 'L' | 'text'

export interface Token {
  readonly kind: TokenKind
  /** As written; for numbers with the sign, without spaces. */
  readonly text: string
  /** Register number; for N and O the number's value, exact below 2^53. */
  readonly value: number
}

/** An operand of a template, and the kind of token that it takes. `$to`, `$far` and `$label` take a label too. */
const operandKinds: { readonly [operand: string]: TokenKind } = {
  $d: 'R',
  $s: 'R',
  $wd: 'W',
  $ws: 'W',
  $imm: 'N',
  $imm64: 'N',
  $off: 'O',
  $plus: 'O',
  $to: 'N',
  $far: 'N',
  $label: 'L',
}

/** One way to write a row: its tokens; operands start with `$`. */
export interface Template {
  readonly row: Row
  readonly source: string
  readonly tokens: readonly Token[]
}

const tokenPattern =
  /\s*(?:(?<operand>\$[a-z]+[0-9]*)|%?(?<register>[rw][0-9]+)\b|(?<number>0[xX][0-9a-fA-F]+|[0-9]+)\b|(?<other>s(?:>>=|>=|<=|\/=|%=|>|<)|[A-Za-z_.][\w.]*|<<=|>>=|[=!<>+\-*/%&|^]=|[-+*()[\],=<>&:]))/y

/** The tokens of a line without comments and labels; or the text at which it can't be read. */
export function tokenize(line: string): Token[] | string {
  const raw: Token[] = []
  tokenPattern.lastIndex = 0
  const end = line.trimEnd().length
  while (tokenPattern.lastIndex < end) {
    const start = tokenPattern.lastIndex
    const groups = tokenPattern.exec(line)?.groups
    if (groups === undefined) return line.slice(start).trim()
    const { operand, register, number, other } = groups
    if (operand !== undefined) raw.push({ kind: operandKinds[operand] ?? 'text', text: operand, value: 0 })
    else if (register !== undefined) {
      raw.push({ kind: register[0] === 'r' ? 'R' : 'W', text: register, value: Number(register.slice(1)) })
    } else if (number !== undefined) raw.push({ kind: 'N', text: number, value: Number(number) })
    else raw.push({ kind: 'text', text: other!, value: 0 })
  }
  return joinSigns(raw)
}

/** Signs become part of their number; a signed number after a register is an offset, and `[r1]` or `(r1)` has the offset 0. */
function joinSigns(raw: readonly Token[]): Token[] {
  const tokens: Token[] = []
  for (let index = 0; index < raw.length; index++) {
    const token = raw[index]!
    const previous = tokens.at(-1)
    const afterRegister = previous?.kind === 'R'
    if (token.kind === 'text' && (token.text === '+' || token.text === '-')) {
      // `[%r1+-2]` has two signs.
      const second = raw[index + 1]?.text === '-' ? 1 : 0
      const number = raw[index + 1 + second]
      if (number?.kind === 'N' && !number.text.startsWith('$')) {
        const negative = (token.text === '-') !== (second === 1)
        const text = negative ? `-${number.text}` : number.text
        tokens.push({ kind: afterRegister ? 'O' : 'N', text, value: negative ? -number.value : number.value })
        index += 1 + second
        continue
      }
    }
    const closes = token.text === ']' || token.text === ')'
    const opened = tokens.at(-2)?.text
    if (closes && afterRegister && (opened === '[' || opened === '(')) tokens.push({ kind: 'O', text: '0', value: 0 })
    tokens.push(token)
  }
  return tokens
}

/** Key of a line: what is left when operands are only kinds. */
export function shapeOf(tokens: readonly Token[]): string {
  return tokens.map(({ kind, text }) => (kind === 'text' ? `'${text}` : kind)).join(' ')
}

function buildTemplates(): Map<string, Template> {
  const templates = new Map<string, Template>()
  for (const row of rows) {
    for (const source of row.syntax) {
      const tokens = tokenize(source)
      if (typeof tokens === 'string') unreachable(`template ${source}`)
      const template = { row, source, tokens }
      templates.set(shapeOf(tokens), template)
      const last = tokens.at(-1)!
      if (last.text === '$to' || last.text === '$far')
        templates.set(shapeOf([...tokens.slice(0, -1), { ...last, kind: 'L' }]), template)
    }
  }
  return templates
}

let known: ReadonlyMap<string, Template> | undefined

/** Every template by its shape. Read when first asked for: only assembly needs them. */
export const templates = (): ReadonlyMap<string, Template> => (known ??= buildTemplates())

/** The words that begin a line, like `add` or `if`; lines in the kernel's syntax may begin with an operand instead. */
export function mnemonics(): ReadonlySet<string> {
  const first = [...templates().values()].map(({ tokens }) => tokens[0]!)
  return new Set(first.filter(({ kind, text }) => kind === 'text' && /^[a-z]/.test(text)).map(({ text }) => text))
}

/** All words of the syntax, which therefore are no good as labels. */
export function keywords(): ReadonlySet<string> {
  const all = [...templates().values()].flatMap(({ tokens }) => tokens)
  return new Set(all.filter(({ kind, text }) => kind === 'text' && /^[a-z]\w/.test(text)).map(({ text }) => text))
}

const examples: { readonly [operand: string]: string } = {
  $d: 'r1',
  $s: 'r2',
  $wd: 'w1',
  $ws: 'w2',
  $imm: '5',
  $imm64: '5',
  $off: '+ 4',
  $plus: '+ 4',
  $to: 'label',
  $far: '+4',
  $label: 'label',
}

/** A template with operands filled in, to show how it is written. */
export function exampleOf(template: Template): string {
  return template.source.replace(/\$[a-z]+[0-9]*/g, (operand) => examples[operand] ?? operand)
}
