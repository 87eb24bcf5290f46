// One temporary folder for a whole run of the tests: what they, and the programs that they start, leave there goes when all of them
// have ended. (An 'exit' handler in a test file would not do: vitest ends its workers without one.)

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** vitest calls it before it starts its workers, which inherit TMPDIR, and calls what it gives when they have ended. */
export default function setup(): () => void {
  const outer = process.env['TMPDIR']
  const folder = mkdtempSync(join(tmpdir(), 'thumbpf-tests-'))
  process.env['TMPDIR'] = folder
  return () => {
    rmSync(folder, { recursive: true, force: true })
    if (outer === undefined) delete process.env['TMPDIR']
    else process.env['TMPDIR'] = outer
  }
}
