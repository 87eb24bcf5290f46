// Random programs on interpreter, simulator and QEMU, at every level and with contexts at every alignment: results, contexts and numbers of
// instructions. `npm run fuzz -- --machine qemu` runs more of them.

import { join } from 'node:path'
import { expect, it } from 'vitest'

import { startQemu } from '../../src/machine/node/qemu.ts'
import { Simulator } from '../../src/machine/sim/simulator.ts'
import { batchTools } from '../support/batch.ts'
import { BatchComparison, caseOf } from '../support/differential-batch.ts'
import { describeWith } from '../support/tools.ts'

const sources = join(import.meta.dirname, '../support')
const SIZE = 150

describeWith(['qemu-system-arm', ...batchTools], 'interpreter, simulator and QEMU', () => {
  it('agree on random programs', { timeout: 120_000 }, async () => {
    const qemu = await startQemu()
    try {
      const comparison = await BatchComparison.open([new Simulator(), qemu], sources, SIZE)
      for (const from of [1_000_000, 2_000_000]) {
        const cases = Array.from({ length: SIZE }, (_, index) => caseOf(from + index))
        expect(await comparison.compare(cases)).toEqual([])
      }
    } finally {
      await qemu.close()
    }
  })
})
