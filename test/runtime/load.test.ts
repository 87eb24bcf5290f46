// runtime/image.c and load.c on the host, under AddressSanitizer and UndefinedBehaviorSanitizer: the compiler's images are
// loaded, no mutation of them makes the loader read or write outside, and it refuses whatever the library's own reader refuses.
// THUMBPF_FUZZ_RUNS: mutations; `npm run fuzz:runtime` makes 100,000.

import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { crc32 } from '../../src/base/crc32.ts'
import { writeImage } from '../../src/image/file.ts'
import { readImage } from '../../src/image/read-file.ts'
import { describeWith, missingTools, tool } from '../support/tools.ts'
import { inFolder, sampleImages, writeFiles } from './images.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const STRICT = '-std=c11 -ffreestanding -Wall -Wextra -Wconversion -pedantic -Werror'.split(' ')
const SANITIZE = '-O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all'.split(' ')
const runtime = ['image.c', 'load.c', 'status.c', 'maps.c'].map((file) => join(root, 'runtime', file))
const runs = Number(process.env['THUMBPF_FUZZ_RUNS'] ?? 4000)

const run = (program: string, ...args: string[]): string =>
  execFileSync(tool(program) ?? program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })

describeWith(['gcc'], 'the loader in C on the host', () => {
  it('loads what the compiler makes, and refuses the rest without a fault', () => {
    inFolder((folder) => {
      const harness = join(folder, 'harness')
      run(
        'gcc',
        ...SANITIZE,
        '-std=c11',
        '-Wall',
        '-Wextra',
        join(root, 'test/runtime/harness.c'),
        ...runtime,
        '-o',
        harness,
      )
      const images = [...sampleImages()].map(([name, image]) => [name, writeImage(image)] as const)
      const paths = writeFiles(folder, images)
      const loaded = run(harness, 'check', ...paths)
        .trim()
        .split('\n')
      expect(loaded.map((line, index) => `${images[index]![0]}: ${line.split(' ')[0]}`)).toEqual(
        images.map(([name]) => `${name}: OK`),
      )

      const counts = new Map(
        run(harness, 'fuzz', String(runs), '1', ...paths.slice(0, 64))
          .trim()
          .split('\n')
          .map((line) => line.split(' ') as [string, string]),
      )
      // Each check is reached.
      for (const status of 'OK TRUNCATED BAD_CHECKSUM BAD_LENGTH BAD_SYMBOL BAD_RELOCATION NO_HELPER NO_CODE_MEMORY'.split(
        ' ',
      )) {
        expect([status, Number(counts.get(status) ?? 0)]).toEqual([status, expect.toSatisfy((n: number) => n > 0)])
      }
      expect([...counts.values()].reduce((sum, count) => sum + Number(count), 0)).toBe(runs)
    })
  }, 600_000)

  it('refuses nothing that the reader of the library takes, and what it takes is only lenient about what is not loaded', () => {
    inFolder((folder) => {
      const harness = join(folder, 'harness')
      run('gcc', '-O1', '-std=c11', join(root, 'test/runtime/harness.c'), ...runtime, '-o', harness)
      const files = [...sampleImages().values()].map((image) => writeImage(image))
      // Each word of a small image, in ways that matter; and the header of all.
      const mutants: Uint8Array[] = []
      const small = files.toSorted((a, b) => a.length - b.length)[3]!
      for (const [file, end] of [[small, small.length - 4] as const, ...files.map((one) => [one, 80] as const)]) {
        for (let at = 0; at < end; at += 4) {
          for (const change of [1, -1, 0x7fff_ffff, 0x100]) {
            const bytes = file.slice()
            const view = new DataView(bytes.buffer)
            view.setUint32(at, view.getUint32(at, true) + change, true)
            view.setUint32(bytes.length - 4, crc32(bytes.subarray(0, -4)), true)
            mutants.push(bytes)
          }
        }
      }
      // Why the library refuses each, empty where it does not.
      const refused = mutants.map((bytes) => {
        try {
          readImage(bytes)
          return ''
        } catch (error) {
          return (error as Error).message
        }
      })
      const paths = writeFiles(
        folder,
        mutants.map((bytes, index) => [`m${index}`, bytes]),
      )
      const answers: string[] = []
      for (let at = 0; at < paths.length; at += 500) {
        answers.push(
          ...run(harness, 'check', ...paths.slice(at, at + 500))
            .trim()
            .split('\n'),
        )
      }
      const format = /^(TRUNCATED|BAD_(?!MAP))/
      expect(answers.filter((answer, index) => refused[index] === '' && format.test(answer))).toEqual([])
      // What only a disassembler reads: data ranges, prototypes as text, padding.
      const lenient =
        /^image: (data up to|\d+ (bytes behind the )?lines|.*(is no prototype|line table|padding)|\d+ lines and)/
      const missed = refused.filter((why, index) => why !== '' && !format.test(answers[index]!))
      expect(missed.filter((why) => !lenient.test(why))).toEqual([])
      expect(refused.filter((why) => why === '').length).toBeGreaterThan(100)
    })
  }, 120_000)
})

describeWith(['arm-none-eabi-gcc', 'arm-none-eabi-size'], 'the loader in C for the Cortex-M4', () => {
  it('has no warning, in no way to build it', () => {
    inFolder((folder) => {
      for (const maps of [[], ['-DTHUMBPF_WITHOUT_MAPS']]) {
        for (const file of [...runtime, join(root, 'runtime/agent.c')]) {
          run(
            'arm-none-eabi-gcc',
            ...STRICT,
            '-mcpu=cortex-m4',
            '-mthumb',
            '-Os',
            ...maps,
            '-c',
            file,
            '-o',
            join(folder, 'o'),
          )
          if (missingTools('clang-19').length === 0) {
            run('clang-19', '--target=thumbv7em-none-eabi', ...STRICT, ...maps, '-fsyntax-only', file)
          }
        }
      }
    })
  }, 60_000)

  it('has less than 4 KiB without maps, and needs no library', () => {
    inFolder((folder) => {
      const sizes = ['image.c', 'load.c'].map((file) => {
        const object = join(folder, file.replace('.c', '.o'))
        run(
          'arm-none-eabi-gcc',
          ...STRICT,
          '-mcpu=cortex-m4',
          '-mthumb',
          '-Os',
          '-DTHUMBPF_WITHOUT_MAPS',
          '-c',
          join(root, 'runtime', file),
          '-o',
          object,
        )
        const [text, data, bss] = run('arm-none-eabi-size', object).split('\n')[1]!.trim().split(/\s+/).map(Number)
        expect([data, bss]).toEqual([0, 0])
        return text!
      })
      expect(sizes[0]! + sizes[1]!).toBeLessThan(4096)
      const whole = join(folder, 'whole.o')
      run('arm-none-eabi-ld', '-r', join(folder, 'image.o'), join(folder, 'load.o'), '-o', whole)
      expect(run('arm-none-eabi-nm', '-u', whole).trim()).toBe('')
    })
  }, 60_000)
})
