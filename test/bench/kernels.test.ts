// The kernels of bench/: native builds and the simulator, BPF builds compiled and interpreted, all with the same results.

import { join } from 'node:path'
import { beforeAll, expect, it } from 'vitest'

import { bpfBuilds, type BuiltKernels, buildKernels, nativeBuilds } from '../../bench/builds.ts'
import { kernelInputs } from '../../bench/inputs.ts'
import { benchKernels } from '../../bench/kernels.ts'
import { root } from '../cli/support.ts'
import { describeWith } from '../support/tools.ts'

describeWith(['clang-19', 'arm-none-eabi-gcc', 'arm-none-eabi-ld'], 'kernels of the benchmark', () => {
  let built: BuiltKernels
  beforeAll(async () => {
    built = await buildKernels(join(root, 'bench/kernels'), join(root, 'build/kernels'))
  })

  for (const name of kernelInputs.keys()) {
    it(`agree in all builds and levels: ${name}`, async () => {
      for (const optimize of [0, 's', 2] as const) {
        const [report] = await benchKernels(built, [name], { optimize, check: true })
        // None is over at once, and none takes long.
        for (const build of [...nativeBuilds, ...bpfBuilds]) {
          expect(report!.figures[build].cycles).toBeGreaterThan(400)
          expect(report!.figures[build].cycles).toBeLessThan(optimize === 0 ? 400_000 : 80_000)
        }
      }
    })
  }

  it('differ where a build gives something else', async () => {
    const other: BuiltKernels = {
      ...built,
      object: (_, build) => built.object(build === 'v3' ? 'fletcher32' : 'siphash', build),
    }
    await expect(benchKernels(other, ['siphash'])).rejects.toThrow('siphash: v3')
  })
})
