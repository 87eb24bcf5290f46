// Figures of the last release: kept in bench/release.json by `npm run bench -- --keep-release`, and what is slower than they.

import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { bpfBuilds } from './builds.ts'
import type { KernelReport } from './kernels.ts'
import { type SavedFigures, savedFigures } from './report.ts'

/** A kernel that takes more cycles than this many times the release's is shown. */
export const TOLERANCE = 1.03

export interface Release {
  readonly version: string
  /** Of the BPF builds. */
  readonly kernels: SavedFigures
}

const fileOf = (root: string): string => join(root, 'bench/release.json')

/** undefined where none are kept. */
export function readRelease(root: string): Release | undefined {
  const file = fileOf(root)
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Release) : undefined
}

export function keepRelease(root: string, reports: readonly KernelReport[]): void {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }
  const kernels = savedFigures(reports, bpfBuilds)
  writeFileSync(fileOf(root), `${JSON.stringify({ version, kernels } satisfies Release, null, 2)}\n`)
}

/** A line for each kernel and build that is slower by more than the tolerance. */
export function slowdowns(reports: readonly KernelReport[], release: Release): string[] {
  return reports.flatMap(({ name, figures }) =>
    bpfBuilds.flatMap((build) => {
      const before = release.kernels[name]?.[build]?.cycles
      const now = figures[build].cycles
      if (before === undefined || now <= before * TOLERANCE) return []
      return [`${name} ${build}: ${before} cycles, now ${now} (+${((now / before - 1) * 100).toFixed(1)} %)`]
    }),
  )
}
