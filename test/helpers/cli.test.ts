// `--helpers` on the command line: tables, headers, helpers that `run` answers itself on both machines, and what it refuses.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { temporaryFolder, thumbpf } from '../cli/support.ts'

const machines = ['sim', 'interp'] as const

/** Instructions that put a text with its zero at r10 + offset (a multiple of 8). */
function text(offset: number, content: string): string {
  const bytes = Buffer.concat([Buffer.from(`${content}\0`), Buffer.alloc(8)])
  return Array.from(
    { length: (content.length >> 3) + 1 },
    (_, index) =>
      `r0 = 0x${bytes.readBigUInt64LE(8 * index).toString(16)} ll\n*(u64 *)(r10 ${offset + 8 * index}) = r0`,
  ).join('\n')
}

interface Case {
  readonly table: string
  readonly program: string
  readonly r0: string
  readonly stderr?: string
}

const cases: readonly (readonly [string, Case])[] = [
  [
    'trace_printk',
    {
      table: 'linux',
      program: `${text(-64, 'a=%d b=%#06llx %s|%-4u|%%\n')}\n${text(-16, 'yes')}
        r1 = r10\nr1 += -64\nr2 = 27\nr3 = -5\nr4 = 0x1ffff\nr5 = r10\nr5 += -16\ncall 6\nexit`,
      r0: '0x1a',
      stderr: 'a=-5 b=0x1ffff yes|0   |%\n',
    },
  ],
  [
    'printf of RIOT',
    {
      table: 'riot',
      program: `${text(-64, '%c%5d%-3u<%x>\n')}\nr1 = r10\nr1 += -64\nr2 = 65\nr3 = -42\nr4 = 7\nr5 = 0xfffffffff ll\ncall 1\nexit`,
      r0: '0x14',
      stderr: 'A  -427  <ffffffff>\n',
    },
  ],
  [
    'store, fetch and memcpy',
    {
      table: 'riot',
      program: `r1 = 7\nr2 = 1234\ncall 16\nr1 = 7\nr2 = r10\nr2 += -16\ncall 18
        r1 = r10\nr1 += -8\nr2 = r10\nr2 += -16\nr3 = 4\ncall 2\nr0 = *(u32 *)(r10 - 8)\nexit`,
      r0: '0x4d2',
    },
  ],
  [
    'fmt and strlen',
    {
      table: 'riot',
      program: `*(u64 *)(r10 - 16) = 0\nr1 = r10\nr1 += -16\nr2 = -1005\nr3 = -2\ncall 80\nr6 = r0
        r1 = r10\nr1 += -16\ncall 82\nr6 <<= 8\nr6 |= r0\nr0 = *(u64 *)(r10 - 16)\nr0 <<= 16\nr0 |= r6\nexit`,
      // "-10.05"
      r0: '0x35302e30312d0606',
    },
  ],
  [
    'strncmp',
    {
      table: 'linux',
      program: `${text(-16, 'abd')}\n${text(-8, 'abc')}
        r1 = r10\nr1 += -8\nr2 = 2\nr3 = r10\nr3 += -16\ncall 182\nr6 = r0
        r1 = r10\nr1 += -8\nr2 = 8\nr3 = r10\nr3 += -16\ncall 182\nr0 -= r6\nexit`,
      r0: '0xffffffffffffffff',
    },
  ],
  [
    'snprintf',
    {
      table: 'linux',
      program: `${text(-32, '%u-%s')}\n${text(-40, 'end')}\nr1 = 12\n*(u64 *)(r10 - 56) = r1\nr1 = r10\nr1 += -40\n*(u64 *)(r10 - 48) = r1
        r1 = r10\nr1 += -8\nr2 = 8\nr3 = r10\nr3 += -32\nr4 = r10\nr4 += -56\nr5 = 16\ncall 165
        r1 = *(u64 *)(r10 - 8)\nr1 <<= 8\nr0 |= r1\nexit`,
      // "12-end", 7 with its zero
      r0: '0x646e652d323107',
    },
  ],
  [
    'time goes on',
    {
      table: 'linux',
      program: 'call 5\nr6 = r0\ncall 5\nr1 = r0\nr0 = 1\nif r1 >= r6 goto +1\nr0 = 0\nexit',
      r0: '0x1',
    },
  ],
]

