// What makes a program malformed (RFC 9669, sections 3 to 5). After these checks the frontend and the interpreter rely on:
// every register is r0-r10 and r10 is never written; every jump leads to an instruction of its own function; every local call
// leads to the first instruction of a function; no path runs off the end of its function; helper numbers are not negative.
// Code that no path reaches may end without a jump or exit, but its fields and jumps are checked like all others.

import type { Rejection } from '../base/errors.ts'
import type { Grants } from './helpers.ts'
import { distance, fieldNames, writtenRegister, type FieldName, type Row } from './isa.ts'
import { placeOf } from './lines.ts'
import type { BpfFunction, Instruction, Program } from './program.ts'

/** Takes a rejection: its code, the slot if there is one, and the sentence with the actual and the allowed value. */
export type Report = (code: string, slot: number | undefined, message: string) => void

/** Codes `unused-field`, `bad-register`, `write-r10`, `bad-helper`: one instruction looked at alone. */
export function checkFields(
  row: Row,
  fields: { readonly [field in FieldName]: number },
  slot: number,
  report: Report,
): void {
  const { fixed } = row
  // Field by field: names that vary are looked up slowly.
  if (
    (fixed.dst ?? fields.dst) !== fields.dst ||
    (fixed.src ?? fields.src) !== fields.src ||
    (fixed.offset ?? fields.offset) !== fields.offset ||
    (fixed.imm ?? fields.imm) !== fields.imm
  ) {
    for (const field of fieldNames) {
      const required = fixed[field]
      if (required === undefined || fields[field] === required) continue
      report('unused-field', slot, `${row.name}: field ${field} is ${fields[field]}, must be ${required}`)
    }
  }
  if (fixed.dst === undefined && fields.dst > 10)
    report('bad-register', slot, `${row.name}: dst is r${fields.dst}, must be r0 to r10`)
  if (fixed.src === undefined && fields.src > 10)
    report('bad-register', slot, `${row.name}: src is r${fields.src}, must be r0 to r10`)
  if (writtenRegister(row, fields.dst, fields.src) === 10) {
    report('write-r10', slot, `${row.name} writes r10, the read-only frame pointer; only r0 to r9 can be written`)
  }
  if (row.kind === 'call' && row.callee === 'helper' && fields.imm < 0) {
    report('bad-helper', slot, `the helper's number is ${fields.imm}, must be 0 or more`)
  }
}

/** Codes `jump-outside`, `jump-into-lddw`, `jump-across`, `call-outside`, `call-into-function`, `falls-off-end`. */
export function checkFlow(
  instructions: readonly Instruction[],
  functions: readonly BpfFunction[],
  slots: number,
  report: Report,
): void {
  const starts = new Set(functions.map((one) => one.start))
  for (const one of functions) {
    for (let index = one.start; index < one.end; index++) {
      checkTarget(instructions[index]!, one, starts, slots, report)
    }
    const end = fallsOff(instructions, one)
    if (end !== undefined) {
      report(
        'falls-off-end',
        end.slot,
        `${end.row.name} is the last instruction of ${one.name} and can go on past its end; must be exit or a jump`,
      )
    }
  }
}

function checkTarget(
  instruction: Instruction,
  inside: BpfFunction,
  starts: ReadonlySet<number>,
  slots: number,
  report: Report,
): void {
  const { row, slot, target } = instruction
  const leap = distance(row, instruction.offset, instruction.imm)
  if (leap === undefined) return
  const to = slot + 1 + leap
  const verb = row.kind === 'call' ? 'call' : 'jump'
  if (to < 0 || to >= slots) {
    report(`${verb}-outside`, slot, `${row.name} leads to instruction ${to}, must be 0 to ${slots - 1}`)
  } else if (target < 0) {
    report(
      `${verb}-into-lddw`,
      slot,
      `${row.name} leads to instruction ${to}, the second half of lddw; must be the start of an instruction`,
    )
  } else if (row.kind === 'call') {
    if (!starts.has(target)) {
      report('call-into-function', slot, `${row.name} leads to instruction ${to}, which is not the first of a function`)
    }
  } else if (target < inside.start || target >= inside.end) {
    report('jump-across', slot, `${row.name} leads to instruction ${to} outside of its function ${inside.name}`)
  }
}

/** The last instruction of the function, if it is reached and does not end the path; else undefined. */
function fallsOff(instructions: readonly Instruction[], inside: BpfFunction): Instruction | undefined {
  const last = instructions[inside.end - 1]!
  if (endsPath(last)) return undefined
  const seen = new Uint8Array(inside.end - inside.start)
  const pending = [inside.start]
  for (let start = pending.pop(); start !== undefined; start = pending.pop()) {
    for (let index = start; index < inside.end && seen[index - inside.start] === 0; index++) {
      seen[index - inside.start] = 1
      const instruction = instructions[index]!
      const { row, target } = instruction
      if (row.kind === 'jump' && target >= inside.start && target < inside.end) pending.push(target)
      if (endsPath(instruction)) break
    }
  }
  return seen[inside.end - 1 - inside.start] === 1 ? last : undefined
}

function endsPath({ row }: Instruction): boolean {
  return row.kind === 'exit' || (row.kind === 'jump' && row.op === 'ja')
}

/**
 * Calls of helpers that are not among the granted numbers, code `helper-not-granted`; `names` gives the names of those that are known.
 * (callx is a trap at run time.)
 */
export function checkHelpers(program: Program, granted: Grants, names?: ReadonlyMap<number, string>): Rejection[] {
  const rejections: Rejection[] = []
  for (const one of program.functions) {
    for (let index = one.start; index < one.end; index++) {
      const { row, imm, slot } = program.instructions[index]!
      if (row.kind !== 'call' || row.callee !== 'helper' || granted.has(imm)) continue
      const known =
        granted.size === 0 ? 'none is' : `these are: ${[...granted.keys()].toSorted((a, b) => a - b).join(', ')}`
      rejections.push({
        code: 'helper-not-granted',
        place: placeOf(one.name, slot, program.lines),
        message: `calls helper ${imm}${names?.has(imm) === true ? ` (${names.get(imm)})` : ''}, which is not granted; ${known}`,
      })
    }
  }
  return rejections
}
