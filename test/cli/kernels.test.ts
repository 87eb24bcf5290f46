// The kernels of ../shared/kernels, where that folder is, built by clang for three CPU versions: r0 and the whole context
// after the call, on interpreter and simulator. And clang's debug information does not stand in the way.

import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'

import { describeWith, tool } from '../support/tools.ts'
import { example, input, root, temporaryFolder, thumbpf } from './support.ts'

const folder = join(root, '..', 'shared', 'kernels')

interface Expected {
  readonly len: number
  readonly r0: string
  readonly ctx_fnv1a: string
  readonly ebpf: Readonly<Record<string, { readonly insns: number; readonly executed: number }>>
}

function fnv1a(bytes: Uint8Array): string {
  let hash = 0x811c9dc5
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193)
  return `0x${(hash >>> 0).toString(16).padStart(8, '0')}`
}

function clang(source: string, object: string, ...options: string[]): void {
  execFileSync(tool('clang-19')!, [
    '-target',
    'bpf',
    '-O2',
    '-ffreestanding',
    '-fno-builtin',
    ...options,
    '-c',
    source,
    '-o',
    object,
  ])
}

describeWith(['clang-19'], 'programs built by clang', () => {
  it('run with debug information in them', async () => {
    const temporary = temporaryFolder()
    const object = join(temporary, 'packet.o')
    clang(example('packet.c'), object, '-mcpu=v3', '-g')
    expect(await thumbpf([object, '--ctx', input('packet')])).toMatchObject({ status: 0, stdout: 'r0 = 0x12340201\n' })
  })

  const expected: Record<string, Expected> = existsSync(folder)
    ? (JSON.parse(readFileSync(join(folder, 'expected.json'), 'utf8')) as Record<string, Expected>)
    : {}
  for (const [name, kernel] of Object.entries(expected)) {
    it(`give what is expected: ${name}`, async () => {
      const temporary = temporaryFolder()
      for (const [cpu, { insns, executed }] of Object.entries(kernel.ebpf)) {
        const object = join(temporary, `${name}.${cpu}.o`)
        const after = join(temporary, 'after.bin')
        clang(join(folder, `${name}.c`), object, `-mcpu=${cpu}`)
        for (const machine of ['interp', 'sim']) {
          const ctx = join(folder, 'ctx', `${name}.bin`)
          const args = [
            '--ctx',
            `@${ctx}`,
            '--len',
            `${kernel.len}`,
            '--machine',
            machine,
            '--ctx-out',
            after,
            '--json',
          ]
          const ran = await thumbpf([object, ...args])
          const { r0, bpfInstructions, instructions } = JSON.parse(ran.stdout) as Record<string, unknown>
          expect({ cpu, machine, r0, ctx: fnv1a(readFileSync(after)), bpfInstructions }).toEqual({
            cpu,
            machine,
            r0: kernel.r0,
            ctx: kernel.ctx_fnv1a,
            bpfInstructions: insns,
          })
          if (machine === 'interp') expect(instructions).toBe(executed)
        }
      }
    })
  }
})
