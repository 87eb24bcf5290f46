// The symbols of a module by number: its functions in the order of `allFunctions`, the routine that leaves a program if
// something traps, then the imports in the order in which selection meets them.

import { unreachable } from '../base/errors.ts'
import type { Callee } from '../ir/func.ts'
import { type Module, allFunctions } from '../ir/module.ts'
import { Op } from '../ir/op.ts'
import { LEAVE } from './leave.ts'

export interface ModuleSymbol {
  readonly name: string
  readonly kind: 'function' | 'import'
  /** Import: the helper's number. Else -1. */
  readonly helper: number
  readonly global: boolean
}

export class SymbolTable {
  readonly symbols: ModuleSymbol[] = []
  /** The module needs the routine that leaves it. */
  readonly leaves: boolean
  private readonly functions = new Map<number, number>()
  private readonly routines = new Map<string, number>()
  private readonly imports = new Map<number, number>()
  private readonly leaveNumber: number

  constructor(module: Module) {
    const add = (name: string, global: boolean): number =>
      this.symbols.push({ name, kind: 'function', helper: -1, global }) - 1
    add(module.entry.name, true)
    for (const [index, func] of module.functions.entries()) {
      if (func === null) continue
      // The entry may be called from within as well: then it is there twice.
      const name = func.name === module.entry.name ? `${func.name}.local` : func.name
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
          number =
            this.symbols.push({
              name: `helper_${callee.number}`,
              kind: 'import',
              helper: callee.number,
              global: false,
            }) - 1
          this.imports.set(callee.number, number)
        }
        return number
      }
    }
  }

  leave(): number {
    return this.leaveNumber >= 0 ? this.leaveNumber : unreachable('a trap that nobody counted')
  }
}
