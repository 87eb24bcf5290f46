// What random programs are made of: without it, that they agree would say little.

import { expect, it } from 'vitest'

import { caseOf } from '../support/differential-batch.ts'
import { randomProgram } from '../support/random-program.ts'

/** What stands in a program, by BPF's opcodes. */
function featuresOf(seed: number): Set<string> {
  const { length, functions, level, alignment } = caseOf(seed)
  const { text } = randomProgram(seed, length, functions)
  const view = new DataView(text.buffer, text.byteOffset)
  const features = new Set([`-O${level}`, `context at ${alignment % 8} modulo 8`])
  let calls = 0
  for (let at = 0; at < text.length; at += text[at] === 0x18 ? 16 : 8) {
    const opcode = text[at]!
    const dst = text[at + 1]! & 15
    const src = text[at + 1]! >> 4
    const offset = view.getInt16(at + 2, true)
    const jump = ((opcode & 7) === 5 || (opcode & 7) === 6) && opcode !== 0x85 && opcode !== 0x95
    if (jump && offset < 0) features.add('loop')
    if (opcode === 0x85) features.add(src === 1 ? 'local call' : 'helper')
    // A function behind the first has its exit, and calls, behind it.
    if (opcode === 0x95) calls++
    if (opcode === 0x85 && src === 1 && calls > 0) features.add('call in a callee')
    if (opcode === 0x8d) features.add('call by register')
    if (opcode === 0x06) features.add('long jump')
    if (opcode === 0x0f && src === 10) features.add('stack address with an index')
    if ((opcode & 7) === 4) features.add('32-bit arithmetic')
    if ((opcode & 7) === 7) features.add('64-bit arithmetic')
    if (opcode === 0xc3 || opcode === 0xdb) features.add('atomic')
    const mode = opcode & 0xe0
    const bytes = [4, 2, 1, 8][(opcode >> 3) & 3]!
    if ((opcode & 7) === 1 && (mode === 0x60 || mode === 0x80)) {
      features.add(`load of ${bytes}${mode === 0x80 ? ' with sign' : ''}`)
      if (src === 6) features.add(`load of ${bytes} from the context at ${offset & 7} modulo 8`)
    }
    if ((opcode & 7) === 3 && mode === 0x60) {
      features.add(`store of ${bytes}`)
      if (dst === 6) features.add(`store of ${bytes} to the context at ${offset & 7} modulo 8`)
    }
  }
  return features
}

it('programs have loops, calls, arrays, all widths and alignments, at all levels', { timeout: 60_000 }, () => {
  const counts = new Map<string, number>()
  const programs = 500
  for (let seed = 1; seed <= programs; seed++) {
    for (const feature of featuresOf(seed)) counts.set(feature, (counts.get(feature) ?? 0) + 1)
  }
  const places = [1, 2, 4, 8].flatMap((bytes) =>
    Array.from({ length: 8 }, (_, at) => [
      `load of ${bytes} from the context at ${at} modulo 8`,
      `store of ${bytes} to the context at ${at} modulo 8`,
    ]).flat(),
  )
  const rare = [
    'call by register',
    'long jump',
    ...places,
    ...Array.from({ length: 8 }, (_, at) => `context at ${at} modulo 8`),
  ]
  const common = [
    '-O0',
    '-O2',
    '-Os',
    'loop',
    'local call',
    'call in a callee',
    'helper',
    'stack address with an index',
  ]
  const widths = [1, 2, 4, 8].flatMap((bytes) => [`load of ${bytes}`, `store of ${bytes}`])
  const signed = [1, 2, 4].map((bytes) => `load of ${bytes} with sign`)
  const all = [...common, ...widths, ...signed, '32-bit arithmetic', '64-bit arithmetic', 'atomic']
  const less = (names: readonly string[], share: number): string[] =>
    names.filter((name) => (counts.get(name) ?? 0) < share * programs)
  expect({ rare: less(rare, 0.02), common: less(all, 0.05) }).toEqual({ rare: [], common: [] })
})
