// `thumbpf run`, `asm`, `compile`, `objdump` and `plugin` on the examples and on small programs.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'

import { example, input, temporaryFolder, thumbpf } from './support.ts'

/** Results of the examples' C, compiled for the host. */
const examples = [
  { file: 'fletcher32.o', ctx: 'fletcher32', r0: '0x00000000bc355683' },
  { file: 'alarm.o', ctx: 'alarm', r0: '0x0000000000000001' },
  { file: 'packet.o', ctx: 'packet', r0: '0x0000000012340201' },
  { file: 'vibration.o', ctx: 'vibration', r0: '0x00000fdf0000024d' },
  { file: 'gcd.s', ctx: 'gcd', r0: '0x00000000000000fc' },
]

async function json(args: readonly string[], stdin: string | Uint8Array = ''): Promise<Record<string, unknown>> {
  const ran = await thumbpf(['run', '--json', ...args], stdin)
  return JSON.parse(ran.stdout) as Record<string, unknown>
}

describe('thumbpf run', () => {
  for (const { file, ctx, r0 } of examples) {
    for (const extra of [[], ['-O', '0'], ['-O', 's'], ['--full-prologue'], ['--machine', 'interp']]) {
      it(`gives ${r0} for ${file} ${extra.join(' ')}`, async () => {
        const result = await json([example(file), '--ctx', input(ctx), ...extra])
        expect(result).toMatchObject({ outcome: 'returned', r0 })
      })
    }
  }

  it('prints r0 on one line, and what it cost when asked', async () => {
    const plain = await thumbpf(['run', example('gcd.s'), '--ctx', 'c80d0000 c40e0000'])
    expect(plain).toMatchObject({ status: 0, stdout: 'r0 = 0xfc\n', stderr: '' })
    const stats = await thumbpf(['run', example('gcd.s'), '--ctx', '0xc80d0000c40e0000', '--stats'])
    expect(stats.stdout).toMatch(/^r0 = 0xfc\ninstructions +\d+\ncycles +\d+\ncode bytes +\d+\nBPF instructions +9\n$/)
  })

  it('prints one JSON object with every number', async () => {
    const ran = await thumbpf(['run', example('fletcher32.o'), '--ctx', input('fletcher32'), '--json'])
    expect(ran.stdout.trimEnd().split('\n')).toHaveLength(1)
    const result = JSON.parse(ran.stdout) as Record<string, number>
    expect(result['bpfInstructions']).toBe(42)
    expect(result['codeBytes']).toBeGreaterThan(40)
    expect(result['codeBytes']).toBeLessThan(400)
    // 180 words, at least three instructions each.
    expect(result['instructions']).toBeGreaterThan(540)
    expect(result['cycles']).toBeGreaterThan(result['instructions']! / 2)
  })

  it('counts BPF instructions and no cycles on the interpreter', async () => {
    const result = await json(['-', '--machine', 'interp'], 'r0 = 1\nr0 += 2\nr1 = 5 ll\nexit\n')
    expect(result).toMatchObject({ r0: '0x0000000000000003', instructions: 4, cycles: null, bpfInstructions: 4 })
  })

  it('takes a bare FILE, options before it too', async () => {
    const args = [example('gcd.s'), '--ctx', input('gcd')]
    expect((await thumbpf(args)).stdout).toBe('r0 = 0xfc\n')
    expect((await thumbpf(['--ctx', input('gcd'), example('gcd.s')])).stdout).toBe('r0 = 0xfc\n')
  })

  it('reads objects, raw bytes and assembly from standard input', async () => {
    const object = readFileSync(example('packet.o'))
    expect(await json(['-', '--ctx', input('packet')], object)).toMatchObject({ r0: '0x0000000012340201' })
    const raw = Uint8Array.of(0xb7, 0, 0, 0, 42, 0, 0, 0, 0x95, 0, 0, 0, 0, 0, 0, 0)
    expect(await json(['-'], raw)).toMatchObject({ r0: '0x000000000000002a' })
    expect(await json(['-'], 'mov %r0, 42\nexit\n')).toMatchObject({ r0: '0x000000000000002a' })
  })

  it('gives R1 = 0 and R2 = 0 without a context, and R2 = --len', async () => {
    for (const machine of ['sim', 'interp']) {
      expect(await json(['-', '--machine', machine], 'r0 = r1\nr0 |= r2\nexit')).toMatchObject({
        r0: '0x0000000000000000',
      })
      expect(await json(['-', '--len', '0x1234', '--machine', machine], 'r0 = r2\nexit')).toMatchObject({
        r0: '0x0000000000001234',
      })
      expect(await json(['-', '--ctx', '01 02 03', '--machine', machine], 'r0 = r2\nexit')).toMatchObject({
        r0: '0x0000000000000003',
      })
      expect(await json(['-', '--ctx', '01 02 03', '--len', '7', '--machine', machine], 'r0 = r2\nexit')).toMatchObject(
        {
          r0: '0x0000000000000007',
        },
      )
    }
  })

  it('writes the context as it is after the call', async () => {
    const after = join(temporaryFolder(), 'after.bin')
    for (const machine of ['sim', 'interp']) {
      await thumbpf(['run', example('alarm.o'), '--ctx', input('alarm'), '--ctx-out', after, '--machine', machine])
      const view = new DataView(Uint8Array.from(readFileSync(after)).buffer)
      expect(view.byteLength).toBe(32)
      // Average, alarm, changes; ring slot 7 holds the new sample.
      expect([view.getInt16(12, true), view.getUint8(14), view.getUint8(15), view.getInt16(30, true)]).toEqual([
        2521, 1, 1, 2990,
      ])
    }
  })

  it('stops a program without end, says where and how to raise the limit', async () => {
    for (const machine of ['sim', 'interp']) {
      const ran = await thumbpf(['run', '-', '--machine', machine], 'r0 = 0\nagain: r0 += 1\ngoto again\nexit\n')
      expect(ran.status).toBe(1)
      expect(ran.stdout).toBe('')
      expect(ran.stderr).toMatch(/^failed: limited at BPF instruction [12].*--max-instructions raises the limit\n$/)
    }
    const result = await json(['-', '--max-instructions', '1000'], 'again: goto again\nexit\n')
    expect(result).toMatchObject({ outcome: 'limited', r0: null, instructions: 1000 })
  })

  it('reports a trap with its BPF instruction', async () => {
    for (const machine of ['sim', 'interp']) {
      const ran = await thumbpf(
        ['run', '-', '--ctx', '00'.repeat(16), '--machine', machine],
        'r0 = 1\nr1 += 2\nlock *(u32 *)(r1 + 0) += w0\nexit\n',
      )
      expect(ran).toMatchObject({ status: 1, stdout: '' })
      expect(ran.stderr).toMatch(/^failed: trapped at BPF instruction 2: misaligned atomic access\n$/)
    }
  })
})

