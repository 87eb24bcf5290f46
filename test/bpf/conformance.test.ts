// The public conformance files on the interpreter, where the folder is; and the reader of such files.

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { InputError } from '../../src/base/errors.ts'
import { checkHelpers } from '../../src/bpf/check.ts'
import { expectsError, parseConformance } from '../../src/bpf/conformance.ts'
import type { HelperSet } from '../../src/bpf/helpers.ts'
import { interpret } from '../../src/bpf/interpret.ts'
import { RegionMemory } from '../../src/bpf/memory.ts'
import { readProgram } from '../../src/bpf/read.ts'

const folder = fileURLToPath(new URL('../../../shared/conformance/', import.meta.url))
const helpers: HelperSet = { helpers: new Map([[5, { name: 'unwind', fn: (r1) => r1 }]]), unwind: 5 }

/** R0, or why there is none. */
function run(source: string): bigint | string {
  try {
    const test = parseConformance(source)
    const program = readProgram(test.program)
    const refused = checkHelpers(program, new Set(helpers.helpers.keys()))
    if (refused.length > 0) return refused[0]!.message
    const bytes = test.memory ?? new Uint8Array()
    const base = 0x2000_0000
    const memory = new RegionMemory([{ base, bytes: bytes.slice() }])
    const { outcome } = interpret(program, { memory, r1: bytes.length > 0 ? base : 0, r2: bytes.length, helpers })
    return outcome.kind === 'returned' ? outcome.r0 : outcome.message
  } catch (error) {
    if (error instanceof Error && (error.name === 'InputError' || error.name === 'RejectedError')) return error.message
    throw error
  }
}

function files(name: string): string[] {
  return existsSync(`${folder}${name}`) ? readdirSync(`${folder}${name}`).filter((file) => file.endsWith('.data')) : []
}

describe.skipIf(!existsSync(folder))('conformance files of ../shared', () => {
  it('are there', () => expect([files('tests').length, files('negative').length]).toEqual([183, 36]))

  it.each(files('tests'))('%s returns its result', (file) => {
    const source = readFileSync(`${folder}tests/${file}`, 'utf8')
    expect(run(source)).toBe(parseConformance(source).result)
  })

  it.each(files('negative'))('%s does not pass', (file) => {
    const source = readFileSync(`${folder}negative/${file}`, 'utf8')
    const result = run(source)
    // One file is a good program with a wrong result in its text.
    const passes =
      file === 'incorrect_return_value_high_bits.data' ? result === 0x8977665544332211n : typeof result === 'bigint'
    expect(passes).toBe(false)
  })
})

describe('files that the suite has besides', () => {
  const cases: [string, string, bigint | string][] = [
    [
      'call_local',
      '-- asm\nmov %r6, 7\ncall local func\nadd %r0, %r6\nexit\nfunc:\nmov %r6, 1\nmov %r0, 3\nexit\n-- result\n0xa',
      10n,
    ],
    ['call_unwind_fail', '-- asm\nmov %r1, 0\ncall 5\nmov %r0, 9\nexit\n-- result\n0x0', 0n],
    ['call helper', '-- asm\nmov %r1, -1\ncall helper 5\nmov %r0, 2\nexit\n-- result\n0x2', 2n],
    [
      'lock forms',
      '-- asm\nstdw [%r10-8], 3\nmov %r1, 4\nlock fetch add [%r10-8], %r1\nldxdw %r0, [%r10-8]\nlsh %r1, 8\nor %r0, %r1\nexit\n-- result\n775',
      775n,
    ],
    ['raw wins', '-- asm\nmov %r0, 1\nexit\n-- raw\nb7 00 00 00 02 00 00 00\n0x0000000000000095\n-- result\n2', 2n],
    [
      'ldabs, ldind',
      '-- asm\nmov %r3, 1\nldabsh 1\nmov %r6, %r0\nldindb %r3, 2\nlsh %r6, 8\nor %r0, %r6\nexit\n-- mem\n11 22 33 44\n-- result\n0x223344',
      0x223344n,
    ],
    ['ldabs past the end', '-- asm\nmov %r0, 1\nldabsw 1\nmov %r0, 2\nexit\n-- mem\n11 22 33 44\n-- result\n0', 0n],
  ]
  it.each(cases)('%s', (_, source, expected) => expect(run(source)).toBe(expected))
})

describe('parseConformance', () => {
  it('reads every section', () => {
    const test = parseConformance(
      '# x\n-- asm\nexit # y\n-- mem\n00 ff\n0x1 2\n-- result\n18446744073709551615\n-- c\nint x;\n-- no register offset\ncall',
    )
    expect(test).toEqual({
      program: Uint8Array.of(0x95, 0, 0, 0, 0, 0, 0, 0),
      memory: Uint8Array.of(0, 255, 1, 2),
      result: 2n ** 64n - 1n,
      error: false,
    })
    expect(parseConformance('-- asm\nexit\n-- error\nbad')).toMatchObject({
      result: undefined,
      memory: undefined,
      error: true,
    })
    expect(expectsError('-- asm\nexit\n-- error\n')).toBe(true)
    expect(expectsError('-- asm\nexit\n-- result\n0')).toBe(false)
  })

  it.each([
    ['', 'no program'],
    ['-- result\n0', 'no program'],
    ['-- asm\nexit', 'neither a result nor an error'],
    ['-- asm\nexit\n-- results\n1', "unknown directive '-- results'"],
    ['-- raw\n1 2\n-- result\n1', 'must be numbers with 0x'],
    ['-- asm\nexit\n-- mem\nzz\n-- result\n1', 'must be a byte'],
    ['-- asm\nexit\n-- result\n-1', 'must be a number'],
  ])('refuses %j', (source, message) => {
    expect(() => parseConformance(source)).toThrow(InputError)
    expect(() => parseConformance(source)).toThrow(message)
  })

  it('keeps the line numbers of the file for assembly', () => {
    expect(() => parseConformance('# one\n\n-- asm\nmov %r0, 1\nfoo\n-- result\n1')).toThrow(
      expect.objectContaining({ line: 5 }),
    )
  })
})
