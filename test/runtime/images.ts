// Images of many kinds, for the tests of the file format and of the runtime that loads it.

import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { linuxHelpers } from '../../src/bpf/tables/linux.ts'
import { assemble } from '../../src/bpf/asm.ts'
import { compile, type CompileOptions } from '../../src/compile.ts'
import type { Image } from '../../src/image/image.ts'
import { compileForBpf } from '../support/objects.ts'
import { tool } from '../support/tools.ts'

const examples = fileURLToPath(new URL('../../examples/', import.meta.url))

/** Calls helpers with and without a prototype, and has a trap. */
const calls = `
  r6 = r1
  call 7
  call 200
  lock *(u64 *)(r6 + 0) += r0
  exit`

/** With constants, data that points to functions and strings, zeroed data, maps, and program arrays that are filled. */
const objects = ['const-table', 'function-table-writable', 'bss-and-data', 'maps/several-maps', 'tail-calls/filled']

/** By a name that a file can have. */
export function sampleImages(): Map<string, Image> {
  const images = new Map<string, Image>()
  const options: Record<string, CompileOptions> = {
    plain: {},
    independent: { positionIndependent: true },
    quick: { optimize: 0 },
  }
  for (const [word, one] of Object.entries(options)) {
    for (const file of readdirSync(examples).filter((name) => name.endsWith('.o'))) {
      const helpers = { helpers: linuxHelpers }
      images.set(`${file}-${word}`, compile(readFileSync(join(examples, file)), { ...one, ...helpers }))
    }
    const helpers = new Map([...linuxHelpers, [200, undefined]] as const)
    images.set(`calls-${word}`, compile(assemble(calls), { ...one, helpers }))
    if (tool('clang-19') === undefined) continue
    for (const name of objects) {
      // Tail calls are not possible there.
      if (word === 'independent' && name.startsWith('tail')) continue
      const bytes = compileForBpf(name, { cpu: 'v3', level: '-O2', debug: true })
      images.set(`${name.replace('/', '-')}-${word}`, compile(bytes, { ...one, helpers: linuxHelpers }))
    }
  }
  return images
}

/** A folder for the time of `work`. */
export function inFolder<T>(work: (folder: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), 'thumbpf-test-'))
  try {
    return work(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Writes files; gives their paths. */
export function writeFiles(folder: string, files: Iterable<readonly [string, Uint8Array]>): string[] {
  return [...files].map(([name, bytes]) => {
    const path = join(folder, name)
    writeFileSync(path, bytes)
    return path
  })
}