describe('thumbpf asm', () => {
  it('writes instructions that run', async () => {
    const out = join(temporaryFolder(), 'gcd.bin')
    expect((await thumbpf(['asm', example('gcd.s'), '-o', out])).stdout).toBe(`${out}: 72 bytes, 9 slots\n`)
    expect(readFileSync(out)).toHaveLength(72)
    expect(await json([out, '--ctx', input('gcd')])).toMatchObject({ r0: '0x00000000000000fc' })
  })

  it('names the line of a mistake', async () => {
    const ran = await thumbpf(['asm', '-', '-o', '-'], 'r0 = 1\nr0 =* 2\nexit\n')
    expect(ran).toMatchObject({ status: 1, stdout: '' })
    expect(ran.stderr).toMatch(/^error: line 2: .+\n$/)
  })
})

describe('thumbpf compile', () => {
  it('writes as many bytes as run counts, the same each time', async () => {
    const folder = temporaryFolder()
    for (const { file, ctx } of examples) {
      const first = join(folder, 'first.bin')
      const second = join(folder, 'second.bin')
      expect(await thumbpf(['compile', example(file), '-o', first])).toMatchObject({ status: 0, stderr: '' })
      await thumbpf(['compile', example(file), '-o', second, '--format', 'bin'])
      const { codeBytes } = await json([example(file), '--ctx', input(ctx)])
      expect(readFileSync(first)).toHaveLength(codeBytes as number)
      expect(readFileSync(first).equals(readFileSync(second))).toBe(true)
    }
  })

  it('writes bytes alone to standard output', async () => {
    const ran = await thumbpf(['compile', '-', '-o', '-'], 'r0 = 0\nexit\n')
    expect(ran.status).toBe(0)
    // r0 and r1 = 0 in either order; bx lr; and a nop up to a multiple of 4.
    expect(Buffer.from(ran.bytes).toString('hex')).toMatch(/^(?:00200021|00210020)704700bf$/)
  })

  it('shows what each stage made', async () => {
    const ran = await thumbpf(['compile', example('gcd.s'), '-o', join(temporaryFolder(), 'out'), '--dump'])
    expect(ran.stdout.match(/^; \w+/gm)!.length).toBeGreaterThan(2)
  })

  it('says why a program that calls helpers can not be plain bytes', async () => {
    const ran = await thumbpf(['compile', '-', '-o', '-'], 'call 7\nexit\n')
    expect(ran.status).toBe(1)
    expect(ran.stderr).toMatch(/^error: .*helper.*7.*\n$/)
  })
})

