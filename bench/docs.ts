// `npm run bench:docs`: measures everything and writes docs/benchmarks.md and docs/benchmarks.svg.

import { readFileSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { join } from 'node:path'

import { type Build, bpfBuilds, buildNames, builds, type BuiltKernels, smallBuilds, version } from './builds.ts'
import { kernelInputs } from './inputs.ts'
import { benchKernels, type Figures, type KernelReport } from './kernels.ts'
import { drawPlot } from './plot.ts'
import { compareWithQemu, qemuTools } from './qemu.ts'
import { geometricMean, ratios } from './report.ts'
import { benchSpeed, type Table } from './speed.ts'

/** Levels of the compiler, with what they are for. */
const LEVELS = [
  [2, 'everything; the default'],
  ['s', 'few bytes'],
  [0, 'plain, for comparison'],
] as const

/** All but those of bytecode for few bytes. */
const SPEED_BUILDS = buildNames.filter((build) => !smallBuilds.some((small) => small === build))

const mean = (reports: readonly KernelReport[], measure: keyof Figures, build: Build, over: Build): string =>
  geometricMean(ratios(reports, measure, build, over)).toFixed(2)

function markdownTable(rows: readonly (readonly string[])[]): string {
  const [titles = [], ...rest] = rows
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  return [line(titles), line(titles.map((_, index) => (index === 0 ? '---' : '---:'))), ...rest.map(line)].join('\n')
}

/** Values of the yardstick, ratios of the others, and their means. */
function measureTable(
  reports: readonly KernelReport[],
  measure: keyof Figures,
  over: Build,
  wanted: readonly Build[] = SPEED_BUILDS,
): string {
  const others = wanted.filter((build) => build !== over)
  const rows = reports.map(({ name, figures }) => [
    name,
    figures[over][measure].toLocaleString('en'),
    ...others.map((build) => (figures[build][measure] / figures[over][measure]).toFixed(2)),
  ])
  const means = others.map((build) => `**${mean(reports, measure, build, over)}**`)
  return markdownTable([['kernel', over, ...others], ...rows, ['**geometric mean**', '', ...means]])
}

/** The comment that a kernel's source begins with. */
function description(root: string, name: string): string {
  const lines = readFileSync(join(root, 'bench/kernels', `${name}.c`), 'utf8').split('\n')
  const end = lines.findIndex((line) => !line.startsWith('//'))
  return lines
    .slice(0, end)
    .map((line) => line.slice(3))
    .join(' ')
}

function plot(reports: readonly KernelReport[]): string {
  const of = (report: KernelReport, build: Build): number =>
    report.figures[build].cycles / report.figures['gcc -O2'].cycles
  const sorted = reports.toSorted((a, b) => of(a, 'v3') - of(b, 'v3'))
  const values = (build: Build): number[] => sorted.map((report) => of(report, build))
  return drawPlot({
    title: 'Cycles over native gcc -O2 (less is better)',
    rows: sorted.map(({ name }) => name),
    series: [
      { name: 'native clang -O2', shape: 'bar', colour: 'faint', values: values('clang -O2') },
      { name: 'native gcc -Os', shape: 'ring', colour: 'faint', values: values('gcc -Os') },
      { name: 'thumbpf, BPF v2', shape: 'diamond', colour: 'second', values: values('v2') },
      { name: 'thumbpf, BPF v4', shape: 'ring', colour: 'third', values: values('v4') },
      { name: 'thumbpf, BPF v3', shape: 'disc', colour: 'first', values: values('v3') },
    ],
    ticks: [0.5, 0.7, 1, 1.4, 2, 2.8],
  })
}

function speedSection(tables: readonly Table[]): string {
  return tables.map(({ title, rows }) => `${title}.\n\n${markdownTable(rows)}`).join('\n\n')
}

/** `root` is the project's folder. */
export async function writeDocs(root: string, built: BuiltKernels): Promise<void> {
  const names = [...kernelInputs.keys()]
  const levels: { level: string; what: string; reports: KernelReport[] }[] = []
  let compared = 0
  for (const [optimize, what] of LEVELS) {
    levels.push({ level: `-O${optimize}`, what, reports: await benchKernels(built, names, { optimize }) })
    const qemu = await compareWithQemu(built, names, join(root, 'bench'), { optimize })
    if (qemu.differences.length > 0) throw new Error(qemu.differences.join('\n'))
    compared += qemu.compared
  }
  const { reports } = levels[0]!
  const small = levels.find(({ level }) => level === '-Os')!.reports
  const levelRow = (what: string, at: readonly KernelReport[], of: readonly Build[]): string[] => [
    what,
    ...of.map((build) => mean(at, 'cycles', build, 'gcc -O2')),
    ...of.map((build) => mean(at, 'bytes', build, 'gcc -Os')),
  ]
  const levelRows = levels.map(({ level, what, reports: at }) =>
    levelRow(`\`${level}\`: ${what}`, at, ['v2', 'v3', 'v4']),
  )
  levelRows.push(levelRow('`-Os`, of bytecode by `clang -Os`', small, smallBuilds))
  const versions = await Promise.all(['arm-none-eabi-gcc', 'clang-19', qemuTools[0]].map(version))
  const commands = buildNames.map((build) => `| ${build} | \`${builds[build].command}\` |`)

  const page = `# Benchmarks

How good the code is that thumbpf makes of eBPF, beside what C compilers make of the same C source for the same processor.
This page and its plot are written by \`npm run bench:docs\`; \`npm run bench\` prints the same figures and says with \`-- --help\`
what else it can do. It needs \`clang-19\`, \`arm-none-eabi-gcc\`, its binutils and \`qemu-system-arm\`.

**Nothing here was measured on a board.** Cycles are those of thumbpf's simulator: a model of the Cortex-M4 with memory without wait
states, described in \`src/machine/sim/cycles.ts\`, which runs native and compiled code alike. Instructions are exact: QEMU counted
the same in each of ${compared} runs (all kernels, builds and levels).

## In short

Geometric means over ${reports.length} kernels; 1.00 is native code, less is better. Cycles are over native \`gcc -O2\`, bytes over \`gcc -Os\`.
The bytecode is that of \`clang -O2\`, which unrolls loops and copies bodies of functions, for every level but in the last row: who wants
few bytes compiles C with \`clang -Os\` too.

${markdownTable([['level', 'cycles v2', 'cycles v3', 'cycles v4', 'bytes v2', 'bytes v3', 'bytes v4'], ...levelRows])}

Native \`gcc -Os\` takes ${mean(reports, 'cycles', 'gcc -Os', 'gcc -O2')} of \`gcc -O2\`'s cycles and native \`clang -O2\` ${mean(reports, 'cycles', 'clang -O2', 'gcc -O2')}; \`gcc -O2\` has ${mean(reports, 'bytes', 'gcc -O2', 'gcc -Os')} of \`gcc -Os\`'s bytes and
\`clang -O2\` ${mean(reports, 'bytes', 'clang -O2', 'gcc -Os')}.

![Cycles of each kernel over native gcc -O2](benchmarks.svg)

## How it is done

Each kernel is one C file in \`bench/kernels/\` with \`uint64_t entry(void *ctx, uint64_t len)\`, built in ${buildNames.length} ways. The BPF objects go
through thumbpf. Everything runs on the simulator with the same input (made by \`bench/inputs.ts\`) and from the same address; BPF
also runs on the interpreter. All must give the same 64 bits of r0 and leave the same bytes, or the benchmark fails. Cycles and
instructions are from the entry's first instruction through its return. Bytes are code and constants, without the division
routines that native code takes from libgcc (thumbpf brings its own, and they count).

| build | command |
| --- | --- |
${commands.join('\n')}

${versions.map((text) => `- ${text}`).join('\n')}

\`bench/release.json\` keeps the figures of the last release (\`npm run bench -- --keep-release\`); \`npm run bench\` shows each kernel that takes over
3 % more cycles than then.

## Cycles

${measureTable(reports, 'cycles', 'gcc -O2')}

## Bytes

At \`-O2\`, of bytecode by \`clang -O2\`:

${measureTable(reports, 'bytes', 'gcc -Os')}

At \`-Os\`, of bytecode by \`clang -O2\` (v2, v3, v4) and by \`clang -Os\`:

${measureTable(small, 'bytes', 'gcc -Os', ['gcc -Os', ...bpfBuilds])}

## Instructions

${measureTable(reports, 'instructions', 'gcc -O2')}

## Speed of the compiler and the simulator

Medians, on ${cpus()[0]?.model ?? 'an unknown processor'}, ${cpus().length} cores, Node ${process.versions.node}. These depend on the machine and on what else it does.

${speedSection(benchSpeed(root, built))}

## The kernels

${reports.map(({ name }) => `- **${name}**: ${description(root, name)}`).join('\n')}
`
  writeFileSync(join(root, 'docs/benchmarks.md'), page)
  writeFileSync(join(root, 'docs/benchmarks.svg'), plot(reports))
}
