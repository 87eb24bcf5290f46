// Compiles runtime/maps.c for the Cortex-M4 into position-independent bytes and writes src/machine/runtime-code.ts; the same
// for runtime/debug-stub.S and src/machine/gdb/stub-code.ts.
// With --check it writes nothing and fails where a file is not what it would write. Needs arm-none-eabi-gcc and binutils.
// With --compiler it prints the compiler's version alone: other versions may give other bytes.

import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const FLAGS =
  '-std=c11 -mcpu=cortex-m4 -mthumb -Os -ffreestanding -fno-jump-tables -fno-tree-loop-distribute-patterns ' +
  '-pedantic -Wall -Wextra -Wconversion -Werror'
/** An executable's sections that may hold something, besides those without memory (symbols, attributes). */
const SCRIPT = 'SECTIONS { .text : { *(.text*) } /DISCARD/ : { *(.ARM.attributes) *(.comment) } }'

const run = (program, ...args) => execFileSync(`arm-none-eabi-${program}`, args, { encoding: 'utf8' })
const version = () => run('gcc', '--version').split('\n')[0].trim()

function buildMaps(folder) {
  const at = (name) => join(folder, name)
  run('gcc', ...FLAGS.split(' '), '-c', join(root, 'runtime/maps.c'), '-o', at('maps.o'))
  writeFileSync(at('flat.ld'), SCRIPT)
  const link = (base) => {
    run(
      'ld',
      '-T',
      at('flat.ld'),
      '--no-undefined',
      `--section-start=.text=${base}`,
      '-e',
      '0',
      at('maps.o'),
      '-o',
      at('maps.elf'),
    )
    // Sections that take memory: A among the flags.
    const sections = [
      ...run('readelf', '-SW', at('maps.elf')).matchAll(/\] (\S+)\s+(\w+)\s+\w+ \w+ (\w+) \w+\s+(\w*A\w*) /g),
    ]
    const taken = sections.filter(([, , , size]) => Number.parseInt(size, 16) > 0).map(([, name]) => name)
    if (taken.join() !== '.text') throw new Error(`sections ${taken.join()}, only .text is possible`)
    run('objcopy', '-O', 'binary', at('maps.elf'), at('maps.bin'))
    return readFileSync(at('maps.bin'))
  }
  const code = link('0x0')
  if (!code.equals(link('0x08012340'))) throw new Error('the code depends on its address')
  link('0x0')
  const symbols = [...run('nm', '-n', at('maps.elf')).matchAll(/^([0-9a-f]{8}) T thumbpf_(\w+)$/gm)]
  return module('RUNTIME', 'runtime/maps.c', `\n/** ${version()} */\n`, code, symbols)
}

function buildStub(folder) {
  const at = (name) => join(folder, name)
  run('as', join(root, 'runtime/debug-stub.S'), '-o', at('stub.o'))
  run('ld', '-Ttext=0', '-e', '0', at('stub.o'), '-o', at('stub.elf'))
  run('objcopy', '-O', 'binary', at('stub.elf'), at('stub.bin'))
  const symbols = [...run('nm', '-n', at('stub.elf')).matchAll(/^([0-9a-f]{8}) T ([a-z]\w+)$/gm)]
  return module('STUB', 'runtime/debug-stub.S', '\n', readFileSync(at('stub.bin')), symbols)
}

/** A file of TypeScript with bytes and the offsets in them. */
function module(name, source, comment, code, symbols) {
  const lines = [...code.toString('base64').matchAll(/.{1,108}/g)].map(([line]) => `  '${line}'`)
  return `// The bytes of ${source}, as they run at any address. Written by tools/build-runtime.mjs: do not edit.
${comment}export const ${name}_BASE64 =
${lines.join(' +\n')}

/** Bytes from the beginning to each function; bit 0, the Thumb state, is clear. */
export const ${name}_OFFSETS = {
${symbols.map(([, offset, symbol]) => `  ${symbol}: ${Number.parseInt(offset, 16)},`).join('\n')}
} as const
`
}

const targets = { 'src/machine/runtime-code.ts': buildMaps, 'src/machine/gdb/stub-code.ts': buildStub }

if (process.argv.includes('--compiler')) {
  console.log(version())
} else {
  const folder = mkdtempSync(join(tmpdir(), 'thumbpf-runtime-'))
  try {
    for (const [target, build] of Object.entries(targets)) {
      const text = build(folder)
      if (!process.argv.includes('--check')) writeFileSync(join(root, target), text)
      else if (readFileSync(join(root, target), 'utf8') !== text) {
        console.error(`${target} is not what runtime/ gives: run tools/build-runtime.mjs`)
        process.exitCode = 1
      }
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
