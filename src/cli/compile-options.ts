// Options of the compiler as the command line has them.

import type { CompileOptions } from '../index.ts'

/** What commander makes of the options that every compiling command has. */
export interface CompileFlags {
  readonly optimize: '0' | '2' | 's'
  readonly fullPrologue?: boolean
  readonly positionIndependent?: boolean
  /** linux, riot or the path of a C header. */
  readonly helpers?: string
}

/** The compiler's options for them. */
export function compileOptions(flags: CompileFlags): CompileOptions {
  return {
    optimize: flags.optimize === '0' ? 0 : flags.optimize === 's' ? 's' : 2,
    fullPrologue: flags.fullPrologue === true,
    positionIndependent: flags.positionIndependent === true,
  }
}
