// `x + phi(y, 0)` in the phi's block is `phi(x + y, x)`: the operation runs only on the way where it does something, and nobody moves
// a 0. clang turns the latter into the former on its way to bytecode. Of -, |, ^ and shifts the same, and of & with all bits.
// Needs and leaves: any stage.

import { int32 } from '../base/arrays.ts'
import { reversePostorder } from '../ir/cfg.ts'
import { type Block, type Func, type Value, replaceValues } from '../ir/func.ts'
import { I64, Op, VOID } from '../ir/op.ts'

/** Ways in that a block has at most, and on how many of them the operation may be. */
const MOST_WAYS = 6
const MOST_COPIES = 2

/** True if it changed anything. */
export function sinkNeutral(func: Func): boolean {
  let uses: Int32Array | undefined
  let changed = false
  for (const block of func.blocks) {
    const { predecessors, values } = block
    if (predecessors.length < 2 || predecessors.length > MOST_WAYS || values[0]!.op !== Op.phi) continue
    if (!hasNeutralPhi(values) || !hasCandidate(block)) continue
    if (uses === undefined) {
      uses = usesOf(func)
      reversePostorder(func)
    }
    // Not at a loop's head: it would come to the loop's end.
    if (predecessors.some(({ order }) => order >= block.order)) continue
    for (const value of values) {
      const at = phiOperand(value, block, uses)
      if (at < 0) continue
      const phi = value.args[at]!
      const other = value.args[1 - at]!
      // What the block makes itself is not there before.
      if (other.block === block || !pays(value.op, phi)) continue
      for (let way = 0; way < predecessors.length; way++) {
        const arg = phi.args[way]!
        if (isNeutral(value.op, arg)) {
          phi.args[way] = other
          continue
        }
        const arm = predecessors[way]!.successors.length === 1 ? predecessors[way]! : splitEdge(func, block, way)
        const result = func.create(arm, value.op, value.type, at === 0 ? [arg, other] : [other, arg], 0, value.origin)
        arm.values.splice(arm.values.length - 1, 0, result)
        phi.args[way] = result
      }
      value.replacement = phi
      // A shift's amount may have another type.
      phi.type = value.type
      uses[phi.id] = uses[value.id]!
      uses[other.id]! += predecessors.length - 1
      changed = true
    }
  }
  if (changed) replaceValues(func)
  return changed
}

/** By id: of how many operands it is one. */
function usesOf(func: Func): Int32Array {
  const uses = int32(func.valueCount)
  for (const { values } of func.blocks) {
    for (let index = 0; index < values.length; index++) {
      const { args } = values[index]!
      for (let at = 0; at < args.length; at++) uses[args[at]!.id]!++
    }
  }
  return uses
}

/** It is neutral on some way, and the operation is needed on few. */
function pays(op: number, { args }: Value): boolean {
  let copies = 0
  for (const arg of args) if (!isNeutral(op, arg)) copies++
  return copies < args.length && copies <= MOST_COPIES
}

/** Which operand is a phi of the block that nothing else reads and that may be neutral there; -1 for none. */
function phiOperand({ op, args }: Value, block: Block, uses: Int32Array): number {
  const isOne = (value: Value): boolean => value.op === Op.phi && value.block === block && uses[value.id] === 1
  switch (op) {
    case Op.add:
    case Op.or:
    case Op.xor:
    case Op.and:
      return isOne(args[1]!) ? 1 : isOne(args[0]!) ? 0 : -1
    case Op.sub:
    case Op.lsl:
    case Op.lsr:
    case Op.asr:
      return isOne(args[1]!) ? 1 : -1
    default:
      return -1
  }
}

function isNeutral(op: number, { op: kind, imm, immHigh, type }: Value): boolean {
  if (kind !== Op.const) return false
  const all = op === Op.and ? -1 : 0
  return imm === all && (type !== I64 || immHigh === all)
}

/** Whether there is an operation on a phi of the block: uses are counted for those alone. */
function hasCandidate(block: Block): boolean {
  const { values } = block
  for (let index = 0; index < values.length; index++) {
    const { op, args } = values[index]!
    // From add to asr stand the operations of which phiOperand knows some.
    if (op < Op.add || op > Op.asr) continue
    for (let at = 0; at < 2; at++) {
      const phi = args[at]!
      if (phi.op === Op.phi && phi.block === block && pays(op, phi) && takesNeutral(op, at)) return true
    }
  }
  return false
}

/** Whether the operation is neutral to this operand being 0, or all bits. */
function takesNeutral(op: number, at: number): boolean {
  return at === 1 || op === Op.add || op === Op.or || op === Op.xor || op === Op.and
}

/** Whether a phi has an operand that is neutral to something. */
function hasNeutralPhi(values: readonly Value[]): boolean {
  for (let index = 0; values[index]!.op === Op.phi; index++) {
    const { args } = values[index]!
    for (let at = 0; at < args.length; at++) if (isNeutralAnywhere(args[at]!)) return true
  }
  return false
}

function isNeutralAnywhere(value: Value): boolean {
  return isNeutral(Op.add, value) || isNeutral(Op.and, value)
}

/** Puts a block on the edge from the target's predecessor `at`. */
function splitEdge(func: Func, target: Block, at: number): Block {
  const from = target.predecessors[at]!
  const edge = func.newBlock()
  func.append(edge, Op.jump, VOID, [], 0, from.terminator.origin)
  // Of two edges between the same blocks, the first is the target's first.
  const place =
    target.predecessors.indexOf(from) === at ? from.successors.indexOf(target) : from.successors.lastIndexOf(target)
  from.successors[place] = edge
  edge.predecessors.push(from)
  edge.successors.push(target)
  target.predecessors[at] = edge
  return edge
}
