// The memory protection unit: what the simulator permits against QEMU's, and code that is writable or executable, never both.

import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { assemble } from '../../src/bpf/asm.ts'
import type { HostHelper } from '../../src/bpf/helpers.ts'
import { compile } from '../../src/compile.ts'
import { instantiate } from '../../src/machine/instance.ts'
import type { Machine } from '../../src/machine/machine.ts'
import { CodeProtection, MpuRegister } from '../../src/machine/mpu.ts'
import { Programs } from '../../src/machine/programs.ts'
import { codeInRam, Simulator } from '../../src/machine/sim/simulator.ts'
import { Workspace } from '../../src/machine/workspace.ts'
import { describeWith, tool } from '../support/tools.ts'
import { Random } from '../support/random.ts'

const CODE = codeInRam[0]!.base
const bytesOf = (halfwords: readonly number[]): Uint8Array => new Uint8Array(new Uint16Array(halfwords).buffer)
const wordsOf = (words: readonly number[]): Uint8Array => new Uint8Array(new Uint32Array(words).buffer)
const program = (...lines: string[]): ReturnType<typeof compile> => compile(assemble([...lines, 'exit'].join('\n')))
/** The machine behind a probe: `before` is awaited before each write of the host. */
function withWrite(machine: Simulator, before: (address: number, bytes: Uint8Array) => Promise<unknown>): Machine {
  return {
    name: 'probe',
    regions: machine.regions,
    counters: machine.counters,
    write: async (address, bytes) => {
      await before(address, bytes)
      await machine.write(address, bytes)
    },
    read: (address, length) => machine.read(address, length),
    readRegisters: () => machine.readRegisters(),
    writeRegisters: (registers) => machine.writeRegisters(registers),
    synchronize: (address, length) => machine.synchronize(address, length),
    run: (limits) => machine.run(limits),
    resetCounters: () => machine.resetCounters(),
    close: () => machine.close(),
  }
}
/** Stores R2, which `len` gives, and 0 to it. */
const storer = (): ReturnType<typeof compile> => program('*(u32 *)(r2 + 0) = 0', 'r0 = 0')

