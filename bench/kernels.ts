// Cycles and bytes of compiled programs on the simulator: the kernels of ../shared/kernels beside gcc -O2's, where that folder and
// clang-19 are; else the examples.

import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'

import { compile, instantiate, Simulator } from '../src/index.ts'

interface Kernel {
  readonly len: number
  readonly r0: string
  readonly native: { readonly gcc_O2: { readonly cycles: number; readonly bytes: number } }
}

export interface KernelResult {
  readonly name: string
  readonly cycles: number
  readonly bytes: number
  /** gcc -O2's, if they are known. */
  readonly native?: { readonly cycles: number; readonly bytes: number }
}

/** `root` is the project's folder. Throws for a kernel that gives anything else than it should. */
export async function benchKernels(root: string): Promise<KernelResult[]> {
  const folder = join(root, '..', 'shared', 'kernels')
  if (!existsSync(join(folder, 'expected.json')) || spawnSync('clang-19', ['--version']).status !== 0) {
    return benchExamples(join(root, 'examples'))
  }
  const kernels = JSON.parse(readFileSync(join(folder, 'expected.json'), 'utf8')) as Record<string, Kernel>
  const temporary = mkdtempSync(join(tmpdir(), 'thumbpf-bench-'))
  try {
    const results: KernelResult[] = []
    for (const [name, { len, r0, native }] of Object.entries(kernels)) {
      const object = join(temporary, `${name}.o`)
      const options = ['-target', 'bpf', '-mcpu=v3', '-O2', '-ffreestanding', '-fno-builtin']
      const { status, stderr } = spawnSync('clang-19', [...options, '-c', join(folder, `${name}.c`), '-o', object], {
        encoding: 'utf8',
      })
      if (status !== 0) throw new Error(stderr)
      const ran = await measure(object, readFileSync(join(folder, 'ctx', `${name}.bin`)), len)
      if (ran.r0 !== BigInt(r0)) throw new Error(`${name} gives 0x${ran.r0.toString(16)}, not ${r0}`)
      results.push({ name, cycles: ran.cycles, bytes: ran.bytes, native: native.gcc_O2 })
    }
    return results
  } finally {
    rmSync(temporary, { recursive: true })
  }
}

async function benchExamples(folder: string): Promise<KernelResult[]> {
  const results: KernelResult[] = []
  for (const name of ['fletcher32', 'alarm', 'packet', 'vibration', 'events']) {
    const ctx = readFileSync(join(folder, 'inputs', `${name}.bin`))
    const { cycles, bytes } = await measure(join(folder, `${name}.o`), ctx, ctx.length)
    results.push({ name, cycles, bytes })
  }
  return results
}

async function measure(
  object: string,
  ctx: Uint8Array,
  len: number,
): Promise<{ r0: bigint; cycles: number; bytes: number }> {
  const module = compile(readFileSync(object))
  const instance = await instantiate(module, new Simulator())
  const { outcome, cycles } = await instance.call({ ctx, len })
  if (outcome.kind !== 'returned') throw new Error(`${basename(object)}: ${outcome.message}`)
  return { r0: outcome.r0, cycles: cycles!, bytes: module.image.code.length }
}