describe('--helpers', () => {
  for (const [name, { table, program, r0, stderr = '' }] of cases) {
    it.each(machines)(`${name}, on %s`, async (machine) => {
      const ran = await thumbpf(['run', '-', '--helpers', table, '--machine', machine], program)
      expect(ran).toMatchObject({ status: 0, stdout: `r0 = ${r0}\n`, stderr })
    })
  }
  it.each(machines)('a wild pointer ends the program and not the command, on %s', async (machine) => {
    const program = 'r1 = 4\nr2 = 8\nr3 = 0\nr4 = 0\nr5 = 0\ncall 6\nexit'
    const ran = await thumbpf(['run', '-', '--helpers', 'linux', '--machine', machine], program)
    expect(ran.status).toBe(1)
    expect(ran.stderr).toMatch(/^failed: (?:trapped|faulted) at BPF instruction 5/)
  })
  it.each(machines)('sizes and formats beyond all reason do no harm, on %s', async (machine) => {
    const run = async (table: string, program: string): Promise<string> => {
      const ran = await thumbpf(['run', '-', '--helpers', table, '--machine', machine], program)
      return ran.stdout + ran.stderr
    }
    const stack = 'r1 = r10\nr1 += -16\nr2 = r1\n*(u64 *)(r10 - 16) = 0\n'
    expect(await run('riot', `${stack}r3 = -1\ncall 2\nexit`)).toMatch(/^failed: /)
    expect(await run('riot', `${stack}r2 = 5\nr3 = 1000000\ncall 80\nexit`)).toBe('r0 = 0x0\n')
    expect(await run('linux', `${stack}r3 = r1\nr2 = -1\ncall 182\nexit`)).toBe('r0 = 0x0\n')
    expect(await run('riot', `${text(-32, '%99999999999d')}\nr1 = r10\nr1 += -32\ncall 1\nexit`)).toContain(
      '%99999999999d',
    )
  })
  it.each(machines)('what run has no answer for is refused by name, on %s', async (machine) => {
    const ran = await thumbpf(['run', '-', '--helpers', 'linux', '--machine', machine], 'call 25\nexit')
    expect(ran.status).toBe(1)
    expect(ran.stderr).toContain('calls helper 25 (perf_event_output), which is not granted; these are: ')
  })
  it('takes a C header, for run, compile and objdump', async () => {
    const header = join(temporaryFolder(), 'board.h')
    writeFileSync(
      header,
      'THUMBPF_HELPER(9) unsigned gpio_read(unsigned pin);\nTHUMBPF_HELPER(8) unsigned strlen(const char *);\n',
    )
    const program = `${text(-8, 'four')}\nr1 = r10\nr1 += -8\ncall 8\nexit`
    expect((await thumbpf(['run', '-', '--helpers', header], program)).stdout).toBe('r0 = 0x4\n')
    const listed = await thumbpf(['objdump', '-', '--thumb', '--helpers', header], 'r1 = 3\ncall 9\nexit')
    expect(listed.stdout).toContain('; gpio_read')
    const refused = await thumbpf(['objdump', '-', '--helpers', header], 'call 7\nexit')
    expect(refused.stderr).toContain('calls helper 7, which is not granted; these are: 8, 9')
    const compiled = await thumbpf(['compile', '-', '-o', '-', '--helpers', header], 'call 9\nexit')
    expect(compiled.stderr).toContain('gpio_read')
  })
  it('names the place of what is wrong in a header', async () => {
    const header = join(temporaryFolder(), 'board.h')
    writeFileSync(header, '// Board\nTHUMBPF_HELPER(9) double f(void);\n')
    const ran = await thumbpf(['run', '-', '--helpers', header], 'exit')
    expect(ran).toMatchObject({ status: 1 })
    expect(ran.stderr).toBe(`error: ${header}:2: a result of type double: BPF has no floating point\n`)
    expect((await thumbpf(['run', '-', '--helpers', '/nowhere.h'], 'exit')).status).toBe(2)
  })
})
