// Mistakes of every kind end in one clear line and the right exit status: 2 for misuse, 1 for input that is refused.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'

import { main } from '../../src/cli/cli.ts'
import { example, temporaryFolder, thumbpf } from './support.ts'

const raw = (text: string): Uint8Array => Buffer.from(text.replaceAll(' ', ''), 'hex')

async function fails(
  status: number,
  args: readonly string[],
  pattern: RegExp,
  stdin: string | Uint8Array = '',
): Promise<void> {
  const ran = await thumbpf(args, stdin)
  expect(ran.stderr).toMatch(pattern)
  expect(ran.stderr).toMatch(/^error: [^\n]+\n$/)
  expect(ran.stderr).not.toMatch(/ {4}at |internal error/)
  expect(ran).toMatchObject({ status, stdout: '' })
}

describe('misuse', () => {
  const file = example('gcd.s')
  const cases: [string, string[], RegExp][] = [
    ['a mistyped command', ['complie', file], /unknown command 'complie'.*compile/],
    ['a mistyped option', ['run', file, '--jsno'], /unknown option '--jsno'.*--json/],
    ['a mistyped machine', ['run', file, '--machine', 'smi'], /'smi'.*sim, interp.*did you mean 'sim'/],
    ['a mistyped entry', ['run', example('packet.o'), '--entry', 'pcaket'], /pcaket.*did you mean 'packet'/],
    ['a mistyped entry of assembly', ['run', file, '--entry', 'entyr'], /entyr.*did you mean 'entry'/],
    ['a mistyped format', ['compile', file, '-o', 'out', '--format', 'bim'], /'bim'.*bin/],
    ['a missing file', ['run', 'no-such-file.o'], /no-such-file\.o: no such file/],
    ['a folder', ['run', example('')], /is a folder/],
    ['a missing context', ['run', file, '--ctx', '@no-such.bin'], /no-such\.bin: no such file/],
    ['a context that is not hex', ['run', file, '--ctx', '12 3g'], /--ctx: 'g' is not a hex digit/],
    ['half a byte', ['run', file, '--ctx', '123'], /--ctx: 3 hex digits/],
    ['a length that is no number', ['run', file, '--len', '-1'], /--len.*whole number from 0 to 4294967295/],
    ['a length that is too great', ['run', file, '--len', '4294967296'], /--len.*whole number/],
    ['an output for no context', ['run', file, '--ctx-out', 'x'], /--ctx-out needs --ctx/],
    ['no file', ['run'], /missing required argument 'file'/],
    ['no output', ['compile', file], /required option '-o, --output <file>'/],
    ['too many files', ['run', file, file], /too many arguments/],
    ['both sides alone', ['objdump', file, '--bpf', '--thumb'], /'--bpf' cannot be used with option '--thumb'/],
    ['an output that can not be written', ['asm', file, '-o', join('no-such-folder', 'x')], /no such file or folder/],
    ['a folder without tests', ['test', example('inputs')], /no \.data files/],
  ]
  for (const [name, args, pattern] of cases) {
    it(`${name}: one line, status 2`, () => fails(2, args, pattern))
  }

  it('without arguments shows the help and is misuse', async () => {
    const ran = await thumbpf([])
    expect(ran.status).toBe(2)
    expect(ran.stderr).toContain('Usage: thumbpf')
  })

  it('is not asking for help or the version', async () => {
    expect(await thumbpf(['--version'])).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/),
    })
    for (const args of [['--help'], ['help'], ['run', '--help'], ['help', 'compile']]) {
      expect(await thumbpf(args)).toMatchObject({
        status: 0,
        stderr: '',
        stdout: expect.stringContaining('Usage: thumbpf'),
      })
    }
  })
})

