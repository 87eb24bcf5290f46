// What a command sees of the outside: three streams, and colour where it is wanted. Tests pass their own.

import { styleText } from 'node:util'

/** The streams of one run of the command line. */
export interface Io {
  /** All of standard input. */
  readonly stdin: () => Promise<Uint8Array>
  readonly stdout: (chunk: string | Uint8Array) => void
  readonly stderr: (text: string) => void
  /** May escape codes be written to standard output, and to standard error? */
  readonly colour: { readonly stdout: boolean; readonly stderr: boolean }
}

/** The command line was misused: one line for people and exit status 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** The streams of this process. Colour is for terminals, and never where NO_COLOR is set (no-color.org). */
export function processIo(): Io {
  const plain = (process.env['NO_COLOR'] ?? '') !== '' || process.env['TERM'] === 'dumb'
  return {
    async stdin() {
      const chunks: Uint8Array[] = []
      for await (const chunk of process.stdin) chunks.push(chunk as Uint8Array)
      return Buffer.concat(chunks)
    },
    stdout: (chunk) => void process.stdout.write(chunk),
    stderr: (text) => void process.stderr.write(text),
    colour: { stdout: !plain && process.stdout.isTTY, stderr: !plain && process.stderr.isTTY },
  }
}

/** `text` in a colour or weight, or as it is where `enabled` is false. */
export function paint(enabled: boolean, format: 'red' | 'green' | 'cyan' | 'dim' | 'bold', text: string): string {
  // `enabled` has been decided for the very stream, which styleText would look for on its own.
  return enabled ? styleText(format, text, { validateStream: false }) : text
}
