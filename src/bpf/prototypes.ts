// Prototypes of helpers in C: a header whose declarations carry helper numbers, or single prototypes as data. Sizes are the target's
// (ILP32, AAPCS: int, long and pointers have 32 bits, plain char is unsigned). A header is read without a preprocessor: directives are
// passed over but for `#define NAME number`; definitions of structures are passed over too.
//
//   THUMBPF_HELPER(70) u32 gpio_read(u32 pin);              a macro that the header defines as nothing
//   static u32 (*gpio_read)(u32 pin) = (void *) 70;         as libbpf's bpf_helper_defs.h has them
//   enum { GPIO_READ = 70 };  ... = (void *) GPIO_READ;     a number may be named

import { InputError } from '../base/errors.ts'
import type { Parameter, Prototype, ResultType, ValueType } from '../base/prototype.ts'
import type { HelperTable } from './helpers.ts'

/** Most parameters of a helper: R1 to R5. */
const MOST_PARAMETERS = 5

/** Typedefs that every header may use. */
const named: Readonly<Record<string, ResultType>> = {
  void: 'void',
  bool: 'bool',
  _Bool: 'bool',
  map: 'map',
  size_t: 'u32',
  uintptr_t: 'u32',
  ssize_t: 's32',
  ptrdiff_t: 's32',
  intptr_t: 's32',
  uint: 'u32',
  ushort: 'u16',
  __wsum: 'u32',
  ...Object.fromEntries(
    ([8, 16, 32, 64] as const).flatMap((bits): [string, ResultType][] => [
      [`u${bits}`, `u${bits}`],
      [`s${bits}`, `s${bits}`],
      [`__u${bits}`, `u${bits}`],
      [`__s${bits}`, `s${bits}`],
      [`__be${bits}`, `u${bits}`],
      [`__le${bits}`, `u${bits}`],
      [`uint${bits}_t`, `u${bits}`],
      [`int${bits}_t`, `s${bits}`],
    ]),
  ),
}

/** The integer types of C, their words sorted, `int` left out where another word says it. */
const integers: Readonly<Record<string, ValueType>> = {
  char: 'u8',
  'char signed': 's8',
  'char unsigned': 'u8',
  short: 's16',
  'short signed': 's16',
  'short unsigned': 'u16',
  '': 's32',
  signed: 's32',
  unsigned: 'u32',
  long: 's32',
  'long signed': 's32',
  'long unsigned': 'u32',
  'long long': 's64',
  'long long signed': 's64',
  'long long unsigned': 'u64',
}

const integerWords = new Set(['char', 'short', 'int', 'long', 'signed', 'unsigned'])
const qualifiers = new Set([
  'const',
  'volatile',
  'restrict',
  '__restrict',
  'extern',
  'static',
  'inline',
  'register',
  '__inline',
  '__always_inline',
])
/** Structures whose address is a map's. */
const mapStructures = new Set(['thumbpf_map', 'bpf_map'])

interface Token {
  readonly text: string
  readonly line: number
}

/** One prototype without a number, `;` at its end or not. Throws InputError with the line (from 1) and the reason. */
export function parsePrototype(text: string): Prototype {
  const parser: Parser = new Parser(text)
  const { prototype, number } = parser.declaration()
  if (prototype === undefined || number !== undefined) parser.fail('must be one prototype, as `u32 gpio_read(u32 pin)`')
  parser.accept(';')
  if (!parser.ended) parser.fail(`'${parser.text}' after the prototype`)
  return prototype
}

/**
 * Prototypes by number, from data: `{ 70: 'u32 gpio_read(u32 pin)' }`. Throws InputError for one that is not understood, and names
 * its number.
 */
export function helperTable(prototypes: Readonly<Record<number, string>>): HelperTable {
  const table = new Map<number, Prototype>()
  for (const [key, text] of Object.entries(prototypes)) {
    const number = Number(key)
    if (!validNumber(number)) throw new InputError(`helper number '${key}' must be a whole number from 0 to 2147483647`)
    try {
      table.set(number, parsePrototype(text))
    } catch (error) {
      if (error instanceof InputError) throw new InputError(`helper ${number}, '${text}': ${error.message}`)
      throw error
    }
  }
  return table
}

