// How fast the compiler and the simulator are, medians of several runs each: warm compile speed over generated programs, a cold
// `thumbpf compile`, the memory that the largest program takes, the simulator.

import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { compile } from '../src/index.ts'
import { generateProgram } from './generate.ts'
import { benchSimulator } from './simulator.ts'

const LARGEST = 65_536

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

function row(name: string, ...columns: string[]): void {
  console.log(`${name.padEnd(34)}${columns.map((column) => column.padStart(16)).join('')}`)
}

function compileSpeed(): void {
  console.log('\ncompile, warm                           median ms     BPF insns/s   bytes/BPF insn')
  for (const count of [100, 1000, 4000, LARGEST]) {
    const bytes = generateProgram(count)
    let size = 0
    const milliseconds = warm(
      () => {
        size = compile(bytes).image.code.length
      },
      count === LARGEST ? 0.1 : 1,
    )
    row(
      `${count} instructions`,
      milliseconds.toFixed(2),
      Math.round((count / milliseconds) * 1000).toLocaleString('en'),
      (size / count).toFixed(2),
    )
  }
}

function coldCompile(root: string): void {
  const folder = mkdtempSync(join(tmpdir(), 'thumbpf-bench-'))
  try {
    const args = [
      join(root, 'build/src/cli/main.js'),
      'compile',
      join(root, 'examples/fletcher32.o'),
      '-o',
      join(folder, 'out.bin'),
    ]
    const times = Array.from({ length: 9 }, () =>
      time(() => {
        const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' })
        if (status !== 0) throw new Error(stderr)
      }),
    )
    console.log()
    row('thumbpf compile fletcher32.o, cold', `${median(times).toFixed(0)} ms`)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** The greatest resident set of a process that compiles the largest program once. */
function memory(root: string): void {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(root, 'build/bench/main.js'), '--memory'], {
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error(stderr)
  row(`${LARGEST} instructions, resident set`, `${(Number(stdout) / 1024).toFixed(0)} MiB`)
}

/** In a process of its own: prints the greatest resident set, in KiB, of one that compiles the largest program once. */
export function printMemory(): void {
  compile(generateProgram(LARGEST))
  console.log(process.resourceUsage().maxRSS)
}

/** Measures and prints all of it. `root` is the project's folder. */
export async function benchSpeed(root: string): Promise<void> {
  compileSpeed()
  coldCompile(root)
  memory(root)
  console.log()
  const { withCycles, withoutCycles } = await benchSimulator()
  row('simulator, counting cycles', `${withCycles.toFixed(0)} M insns/s`)
  row('simulator, without cycles', `${withoutCycles.toFixed(0)} M insns/s`)
}
