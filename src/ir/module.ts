// The functions of one program.

import type { Callee, Func } from './func.ts'

/** What a section of data holds. */
export interface Section {
  /** Nobody writes to it. */
  readonly isConstant: boolean
  readonly bytes: Uint8Array
  /** Offsets of the pointers in it, of 8 bytes at most, which are not known before the program is placed. */
  readonly pointers: readonly number[]
}

export interface Module {
  /** Called by AAPCS from outside: parameters ctx, len, env (words); returns R0. */
  readonly entry: Func
  /** By index of the program's function: entries beside `entry`, which program arrays hold, else null. Parameters as the entry's. */
  readonly entries: readonly (Func | null)[]
  /** By index of the program's function: those that are called from within, else null. Parameters R1-R5, then env. */
  readonly functions: (Func | null)[]
  /** Indices of the functions whose address the program has somewhere: they stay, called or not. */
  readonly taken: readonly number[]
  /** The program's sections of data, by index. */
  readonly sections: readonly Section[]
  /** Routines that legalization asked for, by name. Filled by the passes. */
  readonly routines: Map<string, Func>
  /** Position-independent code: what the words of env's table are the addresses of. */
  readonly table: readonly Callee[]
}

/** Every function of the module: the entry first, then the other entries. */
export function allFunctions(module: Module): Func[] {
  const funcs = [module.entry]
  for (const func of module.entries) if (func !== null) funcs.push(func)
  for (const func of module.functions) if (func !== null) funcs.push(func)
  funcs.push(...module.routines.values())
  return funcs
}