/**
 * Prototypes by number, from a C header. Throws InputError with the line and the reason for what is no such header: a prototype without a
 * number, two with one, more than five parameters, structures by value, variable arguments, floating point.
 */
export function parseHelperHeader(text: string): HelperTable {
  const parser: Parser = new Parser(text)
  const table = new Map<number, Prototype>()
  while (!parser.ended) {
    if (parser.linkage()) continue
    const line = parser.line
    const { prototype, number } = parser.declaration()
    parser.expect(';')
    if (prototype === undefined) continue
    if (number === undefined) {
      throw new InputError(
        `${prototype.name} has no helper number: write THUMBPF_HELPER(number) before it or (*${prototype.name})(...) = (void *) number`,
        { line },
      )
    }
    const other = table.get(number)
    if (other !== undefined) {
      throw new InputError(`${prototype.name} has number ${number}, which is ${other.name}'s already`, { line })
    }
    table.set(number, prototype)
  }
  return table
}

function validNumber(number: number): boolean {
  return Number.isInteger(number) && number >= 0 && number <= 0x7fff_ffff
}

class Parser {
  private readonly tokens: readonly Token[]
  private at = 0
  /** Braces of `extern "C" {` that are open. */
  private open = 0
  private readonly lastLine: number
  /** Typedefs of the header. */
  private readonly types = new Map<string, ResultType>(Object.entries(named))
  private readonly constants = new Map<string, number>()
  /** Structures that were defined by typedef: their names are types that can't be passed by value. */
  private readonly structures = new Set<string>()

  constructor(text: string) {
    // Comments become blanks, their ends of lines stay.
    const plain = text.replaceAll(/\/\*[^]*?\*\/|\/\/[^\n]*/g, (comment) => comment.replaceAll(/[^\n]/g, ' '))
    const tokens: Token[] = []
    let line = 1
    const pattern = /\n|[ \t\r\f\v]+|#(?:\\\r?\n|[^\n])*|[A-Za-z_]\w*|\d\w*|"[^"\n]*"|\.\.\.|./g
    for (const [word] of plain.matchAll(pattern)) {
      if (word.startsWith('#')) this.directive(word)
      else if (word.trim() !== '') tokens.push({ text: word, line })
      line += word.split('\n').length - 1
    }
    this.tokens = tokens
    this.lastLine = line
  }

  get ended(): boolean {
    return this.at >= this.tokens.length
  }
  get text(): string {
    return this.tokens[this.at]?.text ?? 'the end'
  }
  get line(): number {
    return this.tokens[this.at]?.line ?? this.lastLine
  }

  fail(message: string): never {
    throw new InputError(message, { line: this.line })
  }

  accept(text: string): boolean {
    if (this.ended || this.text !== text) return false
    this.at++
    return true
  }

  expect(text: string): void {
    if (!this.accept(text)) this.fail(`'${this.text}' where '${text}' must be`)
  }

  /** The beginning or the end of `extern "C" { ... }`, or `extern "C"` alone. */
  linkage(): boolean {
    if (this.text === 'extern' && this.tokens[this.at + 1]?.text === '"C"') {
      this.at += 2
      if (this.accept('{')) this.open++
      return true
    }
    if (this.open === 0 || !this.accept('}')) return false
    this.open--
    return true
  }

  /** Up to the `;` of a declaration, which is not taken; no prototype for what declares something else. */
  declaration(): { prototype?: Prototype; number?: number | undefined } {
    if (this.text === ';') return {}
    if (this.accept('typedef')) {
      this.typedef()
      return {}
    }
    let number: number | undefined
    if (this.accept('THUMBPF_HELPER')) {
      this.expect('(')
      number = this.number()
      this.expect(')')
    }
    this.qualifiers()
    if (this.text === 'enum' && this.enumeration()) return {}
    if ((this.text === 'struct' || this.text === 'union') && this.structure()) return {}
    const base = this.type('result')
    const result = this.pointers(base)
    if (this.accept('(')) return this.pointerForm(result, number)
    const name = this.identifier('the name of the function')
    this.expect('(')
    const prototype = this.prototype(name, result)
    this.attributes()
    return { prototype, number }
  }

