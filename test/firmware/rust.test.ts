// The Rust example in QEMU, and its start-up code with helpers of many signatures, each in Rust and in C: what programs see of both
// is what the interpreter and the simulator say. core is built from Debian's rust-src, once for each version of rustc, and kept in build/.

import { execFile, execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import type { HostHelper } from '../../src/bpf/helpers.ts'
import { interpret } from '../../src/bpf/interpret.ts'
import { RegionMemory } from '../../src/bpf/memory.ts'
import { parseHelperHeader } from '../../src/bpf/prototypes.ts'
import { readProgram } from '../../src/bpf/read.ts'
import { compile } from '../../src/compile.ts'
import { formatElf } from '../../src/image/format-elf.ts'
import { formatRust } from '../../src/image/format-source.ts'
import { instantiate } from '../../src/machine/instance.ts'
import { Simulator } from '../../src/machine/sim/simulator.ts'
import { inputs, signatures } from '../helpers/signatures.ts'
import { missingTools, requireTools, tool } from '../support/tools.ts'
import { root } from '../cli/support.ts'
import * as sources from './rust-sources.ts'

const run = promisify(execFile)
const example = join(root, 'examples', 'rust-firmware')

/** A rustc that has the source of core: Debian's with rust-src, or rustup's with its component rust-src. */
function rustcWithSource(): string | undefined {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    const path = join(folder, 'rustc')
    if (folder === '' || !existsSync(path)) continue
    const sysroot = execFileSync(path, ['--print', 'sysroot'], { encoding: 'utf8' }).trim()
    if (existsSync(join(sysroot, 'lib/rustlib/src/rust/library/core/src/lib.rs'))) return path
  }
  return undefined
}

const rustc = rustcWithSource()

/** Puts core into a folder: as it was built before by this rustc, by the same rules, or built now. */
async function provideCore(folder: string, build: () => Promise<unknown>): Promise<void> {
  const key = createHash('sha256').update(execFileSync(rustc!, ['-vV']))
  for (const file of ['Makefile', 'src/builtins.rs']) key.update(readFileSync(join(example, file)))
  const kept = join(root, 'build/rust', key.digest('hex').slice(0, 16))
  // In the order in which make would build them.
  const copy = (from: string, to: string): void => {
    for (const name of ['libcore.rlib', 'libcompiler_builtins.rlib']) copyFileSync(join(from, name), join(to, name))
  }
  if (existsSync(kept)) {
    copy(kept, folder)
    return
  }
  await build()
  // Whole or not at all, whoever else does the same.
  const own = `${kept}.${process.pid}`
  mkdirSync(own, { recursive: true })
  copy(folder, own)
  if (existsSync(kept)) rmSync(own, { recursive: true })
  else renameSync(own, kept)
}
const missing = [
  ...missingTools('make', 'arm-none-eabi-gcc', 'clang-19', 'qemu-system-arm'),
  ...(rustc === undefined ? ['rustc with rust-src'] : []),
]
const title = 'firmware in Rust'
const describeRust = missing.length === 0 || requireTools ? describe : describe.skip
const u64 = (value: bigint): bigint => BigInt.asUintN(64, value)

