// Random mutations of objects, raw bytes and assembly through the command line: each ends in a result or in one clear
// line, soon. THUMBPF_MUTATIONS sets how many (default 300); fast-check prints the seed of a failure.

import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { example, thumbpf } from './support.ts'

const runs = Number(process.env['THUMBPF_MUTATIONS'] ?? 300)

/** Objects, and the bytes of .text in each: it follows the ELF header. */
const sizes = { alarm: 0x200, fletcher32: 0x150, packet: 0x2d0, vibration: 0x2a8 }
const objects = Object.keys(sizes).map((name) => new Uint8Array(readFileSync(example(`${name}.o`))))
const texts = Object.values(sizes).map((size, index) => objects[index]!.subarray(0x40, 0x40 + size))
const assembly = new Uint8Array(readFileSync(example('gcd.s')))

/** One edit at a place that is a fraction of the length. */
const edit = fc.record({
  at: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
  kind: fc.constantFrom('set', 'flip', 'insert', 'remove', 'copy', 'cut'),
  value: fc.oneof(fc.integer({ min: 0, max: 255 }), fc.constantFrom(0, 1, 0x7f, 0x80, 0xff)),
  length: fc.integer({ min: 1, max: 16 }),
})
type Edit = typeof edit extends fc.Arbitrary<infer T> ? T : never

function mutate(bytes: Uint8Array, edits: readonly Edit[]): Uint8Array {
  let mutated = [...bytes]
  for (const { at, kind, value, length } of edits) {
    const index = Math.floor(at * mutated.length)
    if (kind === 'set') mutated[index] = value
    else if (kind === 'flip') mutated[index] = (mutated[index] ?? 0) ^ (1 << (value & 7))
    else if (kind === 'insert') mutated.splice(index, 0, ...Array<number>(length).fill(value))
    else if (kind === 'remove') mutated.splice(index, length)
    else if (kind === 'copy') mutated.splice(index, 0, ...mutated.slice(index, index + length))
    else if (value < 32) mutated = mutated.slice(0, index)
  }
  return Uint8Array.from(mutated)
}

async function endsWell(bytes: Uint8Array, machine: string): Promise<void> {
  const begin = performance.now()
  const ran = await thumbpf(['run', '-', '--machine', machine, '--ctx', '00'.repeat(64), '--json'], bytes)
  expect(performance.now() - begin).toBeLessThan(2000)
  expect([0, 1]).toContain(ran.status)
  expect(ran.stderr).not.toMatch(/internal error|\n {4}at /)
  if (ran.status === 0) expect(JSON.parse(ran.stdout)).toHaveProperty('r0')
  else expect(ran.stderr).toMatch(/^(?:error|failed): [^\n]+\n$/)
}

describe('mutations', () => {
  for (const [name, seeds] of [
    ['objects', objects],
    ['raw bytes', texts],
    ['assembly', [assembly]],
  ] as const) {
    it(`of ${name} end in a result or a clear error`, { timeout: 600_000 }, async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.constantFrom(...seeds),
          fc.array(edit, { minLength: 1, maxLength: 4 }),
          fc.constantFrom('sim', 'interp'),
          (seed, edits, machine) => endsWell(mutate(seed, edits), machine),
        ),
        { numRuns: Math.ceil(runs / 3) },
      )
    })
  }
})