describe('thumbpf objdump', () => {
  it('shows each BPF instruction once, in order, with Thumb instructions under them', async () => {
    for (const { file } of examples) {
      const { stdout } = await thumbpf(['objdump', example(file)])
      const { stdout: bpf } = await thumbpf(['objdump', example(file), '--bpf'])
      const { stdout: thumb } = await thumbpf(['objdump', example(file), '--thumb'])
      const bpfLines = bpf.split('\n').filter((line) => /^ *\d+: \S/.test(line))
      // Behind them stands what was done to them.
      const shown = stdout.split('\n').filter((line) => /^ *\d+: \S/.test(line))
      expect(shown.map((line) => line.replace(/ {2,}; .*/, ''))).toEqual(bpfLines)
      const isThumb = (line: string): boolean => /^ {2,}[0-9a-f]{4,}: {2}/.test(line)
      const addresses = (text: string): string[] =>
        text
          .split('\n')
          .filter(isThumb)
          .map((line) => line.trim().split(':')[0]!)
      expect(addresses(thumb).length).toBeGreaterThan(8)
      expect(addresses(stdout).toSorted()).toEqual(addresses(thumb))
    }
  })

  it('says what was done to instructions, in JSON too', async () => {
    const { stdout } = await thumbpf(['objdump', example('gcd.s')])
    expect(stdout).toContain('3: r3 = r0                ; a copy\n')
    const { bpf, thumb } = JSON.parse((await thumbpf(['objdump', example('gcd.s'), '--json'])).stdout)
    expect(bpf[3]).toEqual({ slot: 3, text: 'r3 = r0', remark: { text: 'a copy', stage: 'ssa' } })
    expect(thumb[0]).toMatchObject({ offset: 0, slot: 0, function: 'entry' })
    const alone = JSON.parse((await thumbpf(['objdump', example('fletcher32.o'), '--json', '--bpf'])).stdout)
    expect(Object.keys(alone)).toEqual(['bpf'])
    expect(alone.bpf[2].line).toEqual({ file: expect.stringContaining('fletcher32.c'), line: 11 })
  })

  it('shows one side alone', async () => {
    const { stdout } = await thumbpf(['objdump', example('gcd.s'), '--bpf'])
    expect(stdout).toContain('r0 = *(u32 *)(r1 + 0)')
    expect(stdout).not.toContain('ldr')
    const thumb = await thumbpf(['objdump', example('gcd.s'), '--thumb'])
    expect(thumb.stdout).toContain('ldr')
    expect(thumb.stdout).not.toContain('*(u32 *)')
  })
})

describe('thumbpf plugin', () => {
  it('answers with R0 in hex', async () => {
    // ldxdw %r0, [%r1+2]; exit
    const program = '79 10 02 00 00 00 00 00 95 00 00 00 00 00 00 00\n'
    for (const extra of [[], ['--interpret'], ['--jit'], ['--machine', 'interp']]) {
      const ran = await thumbpf(['plugin', 'aa bb 11 22 33 44 55 66 77 88 cc dd', ...extra], program)
      expect(ran).toEqual({ status: 0, stdout: '8877665544332211\n', stderr: '', bytes: expect.anything() })
    }
    expect((await thumbpf(['plugin', '--program', 'b7000000ffffffff9500000000000000'])).stdout).toBe(
      'ffffffffffffffff\n',
    )
    expect((await thumbpf(['plugin', ''], 'b7000000010000009500000000000000')).stdout).toBe('1\n')
  })

  it('knows unwind, and refuses what is malformed', async () => {
    for (const machine of ['sim', 'interp']) {
      // mov %r1, 0; call 5; mov %r0, 2; exit
      const unwinds = 'b701000000000000 8500000005000000 b700000002000000 9500000000000000'
      expect((await thumbpf(['plugin', '--machine', machine], unwinds)).stdout).toBe('0\n')
      expect(
        (await thumbpf(['plugin', '--machine', machine], unwinds.replace('b701000000', 'b7010000ff'))).stdout,
      ).toBe('2\n')
      expect(await thumbpf(['plugin', '--machine', machine], '9500000000000001')).toMatchObject({
        status: 1,
        stdout: '',
      })
    }
  })

  it('takes an object', async () => {
    const object = readFileSync(example('packet.o')).toString('hex')
    const frame = readFileSync(input('packet').slice(1)).toString('hex')
    expect((await thumbpf(['plugin', frame, '--elf'], object)).stdout).toBe('12340201\n')
  })
})
