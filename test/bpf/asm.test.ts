// The table, and text in both directions: against itself, and against LLVM's disassembler.

import { spawnSync } from 'node:child_process'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { InputError } from '../../src/base/errors.ts'
import { assemble, encodeProgram } from '../../src/bpf/asm.ts'
import { disassemble, formatInstruction } from '../../src/bpf/disasm.ts'
import { findRow, rows, rowsOfOpcode } from '../../src/bpf/isa.ts'
import type { Instruction, Program } from '../../src/bpf/program.ts'
import { readProgram } from '../../src/bpf/read.ts'
import { exampleOf, shapeOf, templates, tokenize } from '../../src/bpf/syntax.ts'
import { describeWith, tool } from '../support/tools.ts'
import { anyInstruction, anyProgram } from './support.ts'

const single = (instruction: Instruction): Program => ({
  instructions: [instruction],
  functions: [],
  entry: 0,
  data: [],
  maps: [],
  lines: [],
})
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

describe('the table', () => {
  it('has unique names, and every row is found by its fields', () => {
    expect(new Set(rows.map(({ name }) => name)).size).toBe(rows.length)
    for (const row of rows) {
      expect(findRow(row.opcode, { dst: 0, src: 0, offset: 0, imm: 0, ...row.fixed })).toBe(row)
    }
    expect(rowsOfOpcode(0xff)).toBeUndefined()
    expect(findRow(0xdb, { dst: 0, src: 0, offset: 0, imm: 0x02 })).toBeUndefined()
  })

  it('gives every way of writing to one row', () => {
    for (const row of rows) {
      for (const source of row.syntax) {
        const tokens = tokenize(source)
        const shape = typeof tokens === 'string' ? tokens : shapeOf(tokens)
        expect([source, templates().get(shape)?.row.name]).toEqual([source, row.name])
      }
    }
  })

  it('has every opcode of RFC 9669, appendix A, and callx', () => {
    const opcodes = new Set(rows.map(({ opcode }) => opcode))
    expect(opcodes.size).toBe(126)
    const some = [
      0x04, 0x05, 0x06, 0x07, 0x18, 0x20, 0x50, 0x81, 0x91, 0xc3, 0xd4, 0xd7, 0xdb, 0xdc, 0xde, 0x85, 0x8d, 0x95,
    ]
    expect(some.filter((opcode) => !opcodes.has(opcode))).toEqual([])
  })
})

