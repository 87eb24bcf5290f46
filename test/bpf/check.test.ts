// What is refused, with which code and at which place; and what looks odd but is accepted.

import { describe, expect, it } from 'vitest'
import { RejectedError, type Rejection } from '../../src/base/errors.ts'
import { assemble } from '../../src/bpf/asm.ts'
import { checkHelpers } from '../../src/bpf/check.ts'
import { readProgram } from '../../src/bpf/read.ts'

function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text.replaceAll(/\s/g, ''), 'hex'))
}

function rejections(bytes: Uint8Array): readonly Rejection[] {
  try {
    readProgram(bytes)
    return []
  } catch (error) {
    if (error instanceof RejectedError) return error.rejections
    throw error
  }
}

const EXIT = '9500000000000000'

describe('readProgram refuses', () => {
  it.each([
    ['an empty program', '', 'empty-program', undefined, 'no instructions'],
    ['half an instruction', `${EXIT}95000000`, 'text-size', 1, '12 bytes long, must be a multiple of 8'],
    ['an unknown opcode', `ff00000000000000${EXIT}`, 'unknown-opcode', 0, 'opcode 0xff is no BPF instruction'],
    ['a nameless ALU operation', `e700000000000000${EXIT}`, 'unknown-opcode', 0, '0xe7'],
    ['LDX DW sign-extending', `9900000000000000${EXIT}`, 'unknown-opcode', 0, '0x99'],
    [
      'div with offset 2',
      `3700020001000000${EXIT}`,
      'unknown-operation',
      0,
      'offset must be one of 0 (div64_imm), 1 (sdiv64_imm)',
    ],
    ['mov with offset 24', `bf00180000000000${EXIT}`, 'unknown-operation', 0, '32 (movsx32_64)'],
    ['movsx32 in 32 bits', `bc00200000000000${EXIT}`, 'unknown-operation', 0, '0 (mov32_reg), 8'],
    ['be24', `dc00000018000000${EXIT}`, 'unknown-operation', 0, '16 (be16)'],
    ['an unknown atomic', `db1af8ff02000000${EXIT}`, 'unknown-operation', 0, 'imm must be one of'],
    ['a call by BTF id', `8520000001000000${EXIT}`, 'kernel-function', 0, 'calls function 1 of the Linux kernel'],
    ['an unused field', `0710000001000000${EXIT}`, 'unused-field', 0, 'field src is 1, must be 0'],
    ['src over r10', `bf b0 0000 00000000${EXIT}`, 'bad-register', 0, 'src is r11'],
    ['dst over r10', `b7 0c 0000 00000000${EXIT}`, 'bad-register', 0, 'dst is r12'],
    ['ALU to r10', `070a000001000000${EXIT}`, 'write-r10', 0, 'add64_imm writes r10'],
    ['a load to r10', `791a000000000000${EXIT}`, 'write-r10', 0, 'ldxdw writes r10'],
    ['lddw to r10', `180a000001000000 0000000000000000${EXIT}`, 'write-r10', 0, 'lddw writes r10'],
    ['a fetch into r10', `dba1000001000000${EXIT}`, 'write-r10', 0, 'lock_fetch_add64 writes r10'],
    ['an exchange with r10', `dba10000e1000000${EXIT}`, 'write-r10', 0, 'lock_xchg64 writes r10'],
    ['a jump before the start', `0500feff00000000${EXIT}`, 'jump-outside', 0, 'instruction -1, must be 0 to 1'],
    ['a jump one past the end', `0500010000000000${EXIT}`, 'jump-outside', 0, 'instruction 2, must be 0 to 1'],
    ['gotol far outside', `06000000ffffff7f${EXIT}`, 'jump-outside', 0, 'instruction 2147483648'],
    [
      'a jump into lddw',
      `0500010000000000 1800000000000000 0000000000000000${EXIT}`,
      'jump-into-lddw',
      0,
      'second half of lddw',
    ],
    ['lddw cut off', `${EXIT}1800000000000000`, 'lddw-truncated', 1, 'two slots'],
    ['lddw before an exit', `1800000000000000${EXIT}`, 'lddw-second-half', 1, 'must be 0'],
    ['a map', `1810000000000000 0000000000000000${EXIT}`, 'lddw-pseudo', 0, 'a map by file descriptor (src is 1)'],
    ['lddw with src 7', `1870000000000000 0000000000000000${EXIT}`, 'unused-field', 0, 'src is 7'],
    ['running off the end', 'b700000000000000', 'falls-off-end', 0, 'mov64_imm is the last instruction of entry'],
    [
      'a taken branch to the end',
      `1500010000000000 ${EXIT} b700000000000000`,
      'falls-off-end',
      2,
      'can go on past its end',
    ],
    ['a negative helper', `85000000ffffffff${EXIT}`, 'bad-helper', 0, 'number is -1, must be 0 or more'],
    ['a call outside', `8510000005000000${EXIT}`, 'call-outside', 0, 'instruction 6'],
    [
      'a call into lddw',
      `8510000002000000${EXIT}1800000000000000 0000000000000000${EXIT}`,
      'call-into-lddw',
      0,
      'second half',
    ],
    ['falling into the next function', `8510000001000000 b700000000000000 ${EXIT}`, 'falls-off-end', 1, 'of entry'],
    [
      'a jump to another function',
      `8510000001000000 0500000000000000 ${EXIT}`,
      'jump-across',
      1,
      'outside of its function entry',
    ],
  ])('%s', (_, text, code, slot, message) => {
    const found = rejections(bytesOf(text))
    expect(found[0]).toMatchObject({ code, message: expect.stringContaining(message) })
    expect(found[0]!.place.slot).toBe(slot)
  })

  it('a program over a million instructions', () => {
    expect(rejections(new Uint8Array(8 * 1_000_001))[0]).toMatchObject({
      code: 'program-too-long',
      message: expect.stringContaining('1000001'),
    })
  })

  it('with several reasons at once, but not without end', () => {
    expect(rejections(bytesOf(`0710010001000000${EXIT}`))).toHaveLength(2)
    expect(rejections(new Uint8Array(8000).fill(0xff)).length).toBeLessThanOrEqual(50)
  })
})