describe('code in RAM with a memory protection unit', () => {
  it('is executed, and a program that stores to it faults there', async () => {
    const machine = new Simulator({ mpu: true })
    const instance = await instantiate(storer(), machine)
    expect(instance.codeAddress).toBeGreaterThanOrEqual(CODE)
    const before = machine.readSync(CODE, 256)
    const { outcome } = await instance.call({ len: instance.codeAddress })
    expect(outcome).toMatchObject({ kind: 'faulted', fault: 'DACCVIOL', address: instance.codeAddress, slot: 0 })
    expect(machine.readSync(CODE, 256)).toEqual(before)
    expect((await instance.call({ len: 0x2030_0000 })).outcome).toEqual({ kind: 'returned', r0: 0n })
  })
  it('faults when it is executed while it is writable', async () => {
    const machine = new Simulator({ mpu: true })
    const instance = await instantiate(program('r0 = 5'), machine)
    expect((await Workspace.of(machine)).code.stats.size).toBe(0x10_0000)
    const [control] = new Uint32Array(machine.readSync(MpuRegister.CTRL, 4).buffer)
    expect(control).toBe(5)
    const set = (attributes: number): void => machine.writeSync(MpuRegister.RASR, wordsOf([attributes]))
    const [executable] = new Uint32Array(machine.readSync(MpuRegister.RASR, 4).buffer)
    expect((await instance.call()).outcome).toEqual({ kind: 'returned', r0: 5n })
    set(0x1106_0027)
    expect((await instance.call()).outcome).toMatchObject({ fault: 'IACCVIOL', pc: instance.codeAddress })
    set(executable!)
    expect((await instance.call()).outcome).toEqual({ kind: 'returned', r0: 5n })
  })
  it('is never writable and executable at once, and stays executable after a write that failed', async () => {
    const machine = new Simulator({ mpu: true })
    const attributes: number[] = []
    let fails = false
    const spied = withWrite(machine, async (address, bytes) => {
      if (address === MpuRegister.RBAR) attributes.push(new DataView(bytes.buffer).getUint32(4, true))
      else if (address >= CODE && address < CODE + 0x10_0000) attributes.push(0)
      if (fails && attributes.at(-1) === 0) throw new Error('probe unplugged')
    })
    const { code } = await Workspace.of(spied)
    const at = code.allocate(16)
    attributes.length = 0
    await Promise.all([code.write(at, new Uint8Array(8)), code.write(at + 8, new Uint8Array(8))])
    const [writable, executable] = [0x1106_0027, 0x0606_0027]
    expect(attributes).toEqual([writable, 0, executable, writable, 0, executable])
    fails = true
    await expect(code.write(at, new Uint8Array(8))).rejects.toThrow('probe unplugged')
    expect(attributes.at(-1)).toBe(executable)
  })
  it('is not executed while it is written, however long that takes', async () => {
    const machine = withWrite(new Simulator({ mpu: true }), () => new Promise((done) => setTimeout(done, 2)))
    const instance = await instantiate(program('r0 = 5'), machine)
    const { code } = await Workspace.of(machine)
    const at = code.allocate(8)
    const results = [instance.call(), code.write(at, new Uint8Array(8)), code.write(at, new Uint8Array(8))]
    expect(await results[0]).toMatchObject({ outcome: { kind: 'returned', r0: 5n } })
    await results[2]
    const writing = code.write(at, new Uint8Array(8))
    await new Promise((done) => setTimeout(done, 3))
    expect((await instance.call()).outcome).toEqual({ kind: 'returned', r0: 5n })
    await writing
  })
  it('stops a stack that overflows', async () => {
    const image = program('r0 = 0')
    // 1: push {r4-r7}; b 1b
    const instance = await instantiate({ ...image, code: bytesOf([0xb4f0, 0xe7fd]) }, new Simulator({ mpu: true }))
    const { outcome } = await instance.call()
    expect(outcome).toMatchObject({ kind: 'faulted', fault: 'STKOF', address: CODE + 0x10_0000 - 16 })
  })
  it('is written while a program waits in a host function, also one that does not wait for it', async () => {
    const machine = new Simulator({ mpu: true })
    const loads: Promise<void>[] = []
    let count = 0
    const programs = new Programs(machine, {
      compile: (bytes) => compile(bytes, { helpers: new Set([1]) }),
      helpers: new Map([
        [
          1,
          async () => {
            loads.push(programs.load(`p${count++}`, assemble(`r0 = ${count}\nexit`)))
            if (count % 2 === 0) await loads.at(-1)
          },
        ],
      ]),
    })
    await programs.load('loader', assemble(['call 1', 'call 1', 'call 1', 'call 1', 'r0 = 7', 'exit'].join('\n')))
    expect((await programs.call('loader')).outcome).toEqual({ kind: 'returned', r0: 7n })
    await Promise.all(loads)
    for (let index = 0; index < 4; index++) {
      expect((await programs.call(`p${index}`)).outcome).toEqual({ kind: 'returned', r0: BigInt(index + 1) })
    }
  })
  it('is not written by a host function for a program', async () => {
    const image = compile(assemble('r1 = 0\ncall 1\nexit'), { helpers: new Set([1]) })
    const helper: HostHelper = async (_r1, _r2, _r3, _r4, _r5, memory) => {
      await memory.write(CODE, new Uint8Array(4))
    }
    const instance = await instantiate(image, new Simulator({ mpu: true }), { helpers: new Map([[1, helper]]) })
    expect((await instance.call()).outcome).toMatchObject({ kind: 'faulted', address: CODE })
  })
})

describe('machines', () => {
  it('without the unit have nothing at its addresses, and code in RAM as it was', async () => {
    const machine = new Simulator({ regions: codeInRam })
    const instance = await instantiate(storer(), machine)
    expect((await instance.call({ len: CODE + 0x1000 })).outcome).toEqual({ kind: 'returned', r0: 0n })
    expect((await instance.call({ len: MpuRegister.CTRL })).outcome).toMatchObject({ fault: 'PRECISERR' })
  })
  it('with code in flash leave the unit alone', async () => {
    const flash = { name: 'flash', base: 0x1000, size: 0x1000, execute: true, write: false }
    const machine = new Simulator({ mpu: true, regions: [flash, codeInRam[1]!] })
    await instantiate(storer(), machine)
    expect([...machine.readSync(MpuRegister.CTRL, 4)]).toEqual([0, 0, 0, 0])
  })
  it('give the largest range that one region can protect, in one that is free', async () => {
    const machine = new Simulator({
      mpu: true,
      regions: [{ ...codeInRam[0]!, base: 0x2000_0100, size: 0x3000 }, codeInRam[1]!],
    })
    machine.writeSync(MpuRegister.RBAR, wordsOf([0x4000_0017, 0x0300_0009]))
    const { code, returnAddress } = await Workspace.of(machine)
    expect([returnAddress, code.stats.size]).toEqual([0x2000_1000, 0x1000])
    expect([...new Uint32Array(machine.readSync(MpuRegister.RBAR, 8).buffer)]).toEqual([0x2000_1006, 0x0606_0017])
    const full = new Simulator({ mpu: true })
    for (let number = 0; number < 8; number++) {
      full.writeSync(MpuRegister.RBAR, wordsOf([0x4000_0010 | number, 0x0300_0009]))
    }
    await expect(CodeProtection.place(full, codeInRam[0]!)).rejects.toThrow('all 8 regions')
  })
})