describe('assemble', () => {
  it('reads every way of writing, and the row is the one meant', () => {
    for (const template of templates().values()) {
      const bytes = assemble(`label: ${exampleOf(template)}`)
      expect([template.source, bytes[0]]).toEqual([template.source, template.row.opcode])
    }
  })

  it('reads back what is printed', () => {
    fc.assert(
      fc.property(anyInstruction, (instruction) => {
        expect(hex(assemble(formatInstruction(instruction)))).toBe(hex(encodeProgram(single(instruction))))
      }),
      { numRuns: 2000 },
    )
  })

  it('reads back whole programs with labels, and decoding inverts encoding', () => {
    fc.assert(
      fc.property(anyProgram, (program) => {
        const bytes = encodeProgram(program)
        const read = readProgram(bytes)
        expect(read.instructions).toEqual(program.instructions)
        expect(hex(encodeProgram(read))).toBe(hex(bytes))
        expect(hex(assemble(disassemble(read).join('\n')))).toBe(hex(bytes))
      }),
      { numRuns: 300 },
    )
  })

  it.each([
    ['r0 = 5', 'b700000005000000'],
    ['mov %r0, 0xffffffff', 'b7000000ffffffff'],
    ['mov32 %r0, -2147483648', 'b400000000000080'],
    ['r1 += -5 # comment', '07010000fbffffff'],
    ['r2 = *(u32 *)(r1 + 4) // comment', '6112040000000000'],
    ['w2 = *(u32*)(r1+0x4)', '6112040000000000'],
    ['ldxw %r2, [%r1+4]', '6112040000000000'],
    ['ldxw %r2, [%r1]', '6112000000000000'],
    ['ldxdw %r2,[%r1+-2]', '7912feff00000000'],
    ['*(u8 *)(r10 - 1) = 7 ; comment', '720affff07000000'],
    ['lock fetch add32 [%r10-4], %r1', 'c31afcff01000000'],
    ['lock fetch_add [%r10-8], %r1', 'db1af8ff01000000'],
    ['r0 = cmpxchg_64(r1 + 0, r0, r2)', 'db210000f1000000'],
    ['lock cmpxchg32 [%r10-4], %r1', 'c31afcfff1000000'],
    // As the kernel prints them, 32 bits with r registers.
    ['lock *(u32 *)(r1 + 0) += r2', 'c321000000000000'],
    ['lock *(u32 *)(r1 - 4) ^= r2', 'c321fcffa0000000'],
    ['lock *(u64 *)(r1 +8) &= r2', 'db21080050000000'],
    ['r2 = atomic_fetch_add((u32 *)(r1 + 0), r2)', 'c321000001000000'],
    ['w2 = atomic_fetch_add((u32 *)(r1 + 0), w2)', 'c321000001000000'],
    ['r2 = atomic_fetch_or((u64 *)(r1 + 0), r2)', 'db21000041000000'],
    ['r2 = atomic64_fetch_and((u64 *)(r1 +0), r2)', 'db21000051000000'],
    ['r2 = atomic_xchg((u32 *)(r1 +4), r2)', 'c3210400e1000000'],
    ['r2 = atomic64_xchg((u64 *)(r1 +8), r2)', 'db210800e1000000'],
    ['r2 = xchg32_32(r1 + 0, r2)', 'c3210000e1000000'],
    ['r0 = atomic_cmpxchg((u32 *)(r1 +0), r0, r2)', 'c3210000f1000000'],
    ['r0 = atomic64_cmpxchg((u64 *)(r1 +0), r0, r2)', 'db210000f1000000'],
    ['r0 = cmpxchg32_32(r1 + 0, r0, r2)', 'c3210000f1000000'],
    ['swap16 %r3', 'd703000010000000'],
    ['a: ja32 a', '06000000ffffffff'],
    ['goto +3', '0500030000000000'],
    ['gotol -3', '06000000fdffffff'],
    ['if r1 s> 5 goto +3', '6501030005000000'],
    ['if w1 & w2 goto -1', '4e21ffff00000000'],
    ['jset32 %r1, %r2, -1', '4e21ffff00000000'],
    ['call %r2', '8d02000000000000'],
    ['callx r2', '8d02000000000000'],
    ['call 5', '8500000005000000'],
    ['call pc+3', '8510000003000000'],
    ['call local f\nf: exit', '85100000000000009500000000000000'],
    ['call f\nf: exit', '85100000000000009500000000000000'],
    ['ldabsb 4', '3000000004000000'],
    ['ldindh %r2, 4', '4820000004000000'],
    ['r0 = *(u16 *)skb[r2]', '4820000000000000'],
    ['r1 = -1 ll', '18010000ffffffff00000000ffffffff'],
    ['lddw %r1, 0x8877665544332211', '18010000112233440000000055667788'],
    ['jeq %r1, 0, exit\nexit\nexit', '150100000000000095000000000000009500000000000000'],
  ])('%s', (source, expected) => expect(hex(assemble(source))).toBe(expected))

  it.each([
    ['mov %r0, 2147483648', 1, 'immediate is 2147483648, must be -2147483648 to 2147483647'],
    ['mov %r0, 0x100000000', 1, 'immediate is 0x100000000'],
    ['lddw %r0, 18446744073709551616', 1, 'immediate is 18446744073709551616'],
    ['exit\nor %r0, %r50', 2, 'register r50 does not exist, must be r0 to r10'],
    ['ja NOT_A_LABEL\nexit', 1, "there is no label 'NOT_A_LABEL'"],
    ['ja lop\nloop: exit', 1, "did you mean 'loop'?"],
    ['lock', 1, "'lock' has operands that 'lock' does not take"],
    ['lock or [%r10-8]', 1, "it is written 'lock *(u32 *)(r1 + 4) += w2'"],
    ['lddw %r3,N\nexit', 1, "'lddw %r3,N' has operands"],
    ['mov W, R', 1, "'mov W, R' has operands"],
    ['movv %r0, 1', 1, "unknown mnemonic 'movv'; did you mean 'mov'?"],
    ['r0 = be17 r0', 1, "did you mean 'be16'?"],
    ['r0 = be16 r1', 1, 'register is r1, must be r0'],
    ['r1 = atomic64_fetch_add((u64 *)(r1 + 0), r2)', 1, 'register is r2, must be r1'],
    ['r1 = atomic64_fetch_add((u32 *)(r1 + 0), r1)', 1, 'is no instruction'],
    ['r0 = atomic_cmpxchg((u32 *)(r1 + 0), r1, r2)', 1, 'register is r1, must be r0'],
    ['w1 = cmpxchg32_32(r1 + 0, w0, w1)', 1, 'register is w1, must be w0'],
    ['ldxw %r0, [%r1+32768]', 1, 'offset is 32768, must be -32768 to 32767'],
    ['a:\na: exit', 2, "label 'a' is defined twice"],
    ['exit !', 1, "can't read '!'"],
    ['a: exit\n'.concat('exit\n'.repeat(32_768), 'ja a'), 32_770, "'gotol' reaches further"],
  ])('refuses %j', (source, line, message) => {
    expect(() => assemble(source)).toThrow(InputError)
    expect(() => assemble(source)).toThrow(expect.objectContaining({ line, message: expect.stringContaining(message) }))
  })
})

