// Code of arm-none-eabi-gcc on the simulator, and programs that call it as helpers.

import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { defaultRegions, Simulator } from '../../src/machine/sim/simulator.ts'

/** Where the firmware's code stands: too far for BL from the code heap. */
export const FIRMWARE = 0x6000_0000
/** Where firmware functions write down what they were given. */
export const RECORD = 0x6800_0000

export interface Firmware {
  readonly code: Uint8Array
  /** Addresses of functions, bit 0 clear. */
  readonly symbols: ReadonlyMap<string, number>
}

/** Compiles C for the Cortex-M4, -O2, to stand at `base`. */
export function buildFirmware(source: string, base = FIRMWARE): Firmware {
  const folder = mkdtempSync(join(tmpdir(), 'thumbpf-firmware-'))
  try {
    writeFileSync(join(folder, 'f.c'), source)
    const run = (program: string, ...args: string[]): string =>
      execFileSync(`arm-none-eabi-${program}`, args, { cwd: folder, encoding: 'utf8' })
    const flags = ['-mcpu=cortex-m4', '-mthumb', '-O2', '-ffreestanding', '-fno-builtin', '-nostdlib', '-Wno-psabi']
    run('gcc', ...flags, `-Wl,-Ttext=0x${base.toString(16)}`, '-Wl,-e,0', '-o', 'f.elf', 'f.c')
    run('objcopy', '-O', 'binary', '-j', '.text', 'f.elf', 'f.bin')
    const symbols = new Map<string, number>()
    for (const line of run('nm', 'f.elf').split('\n')) {
      const match = /^([0-9a-f]+) [Tt] (\w+)$/.exec(line)
      if (match !== null) symbols.set(match[2]!, parseInt(match[1]!, 16) & ~1)
    }
    return { code: readFileSync(join(folder, 'f.bin')), symbols }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** A simulator with the firmware in place. */
export async function boardWith(firmware: Firmware): Promise<Simulator> {
  const regions = [
    ...defaultRegions,
    { name: 'firmware', base: FIRMWARE, size: 0x10_0000, execute: true, write: false },
    { name: 'record', base: RECORD, size: 0x1000, execute: false, write: true },
  ]
  const machine = new Simulator({ regions })
  await machine.write(FIRMWARE, firmware.code)
  return machine
}
