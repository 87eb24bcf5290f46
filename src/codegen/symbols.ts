// The symbols of a module by number: its functions in the order of `allFunctions` (entries first), the routine that leaves a program if
// something traps, then the imports in the order in which selection meets them.

import { unreachable } from '../base/errors.ts'
import type { Prototype } from '../base/prototype.ts'
import type { Callee } from '../ir/func.ts'
import { type Module, allFunctions } from '../ir/module.ts'
import { Op } from '../ir/op.ts'
import { LEAVE } from './leave.ts'

export interface ModuleSymbol {
  readonly name: string
  readonly kind: 'function' | 'import' | 'section' | 'map'
  /** Import: the helper's number. Else -1. */
  readonly helper: number
  readonly prototype?: Prototype | undefined
  /** Section or map: its index in the program. Else -1. */
  readonly index: number
  readonly global: boolean
}

/** The names of a program's sections of data and maps, by index, and the index of its entry's function. */
export interface Named {
  readonly entry: number
  readonly data: readonly { readonly name: string; readonly align: number }[]
  readonly maps: readonly { readonly name: string }[]
}

export class SymbolTable {
  readonly symbols: ModuleSymbol[] = []
  /** The module needs the routine that leaves it. */
  readonly leaves: boolean
  /** By index of the program's function: entered from outside, and called from within. */
  private readonly entries = new Map<number, number>()
  private readonly functions = new Map<number, number>()
  private readonly routines = new Map<string, number>()
  private readonly imports = new Map<number, number>()
  private readonly sections: number[] = []
  private readonly maps: number[] = []
  private readonly program: Named
  private readonly leaveNumber: number

  constructor(module: Module, program: Named) {
    this.program = program
    const add = (name: string, global: boolean): number =>
      this.symbols.push({ name, kind: 'function', helper: -1, index: -1, global }) - 1
    this.entries.set(program.entry, add(module.entry.name, true))
    const names = new Set([module.entry.name])
    for (const [index, func] of module.entries.entries()) {
      if (func === null) continue
      this.entries.set(index, add(func.name, true))
      names.add(func.name)
    }
    for (const [index, func] of module.functions.entries()) {
      if (func === null) continue
      // An entry may be called from within as well: then it is there twice.
      const name = names.has(func.name) ? `${func.name}.local` : func.name
      this.functions.set(index, add(name, false))
    }
    for (const name of module.routines.keys()) this.routines.set(name, add(name, false))
    const traps = allFunctions(module).some((func) => func.blocks.some((block) => block.terminator.op === Op.trap))
    this.leaves = traps
    this.leaveNumber = traps ? add(LEAVE, false) : -1
  }

  of(callee: Callee): number {
    switch (callee.kind) {
      case 'function':
        return this.functions.get(callee.index) ?? unreachable(`function ${callee.index}`)
      case 'routine':
        return this.routines.get(callee.name) ?? unreachable(`routine ${callee.name}`)
      case 'helper': {
        let number = this.imports.get(callee.number)
        if (number === undefined) {
          const symbol = {
            name: callee.prototype?.name ?? `helper_${callee.number}`,
            kind: 'import',
            helper: callee.number,
            prototype: callee.prototype,
            index: -1,
            global: false,
          } as const
          number = this.symbols.push(symbol) - 1
          this.imports.set(callee.number, number)
        }
        return number
      }
      case 'pointer':
        return unreachable('an address that is a value has no symbol')
      case 'data':
        return (this.sections[callee.section] ??= this.place('section', callee.section))
      case 'map':
        return (this.maps[callee.index] ??= this.place('map', callee.index))
      case 'area':
        return unreachable('an area of the frame is no symbol')
    }
  }

  alignmentOf(callee: Callee): number {
    return callee.kind === 'data' ? this.program.data[callee.section]!.align : 1
  }

  private place(kind: 'section' | 'map', index: number): number {
    const name = (kind === 'section' ? this.program.data : this.program.maps)[index]!.name
    return this.symbols.push({ name, kind, helper: -1, index, global: false }) - 1
  }

  /** Of a function of the program as an entry. */
  entry(index: number): number {
    return this.entries.get(index) ?? unreachable(`function ${index} is no entry`)
  }

  leave(): number {
    return this.leaveNumber >= 0 ? this.leaveNumber : unreachable('a trap that nobody counted')
  }
}
