// The functions of an ELF object, as its symbols tell them, and the choice of the one to start in.

import { InputError } from '../base/errors.ts'
import { type ElfFile, SectionFlag, SectionType, SymbolBinding, SymbolType, type Section, type Symbol } from './elf.ts'
import { suggestion } from './names.ts'

/** A function: bytes [start, end) of its section. */
export interface ObjectFunction {
  readonly name: string
  readonly section: Section
  readonly start: number
  readonly end: number
  readonly global: boolean
}

/** Whether a section holds instructions. */
export function isCode(section: Section): boolean {
  return section.type === SectionType.PROGBITS && (section.flags & SectionFlag.EXECUTABLE) !== 0
}

/** Functions of every program section, by section index, in order of their start, without overlap. Throws InputError. */
export function readFunctions(file: ElfFile): Map<number, ObjectFunction[]> {
  const found = new Map<number, ObjectFunction[]>()
  const symbols = new Map<number, Symbol[]>()
  for (const symbol of file.symbols) {
    const list = symbols.get(symbol.section)
    if (list === undefined) symbols.set(symbol.section, [symbol])
    else list.push(symbol)
  }
  for (const section of file.sections) {
    if (!isCode(section) || section.size === 0) continue
    file.contents(section) // its bytes must be there
    const inside = symbols.get(section.index) ?? []
    const typed = inside.filter((symbol) => symbol.type === SymbolType.FUNC)
    found.set(section.index, sectionFunctions(file, section, typed.length > 0 ? typed : labelled(inside)))
  }
  return found
}

/** Assembly without .type directives has plain global labels; clang before 8 also had static functions at the start of a section. */
function labelled(symbols: readonly Symbol[]): Symbol[] {
  return symbols.filter((symbol) => symbol.type === SymbolType.NOTYPE && (isGlobal(symbol) || symbol.value === 0))
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

/** The global function of this name, or the one that is meant without a name. Throws InputError with the names that there are. */
export function chooseEntry(functions: readonly ObjectFunction[], wanted: string | undefined): ObjectFunction {
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
  throw new InputError(
    `the object has ${entries.length} global functions; name the entry (--entry NAME, the option entry): ${list}`,
  )
}