describe('input that is refused', () => {
  const cases: [string, string | Uint8Array, RegExp][] = [
    ['an empty file', '', /.+/],
    ['an unknown opcode', raw('ff00000000000000 9500000000000000'), /instruction 0.*ff/],
    ['an odd number of bytes', raw('950000000000'), /8/],
    ['a jump outside', 'r0 = 0\ngoto +5\nexit', /instruction 1/],
    ['a missing exit', 'r0 = 0', /end/],
    ['a write to r10', 'r10 = 0\nexit', /r10/],
    ['a mistake in assembly', 'r0 = 0\nfrobnicate\nexit', /line 2.*frobnicate/],
    ['half an ELF object', raw('7f454c4602010100'), /.+/],
  ]
  for (const [name, bytes, pattern] of cases) {
    for (const command of [['run'], ['run', '--machine', 'interp'], ['objdump']]) {
      it(`${command.join(' ')}: ${name}: one line, status 1`, () => fails(1, [...command, '-'], pattern, bytes))
    }
  }

  for (const machine of ['sim', 'interp']) {
    it(`a helper that is not granted on ${machine}: one line, status 1`, () =>
      fails(1, ['-', '--machine', machine], /helper 77.*not granted/, 'call 77\nexit'))
  }

  it('escapes nothing and stays on one line when there are many faults', () =>
    fails(1, ['-'], /instruction 0.*; .*instruction 1/, raw('ff00000000000000'.repeat(100))))
})

describe('our own faults', () => {
  it('ask to be reported, without a stack trace', async () => {
    let stderr = ''
    const status = await main(['run', '-'], {
      stdin: () => Promise.reject(new TypeError('x is not a function')),
      stdout: () => {},
      stderr: (text) => {
        stderr += text
      },
      colour: { stdout: false, stderr: false },
    })
    expect(status).toBe(70)
    expect(stderr).toBe('error: internal error, please report it: x is not a function\n')
  })
})

describe('colour', () => {
  it('is for those who want it', async () => {
    const stderr: string[] = []
    const io = {
      stdin: async () => new Uint8Array(),
      stdout: () => {},
      stderr: (text: string) => void stderr.push(text),
    }
    await main(['no-such-file'], { ...io, colour: { stdout: true, stderr: true } })
    await main(['no-such-file'], { ...io, colour: { stdout: false, stderr: false } })
    expect(stderr[0]).toBe('\u001B[31merror:\u001B[39m no-such-file: no such file or folder\n')
    expect(stderr[1]).toBe('error: no-such-file: no such file or folder\n')
  })
})

describe('thumbpf test', () => {
  it('counts, prints expected and actual, and closes with the counts alone', async () => {
    const folder = temporaryFolder()
    writeFileSync(join(folder, 'good.data'), '-- asm\nmov %r0, 1\nexit\n-- result\n0x1\n')
    writeFileSync(
      join(folder, 'memory.data'),
      '-- asm\nldxb %r0, [%r1+1]\nadd %r0, %r2\nexit\n-- mem\n01 02 03\n-- result\n5\n',
    )
    writeFileSync(join(folder, 'refused.data'), '-- raw\nff 00 00 00 00 00 00 00\n-- error\nunknown\n')
    const good = await thumbpf(['test', folder])
    expect(good).toMatchObject({ status: 0, stdout: '3 passed, 0 failed\n', stderr: '' })

    writeFileSync(join(folder, 'wrong.data'), '-- asm\nmov %r0, 1\nexit\n-- result\n0x2\n')
    writeFileSync(join(folder, 'accepted.data'), '-- asm\nmov %r0, 1\nexit\n-- error\nno\n')
    writeFileSync(join(folder, 'empty.data'), '# nothing\n')
    writeFileSync(join(folder, 'label.data'), '-- asm\nja nowhere\nexit\n-- result\n0x2\n')
    const bad = await thumbpf(['test', folder])
    expect(bad.status).toBe(1)
    const lines = bad.stdout.trimEnd().split('\n')
    expect(lines.at(-1)).toBe('3 passed, 4 failed')
    expect(lines).toContain(`FAIL ${join(folder, 'wrong.data')}: on interp: expected r0 = 0x2, actual r0 = 0x1`)
    expect(lines).toContain(`FAIL ${join(folder, 'wrong.data')}: on sim: expected r0 = 0x2, actual r0 = 0x1`)
    expect(lines).toContain(`FAIL ${join(folder, 'accepted.data')}: on sim: expected to be refused, actual r0 = 0x1`)
    expect(lines.filter((line) => line.includes('empty.data'))).toHaveLength(1)
    expect(lines.filter((line) => line.includes('label.data: refused: '))).toHaveLength(1)

    const one = await thumbpf(['test', join(folder, 'good.data'), join(folder, 'wrong.data'), '--machine', 'interp'])
    expect(one.stdout).not.toContain('on sim')
    expect(one.stdout).toMatch(/\n1 passed, 1 failed\n$/)
  })
})
