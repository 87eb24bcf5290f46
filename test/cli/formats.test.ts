// `compile --format`: each writes its file, and says what is missing where it can't.

import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import MemoryMap from 'nrf-intel-hex'
import { describe, expect, it } from 'vitest'
import { decodeBlock } from 'uf2'

import { example, temporaryFolder, thumbpf } from './support.ts'

const HexFile = MemoryMap as unknown as typeof MemoryMap.default

async function compile(...args: string[]) {
  const folder = temporaryFolder()
  const output = join(folder, 'out')
  const ran = await thumbpf(['compile', ...args, '-o', output])
  return { ...ran, folder, output }
}

describe('compile --format', () => {
  it('hex, uf2 and bin hold the same bytes at their address', async () => {
    const at = ['--at', '0x08010000']
    const bin = await compile(example('fletcher32.o'), ...at)
    const hex = await compile(example('fletcher32.o'), '--format', 'hex', ...at)
    const uf2 = await compile(example('fletcher32.o'), '--format', 'uf2', ...at, '--family', 'STM32F4')
    expect([bin.status, hex.status, uf2.status]).toEqual([0, 0, 0])
    const bytes = readFileSync(bin.output)
    expect(bytes.length).toBeGreaterThan(50)
    const pieces = [...HexFile.fromHex(readFileSync(hex.output, 'utf8'))]
    expect(pieces.map(([address, piece]) => [address, [...piece]])).toEqual([[0x0801_0000, [...bytes]]])
    const block = decodeBlock(readFileSync(uf2.output))
    expect(block).toMatchObject({ flashAddress: 0x0801_0000, blockNumber: 0, totalBlocks: 1, boardFamily: 0x57755a57 })
    expect([...block.payload.subarray(0, bytes.length)]).toEqual([...bytes])
    expect(bin.stdout).toMatch(/^0x08010001 +\d+ {4}fletcher32$/m)
    expect(bin.stdout).toMatch(/^entry 0x08010001$/m)
  })
  it('bin links data and maps where --ram and --define say, and --map has the map', async () => {
    const refused = await compile(example('events.o'), '--at', '0x08010000')
    expect(refused.stderr).toMatch(/data in RAM|say where with --define/)
    const folder = temporaryFolder()
    const names = ['thumbpf_map_lookup', 'thumbpf_map_update', 'thumbpf_ringbuf_output']
    const missing = await compile(example('events.o'), '--at', '0x08010000', '--ram', '0x20010000')
    const wanted = [...missing.stderr.matchAll(/uses ([^:]*):/g)].flatMap(([, list]) => list!.split(', '))
    expect(wanted.length).toBeGreaterThan(0)
    const defines = [...new Set([...wanted, ...names])].flatMap((name, index) => [
      '--define',
      `${name}=${0x0800_0101 + 32 * index}`,
    ])
    const map = join(folder, 'events.map')
    const made = await compile(
      example('events.o'),
      '--at',
      '0x08010000',
      '--ram',
      '0x20010000',
      ...defines,
      '--map',
      map,
    )
    expect({ status: made.status, stderr: made.stderr }).toEqual({ status: 0, stderr: '' })
    expect(readFileSync(map, 'utf8')).toMatch(/^0x08010000 +\d+ {2}\.text$/m)
  })
  it('elf writes a listing of BPF where the object has no C lines', async () => {
    const folder = temporaryFolder()
    const source = join(folder, 'gcd.s')
    writeFileSync(source, 'r0 = r2\nlddw r1, 0x123456789\nr0 += r1\nif r0 > 5 goto out\nr0 = 5\nout: exit\n')
    const { status, folder: out, stdout } = await compile(source, '--format', 'elf')
    expect({ status, files: readdirSync(out).toSorted() }).toEqual({ status: 0, files: ['gcd.s.bpf.s', 'out'] })
    expect(readFileSync(join(out, 'gcd.s.bpf.s'), 'utf8')).toMatch(/r0 \+= r1/)
    expect(stdout).toMatch(/with the lines of gcd.s.bpf.s/)
  })
  it('c and rust make functions of the names that are asked for', async () => {
    const c = await compile(example('alarm.o'), '--format', 'c', '--name', 'check_alarm')
    expect(readFileSync(c.output, 'utf8')).toMatch(
      /^uint64_t check_alarm\(void \*ctx, uint32_t len, struct thumbpf_env \*env\);$/m,
    )
    const rust = await compile(example('alarm.o'), '--format', 'rust')
    expect(readFileSync(rust.output, 'utf8')).toMatch(/^pub unsafe fn alarm\(/m)
  })
  it('say what they need', async () => {
    const complaint = async (...args: string[]): Promise<string> => {
      const { status, stderr } = await compile(example('fletcher32.o'), ...args)
      expect(status).not.toBe(0)
      expect(stderr.trim().split('\n')).toHaveLength(1)
      return stderr
    }
    expect(await complaint('--format', 'hex')).toMatch(/give it by --at/)
    expect(await complaint('--format', 'uf2', '--at', '0x1010')).toMatch(/must be a multiple of 256 for UF2/)
    expect(await complaint('--format', 'uf2', '--at', '0x1000', '--family', 'x')).toMatch(/there is no family 'x'/)
    expect(await complaint('--format', 'elff')).toMatch(/did you mean 'elf'/)
    expect(await complaint('--format', 'c', '--map', 'm')).toMatch(/--map is for programs at an address/)
    expect(await complaint('--define', 'x')).toMatch(/NAME=ADDRESS/)
  })
})
