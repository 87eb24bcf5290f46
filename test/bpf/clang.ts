// Objects that clang-19 makes of a C text.

import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { tool } from '../support/tools.ts'

/** The object of a C text, whose file is called `a.c`. */
export function clangObject(source: string, flags: readonly string[] = ['-O2', '-g'], target = 'bpfel'): Uint8Array {
  const folder = mkdtempSync(join(tmpdir(), 'thumbpf-'))
  try {
    writeFileSync(join(folder, 'a.c'), source)
    const compiler = tool('clang-19') ?? 'clang-19'
    execFileSync(compiler, ['-target', target, '-mcpu=v3', '-w', ...flags, '-c', 'a.c'], { cwd: folder })
    return readFileSync(join(folder, 'a.o'))
  } finally {
    rmSync(folder, { recursive: true })
  }
}