describe('disassemble', () => {
  it('labels functions and targets of jumps', () => {
    const source = 'mov %r0, 1\njeq %r0, 1, out\ncall local f\nout: exit\nf: exit'
    expect(disassemble(readProgram(assemble(source)))).toEqual([
      'entry:',
      '  r0 = 1',
      '  if r0 == 1 goto L3',
      '  call fn_4',
      'L3:',
      '  exit',
      'fn_4:',
      '  exit',
    ])
  })
})

/** Our text in the words of LLVM for CPU v4, which names the narrow halves of loads and stores. */
function inLlvm(instruction: Instruction): string {
  const text = formatInstruction(instruction)
  const { row } = instruction
  if (row.kind === 'load' && row.size < 8 && !row.signed) return text.replace(/^r/, 'w')
  if (row.kind === 'store' && row.size < 8 && row.source === 'reg') return text.replace(/= r/, '= w')
  if (row.kind === 'packet') return text.replace(' + 0]', ']')
  if (row.kind === 'call' && row.callee === 'local') return text.replace(/pc\+?/, '')
  return text
}

describeWith(['llvm-mc-19'], "against LLVM's disassembler", () => {
  it('prints the same for random instructions', () => {
    const seed = Date.now() % 1_000_000_007
    const sample = fc.sample(anyInstruction, { numRuns: 3000, seed }).map((instruction) => {
      // LLVM knows no immediate in LD_IND.
      return instruction.row.kind === 'packet' && instruction.row.indirect ? { ...instruction, imm: 0 } : instruction
    })
    const input = sample.map((instruction) =>
      [...encodeProgram(single(instruction))].map((byte) => `0x${byte.toString(16)}`).join(' '),
    )
    const run = spawnSync(tool('llvm-mc-19') ?? 'llvm-mc-19', ['--disassemble', '-triple=bpfel', '-mcpu=v4'], {
      input: input.join('\n'),
      encoding: 'utf8',
    })
    expect(run.stderr).toBe('')
    const lines = run.stdout
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => line !== '' && line !== '.text')
    expect({ seed, lines: sample.map(inLlvm) }).toEqual({ seed, lines })
  })
})
