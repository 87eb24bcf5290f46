// Instructions as text in the kernel's and LLVM's syntax (`r0 = *(u32 *)(r1 + 4)`), from the table's first templates.
// Numbers are decimal, as llvm-objdump prints them with --no-print-imm-hex; `assemble` reads all of it back but the addresses of
// functions, data and maps, which are names (`r1 = .data+8 ll`).

import type { Instruction, Program, Reference } from './program.ts'
import { keywords } from './syntax.ts'

/**
 * One instruction. `label` is written for the target of a jump or local call in place of the distance; `program` has the names of
 * what an LDDW loads the address of, which are indices without it.
 */
export function formatInstruction(instruction: Instruction, label?: string, program?: Program): string {
  const { row, dst, src, offset, imm } = instruction
  if (label !== undefined && row.kind === 'call') return `call ${label}`
  return row.syntax[0]!.replace(/\$[a-z]+[0-9]*/g, (operand) => {
    switch (operand) {
      case '$d':
        return `r${dst}`
      case '$wd':
        return `w${dst}`
      case '$s':
        return `r${src}`
      case '$ws':
        return `w${src}`
      case '$imm':
        return String(imm)
      case '$imm64':
        return instruction.reference === null
          ? String(wideImmediate(instruction))
          : formatReference(instruction.reference, program)
      case '$off':
        return spaced(offset)
      case '$plus':
        return spaced(imm)
      case '$to':
        return label ?? signed(offset)
      default:
        return label ?? signed(imm)
    }
  })
}

/** An address as a name: `.data+8`, `map[counts]`, `function`. */
export function formatReference(reference: Reference, program?: Program): string {
  switch (reference.kind) {
    case 'data': {
      const { section, offset } = reference
      const name = program?.data[section]?.name ?? `data[${section}]`
      return offset === 0 ? name : `${name}${signed(offset)}`
    }
    case 'function':
      return program?.functions[reference.index]?.name ?? `function[${reference.index}]`
    case 'map':
      return `map[${program?.maps[reference.index]?.name ?? reference.index}]`
  }
}

/** LDDW's constant, signed. */
function wideImmediate({ imm, immHigh }: Instruction): bigint {
  return (BigInt(immHigh) << 32n) | BigInt(imm >>> 0)
}

function spaced(value: number): string {
  return value < 0 ? `- ${-value}` : `+ ${value}`
}

function signed(value: number): string {
  return value < 0 ? String(value) : `+${value}`
}

/** Names for the targets of jumps and calls, by index of the instruction: functions by their names, others `L<slot>`. */
export function labelsOf(program: Program): Map<number, string> {
  const labels = new Map<number, string>()
  const taken = new Set<string>(keywords())
  for (const { name, start } of program.functions) {
    const usable = /^[A-Za-z_][\w.]*$/.test(name) && !/^[rw][0-9]+$/.test(name) && !taken.has(name)
    const label = usable ? name : unused(`fn_${program.instructions[start]!.slot}`, taken)
    taken.add(label)
    labels.set(start, label)
  }
  for (const { target } of program.instructions) {
    if (target < 0 || labels.has(target)) continue
    const label = unused(`L${program.instructions[target]!.slot}`, taken)
    taken.add(label)
    labels.set(target, label)
  }
  return labels
}

function unused(name: string, taken: ReadonlySet<string>): string {
  return taken.has(name) ? unused(`${name}_`, taken) : name
}

/** A whole program, one line each: labels end with a colon, instructions are indented. */
export function disassemble(program: Program): string[] {
  const labels = labelsOf(program)
  const lines: string[] = []
  for (const [index, instruction] of program.instructions.entries()) {
    const label = labels.get(index)
    if (label !== undefined) lines.push(`${label}:`)
    lines.push(
      `  ${formatInstruction(instruction, instruction.target < 0 ? undefined : labels.get(instruction.target), program)}`,
    )
  }
  return lines
}
