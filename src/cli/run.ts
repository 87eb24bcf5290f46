// `thumbpf run`: compiles a program, calls it once and prints how it ended.

import { writeFileSync } from 'node:fs'

import { formatOutcome, MapType } from '../index.ts'
import { type CompileFlags, compileOptions } from './compile-options.ts'
import { execute, type Execution, type MapContents } from './execute.ts'
import { declaredHelpers, helperChoice } from './helper-choice.ts'
import { hostHelpers } from './host-helpers.ts'
import { loadProgram, readBytes } from './input.ts'
import { type Io, paint, UsageError } from './io.ts'
import { openTarget, type TargetFlags } from './target.ts'
import { hexBytes, mapTypeName } from './values.ts'

interface RunOptions extends CompileFlags, TargetFlags {
  readonly ctx?: string
  readonly len?: number
  readonly entry?: string
  readonly stats?: boolean
  readonly json?: boolean
  readonly ctxOut?: string
  readonly maps?: boolean
}

/** Exit status 0 if the program returned, 1 if it ended in any other way. */
export async function run(file: string, options: RunOptions, io: Io): Promise<number> {
  if (options.ctxOut !== undefined && options.ctx === undefined) throw new UsageError('--ctx-out needs --ctx')
  const choice = await helperChoice(options.helpers)
  const { program } = await loadProgram(file, options.entry, io, choice?.table)
  const ctx = options.ctx === undefined ? undefined : await context(options.ctx)
  const target = await openTarget(options)
  let execution: Execution
  try {
    execution = await execute(program, {
      target,
      ctx,
      len: options.len,
      maxInstructions: options.maxInstructions,
      maps: options.maps === true,
      ...(choice && {
        helpers: target.runImage === undefined ? hostHelpers(choice, io) : declaredHelpers(choice),
        helperNames: choice.names,
      }),
      compile: compileOptions(options),
    })
  } finally {
    await target.close()
  }
  if (options.ctxOut !== undefined) writeFileSync(options.ctxOut, execution.ctx)

  const returned = execution.outcome.kind === 'returned'
  if (options.json === true) {
    io.stdout(`${JSON.stringify(toJson(execution, options.machine))}\n`)
  } else {
    if (returned) io.stdout(`${formatOutcome(execution.outcome)}\n`)
    if (options.stats === true) io.stdout(statistics(execution))
    for (const map of execution.maps) io.stdout(formatMap(map))
  }
  if (returned) return 0
  io.stderr(`${paint(io.colour.stderr, 'red', 'failed:')} ${describe(execution)}\n`)
  return 1
}

/** One line for an outcome; for a limit also how to raise it. */
export function describe(execution: Execution): string {
  const line = formatOutcome(execution.outcome, execution.source)
  if (execution.outcome.kind !== 'limited') return line
  return `${line}; ${execution.outcome.limit === 'time' ? '--timeout' : '--max-instructions'} raises the limit`
}

async function context(text: string): Promise<Uint8Array> {
  if (text.startsWith('@')) return readBytes(text.slice(1))
  return hexBytes(text, '--ctx')
}

function toJson(execution: Execution, machine: string): Record<string, unknown> {
  const { outcome, instructions, cycles, codeBytes, bpfInstructions, source, maps } = execution
  const ended =
    outcome.kind === 'returned'
      ? { r0: `0x${outcome.r0.toString(16).padStart(16, '0')}` }
      : {
          r0: null,
          slot: outcome.slot >= 0 ? outcome.slot : null,
          source: source ?? null,
          message: formatOutcome(outcome, source),
        }
  const contents = maps.length === 0 ? {} : { maps: Object.fromEntries(maps.map(mapToJson)) }
  return { outcome: outcome.kind, ...ended, instructions, cycles, codeBytes, bpfInstructions, machine, ...contents }
}

function mapToJson({ definition, entries, programs, records }: MapContents): [string, unknown] {
  const { name, type } = definition
  if (type === MapType.PROGRAM_ARRAY) return [name, { type: mapTypeName(type), programs }]
  if (type === MapType.RINGBUF) return [name, { type: mapTypeName(type), records: records.map(hex) }]
  const pairs = entries.map(({ key, value }) => ({ key: hex(key), value: hex(value) }))
  return [name, { type: mapTypeName(type), entries: pairs }]
}

/** The map's name, then a line for each entry or record, bytes as they stand in memory. */
function formatMap({ definition, entries, programs, records }: MapContents): string {
  const { name, type } = definition
  const lines = [
    ...entries.map(({ key, value }) => `  ${hex(key)}: ${hex(value)}\n`),
    ...programs.map(({ index, name: program }) => `  ${index}: ${program}\n`),
    ...records.map((record) => `  ${hex(record)}\n`),
  ]
  return `${name} (${mapTypeName(type)})${lines.length === 0 ? ': empty' : ''}\n${lines.join('')}`
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}

function statistics(execution: Execution): string {
  const rows: [string, number | null][] = [
    ['instructions', execution.instructions],
    ['cycles', execution.cycles],
    ['code bytes', execution.codeBytes],
    ['BPF instructions', execution.bpfInstructions],
  ]
  return rows
    .filter((row): row is [string, number] => row[1] !== null)
    .map(([name, value]) => `${name.padEnd(18)}${value.toLocaleString('en')}\n`)
    .join('')
}
