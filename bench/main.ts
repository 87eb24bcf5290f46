// `npm run bench`: how good the compiled code is (kernels.ts), how fast the compiler and the simulator are (speed.ts).

import { readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

import { builds, buildKernels, buildNames, version } from './builds.ts'
import { kernelInputs } from './inputs.ts'
import { benchKernels } from './kernels.ts'
import { formatTable, type SavedFigures, savedFigures } from './report.ts'
import { benchSpeed, printMemory } from './speed.ts'

/** Of the project, seen from build/bench/. */
const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    kernels: { type: 'boolean', default: false },
    speed: { type: 'boolean', default: false },
    optimize: { type: 'string', short: 'O', default: '2' },
    baseline: { type: 'string' },
    save: { type: 'string' },
    memory: { type: 'boolean', default: false },
  },
})

async function kernels(): Promise<void> {
  const unknown = positionals.filter((name) => !kernelInputs.has(name))
  if (unknown.length > 0)
    throw new Error(`no kernel ${unknown.join(', ')}; there are ${[...kernelInputs.keys()].join(', ')}`)
  const names = positionals.length > 0 ? positionals : [...kernelInputs.keys()]
  for (const program of ['arm-none-eabi-gcc', 'clang-19']) console.log(`${program}: ${await version(program)}`)
  for (const build of buildNames) console.log(`${build.padEnd(10)} ${builds[build].command}`)
  const built = await buildKernels(join(root, 'bench/kernels'), join(root, 'build/kernels'))
  const optimize = Number(options.optimize) as 0 | 2
  const reports = await benchKernels(built, names, { optimize })
  const baseline =
    options.baseline === undefined ? {} : (JSON.parse(readFileSync(options.baseline, 'utf8')) as SavedFigures)
  for (const [measure, over] of [
    ['instructions', 'gcc -O2'],
    ['bytes', 'gcc -Os'],
    ['cycles', 'gcc -O2'],
  ] as const) {
    console.log(`\n${formatTable(reports, measure, over, baseline).join('\n')}`)
  }
  if (options.save !== undefined) writeFileSync(options.save, `${JSON.stringify(savedFigures(reports))}\n`)
}

if (options.memory) {
  printMemory()
} else {
  const all = !options.kernels && !options.speed
  if (options.kernels || all) await kernels()
  if (options.speed || all) await benchSpeed(root)
}
