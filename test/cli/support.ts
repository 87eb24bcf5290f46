// Runs the command line in this process, with its streams as strings.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'

import { main } from '../../src/cli/cli.ts'

export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))
export const example = (name: string): string => join(root, 'examples', name)
export const input = (name: string): string => `@${join(root, 'examples', 'inputs', `${name}.bin`)}`

export interface Ran {
  readonly status: number
  readonly stdout: string
  readonly stderr: string
  readonly bytes: Uint8Array
}

export async function thumbpf(args: readonly string[], stdin: string | Uint8Array = ''): Promise<Ran> {
  const chunks: Uint8Array[] = []
  let stderr = ''
  const status = await main(args, {
    stdin: async () => (typeof stdin === 'string' ? new TextEncoder().encode(stdin) : stdin),
    stdout: (chunk) => void chunks.push(typeof chunk === 'string' ? new TextEncoder().encode(chunk) : chunk),
    stderr: (text) => {
      stderr += text
    },
    colour: { stdout: false, stderr: false },
  })
  const bytes = Buffer.concat(chunks)
  return { status, stdout: bytes.toString(), stderr, bytes }
}

/** A folder that is removed when the test is over. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'thumbpf-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}
