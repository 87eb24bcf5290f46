// ELF objects of clang -> one text of instructions: the functions that the entry reaches by calls, placed one after the other,
// with the calls between them (R_BPF_64_32, or already resolved by the compiler) recomputed.
// Relocations in used functions other than calls are refused by name; those of debug information are not looked at.

import { InputError, RejectedError, type Rejection } from '../base/errors.ts'
import {
  ElfFile,
  EXECUTABLE,
  SectionType,
  SymbolBinding,
  SymbolType,
  type Relocation,
  type Section,
  type Symbol,
} from './elf.ts'
import { suggestion } from './names.ts'

export { isElf } from './elf.ts'

/** Where a function lies in a text: the slots [start, end). */
export interface FunctionLayout {
  readonly name: string
  readonly start: number
  readonly end: number
  readonly global: boolean
  readonly section: string
}

/** What an object becomes: instructions to decode. */
export interface ObjectText {
  readonly text: Uint8Array
  /** In order of `start`, without gaps. */
  readonly functions: readonly FunctionLayout[]
  /** Index of the entry in `functions`. */
  readonly entry: number
}

/** psABI of BPF: R_BPF_64_32 is the one that calls carry. */
const CALL_RELOCATION = 10
const relocationNames: { readonly [type: number]: string } = {
  1: 'R_BPF_64_64',
  2: 'R_BPF_64_ABS64',
  3: 'R_BPF_64_ABS32',
  4: 'R_BPF_64_NODYLD32',
  [CALL_RELOCATION]: 'R_BPF_64_32',
}

/** A function as the symbols tell it: bytes [start, end) of its section. */
interface ObjectFunction {
  readonly name: string
  readonly section: Section
  readonly start: number
  readonly end: number
  readonly global: boolean
}
interface Call {
  readonly from: ObjectFunction
  /** Byte offset in the section of `from`. */
  readonly offset: number
  readonly to: ObjectFunction
}
interface Problem {
  readonly code: string
  readonly from: ObjectFunction
  readonly offset: number
  readonly message: string
}

/** Reads an object and chooses its entry. Throws InputError, and RejectedError for calls and relocations that can't be served. */
export function readObject(bytes: Uint8Array, entryName?: string): ObjectText {
  const file = new ElfFile(bytes)
  const functions = readFunctions(file)
  const entry = chooseEntry([...functions.values()].flat(), entryName)

  const used = new Set([entry])
  const calls: Call[] = []
  const problems: Problem[] = []
  const scanner = new Scanner(file, functions, problems)
  for (const one of used) {
    for (const call of scanner.calls(one)) {
      calls.push(call)
      used.add(call.to)
    }
  }

  const placed = [...used].toSorted((a, b) => a.section.index - b.section.index || a.start - b.start)
  const slotOf = new Map<ObjectFunction, number>()
  let slots = 0
  for (const one of placed) {
    slotOf.set(one, slots)
    slots += (one.end - one.start) / 8
  }
  const slotAt = (from: ObjectFunction, offset: number): number =>
    slotOf.get(from)! + Math.floor((offset - from.start) / 8)
  if (problems.length > 0) {
    throw new RejectedError(
      problems.map(({ code, from, offset, message }): Rejection => ({
        code,
        place: { function: from.name, slot: slotAt(from, offset) },
        message,
      })),
    )
  }

  const text = new Uint8Array(slots * 8)
  for (const one of placed) text.set(file.contents(one.section).subarray(one.start, one.end), slotOf.get(one)! * 8)
  const view = new DataView(text.buffer)
  for (const { from, offset, to } of calls) {
    const slot = slotAt(from, offset)
    view.setInt32(slot * 8 + 4, slotOf.get(to)! - slot - 1, true)
  }
  return {
    text,
    functions: placed.map((one) => ({
      name: one.name,
      start: slotOf.get(one)!,
      end: slotOf.get(one)! + (one.end - one.start) / 8,
      global: one.global,
      section: one.section.name,
    })),
    entry: placed.indexOf(entry),
  }
}

/** Functions of every program section, by section index, in order of their start, without overlap. */
function readFunctions(file: ElfFile): Map<number, ObjectFunction[]> {
  const found = new Map<number, ObjectFunction[]>()
  const symbols = new Map<number, Symbol[]>()
  for (const symbol of file.symbols) {
    const list = symbols.get(symbol.section)
    if (list === undefined) symbols.set(symbol.section, [symbol])
    else list.push(symbol)
  }
  for (const section of file.sections) {
    if (section.type !== SectionType.PROGBITS || (section.flags & EXECUTABLE) === 0 || section.size === 0) continue
    file.contents(section) // its bytes must be there
    const inside = symbols.get(section.index) ?? []
    const typed = inside.filter((symbol) => symbol.type === SymbolType.FUNC)
    // Assembly without .type directives has plain global labels.
    const chosen =
      typed.length > 0 ? typed : inside.filter((symbol) => symbol.type === SymbolType.NOTYPE && isGlobal(symbol))
    found.set(section.index, sectionFunctions(file, section, chosen))
  }
  return found
}

