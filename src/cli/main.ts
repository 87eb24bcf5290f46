#!/usr/bin/env node
// The program `thumbpf`: loads the bundle of the command line that tools/bundle.mjs makes, as a CommonJS module, with what V8 had
// compiled of it when it was built: the rest of a start takes less than compiling that would. Another version of V8 refuses it, and
// then Node loads the bundle as it loads any module.

import { existsSync, readFileSync } from 'node:fs'
import module from 'node:module'
import { join } from 'node:path'
import { Script } from 'node:vm'

const ENTRY = './start.cjs'

interface Chunk {
  readonly exports: unknown
}
type Wrapper = (exports: unknown, load: (name: string) => unknown, self: Chunk, file: string, folder: string) => void

/** By the names that chunks require each other by. */
const loaded = new Map<string, Chunk>()

function compile(file: string): Script {
  const cache = `${file}.cache`
  // Its bytes are ASCII.
  const source = module.wrap(readFileSync(file, 'latin1'))
  return new Script(source, { filename: file, cachedData: existsSync(cache) ? readFileSync(cache) : undefined })
}

function run(name: string, file: string, script: Script): Chunk {
  const self: Chunk = { exports: {} }
  loaded.set(name, self)
  const body = script.runInThisContext() as Wrapper
  body(self.exports, load, self, file, __dirname)
  return self
}

/** What chunks have as `require`. */
function load(name: string): unknown {
  if (!name.startsWith('./')) return require(name)
  const known = loaded.get(name)
  if (known !== undefined) return known.exports
  const file = join(__dirname, name)
  return run(name, file, compile(file)).exports
}

function start(): void {
  const file = join(__dirname, ENTRY)
  const script = compile(file)
  if (script.cachedDataRejected === false) {
    run(ENTRY, file, script)
    return
  }
  // Since Node 22.1: keeps what V8 compiles, in a folder for temporary files.
  const { enableCompileCache } = module as { enableCompileCache?: () => void }
  enableCompileCache?.()
  require(ENTRY)
}

start()
