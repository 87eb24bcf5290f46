// rBPF applications (Femto-Containers): header, data by LDDWD and LDDWR, functions by name.

import { describe, expect, it } from 'vitest'
import { InputError, RejectedError } from '../../src/base/errors.ts'
import { assemble } from '../../src/bpf/asm.ts'
import { interpret } from '../../src/bpf/interpret.ts'
import { readProgram } from '../../src/bpf/read.ts'

const LDDWD = 0xb8
const LDDWR = 0xd8
const rodata = new TextEncoder().encode('first\0second\0\x2a\0\0')

/** Loads of addresses are `lddw` in `text`, with the opcodes to put there by slot. */
function application(
  code: string,
  loads: Readonly<Record<number, number>> = {},
  functions: readonly [name: number, start: number][] = [],
): Uint8Array {
  const text = assemble(code)
  for (const [slot, opcode] of Object.entries(loads)) text[Number(slot) * 8] = opcode
  const data = Uint8Array.of(7, 0, 0, 0)
  const header = Uint32Array.of(0x72425046, 1, 0, data.length, rodata.length, text.length, functions.length)
  const table = Uint16Array.from(functions.flatMap(([name, start]) => [name, 0, start * 8]))
  return Uint8Array.from(
    [new Uint8Array(header.buffer), data, rodata, text, new Uint8Array(table.buffer)].flatMap((part) => [...part]),
  )
}
const result = (bytes: Uint8Array, entry?: string): unknown => {
  const { outcome } = interpret(readProgram(bytes, entry === undefined ? {} : { entry }))
  return outcome.kind === 'returned' ? outcome.r0 : outcome.message
}

describe('applications', () => {
  it('start with their text', () => expect(result(application('r0 = 3\nexit'))).toBe(3n))
  it('have data and read-only data', () => {
    const bytes = application(
      'lddw r1, 0\nldxw r0, [r1]\nlddw r2, 13\nldxb r3, [r2]\nr0 *= r3\nstxw [r1], r0\nldxw r0, [r1]\nexit',
      { 0: LDDWD, 3: LDDWR },
    )
    expect(result(bytes)).toBe(294n)
    expect(readProgram(bytes).data.map(({ name, kind, size }) => [name, kind, size])).toEqual([
      ['.data', 'data', 4],
      ['.rodata', 'rodata', rodata.length],
    ])
  })
  it('have functions by name, and local calls', () => {
    const code = 'r0 = 1\nexit\nr0 = 2\ncall local +1\nexit\nr0 += 40\nexit'
    const bytes = application(code.replace('r0 += 40', 'r0 = 40'), {}, [
      [0, 0],
      [6, 2],
    ])
    expect(readProgram(bytes).functions.map(({ name, global }) => [name, global])).toEqual([
      ['first', true],
      ['second', true],
      ['fn_5', false],
    ])
    expect([result(bytes), result(bytes, 'first'), result(bytes, 'second')]).toEqual([1n, 1n, 40n])
    expect(() => result(bytes, 'secnd')).toThrow(
      "there is no function 'secnd'; there are: first, second; did you mean 'second'?",
    )
  })
  it('alone have LDDWD and LDDWR', () => {
    const text = assemble('lddw r1, 0\nexit')
    text[0] = LDDWD
    expect(() => readProgram(text)).toThrow('opcode 0xb8 is no BPF instruction')
    text[0] = LDDWR
    expect(() => readProgram(text)).toThrow('opcode 0xd8 is no BPF instruction')
  })
  const good = application('r0 = 3\nexit', {}, [[0, 0]])
  const changed = (at: number, value: number): Uint8Array => {
    const copy = good.slice()
    copy[at] = value
    return copy
  }
  it.each([
    ['cut off in the header', good.subarray(0, 20), 'cut off: 20 bytes, its header has 28'],
    ['cut off later', good.subarray(0, good.length - 1), 'the application is cut off: its parts end at byte'],
    ['an odd text', changed(20, 12), "the application's text has 12 bytes, must be a multiple of 8"],
    ['no text', changed(20, 0), "the application's text has 0 bytes"],
    ['a function outside', changed(good.length - 2, 16), 'a function starts at byte 16 of the text, must be'],
    ['a name outside', changed(good.length - 6, 200), "a function's name runs past the end"],
  ])('with %s are refused', (_, bytes, message) => {
    expect(() => readProgram(bytes)).toThrow(InputError)
    expect(() => readProgram(bytes)).toThrow(message)
  })
  it('are checked like all programs', () => {
    expect(() => readProgram(application('r0 = 3\nexit\nr0 = 1'))).not.toThrow()
    expect(() => readProgram(application('r0 = 3'))).toThrow(RejectedError)
    const high = application('lddw r1, 0x100000000\nexit', { 0: LDDWD })
    expect(() => readProgram(high)).toThrow('instruction 0 of the text loads the address of a byte beyond 32 bits')
  })
})
