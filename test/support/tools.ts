// Outside programs that some tests compare with (GNU as, QEMU, clang, llvm-objdump). Where one is missing its tests are
// skipped by name; with THUMBPF_REQUIRE_TOOLS=1, as in .ci/run, they must run, and fail for want of it.

import { accessSync, constants, statSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { describe } from 'vitest'

/** True where a missing program is a failure and not a reason to skip. */
export const requireTools: boolean = process.env['THUMBPF_REQUIRE_TOOLS'] === '1'

/** Path of the first of `names` that is an executable file in PATH; undefined if none is. */
export function tool(...names: string[]): string | undefined {
  for (const name of names) {
    for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
      if (folder === '') continue
      const path = join(folder, name)
      try {
        accessSync(path, constants.X_OK)
        if (statSync(path).isFile()) return path
      } catch {
        // Not here: the next folder may have it.
      }
    }
  }
  return undefined
}

/** Names among `names` that are not in PATH. */
export function missingTools(...names: string[]): string[] {
  return names.filter((name) => tool(name) === undefined)
}

/**
 * A `describe` that needs the programs `names`. Where one is missing, its tests are skipped and the title says
 * which program they want; where tools are required they run and fail.
 */
export function describeWith(names: readonly string[], title: string, body: () => void): void {
  const missing = missingTools(...names)
  if (missing.length === 0 || requireTools) describe(title, body)
  else describe.skip(`${title} [needs ${missing.join(', ')}]`, body)
}
