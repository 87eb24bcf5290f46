// Phis that are the same become one. A constant that a phi gets on an edge where something else is known to be equal to it becomes
// that: `i == 0` leads out of a loop with 0 where the other ways have i, and the phi needs no register of its own then.
// Needs and leaves: any stage.

import type { Block, Func, Value } from '../ir/func.ts'
import { COMPARE, Op, attributes } from '../ir/op.ts'
import { mergeEqualPhis } from './redundant-phis.ts'

export function simplifyPhis(func: Func): void {
  mergeEqualPhis(func)
  for (const block of func.blocks) {
    if (block.predecessors.length < 2) continue
    for (const phi of block.values) {
      if (phi.op !== Op.phi) break
      const at = onlyConstant(phi)
      if (at < 0) continue
      const equal = equalOnEdge(block, at, phi.args[at]!)
      // Only where the other ways bring the same variable: else it would have to live longer.
      if (equal !== undefined && equal !== phi && isRelated(phi, equal)) phi.args[at] = equal
    }
  }
}

/** Index of the one operand that is a constant, -1 if there is none or more. */
function onlyConstant(phi: Value): number {
  let found = -1
  for (let at = 0; at < phi.args.length; at++) {
    if (phi.args[at]!.op !== Op.const) continue
    if (found >= 0) return -1
    found = at
  }
  return found
}

/** What the branch that leads to the edge says is equal to the constant. */
function equalOnEdge(block: Block, at: number, constant: Value): Value | undefined {
  let target = block
  let from = block.predecessors[at]!
  if (from.terminator.op === Op.jump && from.predecessors.length === 1) {
    target = from
    from = from.predecessors[0]!
  }
  const { terminator, successors } = from
  if (terminator.op !== Op.branch || successors[0] === successors[1]) return undefined
  const condition = terminator.args[0]!
  const { op, args } = condition
  if (successors[1] === target && (attributes[op]! & COMPARE) === 0) {
    return constant.imm === 0 && constant.type === condition.type ? condition : undefined
  }
  if (op !== (successors[0] === target ? Op.eq : Op.ne) || args[1] !== constant) return undefined
  return args[0]!
}

/** Another operand is the value, or a phi of it. */
function isRelated(phi: Value, value: Value): boolean {
  return phi.args.some((arg) => arg === value || (arg.op === Op.phi && arg.args.includes(value)))
}
