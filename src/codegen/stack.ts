// How much stack a module's entry and what it calls use at most.

import { int32, uint8 } from '../base/arrays.ts'
import { type CodeFunction, P } from './code.ts'

/** Bytes, from each function's own (at the index of its symbol); -1 if calls recurse, when no bound is known. */
export function deepestStack(functions: readonly CodeFunction[], bytes: readonly number[]): number {
  const total = int32(functions.length)
  const state = uint8(functions.length) // 1: being visited, 2: done
  let recursive = false
  const callees = functions.map((fn) => {
    // What leaves the program is a call too, but of a routine without a stack.
    if (!fn.calls) return []
    const symbols = new Set<number>()
    for (const block of fn.blocks) {
      for (const code of block.code)
        if (code.form === P.CALL && code.symbol >= 0 && code.symbol < functions.length) symbols.add(code.symbol)
    }
    return [...symbols]
  })
  // Call chains are at most as long as there are functions; a list instead of recursion, for programs with many.
  const stack: { index: number; next: number }[] = [{ index: 0, next: 0 }]
  state[0] = 1
  while (stack.length > 0) {
    const top = stack[stack.length - 1]!
    const callee = callees[top.index]![top.next++]
    if (callee === undefined) {
      let deepest = 0
      for (const each of callees[top.index]!) deepest = Math.max(deepest, total[each]!)
      total[top.index] = deepest + bytes[top.index]!
      state[top.index] = 2
      stack.pop()
    } else if (state[callee] === 1) {
      recursive = true
    } else if (state[callee] === 0) {
      state[callee] = 1
      stack.push({ index: callee, next: 0 })
    }
  }
  return recursive ? -1 : total[0]!
}
