// Relocations: against what the processor reads (the decoder's BL), and against GNU ld.

import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Image, Reloc } from '../../src/image/image.ts'
import { link } from '../../src/image/link.ts'
import { decode } from '../../src/thumb/decode.ts'
import { describeWith, tool } from '../support/tools.ts'

/** nop; nop; bl import (addend -4, as assemblers leave it); a word with addend 8, import and function. */
const image: Image = {
  code: new Uint8Array(new Uint16Array([0xbf00, 0xbf00, 0xf7ff, 0xfffe, 8, 0, 0, 0]).buffer),
  symbols: [
    { name: 'entry', offset: 0, size: 8, kind: 'function', helper: -1, index: -1, global: true },
    { name: 'helper', offset: -1, size: 0, kind: 'import', helper: 5, index: -1, global: true },
  ],
  relocations: [
    { section: -1, offset: 4, type: Reloc.R_ARM_THM_CALL, symbol: 1 },
    { section: -1, offset: 8, type: Reloc.R_ARM_ABS32, symbol: 1 },
    { section: -1, offset: 12, type: Reloc.R_ARM_ABS32, symbol: 0 },
  ],
  lines: [],
  data: [],
  entry: 0,
  needsEnv: false,
  bpfInstructions: 1,
  stackBytes: 0,
  sections: [],
  maps: [],
  programs: [],
  table: [],
}

describe('link', () => {
  it('calls and addresses point to the symbols, bit 0 set', () => {
    const placed = fc.tuple(fc.integer({ min: 0, max: 2 ** 22 }), fc.integer({ min: -(2 ** 23) + 8, max: 2 ** 23 - 8 }))
    fc.assert(
      fc.property(placed, ([words, distance]) => {
        const code = 0x1000_0000 + 4 * words
        const target = code + 8 + 2 * distance
        const { code: bytes } = link(image, { code }, () => target | (words & 1))
        const view = new DataView(bytes.buffer)
        const branch = decode(view.getUint16(4, true), view.getUint16(6, true), false)!
        expect(code + 8 + branch.imm).toBe(target)
        expect(view.getUint32(8, true)).toBe((target + 8) | 1)
        expect(view.getUint32(12, true)).toBe(code | 1)
      }),
    )
    expect(image.code[4]).toBe(0xff)
  })
  it('a call out of reach is refused', () => {
    for (const edge of [0x1000_0000 + 8 + 2 ** 24 - 2, 0x1000_0000 + 8 - 2 ** 24]) {
      expect(link(image, { code: 0x1000_0000 }, () => edge).code).toHaveLength(16)
    }
    for (const helper of [0x1000_0000 + 8 + 2 ** 24, 0x1000_0000 + 6 - 2 ** 24, 0x0800_0000, 0xffff_fffc]) {
      expect(() => link(image, { code: 0x1000_0000 }, () => helper)).toThrow('call of helper at byte 4 does not reach')
    }
  })
  it.each([
    [{ code: 0x1002 }, 'the code is placed at 4098, must be a multiple of 4'],
    [{ code: -4 }, 'the code is placed at -4: must be an address'],
    [{ code: 0xfffe_fff4 }, 'with room for 16 bytes behind it, below 0xffff0000'],
    [{ code: 0xffff_fff4 }, 'with room for 16 bytes behind it'],
    [{ code: NaN, sections: [0] }, 'the code is placed at NaN'],
    [{ code: 0x1000 }, 'section .data is placed at undefined'],
    [{ code: 0x1000, sections: [0x2004] }, 'section .data is placed at 8196, must be a multiple of 8'],
    [{ code: 0x1000, sections: [0xffff_fff8] }, 'section .data is placed at 4294967288'],
  ])('refuses the placement %o', (placement, message) => {
    const data = { name: '.data', kind: 'data', align: 8, size: 9, bytes: new Uint8Array(9) } as const
    expect(() => link({ ...image, sections: [data] }, placement, () => 0x1000)).toThrow(message)
  })
})

describeWith(['arm-none-eabi-as', 'arm-none-eabi-ld', 'arm-none-eabi-objcopy'], 'link and GNU ld', () => {
  it('give the same bytes', () => {
    const folder = mkdtempSync(join(tmpdir(), 'thumbpf-link-'))
    try {
      const source = `.syntax unified\n.thumb\n.globl entry\n.thumb_func\nentry:\nnop\nnop\nbl helper\n.word helper + 8, entry\n`
      const [object, other, linked, flat] = ['a.o', 'b.o', 'a.elf', 'a.bin'].map((name) => join(folder, name)) as [
        string,
        string,
        string,
        string,
      ]
      execFileSync(tool('arm-none-eabi-as')!, ['-mcpu=cortex-m4', '-o', object], { input: source })
      const helperSource =
        '.syntax unified\n.thumb\n.section .helper,"ax"\n.globl helper\n.thumb_func\nhelper:\nbx lr\n'
      execFileSync(tool('arm-none-eabi-as')!, ['-mcpu=cortex-m4', '-o', other], { input: helperSource })
      for (const [code, helper] of [
        [0x1000, 0x3000],
        [0x80_0000, 0x1000],
        [0x10_0000, 0x10f_fffe],
      ] as const) {
        const placed = [`-Ttext=0x${code.toString(16)}`, `--section-start=.helper=0x${helper.toString(16)}`]
        execFileSync(tool('arm-none-eabi-ld')!, [...placed, '-e', 'entry', object, other, '-o', linked])
        execFileSync(tool('arm-none-eabi-objcopy')!, ['-O', 'binary', '-j', '.text', linked, flat])
        const { code: bytes } = link({ ...image }, { code }, () => helper)
        expect(Buffer.from(bytes).toString('hex')).toBe(readFileSync(flat).toString('hex'))
      }
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})