function sectionFunctions(file: ElfFile, section: Section, symbols: readonly Symbol[]): ObjectFunction[] {
  // Of several names for one place a global one is first.
  const sorted = symbols.toSorted((a, b) => a.value - b.value || Number(isGlobal(b)) - Number(isGlobal(a)))
  const starts = sorted.filter((symbol, index) => symbol.value !== sorted[index - 1]?.value)
  const functions: ObjectFunction[] = []
  for (const [index, symbol] of starts.entries()) {
    const name = file.symbolName(symbol)
    const last = functions.at(-1)
    const end = symbol.size > 0 ? symbol.value + symbol.size : (starts[index + 1]?.value ?? section.size)
    if (last !== undefined && symbol.value < last.end) {
      throw new InputError(
        `functions ${last.name} and ${name} of section ${section.name} overlap at byte ${symbol.value}`,
      )
    }
    if (end > section.size || end <= symbol.value || symbol.value % 8 !== 0 || end % 8 !== 0) {
      throw new InputError(
        `function ${name} takes bytes ${symbol.value} to ${end} of section ${section.name}; must be multiples of 8 up to ${section.size}`,
      )
    }
    functions.push({ name, section, start: symbol.value, end, global: isGlobal(symbol) })
  }
  return functions
}

function isGlobal(symbol: Symbol): boolean {
  return symbol.binding === SymbolBinding.GLOBAL || symbol.binding === SymbolBinding.WEAK
}

function chooseEntry(functions: readonly ObjectFunction[], wanted: string | undefined): ObjectFunction {
  const entries = functions.filter((one) => one.global)
  const names = entries.map((one) => one.name)
  const list = names.length === 0 ? 'the object has none' : `there are: ${names.slice(0, 50).join(', ')}`
  if (wanted !== undefined) {
    const found = entries.find((one) => one.name === wanted)
    if (found === undefined)
      throw new InputError(`there is no global function '${wanted}'; ${list}${suggestion(wanted, names)}`)
    return found
  }
  const programs = entries.filter((one) => one.section.name !== '.text')
  const named = ['entry', 'main'].flatMap((name) => entries.find((one) => one.name === name) ?? [])
  const [choice] = entries.length === 1 ? entries : programs.length === 1 ? programs : named
  if (choice !== undefined) return choice
  if (entries.length === 0) throw new InputError('the object has no global function to start in')
  throw new InputError(`the object has ${entries.length} global functions; name the entry: ${list}`)
}

/** Finds the calls of functions. Holds the relocations of the program sections that were looked at. */
class Scanner {
  private readonly file: ElfFile
  private readonly starts = new Map<number, Map<number, ObjectFunction>>()
  private readonly relocations = new Map<number, readonly Relocation[]>()
  private readonly problems: Problem[]

  constructor(file: ElfFile, functions: ReadonlyMap<number, readonly ObjectFunction[]>, problems: Problem[]) {
    this.file = file
    this.problems = problems
    for (const [section, list] of functions) this.starts.set(section, new Map(list.map((one) => [one.start, one])))
  }

  calls(from: ObjectFunction): Call[] {
    const { section } = from
    const contents = this.file.contents(section)
    const view = new DataView(contents.buffer, contents.byteOffset, contents.byteLength)
    const pending = new Map(this.relocationsIn(from).map((relocation) => [relocation.offset, relocation]))
    const calls: Call[] = []
    for (let offset = from.start; offset < from.end; offset += contents[offset] === 0x18 ? 16 : 8) {
      if (contents[offset] !== 0x85 || contents[offset + 1]! >> 4 !== 1) continue
      const relocation = pending.get(offset)
      const imm = view.getInt32(offset + 4, true)
      if (relocation === undefined) {
        this.add(calls, from, offset, section.index, offset + (imm + 1) * 8)
      } else if (relocation.type === CALL_RELOCATION) {
        pending.delete(offset)
        const symbol = this.file.symbols[relocation.symbol]!
        if (symbol.section === 0) {
          this.problem(
            'undefined-function',
            from,
            offset,
            `calls '${this.file.symbolName(symbol)}', which is not defined in the object`,
          )
        } else this.add(calls, from, offset, symbol.section, symbol.value + (imm + 1) * 8)
      }
    }
    for (const relocation of pending.values()) this.refuse(from, relocation)
    return calls
  }

  private add(calls: Call[], from: ObjectFunction, offset: number, section: number, target: number): void {
    const to = this.starts.get(section)?.get(target)
    if (to !== undefined) {
      calls.push({ from, offset, to })
      return
    }
    const name = this.file.sections[section]?.name ?? `section ${section}`
    this.problem(
      'call-into-function',
      from,
      offset,
      `calls byte ${target} of ${name}, which is not the start of a function`,
    )
  }

  private refuse(from: ObjectFunction, relocation: Relocation): void {
    const name = relocationNames[relocation.type] ?? `relocation type ${relocation.type}`
    const symbol = this.file.symbolName(this.file.symbols[relocation.symbol]!)
    const why =
      relocation.type === CALL_RELOCATION
        ? 'is not at a call of a function'
        : 'is not supported; only calls (R_BPF_64_32) are'
    this.problem('relocation', from, relocation.offset, `${name} of '${symbol}' ${why}`)
  }

  private relocationsIn(one: ObjectFunction): Relocation[] {
    const { index } = one.section
    let all = this.relocations.get(index)
    if (all === undefined) {
      all = this.file
        .relocations(index)
        .filter(({ type }) => type !== 0)
        .toSorted((a, b) => a.offset - b.offset)
      this.relocations.set(index, all)
    }
    let low = 0
    let high = all.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (all[middle]!.offset < one.start) low = middle + 1
      else high = middle
    }
    const found: Relocation[] = []
    for (; low < all.length && all[low]!.offset < one.end; low++) found.push(all[low]!)
    return found
  }

  private problem(code: string, from: ObjectFunction, offset: number, message: string): void {
    if (this.problems.length < 50) this.problems.push({ code, from, offset, message })
  }
}
