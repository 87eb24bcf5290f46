// Compiled C on the simulator: the shared kernels, built natively by gcc and clang, give their known results,
// instructions and cycles. Those figures were found with other tools (QEMU and a cycle model in C).

import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Simulator } from '../../src/machine/sim/simulator.ts'
import { describeWith, tool } from '../support/tools.ts'
import { CODE, DATA, RETURN, STACK } from './support.ts'

interface Expected {
  len: number
  r0: string
  ctx_fnv1a: string
  native: Record<string, { instructions: number; cycles: number }>
}

const kernels = fileURLToPath(new URL('../../../shared/kernels/', import.meta.url))
const gcc = 'arm-none-eabi-gcc'
const target = ['-mcpu=cortex-m4', '-mthumb', '-ffreestanding', '-fno-builtin']
const builds: Record<string, { program: string; flags: string[] }> = {
  gcc_O2: { program: gcc, flags: ['-O2', ...target, '-fno-tree-loop-distribute-patterns'] },
  gcc_Os: { program: gcc, flags: ['-Os', ...target, '-fno-tree-loop-distribute-patterns'] },
  clang_O2: {
    program: 'clang-19',
    flags: ['-O2', '--target=thumbv7em-none-eabi', ...target.slice(0, 1), '-mfloat-abi=soft', ...target.slice(2)],
  },
}
/** Everything in the order of the object: alignment, and with it cycles, is as in the figures. */
const script = `SECTIONS { . = ${CODE}; .text : { *(.text .text.*) *(.rodata .rodata.*) } /DISCARD/ : { *(.ARM.*) *(.comment) } }`

function fnv1a(bytes: Uint8Array): string {
  let hash = 0x811c9dc5
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193)
  return `0x${(hash >>> 0).toString(16).padStart(8, '0')}`
}

function suite(): void {
  let folder = ''
  let libgcc = ''
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'thumbpf-kernels-'))
    writeFileSync(join(folder, 'script.ld'), script)
    libgcc = execFileSync(tool(gcc)!, ['-mcpu=cortex-m4', '-mthumb', '-print-libgcc-file-name'], {
      encoding: 'utf8',
    }).trim()
  })
  afterAll(() => rmSync(folder, { recursive: true }))

  const expected = JSON.parse(readFileSync(join(kernels, 'expected.json'), 'utf8')) as Record<string, Expected>
  for (const [name, kernel] of Object.entries(expected)) {
    it(name, () => {
      for (const [build, { program, flags }] of Object.entries(builds)) {
        const [object, linked, flat] = [join(folder, 'a.o'), join(folder, 'a.elf'), join(folder, 'a.bin')] as const
        execFileSync(tool(program)!, [...flags, '-c', join(kernels, `${name}.c`), '-o', object])
        execFileSync(
          tool('arm-none-eabi-ld')!,
          ['-T', join(folder, 'script.ld'), '-e', 'entry', object, libgcc, '-o', linked],
          { stdio: 'ignore' },
        )
        execFileSync(tool('arm-none-eabi-objcopy')!, ['-O', 'binary', linked, flat])
        const machine = new Simulator()
        machine.writeSync(CODE, readFileSync(flat))
        machine.writeSync(RETURN, Uint8Array.of(0xff, 0xbe))
        const ctx = readFileSync(join(kernels, 'ctx', `${name}.bin`))
        machine.writeSync(DATA, ctx)
        const registers = new Uint32Array(16)
        registers.set([DATA, 0, kernel.len])
        // e_entry of the ELF file, bit 0 set.
        registers.set([STACK, RETURN | 1, readFileSync(linked).readUInt32LE(24) | 1], 13)
        machine.writeRegistersSync(registers)
        expect(machine.runSync({ instructions: 1e6 })).toMatchObject({ kind: 'breakpoint', pc: RETURN })
        const [low, high] = machine.readRegistersSync()
        const { instructions, cycles } = kernel.native[build]!
        expect({
          build,
          r0: `0x${((BigInt(high!) << 32n) | BigInt(low!)).toString(16).padStart(16, '0')}`,
          ctx: fnv1a(machine.readSync(DATA, ctx.length)),
          ...machine.counters,
        }).toEqual({ build, r0: kernel.r0, ctx: kernel.ctx_fnv1a, instructions, cycles })
      }
    })
  }
}

const title = 'native kernels on the simulator'
if (existsSync(kernels)) describeWith([gcc, 'arm-none-eabi-ld', 'arm-none-eabi-objcopy', 'clang-19'], title, suite)
else describe.skip(`${title} [needs ../shared/kernels]`, () => {})
