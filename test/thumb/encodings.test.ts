// Every row of the table against GNU as and objdump, and encoder, decoder and printer against each other.

import { describe, expect, it } from 'vitest'
import { type Row, allRows } from '../../src/thumb/encodings.ts'
import { decode, isWide, itConditions } from '../../src/thumb/decode.ts'
import { encode, fits, sizeOf } from '../../src/thumb/encode.ts'
import { F, formNames, reads, writes } from '../../src/thumb/forms.ts'
import { Cond, Flags, Instruction } from '../../src/thumb/instruction.ts'
import { print } from '../../src/thumb/print.ts'
import { Random } from '../support/random.ts'
import { describeWith } from '../support/tools.ts'
import { assemble, disassemble } from './gnu.ts'

const rows = allRows()

const GNU = ['arm-none-eabi-as', 'arm-none-eabi-objcopy', 'arm-none-eabi-objdump']

/** A word of the row's pattern with random fields. */
function sample(row: Row, random: () => number): number {
  const free = row.size === 2 ? 0xffff : 0xffffffff
  return ((random() & ~row.mask & free) | row.match) >>> 0
}

function decodeWord(word: number, inIT: boolean): Instruction | undefined {
  return word > 0xffff ? decode(word >>> 16, word & 0xffff, inIT) : decode(word, 0, inIT)
}

function wordOf(halfwords: readonly number[]): number {
  return isWide(halfwords[0]!) ? ((halfwords[0]! << 16) | halfwords[1]!) >>> 0 : halfwords[0]!
}

const out = new Uint8Array(4)
function encodeWord(x: Instruction, inIT: boolean, wide = false): number {
  const size = encode(x, inIT, out, 0, wide)
  const first = out[0]! | (out[1]! << 8)
  return size === 2 ? first : ((first << 16) | out[2]! | (out[3]! << 8)) >>> 0
}

/** Text for as: an IT is followed by the instructions that it wants. */
function textOf(x: Instruction): string {
  if (x.form !== F.IT) return print(x)
  const block = itConditions(x).map((cond) => print(Object.assign(new Instruction(F.NOP), { cond, imm: 0, size: 2 })))
  return [print(x), ...block].join('; ')
}

/** The fields that mean something, as text: two encodings of the same instruction are equal in it. */
function meaning(x: Instruction | undefined): string {
  if (x === undefined) return 'undefined'
  const { form, cond, s, d, n, m, a, imm, shift, amount, index } = x
  return JSON.stringify([formNames[form], cond, s, d, n, m, a, imm, shift, amount, index])
}

/** Decoded words of every row: `count` of each. */
function samples(count: number, inIT: boolean, seed: number): { row: Row; word: number; x: Instruction }[] {
  const numbers = new Random(seed)
  const random = (): number => numbers.word()
  const found: { row: Row; word: number; x: Instruction }[] = []
  for (const row of rows) {
    let left = count
    for (let attempt = 0; attempt < count * 60 && left > 0; attempt++) {
      const word = sample(row, random)
      const x = decodeWord(word, inIT)
      if (x === undefined || x.form !== row.form || x.size !== row.size) continue
      found.push({ row, word, x })
      left--
    }
  }
  return found
}

describe('the table', () => {
  it('gives each form the register fields of its roles', () => {
    for (const row of rows) {
      const roles = reads[row.form]! | writes[row.form]!
      const own = [0, 1, 2, 3].filter(
        (slot) => row.registers[slot] !== -1 || (slot === 1 && row.rules & 1) || (slot === 2 && row.rules & 2),
      )
      const wanted = [0, 1, 2, 3].filter((slot) => (roles >>> slot) & 1)
      expect([formNames[row.form], row.pattern, own]).toEqual([formNames[row.form], row.pattern, wanted])
    }
  })

  it('reaches every row by decoding', () => {
    const reached = new Set(samples(3, false, 1).map(({ row }) => row))
    expect(rows.filter((row) => !reached.has(row)).map((row) => `${formNames[row.form]} ${row.pattern}`)).toEqual([])
  })

  it.each([false, true])('encodes what it decodes to the same meaning, never longer (in IT: %s)', (inIT) => {
    for (const { word, x } of samples(40, inIT, 2)) {
      const size = x.size
      expect(sizeOf(x, inIT)).toBeLessThanOrEqual(size)
      const again = encodeWord(x, inIT, size === 4)
      expect(x.size).toBe(size)
      expect([word.toString(16), meaning(decodeWord(again, inIT))]).toEqual([word.toString(16), meaning(x)])
      const short = decodeWord(encodeWord(x, inIT), inIT)!
      if (meaning(short) !== meaning(x)) {
        // Commutative operands change places in 16-bit encodings.
        const { n } = short
        short.n = short.m
        short.m = n
        expect(meaning(short)).toBe(meaning(x))
      }
    }
  })
})