describe('readProgram accepts', () => {
  it('code that nothing reaches, as long as its fields are right', () => {
    const program = readProgram(assemble('exit\nmov %r0, 1\nja -2\nmov %r1, 2'))
    expect(program.instructions).toHaveLength(4)
    expect(rejections(bytesOf(`${EXIT}1500feff00000000`))).toEqual([])
    expect(rejections(bytesOf(`${EXIT}0500050000000000`))).toMatchObject([{ code: 'jump-outside' }])
  })

  it('endless loops and recursion', () => {
    expect(readProgram(assemble('a: ja a')).functions).toHaveLength(1)
    expect(readProgram(assemble('call local -1\nexit')).functions).toHaveLength(1)
  })

  it('finds functions from local calls, with targets as indexes', () => {
    const program = readProgram(
      assemble('lddw %r1, 5\ncall local g\ncall local f\nexit\nf: mov %r0, 1\nexit\ng: lddw %r0, 2\nja +0\nexit'),
    )
    expect(program.functions).toEqual([
      { name: 'entry', start: 0, end: 4, global: true, section: '' },
      { name: 'fn_5', start: 4, end: 6, global: false, section: '' },
      { name: 'fn_7', start: 6, end: 9, global: false, section: '' },
    ])
    expect(program.instructions.map(({ target }) => target)).toEqual([-1, 6, 4, -1, -1, -1, -1, 8, -1])
    expect(program.instructions.map(({ slot }) => slot)).toEqual([0, 2, 3, 4, 5, 6, 7, 9, 10])
  })
})

describe('checkHelpers', () => {
  it('names calls that are not granted', () => {
    const program = readProgram(assemble('call 5\ncall 7\ncall %r1\nexit'))
    expect(checkHelpers(program, new Set([5, 7]))).toEqual([])
    expect(checkHelpers(program, new Set([7]))).toEqual([
      {
        code: 'helper-not-granted',
        place: { function: 'entry', slot: 0 },
        message: 'calls helper 5, which is not granted; these are: 7',
      },
    ])
  })
})
