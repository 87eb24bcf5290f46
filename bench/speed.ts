// How fast the compiler and the simulator are, medians of several runs each, as tables: warm compile speed over generated programs
// and the kernels, whole processes from cold beside Node's and clang's own, memory, the simulator.

import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { compile, readProgram } from '../src/index.ts'
import { builds, type BuiltKernels } from './builds.ts'
import { generateProgram } from './generate.ts'
import { kernelInputs } from './inputs.ts'
import { benchSimulator } from './simulator.ts'

/** Cells of the first row are titles. */
export interface Table {
  readonly title: string
  readonly rows: readonly (readonly string[])[]
}

const LARGEST = 65_536
const COUNTS = [100, 1000, 4000, 16_000, LARGEST]
/** Kernels of different sizes for the whole process. */
const COLD = ['fletcher32', 'modbus', 'u64dec']
const RUNS = 15

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[sorted.length >>> 1]!
}

/** Milliseconds that `body` takes. */
function time(body: () => void): number {
  const begin = performance.now()
  body()
  return performance.now() - begin
}

/** Median milliseconds of `body`, once it has run for a while. */
function warm(body: () => void, seconds: number): number {
  const until = performance.now() + seconds * 1000
  do body()
  while (performance.now() < until)
  const times: number[] = []
  const end = performance.now() + seconds * 1000
  do times.push(time(body))
  while (performance.now() < end || times.length < 3)
  return median(times)
}

function compileSpeed(built: BuiltKernels): Table {
  const rows = [['program', 'median ms', 'BPF insns/s', 'bytes/insn']]
  const measure = (name: string, count: number, sources: readonly Uint8Array[], seconds: number): void => {
    let size = 0
    const milliseconds = warm(() => {
      size = 0
      for (const source of sources) size += compile(source).image.code.length
    }, seconds)
    const speed = Math.round((count / milliseconds) * 1000).toLocaleString('en')
    rows.push([name, milliseconds.toFixed(2), speed, (size / count).toFixed(2)])
  }
  for (const count of COUNTS) {
    const name = `generated, ${count.toLocaleString('en')} instructions`
    measure(name, count, [generateProgram(count)], count > 10_000 ? 0.1 : 1)
  }
  const objects = [...kernelInputs.keys()].map((name) => built.object(name, 'v3'))
  const slots = objects.reduce((sum, object) => sum + readProgram(object).instructions.length, 0)
  measure(`the ${objects.length} kernels as ELF (v3), ${slots.toLocaleString('en')} instructions`, slots, objects, 1)
  return { title: 'Compiling, warm: one call of `compile` after another', rows }
}

/** Runs `commands` in turn, several times: median milliseconds of each. Throws if one fails. */
function sideBySide(commands: readonly (readonly string[])[]): number[] {
  const times = commands.map((): number[] => [])
  for (let round = 0; round <= RUNS; round++) {
    for (const [index, [program = '', ...args]] of commands.entries()) {
      const milliseconds = time(() => {
        const { status, stderr, error } = spawnSync(program, args, { encoding: 'utf8' })
        if (error !== undefined) throw error
        if (status !== 0) throw new Error(stderr)
      })
      // The first round reads the files into memory.
      if (round > 0) times[index]!.push(milliseconds)
    }
  }
  return times.map(median)
}

/** Of the program as it is published. */
function coldCompile(root: string, built: BuiltKernels): Table {
  execFileSync('npm', ['run', '--silent', 'build'], { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] })
  const folder = mkdtempSync(join(tmpdir(), 'thumbpf-bench-'))
  try {
    const rows = [['kernel', '`thumbpf compile`', '`node -e 0`', 'clang -O2, native', 'thumbpf / (node + clang)']]
    for (const name of COLD) {
      const object = join(folder, `${name}.o`)
      writeFileSync(object, built.object(name, 'v3'))
      const source = join(root, 'bench/kernels', `${name}.c`)
      const [thumbpf = 0, node = 0, clang = 0] = sideBySide([
        [process.execPath, join(root, 'dist/cli/main.js'), 'compile', object, '-o', join(folder, 'out.bin')],
        [process.execPath, '-e', '0'],
        [...builds['clang -O2'].command.split(' '), '-c', source, '-o', join(folder, 'native.o')],
      ])
      const cells = [thumbpf, node, clang].map((milliseconds) => `${milliseconds.toFixed(0)} ms`)
      rows.push([name, ...cells, (thumbpf / (node + clang)).toFixed(2)])
    }
    return { title: 'Compiling, cold: whole processes, in turn', rows }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** In a process of its own: prints the greatest resident set, in KiB, of one that compiles the largest program once. */
export function printMemory(): void {
  compile(generateProgram(LARGEST))
  console.log(process.resourceUsage().maxRSS)
}

/** The greatest resident set of a process that compiles the largest program once. */
function memory(root: string): Table {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(root, 'build/bench/main.js'), '--memory'], {
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error(stderr)
  const rows = [
    ['program', 'resident set'],
    [`generated, ${LARGEST.toLocaleString('en')} instructions`, `${(Number(stdout) / 1024).toFixed(0)} MiB`],
  ]
  return { title: 'Memory of one compilation', rows }
}

function simulator(): Table {
  const { withCycles, withoutCycles } = benchSimulator()
  const rows = [
    ['simulator', 'million insns/s'],
    ['counting cycles', withCycles.toFixed(0)],
    ['without cycles', withoutCycles.toFixed(0)],
  ]
  return { title: 'Simulator: compiled C in loops, warm', rows }
}

/** Measures all of it; takes about 20 seconds. `root` is the project's folder, `built` has the kernels. */
export function benchSpeed(root: string, built: BuiltKernels): Table[] {
  return [compileSpeed(built), coldCompile(root, built), memory(root), simulator()]
}

/** A table as text with aligned columns. */
export function formatSpeed({ title, rows }: Table): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)))
  const lines = rows.map((row) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0]! + 2) : cell.padStart(widths[column]! + 2)))
      .join(''),
  )
  return `${title}\n${lines.join('\n').replaceAll('`', ' ')}`.replaceAll('`', '')
}
