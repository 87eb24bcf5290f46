// The same code and the same input in QEMU (mps2-an386, a Cortex-M4) as on the simulator: instructions, which QEMU counts exactly
// with -icount shift=10, r0 and the context must be the same. One QEMU runs any number of kernels (qemu/harness.c).

import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

import type { CompileOptions } from '../src/index.ts'
import { buildNames, type BuiltKernels, CODE_BASE } from './builds.ts'
import { kernelInputs } from './inputs.ts'
import type { KernelInput } from './kernel-input.ts'
import { kernelSimulator, runKernel } from './kernels.ts'
import { CONTEXT, type PlacedKernel, placeKernel } from './placed.ts'

const run = promisify(execFile)

/** Outside programs that this needs, besides those of the builds. */
export const qemuTools = ['qemu-system-arm', 'arm-none-eabi-gcc'] as const

const harness = {
  options: '-mcpu=cortex-m4 -mthumb -O1 -ffreestanding -fno-builtin -nostdlib -Wl,--build-id=none',
  script: 'SECTIONS { . = 0; .text : { KEEP(*(.vectors)) *(.text*) *(.rodata*) } /DISCARD/ : { *(.ARM.*) } }',
}
const machine = ['-M', 'mps2-an386', '-display', 'none', '-monitor', 'none', '-serial', 'none']
const counting = ['-icount', 'shift=10,align=off,sleep=off']
const semihosting = ['-semihosting-config', 'enable=on,target=native']
/** Instructions take 2^10 ns and the timer runs at 25 MHz. */
const TICKS_PER_INSTRUCTION = 25.6
const JOBS = 0x2100_0000

interface Counted {
  readonly instructions: number
  readonly r0: bigint
  readonly fnv1a: number
}

/** How many runs were compared, and a line for each that differs. `sources` has qemu/harness.c. */
export async function compareWithQemu(
  built: BuiltKernels,
  names: readonly string[],
  sources: string,
  options: CompileOptions = {},
): Promise<{ readonly compared: number; readonly differences: string[] }> {
  const jobs = names.flatMap((name) => {
    const input = kernelInputs.get(name)!()
    return buildNames.map((build) => ({ name, build, input, placed: placeKernel(built, name, build, input, options) }))
  })
  const counted = await runInQemu(jobs, sources)
  const simulator = kernelSimulator()
  const differences: string[] = []
  for (const [index, { name, build, input, placed }] of jobs.entries()) {
    const { instructions, r0, ctx } = await runKernel(simulator, placed, input)
    const expected = `${instructions} instructions, r0 0x${r0.toString(16)}, context ${fnv1a(ctx).toString(16)}`
    const qemu = counted[index]!
    const actual = `${qemu.instructions} instructions, r0 0x${qemu.r0.toString(16)}, context ${qemu.fnv1a.toString(16)}`
    if (actual !== expected) differences.push(`${name}, ${build}: simulator ${expected}; QEMU ${actual}`)
  }
  return { compared: jobs.length, differences }
}

interface Job {
  readonly placed: PlacedKernel
  readonly input: KernelInput
}

async function runInQemu(jobs: readonly Job[], sources: string): Promise<Counted[]> {
  const folder = mkdtempSync(join(tmpdir(), 'thumbpf-qemu-'))
  try {
    const [script, elf, blob] = ['harness.ld', 'harness.elf', 'jobs.bin'].map((name) => join(folder, name)) as [
      string,
      string,
      string,
    ]
    writeFileSync(script, harness.script)
    const options = [...harness.options.split(' '), '-T', script]
    await run('arm-none-eabi-gcc', [...options, join(sources, 'qemu/harness.c'), '-o', elf])
    // `bx lr`: what reading the timer costs.
    const nothing: Job = {
      placed: {
        pieces: [{ address: CODE_BASE, bytes: Uint8Array.of(0x70, 0x47) }],
        entry: CODE_BASE | 1,
        args: [],
        bytes: 2,
      },
      input: { ctx: new Uint8Array(4), len: 4 },
    }
    writeFileSync(blob, jobsBlob([nothing, ...jobs]))
    const loaded = ['-kernel', elf, '-device', `loader,file=${blob},addr=${JOBS},force-raw=on`]
    const { stdout, stderr } = await run(qemuTools[0], [...machine, ...counting, ...semihosting, ...loaded], {
      timeout: 120_000,
      maxBuffer: 1 << 24,
    })
    const lines = (stdout + stderr).split('\n').filter((line) => /^([0-9a-f]{8}\s?){4}$/.test(line))
    if (lines.length !== jobs.length + 1) throw new Error(`QEMU ended after ${lines.length - 1} of ${jobs.length} runs`)
    const results = lines.map(
      (line) => line.split(' ').map((word) => parseInt(word, 16)) as [number, number, number, number],
    )
    const overhead = results[0]![0]
    return results.slice(1).map(([ticks, low, high, hash]) => ({
      instructions: Math.round((ticks - overhead) / TICKS_PER_INSTRUCTION) + 1,
      r0: (BigInt(high) << 32n) | BigInt(low),
      fnv1a: hash,
    }))
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** Jobs as the harness reads them. */
function jobsBlob(jobs: readonly Job[]): Uint8Array {
  const words: number[] = [jobs.length]
  for (const { placed, input } of jobs) {
    const pieces = [...placed.pieces, { address: CONTEXT, bytes: input.ctx }]
    words.push(placed.entry, ...Array.from({ length: 4 }, (_, index) => placed.args[index] ?? 0), pieces.length)
    for (const { address, bytes } of pieces) {
      const padded = new Uint8Array((bytes.length + 3) & ~3)
      padded.set(bytes)
      words.push(address, bytes.length, ...new Uint32Array(padded.buffer))
    }
  }
  return new Uint8Array(Uint32Array.from(words).buffer)
}

/** FNV-1a, 32 bits. */
function fnv1a(bytes: Uint8Array): number {
  let hash = 0x811c_9dc5
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x0100_0193)
  return hash >>> 0
}
