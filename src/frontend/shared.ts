// What the functions of one program have in common while they are built: what is called, whose address is taken, whether packets are
// read below the entry, and the table of position-independent code.

import { MapType } from '../bpf/maps.ts'
import type { Instruction, Program, Reference } from '../bpf/program.ts'
import type { Callee } from '../ir/func.ts'

/** What the functions of one program have in common. */
export interface Shared {
  /** Index of the function that a call leads to, which is built then. */
  readonly callee: (instruction: Instruction) => number
  /** Functions whose address the program can have. Ascending. */
  readonly taken: readonly number[]
  readonly table: Table | undefined
  /** Functions that are called have packet loads: they find the context in env, where the entry puts it. */
  readonly packetsBelow: boolean
  readonly tailCalls: boolean
}

/** Packet loads in a function that the program can call. */
export function hasPacketsBelow(program: Program, taken: readonly number[]): boolean {
  const { instructions, functions } = program
  if (!instructions.some(({ row }) => row.kind === 'packet')) return false
  const called = new Set(taken.map((index) => functions[index]!.start))
  for (const { row, target } of instructions) if (row.kind === 'call' && target >= 0) called.add(target)
  return functions.some(
    ({ start, end }) => called.has(start) && instructions.slice(start, end).some(({ row }) => row.kind === 'packet'),
  )
}

/** Helper 12 is bpf_tail_call, as the program has a program array. */
export function hasTailCalls(program: Program): boolean {
  return program.maps.some((map) => map.type === MapType.PROGRAM_ARRAY)
}

/** What the words of env's table are the addresses of, in the order in which the program needs them. */
export class Table {
  readonly things: Callee[] = []
  private readonly indices = new Map<string, number>()

  indexOf(thing: Callee): number {
    const key = `${thing.kind} ${thing.kind === 'helper' ? thing.number : thing.kind === 'data' ? thing.section : 'index' in thing ? thing.index : ''}`
    let index = this.indices.get(key)
    if (index === undefined) {
      index = this.things.push(thing) - 1
      this.indices.set(key, index)
    }
    return index
  }
}

/** Functions whose address the program can have: what callx may call beside helpers. Ascending. */
export function addressTaken(program: Program): number[] {
  const taken = new Set<number>()
  const add = (reference: Reference | null): void => {
    if (reference?.kind === 'function') taken.add(reference.index)
  }
  for (const instruction of program.instructions) add(instruction.reference)
  for (const section of program.data) for (const pointer of section.pointers) add(pointer.target)
  return [...taken].toSorted((a, b) => a - b)
}
