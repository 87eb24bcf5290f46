// A vitest reporter that names each skipped test and closes the run with one plain line of exact counts,
// `N passed, N failed`, for people and for CI alike. A file that can't be loaded counts as one failure.

import type { Reporter, TestModule } from 'vitest/node'

export default class CountReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    let passed = 0
    let failed = unhandledErrors.length
    const skipped: string[] = []
    for (const module of modules) {
      let failedHere = 0
      for (const test of module.children.allTests()) {
        const { state } = test.result()
        if (state === 'passed') passed++
        else if (state === 'failed') failedHere++
        else skipped.push(`${module.relativeModuleId} > ${test.fullName}`)
      }
      if (failedHere === 0 && module.state() === 'failed') failedHere = 1
      failed += failedHere
    }
    for (const name of skipped) console.log(`skipped: ${name}`)
    if (skipped.length > 0) console.log(`${skipped.length} skipped`)
    console.log(`${passed} passed, ${failed} failed`)
  }
}
