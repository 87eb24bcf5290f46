// Options of the project's own commands (bench, fuzz): a wrong one ends in a line, not in a stack trace.

import { type ParseArgsConfig, parseArgs } from 'node:util'

/** As Node's parseArgs; where that throws, prints why and ends the process with status 2. */
export function parseOptions<const T extends ParseArgsConfig>(config: T): ReturnType<typeof parseArgs<T>> {
  try {
    return parseArgs(config)
  } catch (error) {
    console.error(`error: ${(error as Error).message} (--help lists the options)`)
    process.exit(2)
  }
}
