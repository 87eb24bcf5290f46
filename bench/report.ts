// Prints the kernels' figures as text: a table for cycles, one for bytes, one for instructions, each value with its ratio to native
// code and, where there are earlier figures, how it changed.

import { type Build, buildNames } from './builds.ts'
import type { Figures, KernelReport } from './kernels.ts'

/** Figures by kernel and build, as files keep them. */
export type SavedFigures = Readonly<Record<string, Readonly<Record<string, Figures>>>>

export function savedFigures(reports: readonly KernelReport[], wanted: readonly Build[] = buildNames): SavedFigures {
  return Object.fromEntries(
    reports.map(({ name, figures }) => [name, Object.fromEntries(wanted.map((build) => [build, figures[build]]))]),
  )
}

export function geometricMean(values: readonly number[]): number {
  return Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length)
}

/** Values of `measure` over those of build `over`, a kernel each. */
export function ratios(reports: readonly KernelReport[], measure: keyof Figures, build: Build, over: Build): number[] {
  return reports.map(({ figures }) => figures[build][measure] / figures[over][measure])
}

/** Lines of a table; changes of half a percent and more against `baseline` are in brackets. */
export function formatTable(
  reports: readonly KernelReport[],
  measure: keyof Figures,
  over: Build,
  baseline: SavedFigures = {},
): string[] {
  const changed = Object.keys(baseline).length > 0
  const width = changed ? 23 : 15
  const cell = (value: number, ratio: number, change = ''): string =>
    `${Math.round(value)} ${ratio.toFixed(2)}`.padStart(15) + (changed ? change.padStart(8) : '')
  const lines = [
    `${`${measure} / ${over}`.padEnd(22)}${buildNames.map((build) => build.padStart(15).padEnd(width)).join('')}`,
  ]
  for (const { name, figures } of reports) {
    const cells = buildNames.map((build) => {
      const value = figures[build][measure]
      const before = baseline[name]?.[build]?.[measure]
      const change = before === undefined ? 0 : (value / before - 1) * 100
      const text = Math.abs(change) < 0.5 ? '' : `(${change > 0 ? '+' : ''}${change.toFixed(0)}%)`
      return cell(value, value / figures[over][measure], text)
    })
    lines.push(name.padEnd(22) + cells.join(''))
  }
  const means = buildNames.map((build) => {
    const mean = geometricMean(ratios(reports, measure, build, over))
    const known = reports.filter(({ name }) => baseline[name]?.[build] !== undefined)
    const change = geometricMean(
      known.map(({ name, figures }) => figures[build][measure] / baseline[name]![build]![measure]),
    )
    const text =
      known.length === 0 || Math.abs(change - 1) < 0.0005
        ? ''
        : `(${change > 1 ? '+' : ''}${((change - 1) * 100).toFixed(1)}%)`
    return mean.toFixed(3).padStart(15) + (changed ? text.padStart(8) : '')
  })
  lines.push('geometric mean'.padEnd(22) + means.join(''))
  return lines
}
