// Options of the compiler as the command line has them.

import type { CompileOptions, Program } from '../index.ts'

/** What commander makes of the options that every compiling command has. */
export interface CompileFlags {
  readonly optimize: '0' | '2'
  readonly fullPrologue?: boolean
}

/** The compiler's options for them. */
export function compileOptions(flags: CompileFlags): CompileOptions {
  return { optimize: flags.optimize === '0' ? 0 : 2, fullPrologue: flags.fullPrologue === true }
}

/** Helpers that the program calls: to list or write code nobody need grant them. */
export function calledHelpers(program: Program): Set<number> {
  const calls = program.instructions.filter(({ row }) => row.kind === 'call' && row.callee === 'helper')
  return new Set(calls.map((instruction) => instruction.imm))
}
