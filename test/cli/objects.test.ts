// Objects whole, through the command line: maps and data of examples/events.c, C lines in errors and listings, what plain bytes
// can't be made of; and the committed objects are what examples/build.sh makes.

import { execFileSync } from 'node:child_process'
import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'

import { compileForBpf } from '../support/objects.ts'
import { describeWith, tool } from '../support/tools.ts'
import { example, input, temporaryFolder, thumbpf } from './support.ts'

const machines = ['sim', 'interp'] as const
const events = [example('events.o'), '--ctx', input('events')]

/** What the C leaves, compiled for the host. */
const eventMaps = {
  by_kind: {
    type: 'array',
    entries: [
      { key: '00000000', value: '02000000' },
      { key: '01000000', value: '03000000' },
      { key: '02000000', value: '04000000' },
      { key: '03000000', value: '01000000' },
    ],
  },
  by_device: {
    type: 'hash',
    entries: [
      { key: '07000000', value: '04000000' },
      { key: '09000000', value: '03000000' },
    ],
  },
  messages: {
    type: 'ring buffer',
    records: [`07${text('warning')}`, `09${text('failure')}`],
  },
}

function text(word: string): string {
  return Buffer.from(word.padEnd(15, '\0')).toString('hex')
}

describe('thumbpf run --maps', () => {
  for (const machine of machines) {
    for (const extra of [[], ['-O', '0'], ['--position-independent']]) {
      it(`shows what events.c leaves, on ${machine} ${extra.join(' ')}`, async () => {
        const ran = await thumbpf([...events, '--maps', '--json', '--machine', machine, ...extra])
        expect(JSON.parse(ran.stdout)).toMatchObject({ r0: '0x0000000100000002', maps: eventMaps })
      })
    }

    it(`leaves zeros of arrays out, and says what is empty, on ${machine}`, async () => {
      const ran = await thumbpf([example('events.o'), '--ctx', '0009', '--maps', '--machine', machine])
      expect(ran.stdout).toBe(
        'r0 = 0x0\nby_kind (array)\n  00000000: 01000000\nby_device (hash)\n  09000000: 00000000\nmessages (ring buffer): empty\n',
      )
    })
  }

  it('is no part of the result unless asked for', async () => {
    expect(JSON.parse((await thumbpf([...events, '--json'])).stdout)).not.toHaveProperty('maps')
    expect((await thumbpf(events)).stdout).toBe('r0 = 0x100000002\n')
  })
})

describeWith(['clang-19'], 'thumbpf run --maps of objects of clang', () => {
  it('names the programs of a program array that the object fills', async () => {
    const file = join(temporaryFolder(), 'filled.o')
    writeFileSync(file, compileForBpf('tail-calls/filled', { cpu: 'v3', level: '-O2', debug: true }))
    for (const machine of ['sim', 'interp']) {
      const args = ['run', file, '--entry', 'entry', '--ctx', `02${'00'.repeat(63)}`, '--maps', '--machine', machine]
      const { stdout } = await thumbpf(args)
      expect(stdout).toContain('jumps (program array)\n  0: entry\n  1: second\n  2: hidden\n  3: both\n  5: packet\n')
      const json = JSON.parse((await thumbpf([...args, '--json'])).stdout) as {
        maps: { jumps: { programs: unknown[] } }
      }
      expect(json.maps.jumps.programs[1]).toEqual({ index: 1, name: 'second' })
    }
  })
})

describe('thumbpf objdump', () => {
  it('names data, maps and helpers first, and the C lines above the instructions', async () => {
    const { stdout } = await thumbpf(['objdump', example('events.o')])
    const head = stdout.split('\n').slice(0, 11).join('\n')
    expect(head).toContain('; .data: data, 4 bytes, aligned to 4\n')
    expect(head).toContain('; .bss: bss, 4 bytes, aligned to 4\n')
    expect(head).toContain("; map 'by_device': hash, 16 entries, keys of 4 bytes, values of 4\n")
    expect(head).toContain("; map 'messages': ring buffer, 256 bytes\n")
    expect(head).toContain('; helper 130: int32_t thumbpf_ringbuf_output(')
    const lines = stdout.split('\n')
    const counting = lines.findIndex((line) => line.startsWith('; events.c:') && line.endsWith('++*count;'))
    expect(lines[counting + 1]).toMatch(/^ +\d+: r1 = \*\(u32 \*\)\(r0 \+ 0\)( +; .*)?$/)
    expect(stdout).toMatch(/r1 = map\[by_device\] ll( +; .*)?\n/)
    expect(stdout).toMatch(/r2 = \.data ll( +; .*)?\n/)
  })

  it('shows C lines once, and none where there are none', async () => {
    const { stdout } = await thumbpf(['objdump', example('fletcher32.o'), '--bpf'])
    const lines = stdout.split('\n').filter((line) => line.startsWith('; fletcher32.c:'))
    expect(lines.length).toBeGreaterThan(5)
    for (const [index, line] of lines.entries()) expect(line).not.toBe(lines[index + 1])
    expect((await thumbpf(['objdump', example('gcd.s'), '--bpf'])).stdout).not.toContain(';')
  })
})