describe('the unit driven by code on the machine', () => {
  it('lets a loader write code, after DSB and ISB executable', () => {
    const flash = { name: 'flash', base: 0x1000, size: 0x1000, execute: true, write: false }
    const machine = new Simulator({ mpu: true, regions: [flash, ...codeInRam] })
    // r0: RASR, r1: RW and XN, r2: RO and X, r3: code, r4: what to write there, r5: code | 1
    const loader = bytesOf([0x6001, 0xf3bf, 0x8f4f, 0x601c, 0x6002, 0xf3bf, 0x8f4f, 0xf3bf, 0x8f6f, 0x47a8, 0xbe00])
    machine.writeSync(0x1000, loader)
    machine.writeSync(MpuRegister.RBAR, wordsOf([CODE | 0x17, 0x0606_0027]))
    machine.writeSync(MpuRegister.CTRL, wordsOf([5]))
    for (const value of [1, 2, 3]) {
      const registers = new Uint32Array(16)
      // movs r6, #value; bx lr
      registers.set([MpuRegister.RASR, 0x1106_0027, 0x0606_0027, CODE, 0x4770_2600 | value, CODE | 1])
      registers[15] = 0x1001
      machine.writeRegistersSync(registers)
      expect(machine.runSync({ instructions: 100 })).toMatchObject({ kind: 'breakpoint', pc: 0x1014 })
      expect(machine.readRegistersSync()[6]).toBe(value)
    }
    // Without the first store the code is not writable.
    const registers = machine.readRegistersSync()
    registers[15] = 0x1007
    machine.writeRegistersSync(registers)
    expect(machine.runSync({ instructions: 100 })).toMatchObject({ fault: 'DACCVIOL', pc: 0x1006, address: CODE })
  })
  it('obeys privileged code alone, and whole words', () => {
    const flash = { name: 'flash', base: 0x1000, size: 0x1000, execute: true, write: false }
    const run = (halfwords: readonly number[]) => {
      const machine = new Simulator({ mpu: true, regions: [flash, codeInRam[1]!] })
      machine.writeSync(0x1000, bytesOf(halfwords))
      const registers = new Uint32Array(16)
      registers.set([MpuRegister.CTRL, 1])
      registers[15] = 0x1001
      machine.writeRegistersSync(registers)
      return machine.runSync({ instructions: 10 })
    }
    expect(run([0x6802, 0xbe00])).toMatchObject({ kind: 'breakpoint' }) // ldr r2, [r0]
    expect(run([0x7802, 0xbe00])).toMatchObject({ fault: 'PRECISERR', address: MpuRegister.CTRL }) // ldrb r2, [r0]
    // msr control, r1; ldr r2, [r0]
    expect(run([0xf381, 0x8814, 0x6802])).toMatchObject({ fault: 'PRECISERR', pc: 0x1004 })
  })
})

// --- against QEMU -----------------------------------------------------------------------------------------------------

const WINDOW = 0x2000_0000
const WINDOW_BYTES = 0x10_0000
const CONFIGURATIONS = 250
const PROBES = 40
const TABLE = 0x2030_0000
const RESULTS = 0x2038_0000
/** One configuration: CONTROL, MPU_CTRL, six regions of two words, probes. */
const ENTRY_WORDS = 2 + 12 + PROBES
/** Regions 6 and 7 keep the harness alive: flash, and the last MiB of RAM. */
const HARNESS_REGIONS = [0x0000_0016, 0x0300_002b, 0x2030_0017, 0x0300_0027]

/**
 * Loads, stores and calls at each probe; the results are MMFSR's IACCVIOL and DACCVIOL, 0 if it went well. RAM in the window holds
 * BX LR in each halfword, and that is what is stored. MPU_CTRL is written before each access: QEMU keeps what it found for one
 * address for its page of 1 KiB, also where a smaller subregion that is off let the address through.
 */
