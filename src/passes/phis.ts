// Phis that are the same become one. A constant that a phi gets on an edge where something else is known to be equal to it becomes
// that: `i == 0` leads out of a loop with 0 where the other ways have i, and the phi needs no register of its own then.
// Needs and leaves: any stage.

import { type Block, type Func, type Value, replaceValues } from '../ir/func.ts'
import { COMPARE, Op, attributes } from '../ir/op.ts'

/** How many phis before it a phi is compared with. */
const WINDOW = 16

export function simplifyPhis(func: Func): void {
  let replaced = false
  for (const block of func.blocks) {
    if (block.predecessors.length < 2) continue
    replaced = mergeEqual(block) || replaced
    for (const phi of block.values) {
      if (phi.op !== Op.phi) break
      if (phi.replacement !== null) continue
      const at = onlyConstant(phi)
      if (at < 0) continue
      const equal = equalOnEdge(block, at, phi.args[at]!)
      // Only where the other ways bring the same variable: else it would have to live longer.
      if (equal !== undefined && equal !== phi && isRelated(phi, equal)) phi.args[at] = equal
    }
  }
  if (replaced) replaceValues(func)
}

/** Phis with the operands of one before are that. True if there are any. */
function mergeEqual({ values }: Block): boolean {
  let found = false
  for (let at = 1; at < values.length && values[at]!.op === Op.phi; at++) {
    const phi = values[at]!
    for (let other = at - 1; other >= 0 && other >= at - WINDOW; other--) {
      const before = values[other]!
      if (before.replacement !== null || before.type !== phi.type || before.args[0] !== phi.args[0]) continue
      if (!phi.args.every((arg, index) => arg === before.args[index])) continue
      phi.replacement = before
      found = true
      break
    }
  }
  return found
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