describe('the encoder', () => {
  function make(form: number, fields: Partial<Instruction>): Instruction {
    return Object.assign(new Instruction(form), fields)
  }
  it('takes 16 bits where flags allow', () => {
    const add = { d: 0, n: 1, m: 2 }
    expect(sizeOf(make(F.ADD_r, { ...add, s: Flags.SET }))).toBe(2)
    expect(sizeOf(make(F.ADD_r, { ...add, s: Flags.ANY }))).toBe(2)
    expect(sizeOf(make(F.ADD_r, { ...add, s: Flags.KEEP }))).toBe(4)
    expect(sizeOf(make(F.ADD_r, { ...add, s: Flags.KEEP }), true)).toBe(2)
    expect(sizeOf(make(F.ADD_r, { ...add, s: Flags.SET }), true)).toBe(4)
    expect(sizeOf(make(F.EOR_r, { d: 2, n: 1, m: 2, s: Flags.ANY }))).toBe(2)
    expect(sizeOf(make(F.MUL, { d: 2, n: 2, m: 3, s: Flags.ANY }))).toBe(2)
    expect(sizeOf(make(F.MUL, { d: 2, n: 9, m: 2, s: Flags.ANY }))).toBe(4)
    expect(sizeOf(make(F.ADD_r, { d: 9, n: 1, m: 9 }))).toBe(2)
    expect(encodeWord(make(F.ADD_r, { ...add, s: Flags.ANY }), false, true)).toBe(0xeb010002)
  })
  it('refuses what no encoding holds', () => {
    expect(fits(make(F.ADD_i, { d: 0, n: 1, imm: 0x12345 }))).toBe(false)
    expect(() => encode(make(F.ADD_i, { d: 0, n: 1, imm: 0x12345 }), false, out, 0)).toThrow('no encoding')
    expect(() => encode(make(F.ADD_r, { d: 32, n: 1, m: 2 }), false, out, 0)).toThrow('virtual')
  })
  it('names conditions of IT blocks', () => {
    const block = make(F.IT, { cond: Cond.NE, imm: 0b0110 })
    expect(print(block)).toBe('itet ne')
    expect(itConditions(block)).toEqual([Cond.NE, Cond.EQ, Cond.NE])
  })
})

describeWith(GNU, 'against GNU binutils', () => {
  it.each([false, true])('prints what as turns into the same instruction (in IT: %s)', { timeout: 60_000 }, (inIT) => {
    const cases = samples(24, inIT, 3)
    const lines = cases.map(({ x }) => {
      if (inIT) x.cond = Cond.NE
      const text = textOf(x)
      x.cond = x.form === F.IT || (x.form === F.B && !inIT) ? x.cond : Cond.AL
      return text
    })
    const assembled = assemble(lines, inIT ? 'it ne; ' : '')
    const wrong: string[] = []
    cases.forEach(({ word, x }, index) => {
      const halfwords = assembled[index]
      const name = `${formNames[x.form]} ${word.toString(16)} "${lines[index]}"`
      if (halfwords === undefined) {
        // as refuses a word into PC from an unaligned literal.
        if (!(x.form === F.LDR_l && x.d === 15)) wrong.push(`${name} refused`)
      } else {
        const got = wordOf(inIT ? halfwords.slice(1) : halfwords)
        if (got !== word && meaning(decodeWord(got, inIT)) !== meaning(x))
          wrong.push(`${name} became ${got.toString(16)}`)
      }
    })
    expect(wrong).toEqual([])
  })

  function compareWithObjdump(words: readonly number[]): void {
    const texts = disassemble(words)
    const decoded = words.map((word) => decodeWord(word, false))
    // Ours must be what as makes of our text; theirs, where as takes it back, must be known to us.
    const ours = assemble(decoded.map((x) => (x === undefined ? 'error' : textOf(x))))
    const theirs = assemble(
      texts.map((text) => text.replace(/[@;<].*$/, '').replace(/^(b|bl|cb\w+|b\w\w)(\.n|\.w)? .*/, 'error')),
    )
    const wrong: string[] = []
    words.forEach((word, index) => {
      const x = decoded[index]
      const name = `${word.toString(16)} "${texts[index]}"`
      if (x === undefined) {
        const back = theirs[index]
        if (
          back !== undefined &&
          wordOf(back) === word &&
          !/UNPREDICTABLE|^(mrc|mcr|mrrc|mcrr|cdp|ldc|stc)/.test(texts[index]!)
        )
          wrong.push(`${name} not decoded`)
        return
      }
      const text = `${name} "${print(x)}"`
      if (/undefined|UNDEFINED/.test(texts[index]!)) wrong.push(`${text} is undefined`)
      const halfwords = ours[index]
      if (halfwords === undefined) {
        // as refuses a word into PC from an unaligned literal.
        if (!/UNPREDICTABLE|^ldr.w pc, \[pc/.test(texts[index]!)) wrong.push(`${text} refused`)
      } else if (wordOf(halfwords) !== word && meaning(decodeWord(wordOf(halfwords), false)) !== meaning(x)) {
        wrong.push(`${text} became ${wordOf(halfwords).toString(16)}`)
      }
    })
    expect(wrong.length === 0 ? [] : [wrong.length, ...wrong.slice(0, 60)]).toEqual([])
  }

  it('knows every 16-bit word', { timeout: 60_000 }, () => {
    compareWithObjdump(Array.from({ length: 0xe800 }, (_, word) => word))
  })

  it('knows random 32-bit words', { timeout: 60_000 }, () => {
    const numbers = new Random(5)
    const random = (): number => numbers.word()
    const words = Array.from({ length: 12_000 }, () => (random() | 0xe8000000 | ((random() & 1) << 28)) >>> 0)
    compareWithObjdump(words.filter((word) => isWide(word >>> 16)))
  })

  it('knows 32-bit words near the table', { timeout: 60_000 }, () => {
    // A row's sample with one bit turned: constraints and should-be bits.
    const numbers = new Random(6)
    const random = (): number => numbers.word()
    const words: number[] = []
    for (const row of rows) {
      if (row.size === 2) continue
      for (let i = 0; i < 30; i++) words.push((sample(row, random) ^ (1 << (random() & 31))) >>> 0)
    }
    compareWithObjdump(words.filter((word) => isWide(word >>> 16)))
  })
})
