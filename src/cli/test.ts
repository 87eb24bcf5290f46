// `thumbpf test`: conformance files, each on the interpreter and on a machine. Each failure is printed with what was
// expected and what came; the last line is `N passed, N failed`.

import { expectsError, formatOutcome, InputError, parseConformance, readProgram, RejectedError } from '../index.ts'
import { listFiles, readBytes } from '../node.ts'
import { conformanceHelpers } from './conformance-helpers.ts'
import { execute } from './execute.ts'
import { type Io, paint, UsageError } from './io.ts'
import { openTarget, type Target, type TargetFlags } from './target.ts'

type TestOptions = TargetFlags

/** Exit status 0 if every file passed, 1 if not. */
export async function test(paths: readonly string[], options: TestOptions, io: Io): Promise<number> {
  const files = (await Promise.all(paths.map((path) => listFiles(path, '.data')))).flat()
  if (files.length === 0) throw new UsageError(`no .data files in ${paths.join(', ')}`)
  const targets = [await openTarget({ machine: 'interp' })]
  if (options.machine !== 'interp') targets.push(await openTarget(options))
  let failed = 0
  try {
    for (const file of files) {
      const problems = await check(new TextDecoder().decode(await readBytes(file)), targets, options.maxInstructions)
      if (problems.length > 0) failed++
      for (const problem of problems) io.stdout(`${paint(io.colour.stdout, 'red', 'FAIL')} ${file}: ${problem}\n`)
    }
  } finally {
    for (const target of targets) await target.close()
  }
  io.stdout(`${files.length - failed} passed, ${failed} failed\n`)
  return failed === 0 ? 0 : 1
}

/** What is wrong with the results of one file, a sentence for each machine; nothing if it passes. */
async function check(source: string, targets: readonly Target[], maxInstructions?: number): Promise<string[]> {
  const refusal = expectsError(source)
  let conformance
  try {
    conformance = parseConformance(source)
  } catch (error) {
    const message = refused(error)
    return refusal ? [] : [message]
  }
  const problems: string[] = []
  for (const target of targets) {
    try {
      const { outcome } = await execute(readProgram(conformance.program), {
        target,
        ctx: conformance.memory,
        maxInstructions,
        helpers: conformanceHelpers,
      })
      if (refusal) problems.push(`on ${target.name}: expected to be refused, actual ${formatOutcome(outcome)}`)
      else if (outcome.kind !== 'returned' || outcome.r0 !== conformance.result) {
        problems.push(
          `on ${target.name}: expected r0 = 0x${conformance.result!.toString(16)}, actual ${formatOutcome(outcome)}`,
        )
      }
    } catch (error) {
      const message = refused(error)
      if (!refusal) problems.push(`on ${target.name}: ${message}`)
    }
  }
  return problems
}

/** The sentence for an input that was refused; throws on what is no refusal. */
function refused(error: unknown): string {
  if (!(error instanceof InputError || error instanceof RejectedError)) throw error
  return `refused: ${error.message.replaceAll('\n', '; ')}`
}