describe('thumbpf compile', () => {
  it('says why a program with data is no plain bytes', async () => {
    const ran = await thumbpf(['compile', example('events.o'), '-o', '-'])
    expect(ran).toMatchObject({ status: 1, stdout: '' })
    expect(ran.stderr).toMatch(/^error: the program has data \(\.data, \.bss, [^\n]*needs addresses[^\n]*\n$/)
  })

  it('makes plain bytes of calls that go through a table, and names its words', async () => {
    const out = join(temporaryFolder(), 'out.bin')
    const ran = await thumbpf(['compile', '-', '-o', out, '--position-independent'], 'call 7\ncall 9\nexit\n')
    expect(ran).toMatchObject({ status: 0, stderr: '' })
    expect(ran.stdout).toMatch(/\ntable of addresses for env: helper_7, helper_9\n$/)
    const patched = await thumbpf(['compile', '-', '-o', out], 'call 7\nexit\n')
    expect(patched.stderr).toMatch(/^error: the program calls helper_7, which needs addresses/)
  })
})

describeWith(['clang-19'], 'C lines', () => {
  const build = (source: string): string => {
    const folder = temporaryFolder()
    writeFileSync(join(folder, 'fails.c'), source)
    const options = ['-target', 'bpf', '-mcpu=v3', '-O2', '-g', '-ffreestanding', '-ffile-prefix-map=' + folder + '=']
    execFileSync(tool('clang-19')!, [...options, '-c', 'fails.c', '-o', 'fails.o'], { cwd: folder })
    return join(folder, 'fails.o')
  }

  it('are in the message of a trap', async () => {
    const object = build(`int fails(char *ctx) {
      return __sync_fetch_and_add((int *)(ctx + 1), 2);
    }`)
    for (const machine of machines) {
      const ran = await thumbpf([object, '--ctx', '0000000000000000', '--machine', machine])
      expect(ran).toMatchObject({ status: 1, stdout: '' })
      expect(ran.stderr).toMatch(/^failed: trapped at BPF instruction \d+ \(fails\.c:2\): misaligned atomic access\n$/)
      const json = await thumbpf([object, '--ctx', '0000000000000000', '--machine', machine, '--json'])
      expect(JSON.parse(json.stdout)).toMatchObject({ outcome: 'trapped', source: 'fails.c:2' })
    }
  })

  it('are in the message of a limit and of a refusal', async () => {
    const endless = build(`int fails(volatile int *ctx) {
      for (;;)
        ++*ctx;
    }`)
    for (const machine of machines) {
      const ran = await thumbpf([endless, '--ctx', '00000000', '--machine', machine, '--max-instructions', '500'])
      expect(ran.stderr).toMatch(/^failed: limited at BPF instruction \d+ \(fails\.c:[23]\)/)
    }
    const calls = build(`static int (*helper)(void) = (void *)77;
    int fails(void) {
      return helper();
    }`)
    for (const machine of machines) {
      const ran = await thumbpf([calls, '--machine', machine])
      expect(ran.stderr).toMatch(/^error: fails\.c:3, fails, instruction 0: calls helper 77, which is not granted/)
    }
  })
})

describeWith(['clang-19', 'llvm-strip-19'], 'the committed objects', () => {
  it('are what examples/build.sh makes', () => {
    const folder = temporaryFolder()
    const sources = readdirSync(example('')).filter((name) => /\.(c|sh)$/.test(name))
    for (const name of sources) cpSync(example(name), join(folder, name))
    execFileSync(join(folder, 'build.sh'), { stdio: 'pipe' })
    const objects = readdirSync(folder).filter((name) => name.endsWith('.o'))
    expect(objects).toEqual(readdirSync(example('')).filter((name) => name.endsWith('.o')))
    for (const name of objects) {
      expect(readFileSync(join(folder, name)).equals(readFileSync(example(name))), name).toBe(true)
    }
  })
})
