// The simulator's instruction counts against QEMU's exact ones, for some kernels in every build. `npm run bench -- --qemu` does all.

import { join } from 'node:path'
import { expect, it } from 'vitest'

import { buildKernels } from '../../bench/builds.ts'
import { compareWithQemu, qemuTools } from '../../bench/qemu.ts'
import { root } from '../cli/support.ts'
import { describeWith } from '../support/tools.ts'

describeWith(['clang-19', 'arm-none-eabi-ld', ...qemuTools], 'instructions of the kernels', () => {
  it('are what QEMU counts', async () => {
    const built = await buildKernels(join(root, 'bench/kernels'), join(root, 'build/kernels'))
    // Loops, calls, 64-bit division, IT blocks, switches and misaligned accesses.
    const names = ['buttons', 'calls', 'kalman', 'pktparse', 'siphash', 'u64dec']
    expect(await compareWithQemu(built, names, join(root, 'bench'))).toEqual({ compared: 54, differences: [] })
  })
})
