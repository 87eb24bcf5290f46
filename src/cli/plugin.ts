// `thumbpf plugin`: what the runner of github.com/Alan-Jowett/bpf_conformance calls for each test. The program comes as hex
// bytes on standard input (or after --program), the memory as the first argument; R0 goes to standard output in hex
// without a prefix.

import { readProgram } from '../index.ts'
import { conformanceHelpers } from './conformance-helpers.ts'
import { execute } from './execute.ts'
import type { Io } from './io.ts'
import { describe } from './run.ts'
import { openTarget, type TargetFlags } from './target.ts'
import { hexBytes } from './values.ts'

interface PluginOptions extends TargetFlags {
  readonly program?: string
}

export async function plugin(memory: string | undefined, options: PluginOptions, io: Io): Promise<number> {
  const text = options.program ?? new TextDecoder().decode(await io.stdin())
  const program = readProgram(hexBytes(text, 'program'))
  const bytes = hexBytes(memory ?? '', 'memory')
  const target = await openTarget(options)
  const execution = await execute(program, {
    target,
    ctx: bytes.length > 0 ? bytes : undefined,
    maxInstructions: options.maxInstructions,
    helpers: conformanceHelpers,
  }).finally(() => target.close())
  if (execution.outcome.kind !== 'returned') {
    io.stderr(`failed: ${describe(execution)}\n`)
    return 1
  }
  io.stdout(`${execution.outcome.r0.toString(16)}\n`)
  return 0
}
