// `npm run bench`: how good the compiled code is (kernels.ts), how fast compiler and simulator are (speed.ts), and the page about both
// (docs.ts). `--help` says which options there are.

import { readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

import type { CompileOptions } from '../src/index.ts'
import { builds, type BuiltKernels, buildKernels, buildNames, version } from './builds.ts'
import { writeDocs } from './docs.ts'
import { kernelInputs } from './inputs.ts'
import { benchKernels } from './kernels.ts'
import { compareWithQemu } from './qemu.ts'
import { keepRelease, readRelease, slowdowns } from './release.ts'
import { formatTable, type SavedFigures, savedFigures } from './report.ts'
import { benchSpeed, formatSpeed, printMemory } from './speed.ts'
import { parseOptions } from '../tools/options.ts'

const HELP = `npm run bench [-- options] [kernel ...]

--kernels         only the kernels: cycles, bytes and instructions
--speed           only the speed of compiler and simulator
--qemu            compare the kernels' instructions with QEMU's count, in all builds
-O LEVEL          level of optimization (default 2)
--save FILE       keep the figures
--baseline FILE   mark what has changed since they were kept (default: figures of the last release)
--keep-release    make these the figures of the last release: bench/release.json
--docs            write docs/benchmarks.md and its plot`

/** Of the project, seen from build/bench/. */
const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))

const { values: options, positionals } = parseOptions({
  allowPositionals: true,
  options: {
    kernels: { type: 'boolean', default: false },
    speed: { type: 'boolean', default: false },
    qemu: { type: 'boolean', default: false },
    optimize: { type: 'string', short: 'O', default: '2' },
    baseline: { type: 'string' },
    save: { type: 'string' },
    'keep-release': { type: 'boolean', default: false },
    docs: { type: 'boolean', default: false },
    memory: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})

async function kernels(built: BuiltKernels): Promise<void> {
  const unknown = positionals.filter((name) => !kernelInputs.has(name))
  if (unknown.length > 0)
    throw new Error(`no kernel ${unknown.join(', ')}; there are ${[...kernelInputs.keys()].join(', ')}`)
  const names = positionals.length > 0 ? positionals : [...kernelInputs.keys()]
  for (const program of ['arm-none-eabi-gcc', 'clang-19']) console.log(await version(program))
  for (const build of buildNames) console.log(`${build.padEnd(10)} ${builds[build].command}`)
  const optimize = (
    /\d/.test(options.optimize) ? Number(options.optimize) : options.optimize
  ) as CompileOptions['optimize']
  const reports = await benchKernels(built, names, { optimize })
  const release = readRelease(root)
  const baseline =
    options.baseline === undefined
      ? release?.kernels
      : (JSON.parse(readFileSync(options.baseline, 'utf8')) as SavedFigures)
  for (const [measure, over] of [
    ['instructions', 'gcc -O2'],
    ['bytes', 'gcc -Os'],
    ['cycles', 'gcc -O2'],
  ] as const) {
    console.log(`\n${formatTable(reports, measure, over, baseline).join('\n')}`)
  }
  if (release !== undefined && optimize === 2) {
    const slower = slowdowns(reports, release)
    const what = `slower than ${release.version} by over 3 %`
    console.log(slower.length === 0 ? `\nNo kernel is ${what}.` : `\nKernels ${what}:\n${slower.join('\n')}`)
  }
  if (options.qemu) {
    const { compared, differences } = await compareWithQemu(built, names, join(root, 'bench'), { optimize })
    const equal = compared - differences.length
    console.log(`\nQEMU counts the same instructions, r0 and context in ${equal} of ${compared} runs.`)
    if (differences.length > 0) throw new Error(differences.join('\n'))
  }
  if (options.save !== undefined) writeFileSync(options.save, `${JSON.stringify(savedFigures(reports))}\n`)
  if (options['keep-release']) keepRelease(root, reports)
}

async function main(): Promise<void> {
  const built = await buildKernels(join(root, 'bench/kernels'), join(root, 'build/kernels'))
  const wanted = options.kernels || options.qemu || options['keep-release']
  if (options.docs) {
    await writeDocs(root, built)
  } else {
    if (wanted || !options.speed) await kernels(built)
    if (options.speed || !wanted) for (const table of benchSpeed(root, built)) console.log(`\n${formatSpeed(table)}`)
  }
}

if (options.help) {
  console.log(HELP)
} else if (options.memory) {
  printMemory()
} else {
  await main().catch((error: Error) => {
    console.error(error.message)
    process.exitCode = 1
  })
}