describeRust(missing.length === 0 ? title : `${title} [needs ${missing.join(', ')}]`, () => {
  let folder = ''
  const make = async (...targets: string[]): Promise<string> =>
    (await run('make', ['-s', `OUT=${folder}`, `RUSTC=${rustc}`, ...targets], { cwd: example, timeout: 280_000 }))
      .stdout

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'thumbpf-rust-'))
    await provideCore(folder, () => make(`${folder}/libcompiler_builtins.rlib`))
  }, 300_000)
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  it('runs the example as its page shows', async () => {
    await make()
    const page = readFileSync(join(example, 'README.md'), 'utf8')
    const shown = /```console\n\$ make run\n([^]*?)```/.exec(page)![1]
    expect(await make('run')).toBe(shown)

    const linked = readFileSync(join(folder, 'fan.o'))
    rmSync(join(folder, 'fan.o'))
    const commands = /```sh\n([^]*?)```/.exec(page)![1]!.replaceAll('out/', `${folder}/`)
    await run('sh', ['-ec', `thumbpf() { node ${join(root, 'dist/cli/main.js')} "$@"; }\n${commands}`], {
      cwd: example,
    })
    expect(readFileSync(join(folder, 'fan.o'))).toEqual(linked)
  }, 120_000)

  it('calls helpers of many signatures, in Rust and in C, with equal results', async () => {
    const prototypes = signatures()
    const file = (name: string): string => join(folder, name)
    const header = sources.header(prototypes)
    writeFileSync(file('helpers.h'), header)
    writeFileSync(file('programs.c'), sources.programs(prototypes))
    writeFileSync(file('c_helpers.c'), sources.helpersInC(prototypes))
    writeFileSync(file('many.rs'), sources.firmware(example, prototypes, inputs))
    const bpf = ['-target', 'bpf', '-mcpu=v3', '-O2', '-ffreestanding', '-Wall', '-Werror']
    await run('clang-19', [...bpf, '-c', 'programs.c', '-o', 'programs.bpf.o'], { cwd: folder })
    const arm = ['-mcpu=cortex-m4', '-mthumb', '-O2', '-ffreestanding', '-Wall', '-Wno-psabi', '-Werror']
    await run('arm-none-eabi-gcc', [...arm, '-c', 'c_helpers.c', '-o', 'c_helpers.o'], { cwd: folder })

    const object = readFileSync(file('programs.bpf.o'))
    const helpers = parseHelperHeader(header)
    const read = (entry: string): ReturnType<typeof readProgram> => readProgram(object, { entry })
    const objects: string[] = []
    for (const name of [...prototypes.map((_, index) => sources.programName(index)), 'counter', 'misaligned']) {
      objects.push(file(`${name}.o`))
      writeFileSync(objects.at(-1)!, formatElf(compile(read(name), { helpers })))
    }
    const last = prototypes.length - 1
    for (const [name, entry] of [
      ['counter', 'counter'],
      ['last', sources.programName(last)],
    ] as const) {
      writeFileSync(file(`${name}.rs`), formatRust(compile(read(entry), { helpers }), name))
    }
    await run('arm-none-eabi-ld', ['-r', '-o', file('programs.o'), ...objects])
    const linked = `OBJECTS=${file('c_helpers.o')} ${file('programs.o')}`
    rmSync(file('main.o'), { force: true })
    await make(file('firmware.elf'), `MAIN=${file('many.rs')}`, linked, 'IMAGES=')
    const qemu = [...'-M mps2-an386 -display none -monitor none -serial stdio'.split(' '), '-semihosting-config']
    const ran = run(tool('qemu-system-arm')!, [...qemu, 'enable=on,target=native', '-kernel', file('firmware.elf')], {
      timeout: 60_000,
    })
    const lines = await ran.then(
      () => expect.unreachable('the last call must fault'),
      (error: { code: number; stdout: string }) => {
        expect(error.code).toBe(2)
        return error.stdout.trimEnd().split('\n')
      },
    )

    const machine = new Simulator()
    const expected: string[] = []
    for (const [index, prototype] of prototypes.entries()) {
      const program = read(sources.programName(index))
      const image = compile(program, { helpers })
      for (const input of inputs) {
        let record: bigint[] = []
        const host: HostHelper = (...values) => {
          record = (values.slice(0, 5) as bigint[]).map(u64)
          const sum = record
            .slice(0, prototype.parameters.length)
            .reduce((total, value, at) => total + value * BigInt(2 * at + 3), 0x8081_8283_8485_8687n)
          return prototype.result === 'bool' ? BigInt(u64(sum) !== 0n) : sum
        }
        const bytes = new Uint8Array(sources.CALL_BYTES)
        const ctx = new DataView(bytes.buffer)
        input.forEach((value, at) => ctx.setBigUint64(8 * at, value, true))
        const number = sources.rustNumber(index)
        const instance = await instantiate(image, machine, {
          helpers: new Map([number, number + 1].map((n) => [n, host])),
        })
        const simulated = await instance.call({ ctx: bytes })
        instance.free()
        const granted = [number, number + 1].map(
          (n) => [n, { name: `f${n}`, fn: host, prototype: helpers.get(n)! }] as const,
        )
        const memory = new RegionMemory([{ base: 0x2000_0000, bytes }])
        const { outcome } = interpret(program, {
          memory,
          r1: 0x2000_0000,
          r2: bytes.length,
          helpers: { helpers: new Map(granted) },
        })
        expect(outcome).toEqual({ kind: 'returned', r0: 1n })
        expect(simulated.outcome).toEqual(outcome)
        expect(simulated.ctx).toEqual(bytes)
        const hex = (values: readonly bigint[]): string => `[${values.map((value) => value.toString(16)).join(', ')}]`
        const results = [sources.RUST_RESULT, sources.C_RESULT].map((at) => ctx.getBigUint64(at, true))
        expected.push(`${index} Ok(1) ${hex(results)} ${hex(record)} ${hex(record)}`)
      }
    }
    const ofLast = expected.at(-inputs.length)!.replace(/^\d+ Ok\(1\) (\[.*?\]).*$/, '1 $1')
    expected.push(`Ok(42) 42 ${ofLast}`, `Ok(43) 43 ${ofLast}`, 'trap 1 in true')
    expect(lines.slice(0, -1)).toEqual(expected)
    expect(lines.at(-1)).toMatch(/^fault at 0x[0-9a-f]{8}: CFSR 0x00020000 INVSTATE$/)
  }, 200_000)
})
