// What the benchmark shows of its figures: means, changes, slowdowns against the last release, and the plot.

import { describe, expect, it } from 'vitest'

import { type Build, buildNames } from '../../bench/builds.ts'
import type { Figures, KernelReport } from '../../bench/kernels.ts'
import { drawPlot } from '../../bench/plot.ts'
import { slowdowns } from '../../bench/release.ts'
import { formatTable, geometricMean, ratios, savedFigures } from '../../bench/report.ts'

/** A kernel whose builds take `cycles`, in the order of `buildNames`; the rest take what the last does. */
function report(name: string, cycles: readonly number[]): KernelReport {
  const figures = buildNames.map((build, index) => [
    build,
    { cycles: cycles[index] ?? cycles.at(-1)!, instructions: 10, bytes: 20 },
  ])
  return { name, figures: Object.fromEntries(figures) as Record<Build, Figures> }
}

const reports = [report('one', [100, 150, 100, 200, 100, 90]), report('two', [1000, 1500, 500, 2000, 1000, 400])]

describe('figures', () => {
  it('have geometric means of ratios', () => {
    expect(geometricMean([2, 8])).toBeCloseTo(4)
    expect(ratios(reports, 'cycles', 'v4', 'gcc -O2')).toEqual([0.9, 0.4])
    expect(formatTable(reports, 'cycles', 'gcc -O2').at(-1)).toMatch(
      /^geometric mean +1\.000 +1\.500 +0\.707 +2\.000 +1\.000 +0\.600/,
    )
  })

  it('are marked where they changed', () => {
    const before = savedFigures([report('one', [100, 150, 100, 100, 100, 100])])
    const [, one, two] = formatTable(reports, 'cycles', 'gcc -O2', before)
    expect(one).toMatch(/200 2\.00 +\(\+100%\) +100 1\.00 +90 0\.90 +\(-10%\)/)
    expect(two).not.toContain('%')
  })

  it('show what is slower than the last release by over 3 %', () => {
    const kernels = savedFigures(
      [report('one', [1, 1, 1, 195, 98, 87]), report('three', [1, 1, 1, 1, 1, 1])],
      ['v2', 'v3', 'v4'],
    )
    expect(slowdowns(reports, { version: '1.0.0', kernels })).toEqual(['one v4: 87 cycles, now 90 (+3.4 %)'])
  })
})

it('a plot has a mark for each value and keeps it on the axis', () => {
  const series = [{ name: 'a', shape: 'disc', colour: 'first', values: [1, 100] }] as const
  const text = drawPlot({ title: 'T', rows: ['x', 'y'], series, ticks: [0.5, 1, 2] })
  const places = [...text.matchAll(/<circle class="first" cx="([\d.]+)"/g)].map((match) => Number(match[1]))
  // The legend, the middle of a logarithmic axis, its end.
  expect(places).toEqual([22, 468, 836])
})