const harness = `
  .syntax unified
  .thumb
  .cpu cortex-m4
  .word 0x203ff000, reset + 1, fault + 1, fault + 1, fault + 1, fault + 1, fault + 1, 0, 0, 0, 0, raise + 1
reset:
  ldr r0, =0x47704770
  ldr r1, =${WINDOW}
  ldr r2, =${WINDOW + WINDOW_BYTES}
1: str r0, [r1], #4
  cmp r1, r2
  bne 1b
  ldr r4, =${TABLE}
  ldr r5, =${RESULTS}
  ldr r6, =${CONFIGURATIONS}
  ldr r0, =0xe000ed9c
  ${HARNESS_REGIONS.map((word, index) => `ldr r1, =${word}\n  str r1, [r0, #${(index & 1) * 4}]`).join('\n  ')}
next:
  ldr r0, =0xe000ed94
  movs r1, #0
  str r1, [r0]
  movs r7, #0
2: orr r1, r7, #0x10
  ldr r2, [r4, #8]
  orrs r2, r1
  str r2, [r0, #8]
  ldr r2, [r4, #12]
  str r2, [r0, #12]
  adds r4, #8
  adds r7, #1
  cmp r7, #6
  bne 2b
  subs r4, #48
  ldr r1, [r4, #4]
  str r1, [r0]
  dsb
  isb
  ldr r1, [r4]
  msr control, r1
  isb
  adds r4, #56
  ldr r7, =${PROBES}
probe:
  ldr r8, [r4], #4
  mov r9, #0
  svc 0
  movs r0, #0
  ldr.w r1, [r8]
  str r0, [r5], #4
  svc 0
  movs r0, #0
  ldr r1, =0x47704770
  str.w r1, [r8]
  str r0, [r5], #4
  svc 0
  movs r0, #0
  mov r9, #1
  orr r1, r8, #1
  blx r1
  str r0, [r5], #4
  subs r7, #1
  bne probe
  mov r9, #2
  svc 0
  subs r6, #1
  bne next
  ldr r1, =open
  movs r0, #1
  bkpt 0xab
  ldr r1, =write
  ldr r2, =0x203fe000
  ldr r3, [r1, #4]
  str r3, [r2, #4]
  ldr r3, [r1, #8]
  str r3, [r2, #8]
  str r0, [r2]
  mov r1, r2
  movs r0, #5
  bkpt 0xab
  ldr r1, =0x20026
  movs r0, #0x18
  bkpt 0xab
  b .
raise:
  cmp r9, #2
  bne flush
  movs r0, #0
  msr control, r0
flush:
  ldr r0, =0xe000ed94
  ldr r1, [r0]
  str r1, [r0]
  bx lr
fault:
  ldr r0, =0xe000ed28
  ldr r1, [r0]
  str r1, [r0]
  and r1, r1, #3
  str r1, [sp]
  ldr r2, [sp, #24]
  cmp r9, #1
  ite eq
  ldreq r2, [sp, #20]
  addne r2, #4
  bic r2, #1
  str r2, [sp, #24]
  bx lr
  .align 2
  .pool
open: .word name, 5, length
write: .word 0, ${RESULTS}, ${CONFIGURATIONS * PROBES * 12}
name: .asciz "results"
  .set length, . - name - 1
`

/** Tables: random regions in and around the window, and probes at random and about the ends of regions. */
function configurations(seed: number): Uint32Array {
  const random = new Random(seed)
  const table: number[] = []
  for (let index = 0; index < CONFIGURATIONS; index++) {
    const points: number[] = []
    table.push(random.below(2), 1 | (random.below(2) << 2))
    for (let number = 0; number < 6; number++) {
      const log2 = random.below(8) === 0 ? 29 + random.below(4) : 5 + random.below(16)
      const base = log2 === 32 ? 0 : (WINDOW + random.below(WINDOW_BYTES)) & -(2 ** log2)
      points.push(base, base + 2 ** log2 - 4, base + 2 ** (log2 - 3) * random.below(8), base - 4)
      const disabled = random.below(3) === 0 ? random.below(256) << 8 : 0
      const flags = (random.below(2) << 28) | (random.below(8) << 24) | (6 << 16) | disabled
      table.push(base, flags | ((log2 - 1) << 1) | (random.below(4) === 0 ? 0 : 1))
    }
    for (let probe = 0; probe < PROBES; probe++) {
      const point = random.below(4) === 0 ? WINDOW + random.below(WINDOW_BYTES) : points[random.below(points.length)]!
      table.push(WINDOW + ((((point - WINDOW) >>> 0) % WINDOW_BYTES) & ~3))
    }
  }
  return Uint32Array.from(table)
}

/** The same accesses on the simulator: 0, or IACCVIOL (1) or DACCVIOL (2). */
function onSimulator(table: Uint32Array): number[] {
  const window = new Uint8Array(new Uint32Array(WINDOW_BYTES / 4).fill(0x4770_4770).buffer)
  const code = [
    [0x100, 0xf382, 0x8814, 0x4720], // msr control, r2; bx r4
    [0x200, 0xf8d0, 0x1000, 0xbe00], // ldr.w r1, [r0]
    [0x210, 0xf8c0, 0x1000, 0xbe00], // str.w r1, [r0]
    [0x220, 0x4798, 0xbe00], // blx r3
  ]
  const results: number[] = []
  for (let at = 0; at < table.length; at += ENTRY_WORDS) {
    const machine = new Simulator({
      mpu: true,
      regions: [
        { name: 'flash', base: 0, size: 0x1000, execute: true, write: false },
        { name: 'ram', base: WINDOW, size: WINDOW_BYTES, execute: true, write: true },
      ],
    })
    for (const [address, ...halfwords] of code) machine.writeSync(address!, bytesOf(halfwords))
    machine.writeSync(WINDOW, window)
    machine.writeSync(MpuRegister.RBAR, wordsOf(HARNESS_REGIONS))
    for (let number = 0; number < 6; number++) {
      const [base, attributes] = table.subarray(at + 2 + 2 * number)
      machine.writeSync(MpuRegister.RBAR, wordsOf([base! | 0x10 | number, attributes!]))
    }
    machine.writeSync(MpuRegister.CTRL, wordsOf([table[at + 1]!]))
    for (const address of table.subarray(at + 14, at + ENTRY_WORDS)) {
      for (const access of [0x201, 0x211, 0x221]) {
        const registers = new Uint32Array(16)
        registers.set([address, 0x4770_4770, table[at]!, address | 1, access])
        registers[15] = 0x101
        machine.writeRegistersSync(registers)
        const stop = machine.runSync({ instructions: 20 })
        results.push(['BREAKPOINT', 'IACCVIOL', 'DACCVIOL'].indexOf(stop.kind === 'fault' ? stop.fault : 'BREAKPOINT'))
      }
    }
  }
  return results
}

const tools = ['qemu-system-arm', 'arm-none-eabi-as', 'arm-none-eabi-ld', 'arm-none-eabi-objcopy']
const seed = Number(process.env['THUMBPF_SEED'] ?? 77)
describeWith(tools, `the unit permits what QEMU's does, seed ${seed}, ${CONFIGURATIONS} configurations`, () => {
  it('for loads, stores and execution, privileged and not', { timeout: 30_000 }, () => {
    const folder = mkdtempSync(join(tmpdir(), 'thumbpf-mpu-'))
    try {
      const run = (name: string, args: readonly string[]): void => {
        execFileSync(tool(name) ?? name, args, { cwd: folder, timeout: 20_000 })
      }
      const table = configurations(seed)
      writeFileSync(join(folder, 'harness.s'), harness)
      writeFileSync(join(folder, 'table'), new Uint8Array(table.buffer))
      run('arm-none-eabi-as', ['-o', 'harness.o', 'harness.s'])
      run('arm-none-eabi-ld', ['-Ttext=0', '-e', '0', '-o', 'harness.elf', 'harness.o'])
      run('arm-none-eabi-objcopy', ['-O', 'binary', 'harness.elf', 'harness.bin'])
      const loader = (file: string, address: number): string[] => [
        '-device',
        `loader,file=${file},addr=${address},force-raw=on`,
      ]
      const quiet = ['-display', 'none', '-serial', 'none', '-monitor', 'none']
      const semihosting = ['-semihosting-config', 'enable=on,target=native']
      const loaded = [...loader('harness.bin', 0), ...loader('table', TABLE)]
      run('qemu-system-arm', ['-M', 'mps2-an386', ...quiet, ...semihosting, ...loaded])
      const dump = readFileSync(join(folder, 'results'))
      const expected = [...new Uint32Array(dump.buffer.slice(dump.byteOffset, dump.byteOffset + dump.length))]
      const actual = onSimulator(table)
      const differences = expected.flatMap((value, index) => {
        if (value === actual[index]) return []
        const [configuration, probe] = [Math.floor(index / 3 / PROBES), Math.floor(index / 3) % PROBES]
        const words = [...table.subarray(configuration * ENTRY_WORDS, (configuration + 1) * ENTRY_WORDS)]
        const access = ['load', 'store', 'call'][index % 3]
        const text = words.slice(0, 14).map((word) => word.toString(16))
        return [
          `${access} ${words[14 + probe]!.toString(16)}: QEMU ${value}, simulator ${actual[index]}; ${text.join(' ')}`,
        ]
      })
      expect(differences.slice(0, 5)).toEqual([])
      expect(actual.length).toBe(expected.length)
      // All three results occur often.
      for (const result of [0, 1, 2]) expect(actual.filter((value) => value === result).length).toBeGreaterThan(1000)
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})