  /** `(*name)(parameters) = (void *) number`, after the result's type and the first `(`. */
  private pointerForm(result: ResultType, given: number | undefined): { prototype: Prototype; number: number } {
    this.expect('*')
    this.qualifiers()
    const name = this.identifier('the name of the function')
    this.expect(')')
    this.expect('(')
    const prototype = this.prototype(name, result)
    this.attributes()
    this.expect('=')
    if (this.accept('(')) {
      this.expect('void')
      this.expect('*')
      this.expect(')')
    }
    const number = this.number()
    if (given !== undefined && given !== number) this.fail(`${name} has numbers ${given} and ${number}`)
    return { prototype, number }
  }

  /** After `name(`. */
  private prototype(name: string, result: ResultType): Prototype {
    const parameters: Parameter[] = []
    if (!this.accept(')')) {
      do {
        if (this.text === '...') this.fail(`${name} takes variable arguments: a helper has at most five that are known`)
        const parameter = this.parameter()
        if (parameter !== undefined) parameters.push(parameter)
        else if (parameters.length > 0 || this.text !== ')') this.fail("a parameter can't be void")
      } while (this.accept(','))
      this.expect(')')
    }
    if (parameters.length > MOST_PARAMETERS) {
      this.fail(`${name} has ${parameters.length} parameters, a helper has at most ${MOST_PARAMETERS}`)
    }
    return { name, result, parameters }
  }

  /** undefined for `void`. */
  private parameter(): Parameter | undefined {
    this.qualifiers()
    const base = this.type('parameter')
    // A pointer to a function.
    if (this.accept('(')) {
      this.expect('*')
      const name = this.isIdentifier() ? this.identifier('a name') : undefined
      this.expect(')')
      this.expect('(')
      this.skipTo(')')
      return { type: 'pointer', name }
    }
    const pointer = this.pointerTo(base)
    const name = this.isIdentifier() ? this.identifier('a name') : undefined
    if (this.accept('[')) {
      this.skipTo(']')
      return { type: 'pointer', name }
    }
    const type = pointer ?? this.byValue(base, 'parameter')
    return type === 'void' ? undefined : { type, name }
  }

  private pointers(base: ResultType | Structure): ResultType {
    return this.pointerTo(base) ?? this.byValue(base, 'result')
  }

  /** The type after any number of `*`; undefined if there is none. */
  private pointerTo(base: ResultType | Structure): ValueType | undefined {
    this.qualifiers()
    let type: ValueType | undefined
    while (this.accept('*')) {
      type = type === undefined && typeof base === 'object' && mapStructures.has(base.structure) ? 'map' : 'pointer'
      this.qualifiers()
    }
    return type
  }

  private byValue(base: ResultType | Structure, what: string): ResultType {
    if (typeof base === 'string') return base
    this.fail(`a ${what} of type ${base.structure} by value: only integers and pointers can be passed`)
  }

  /** A type without its `*`. */
  private type(what: string): ResultType | Structure {
    const words: string[] = []
    while (integerWords.has(this.text)) {
      words.push(this.text)
      this.at++
      this.qualifiers()
    }
    if (words.length > 0) {
      const key = words
        .filter((word) => word !== 'int')
        .toSorted()
        .join(' ')
      return integers[key] ?? this.fail(`'${words.join(' ')}' is no type`)
    }
    if (this.accept('struct') || this.accept('union')) return { structure: this.identifier('the name of a structure') }
    if (this.accept('enum')) {
      const name = this.identifier('the name of an enumeration')
      // A pointer to one is harmless.
      if (this.text === '*' || this.text === 'const') return { structure: `enum ${name}` }
      this.fail(`a ${what} of type enum ${name}: how wide it is differs between compilers, use an integer`)
    }
    const { text } = this
    if (text === 'float' || text === 'double') {
      if (this.tokens[this.at + 1]?.text !== '*') this.fail(`a ${what} of type ${text}: BPF has no floating point`)
      this.at++
      return { structure: text }
    }
    if (this.structures.has(text)) {
      this.at++
      return { structure: text }
    }
    const type = this.types.get(text)
    if (type === undefined) this.fail(`'${text}' is no type that is known here`)
    this.at++
    this.qualifiers()
    return type
  }

