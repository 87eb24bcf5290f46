// docs/firmware.md: its C is compiled and linked with the runtime, as it stands there.

import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { root } from '../cli/support.ts'
import { inFolder, writeFiles } from '../runtime/images.ts'
import { describeWith } from '../support/tools.ts'

describeWith(['arm-none-eabi-gcc'], 'docs/firmware.md', () => {
  it('has C that compiles without a warning and links', () => {
    const text = readFileSync(join(root, 'docs/firmware.md'), 'utf8')
    const [header = '', main = ''] = [...text.matchAll(/^```c\n([^]*?)^```/gm)].map(([, code]) => code!)
    expect(main).toContain('thumbpf_load')
    inFolder((folder) => {
      const encode = (code: string): Uint8Array => new TextEncoder().encode(code)
      writeFiles(folder, [
        ['helpers.h', encode(header)],
        ['main.c', encode(main)],
      ])
      const runtime = ['image.c', 'load.c', 'maps.c'].map((file) => join(root, 'runtime', file))
      const strict = '-mcpu=cortex-m4 -mthumb -Os -std=c11 -ffreestanding -Wall -Wextra -Wconversion -pedantic -Werror'
      const flags = [
        ...strict.split(' '),
        '-I',
        join(root, 'runtime'),
        '-nostdlib',
        '-Wl,-e,run_image',
        '-Wl,-u,run_image',
      ]
      const args = [...flags, join(folder, 'main.c'), ...runtime, '-lgcc', '-o', join(folder, 'out')]
      execFileSync('arm-none-eabi-gcc', args, { stdio: 'pipe' })
    })
  }, 60_000)

  // What Zephyr (cmake/compiler/gcc) and RIOT (makefiles/cflags.inc.mk) compile with, and more warnings.
  const common = '-mcpu=cortex-m4 -mthumb -Os -fno-common -ffunction-sections -fdata-sections -Wall -Wextra -Werror'
  const others = [
    [
      'Zephyr',
      '-std=c17 -ffreestanding -fno-strict-aliasing -Wundef -Wformat-security -Wdouble-promotion -Wpointer-arith',
    ],
    [
      'RIOT',
      '-std=c99 -fno-delete-null-pointer-checks -Wpedantic -Wstrict-prototypes -Wold-style-definition -Wcast-align -DNDEBUG',
    ],
  ] as const
  for (const [name, options] of others) {
    it(`is right that the runtime compiles with the options of ${name}`, { timeout: 60_000 }, () => {
      inFolder((folder) => {
        for (const file of readdirSync(join(root, 'runtime')).filter((one) => one.endsWith('.c'))) {
          const flags = [...common.split(' '), ...options.split(' '), '-c', join(root, 'runtime', file)]
          execFileSync('arm-none-eabi-gcc', [...flags, '-o', join(folder, 'out.o')], { stdio: 'pipe' })
        }
      })
    })
  }
})
