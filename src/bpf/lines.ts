// C lines of a program: which line an instruction stands for.

import type { Place } from '../base/errors.ts'
import type { SourceLine } from './program.ts'

/** The C line that a slot belongs to; undefined if the object says nothing of it. */
export function lineAt(program: { readonly lines: readonly SourceLine[] }, slot: number): SourceLine | undefined {
  const { lines } = program
  let low = 0
  let high = lines.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (lines[middle]!.slot <= slot) low = middle + 1
    else high = middle
  }
  return lines[low - 1]
}

/** The place of a slot: its function, and `file:line` where there is a line. */
export function placeOf(owner: string | undefined, slot: number | undefined, lines: readonly SourceLine[]): Place {
  const line = slot === undefined ? undefined : lineAt({ lines }, slot)
  return {
    ...(owner !== undefined && { function: owner }),
    ...(slot !== undefined && { slot }),
    ...(line !== undefined && { source: `${line.file}:${line.line}` }),
  }
}
