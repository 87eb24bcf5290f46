// GNU as and objdump for thousands of Thumb instructions at once: each line or word gets a slot of its own, so that one
// process serves a whole test.

import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** What as made of a line: halfwords of it and, when the slot is longer, of the NOPs after it. */
export type Assembled = readonly number[] | undefined

function inFolder<T>(body: (folder: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), 'thumbpf-'))
  try {
    return body(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function run(folder: string, source: string): string {
  writeFileSync(join(folder, 'a.s'), source)
  return spawnSync('arm-none-eabi-as', ['-mcpu=cortex-m4', '-mthumb', '-o', 'a.o', 'a.s'], {
    cwd: folder,
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  }).stderr
}

function binary(folder: string): Uint8Array {
  execFileSync('arm-none-eabi-objcopy', ['-O', 'binary', '-j', '.text', 'a.o', 'a.bin'], { cwd: folder })
  return readFileSync(join(folder, 'a.bin'))
}

/**
 * Assembles each line by itself, `prefix` (an IT) before it. The result of a line that as refuses is undefined. A line
 * is one instruction; the slot begins at a multiple of 16.
 */
export function assemble(lines: readonly string[], prefix = ''): Assembled[] {
  return inFolder((folder) => {
    const kept = lines.map(() => true)
    for (;;) {
      const text = lines.map((line, index) => (kept[index] ? `${prefix}${line}; .balign 16` : '@'))
      const errors = run(folder, `.syntax unified; .thumb; .text\n${text.join('\n')}\n`)
      let refused = 0
      for (const match of errors.matchAll(/^a\.s:(\d+): Error/gm)) {
        kept[Number(match[1]) - 2] = false
        refused++
      }
      if (refused === 0) {
        if (errors.includes('Error')) throw new Error(errors.slice(0, 2000))
        break
      }
    }
    const bytes = binary(folder)
    let slot = 0
    return lines.map((_line, index) => {
      if (!kept[index]) return undefined
      const base = slot++ * 16
      return [0, 2, 4, 6].map((offset) => bytes[base + offset]! | (bytes[base + offset + 1]! << 8))
    })
  })
}

/** objdump's text of each word, a 16-bit one if it is below 0x10000: mnemonic and operands separated by a space. */
export function disassemble(words: readonly number[]): string[] {
  return inFolder((folder) => {
    const text = words.map((word) => {
      const instruction =
        word >>> 0 > 0xffff ? `.inst.w 0x${(word >>> 0).toString(16)}` : `.inst.n 0x${word.toString(16)}`
      return `${instruction}; .balign 8`
    })
    run(folder, `.syntax unified; .thumb; .text\nstart:\n${text.join('\n')}\n`)
    const output = execFileSync('arm-none-eabi-objdump', ['-d', '--no-show-raw-insn', 'a.o'], {
      cwd: folder,
      encoding: 'utf8',
      maxBuffer: 1 << 28,
    })
    const found: string[] = words.map(() => '')
    for (const match of output.matchAll(/^ *([0-9a-f]+):\t(.*)$/gm)) {
      const address = parseInt(match[1]!, 16)
      if (address % 8 === 0) found[address / 8] = match[2]!.replaceAll('\t', ' ').trim()
    }
    return found
  })
}

/** objdump's text of code bytes: lines `address: text`. */
export function disassembleBytes(bytes: Uint8Array): string[] {
  return inFolder((folder) => {
    writeFileSync(join(folder, 'a.bin'), bytes)
    const output = execFileSync(
      'arm-none-eabi-objdump',
      ['-D', '-b', 'binary', '-m', 'arm', '-M', 'force-thumb', '--no-show-raw-insn', 'a.bin'],
      {
        cwd: folder,
        encoding: 'utf8',
        maxBuffer: 1 << 28,
      },
    )
    return [...output.matchAll(/^ *([0-9a-f]+):\t(.*)$/gm)].map(
      (match) => `${match[1]}: ${match[2]!.replaceAll('\t', ' ')}`,
    )
  })
}