  private typedef(): void {
    this.qualifiers()
    if (this.text === 'enum') this.fail('a typedef of an enumeration: how wide it is differs between compilers')
    if (this.text === 'struct' || this.text === 'union') {
      const word = this.tokens[this.at + 1]?.text
      if (word === '{' || this.tokens[this.at + 2]?.text === '{') {
        while (!this.accept('{')) this.at++
        this.skipTo('}')
        this.attributes()
        this.structures.add(this.identifier('the name of a type'))
        return
      }
    }
    const base = this.type('typedef')
    const pointer = this.pointerTo(base)
    const name = this.identifier('the name of a type')
    if (pointer !== undefined) this.types.set(name, pointer)
    else if (typeof base === 'string') this.types.set(name, base)
    else this.structures.add(name)
  }

  /** `struct name;` or a definition: passes over it. False if it is the type of what follows. */
  private structure(): boolean {
    const second = this.tokens[this.at + 1]?.text
    const third = this.tokens[this.at + 2]?.text
    if (second !== '{' && third !== '{') {
      if (third !== ';') return false
      this.at += 2
      return true
    }
    while (!this.accept('{')) this.at++
    this.skipTo('}')
    this.attributes()
    return true
  }

  /** `enum { NAME = number, ... }`: its names are numbers from here on. False if it is the type of what follows. */
  private enumeration(): boolean {
    if (this.tokens[this.at + 1]?.text !== '{' && this.tokens[this.at + 2]?.text !== '{') return false
    while (!this.accept('{')) this.at++
    let value = 0
    while (!this.accept('}')) {
      const name = this.identifier('the name of a number')
      if (this.accept('=')) value = this.number()
      this.constants.set(name, value++)
      if (this.text !== '}') this.expect(',')
    }
    return true
  }

  private number(): number {
    const { text } = this
    const number = /^\d/.test(text) ? Number(text.replace(/[uUlL]+$/, '')) : this.constants.get(text)
    if (number === undefined || !validNumber(number)) this.fail(`'${text}' where a helper's number must be`)
    this.at++
    return number
  }

  private isIdentifier(): boolean {
    return !this.ended && /^[A-Za-z_]/.test(this.text)
  }

  private identifier(what: string): string {
    if (!this.isIdentifier()) this.fail(`'${this.text}' where ${what} must be`)
    return this.tokens[this.at++]!.text
  }

  private qualifiers(): void {
    for (;;) {
      if (qualifiers.has(this.text)) this.at++
      else if (this.text === '__attribute__') this.attributes()
      else return
    }
  }

  private attributes(): void {
    while (this.accept('__attribute__')) {
      this.expect('(')
      this.skipTo(')')
    }
  }

  /** Past the bracket that closes the one just taken. */
  private skipTo(close: string): void {
    for (let depth = 1; depth > 0; this.at++) {
      if (this.ended) this.fail(`the end where '${close}' must be`)
      if ('([{'.includes(this.text)) depth++
      else if (')]}'.includes(this.text)) depth--
    }
  }

  private directive(text: string): void {
    const match = /^#[ \t]*define[ \t]+(\w+)[ \t]+\(?(0[xX][0-9a-fA-F]+|\d+)\)?[ \t\r]*$/.exec(text)
    if (match !== null) this.constants.set(match[1]!, Number(match[2]!))
  }
}

/** A type that can only be pointed at. */
interface Structure {
  readonly structure: string
}
