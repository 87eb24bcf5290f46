// The entry of this room: bytes of an ELF object, of an rBPF application or of raw instructions -> a checked Program.
// A raw program starts at its first instruction, in the function `entry`; every target of a local call starts another function.

import { InputError, RejectedError, type Rejection } from '../base/errors.ts'
import type { Prototype } from '../base/prototype.ts'
import { suggestion } from './names.ts'
import { checkFlow, type Report } from './check.ts'
import { decodeText } from './decode.ts'
import { isApplication, readApplication } from './foreign.ts'
import { placeOf } from './lines.ts'
import { isElf, readObject, type FunctionLayout, type ProgramText } from './object.ts'
import type { BpfFunction, Instruction, Program } from './program.ts'

export interface ReadOptions {
  /** Name of the function to start in. */
  readonly entry?: string | undefined
  /** By number: the helpers that an object may call as functions of these names, which it does not define. */
  readonly helpers?: ReadonlyMap<number, Prototype | undefined> | undefined
}

/** More than this many rejections of one program are not collected. */
const maximumRejections = 50

/** Reads and checks a program. Throws InputError for bytes that can't be read and RejectedError for a malformed program. */
export function readProgram(input: Uint8Array, options: ReadOptions = {}): Program {
  // Node's Buffer is an Uint8Array whose slice shares its memory.
  const bytes = new Uint8Array(input.buffer, input.byteOffset, input.byteLength)
  if (isElf(bytes)) return load(readObject(bytes, options.entry, numbersByName(options.helpers)))
  if (isApplication(bytes)) return load(readApplication(bytes, options.entry))
  const program = loadProgram(bytes)
  if (options.entry !== undefined && options.entry !== program.functions[0]!.name) {
    throw new InputError(
      `there is no entry '${options.entry}'; a raw program has the one entry 'entry'${suggestion(options.entry, ['entry'])}`,
    )
  }
  return program
}

function numbersByName(helpers: ReadOptions['helpers']): Map<string, number> {
  const numbers = new Map<string, number>()
  for (const [number, prototype] of helpers ?? []) if (prototype !== undefined) numbers.set(prototype.name, number)
  return numbers
}

/** Decodes and checks a text of raw instructions; functions are found from local calls. Throws RejectedError. */
export function loadProgram(text: Uint8Array): Program {
  return load({ text, functions: [], entry: 0, references: new Map(), data: [], maps: [], lines: [] })
}

function load({ text, functions: layout, entry, references, data, maps, lines }: ProgramText): Program {
  const rejections: Rejection[] = []
  const report: Report = (code, slot, message) => {
    if (rejections.length >= maximumRejections) return
    const owner = slot === undefined ? undefined : layout.find((one) => slot >= one.start && slot < one.end)
    rejections.push({ code, place: placeOf(owner?.name, slot, lines), message })
  }
  const { instructions, indexOfSlot } = decodeText(text, report, references)
  if (rejections.length > 0) throw new RejectedError(rejections)
  const functions =
    layout.length === 0 ? findFunctions(instructions) : placeFunctions(layout, instructions, indexOfSlot, report)
  if (rejections.length === 0) checkFlow(instructions, functions, indexOfSlot.length, report)
  if (rejections.length > 0) throw new RejectedError(rejections)
  return { instructions, functions, entry, data, maps, lines }
}

function findFunctions(instructions: readonly Instruction[]): BpfFunction[] {
  const starts = new Set([0])
  for (const { row, target } of instructions) {
    if (row.kind === 'call' && row.callee === 'local' && target >= 0) starts.add(target)
  }
  const sorted = [...starts].toSorted((a, b) => a - b)
  return sorted.map((start, index) => ({
    name: start === 0 ? 'entry' : `fn_${instructions[start]!.slot}`,
    start,
    end: sorted[index + 1] ?? instructions.length,
    global: start === 0,
    section: '',
  }))
}

function placeFunctions(
  layout: readonly FunctionLayout[],
  instructions: readonly Instruction[],
  indexOfSlot: Int32Array,
  report: Report,
): BpfFunction[] {
  return layout.map((one) => {
    const start = indexOfSlot[one.start]!
    const end = one.end < indexOfSlot.length ? indexOfSlot[one.end]! : instructions.length
    // An LDDW whose second half would be the next function's first slot.
    if (start < 0)
      report('lddw-truncated', one.start - 1, `lddw takes two slots, but its function ends after its first`)
    return { name: one.name, start, end, global: one.global, section: one.section }
  })
}
