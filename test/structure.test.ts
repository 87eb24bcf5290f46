// Holds the imports of src/ to the table of rooms in docs/architecture.md, keeps Node's modules in their places and
// files short. The table there and the one here are compared, so that neither can drift.

import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, posix } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const root = dirname(dirname(fileURLToPath(import.meta.url)))

/** For each room, what its files may import besides their own room: rooms, or files without their ending. */
const allowed: Readonly<Record<string, readonly string[]>> = {
  base: [],
  bpf: ['base'],
  ir: ['base'],
  thumb: ['base'],
  domain: ['base'],
  image: ['base', 'thumb'],
  verifier: ['base', 'bpf', 'domain'],
  frontend: ['base', 'bpf', 'verifier', 'domain', 'ir'],
  passes: ['base', 'ir', 'domain'],
  codegen: ['base', 'ir', 'thumb'],
  machine: ['base', 'image', 'bpf/helpers', 'bpf/maps'],
  'machine/sim': ['machine', 'base', 'image', 'bpf/helpers', 'bpf/maps', 'thumb'],
  'machine/gdb': ['machine', 'base', 'image', 'bpf/helpers', 'bpf/maps'],
  'machine/serial': ['machine/gdb', 'base', 'image'],
  'machine/node': ['machine', 'machine/gdb', 'base', 'image', 'bpf/helpers', 'bpf/maps'],
  compile: ['base', 'bpf', 'verifier', 'domain', 'frontend', 'ir', 'passes', 'codegen', 'thumb', 'image'],
  index: [
    'base',
    'compile',
    'bpf',
    'verifier',
    'thumb',
    'image',
    'machine',
    'machine/sim',
    'machine/gdb',
    'machine/serial',
  ],
  node: ['index', 'machine/node'],
  cli: ['index', 'node'],
}

/** Packages that become part of the command line. */
const packages = new Set(['commander', 'nrf-intel-hex', 'uf2'])
/** Rooms that may import Node's modules. */
const nodeRooms = new Set(['node', 'cli', 'machine/node'])

interface SourceFile {
  /** From src/, with `/`. */
  readonly path: string
  readonly room: string
  readonly text: string
  readonly imports: readonly string[]
}

/** Room of a path from src/: its folder, `machine/sim` and `machine/node` for themselves, a file of src/ by its name. */
function roomOf(path: string): string {
  const parts = path.split('/')
  if (parts.length === 1) return path.replace(/\.ts$/, '')
  if (parts[0] === 'machine' && parts.length > 2) return `machine/${parts[1]}`
  return parts[0]!
}

/** What a file imports: statements at the beginning of a line, and calls of import(). */
function importsOf(text: string): string[] {
  const names = String.raw`(?:type\s+)?(?:\w+\s*,?\s*)?(?:\{[^}]*\}|\*(?:\s+as\s+\w+)?)?\s*`
  const statement = new RegExp(String.raw`^(?:import|export)\s+${names}from\s*'([^']+)'`, 'gm')
  const effect = /^import\s+'([^']+)'/gm
  const dynamic = /\bimport\(\s*'([^']+)'\s*\)/g
  return [statement, effect, dynamic].flatMap((pattern) => [...text.matchAll(pattern)].map((match) => match[1]!))
}

const files: SourceFile[] = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
  .map((path) => path.replaceAll('\\', '/'))
  .filter((path) => path.endsWith('.ts'))
  .toSorted()
  .map((path) => {
    const text = readFileSync(join(root, 'src', path), 'utf8')
    return { path, room: roomOf(path), text, imports: importsOf(text) }
  })

/** May a file of `room` import `path` (from src/)? */
function permitted(room: string, path: string): boolean {
  const target = roomOf(path)
  if (target === room) return true
  return allowed[room]!.some((name) => name === target || `${name}.ts` === path)
}

describe('the rooms of src/', () => {
  it('are all known', () => {
    expect(files.length).toBeGreaterThan(30)
    // So that a change of style can not blind this test: there are as many statements as lines that say `from`.
    for (const file of files) {
      const lines = file.text.split('\n').filter((line) => /^(?:import|export|\}).* from '/.test(line))
      expect([file.path, file.imports.length]).toEqual([
        file.path,
        expect.toSatisfy((count: number) => count >= lines.length),
      ])
    }
    expect([...new Set(files.map((file) => file.room))].filter((room) => allowed[room] === undefined)).toEqual([])
  })

  it('import only what the table allows', () => {
    const wrong: string[] = []
    for (const file of files) {
      for (const name of file.imports) {
        if (!name.startsWith('.')) continue
        const path = posix.join(posix.dirname(file.path), name)
        if (!permitted(file.room, path)) wrong.push(`${file.path} imports ${path}`)
      }
    }
    expect(wrong).toEqual([])
  })

  it('see no imports but by relative path, packages in cli/ and Node where Node is', () => {
    const wrong: string[] = []
    for (const file of files) {
      for (const name of file.imports) {
        if (name.startsWith('.')) continue
        if (name.startsWith('node:') ? nodeRooms.has(file.room) : file.room === 'cli' && packages.has(name)) continue
        wrong.push(`${file.path} imports ${name}`)
      }
    }
    expect(wrong).toEqual([])
  })

  it('use no globals of Node outside of its rooms', () => {
    const wrong = files
      .filter((file) => !nodeRooms.has(file.room))
      .filter((file) =>
        /\b(?:process|Buffer|__dirname|require)\s*[.(]/.test(file.text.replaceAll(/\/\/.*|\/\*[^]*?\*\//g, '')),
      )
    expect(wrong.map((file) => file.path)).toEqual([])
  })

  it('have no file over 700 lines', () => {
    const long = files.filter((file) => file.text.split('\n').length - 1 > 700)
    expect(long.map((file) => file.path)).toEqual([])
  })

  it('export nothing anonymous from the public entries', () => {
    for (const entry of ['index.ts', 'node.ts']) {
      expect(files.find((file) => file.path === entry)!.text).not.toMatch(/^export \*/m)
    }
  })
})

describe('docs/architecture.md', () => {
  it('shows the same table', () => {
    const text = readFileSync(join(root, 'docs', 'architecture.md'), 'utf8')
    const table: Record<string, string[]> = {}
    for (const match of text.matchAll(/^\| `([^`]+)` *\| ([^|]*) \|/gm)) {
      table[match[1]!.replace(/\.ts$/, '').replace(/\/$/, '')] = [...match[2]!.matchAll(/`([^`]+)`/g)].map((name) =>
        name[1]!.replace(/\.ts$/, '').replace(/\/$/, ''),
      )
    }
    const sorted = (record: Readonly<Record<string, readonly string[]>>): [string, string[]][] =>
      Object.entries(record)
        .map(([room, names]): [string, string[]] => [room, names.toSorted()])
        .toSorted(([a], [b]) => (a < b ? -1 : 1))
    expect(sorted(table)).toEqual(sorted(allowed))
  })
})

describe('the repository', () => {
  it('names no registry in its lock file', () => {
    expect(readFileSync(join(root, 'package-lock.json'), 'utf8')).not.toContain('"resolved"')
  })
})
