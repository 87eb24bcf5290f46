// Natural loops with one way in and one way back, and their induction variables, in words: what passes on loops work from.

import { int32 } from '../base/arrays.ts'
import { dominators, findLoops } from '../ir/cfg.ts'
import type { Block, Value } from '../ir/func.ts'
import { I32, Op } from '../ir/op.ts'

export interface Loop {
  readonly header: Block
  /** The only block that leads back to the header. */
  readonly latch: Block
  /** The only block outside that leads to the header; what is put at its end is computed before the loop. */
  readonly before: Block
  /** Its blocks, in reverse postorder. */
  readonly blocks: readonly Block[]
}

/** A phi of the header that a word is added to on the way back. */
export interface Induction {
  readonly phi: Value
  readonly start: Value
  readonly next: Value
  /** Constant or from before the loop. */
  readonly step: Value
}

/** The loops of a function, their members, and dominance. Holds as long as no block is added or removed. */
export class LoopForest {
  /** Inner ones before those around them. */
  readonly loops: readonly Loop[]
  readonly #idom: Int32Array
  /** By order of a block: the loop (its index) that last claimed it. */
  readonly #owner: Int32Array

  constructor(order: readonly Block[]) {
    this.#idom = dominators(order)
    this.#owner = int32(order.length).fill(-1)
    findLoops(order, this.#idom)
    const loops: Loop[] = []
    for (let at = order.length - 1; at >= 0; at--) {
      const header = order[at]!
      if (header.loopDepth === 0 || header.predecessors.length !== 2) continue
      const [one, other] = header.predecessors as [Block, Block]
      const latch = one.order >= at ? one : other
      const before = latch === one ? other : one
      if (before.order >= at || latch.order < at || !this.dominates(header, latch)) continue
      loops.push({ header, latch, before, blocks: this.#body(header, latch, order) })
    }
    this.loops = loops
  }

  dominates(above: Block, below: Block): boolean {
    let at = below.order
    while (at > above.order) at = this.#idom[at]!
    return at === above.order
  }

  /** The block that all ways to this one lead through, closest to it. */
  dominator(block: Block, order: readonly Block[]): Block {
    return order[this.#idom[block.order]!]!
  }

  /** Makes `isInside` answer for this loop. */
  enter(loop: Loop): void {
    for (const block of loop.blocks) this.#owner[block.order] = loop.header.order
    this.#current = loop.header.order
  }
  #current = -1

  /** Whether the loop that was entered last computes the value. */
  isInside(value: Value): boolean {
    return value.op !== Op.const && this.#owner[value.block.order] === this.#current
  }

  #body(header: Block, latch: Block, order: readonly Block[]): Block[] {
    const owner = this.#owner
    const mark = -2 - header.order
    owner[header.order] = mark
    const work: Block[] = []
    const add = (block: Block): void => {
      if (block.order < 0 || owner[block.order] === mark) return
      owner[block.order] = mark
      work.push(block)
    }
    add(latch)
    let last = header.order
    for (let block = work.pop(); block !== undefined; block = work.pop()) {
      last = Math.max(last, block.order)
      block.predecessors.forEach(add)
    }
    const blocks: Block[] = []
    for (let at = header.order; at <= last; at++) if (owner[at] === mark) blocks.push(order[at]!)
    return blocks
  }
}

/** The operand of a phi of the header for the way into the loop, or for the way back. */
export function incoming(loop: Loop, phi: Value, back: boolean): Value {
  return phi.args[(loop.header.predecessors[0] === loop.latch) === back ? 0 : 1]!
}

/** What the phi is an induction variable of the loop by, if it is one. The forest must have entered the loop. */
export function inductionOf(forest: LoopForest, loop: Loop, phi: Value): Induction | undefined {
  if (phi.type !== I32) return undefined
  const next = incoming(loop, phi, true)
  const sum = lowSum(next)
  if (sum === undefined || sum[0] !== phi || forest.isInside(sum[1])) return undefined
  return { phi, start: incoming(loop, phi, false), next, step: sum[1] }
}

/** The two words that this word is the sum of. */
export function lowSum(value: Value): readonly [Value, Value] | undefined {
  if (value.op === Op.add) return value.args as [Value, Value]
  if (value.op !== Op.word || value.imm !== 0) return undefined
  const pair = value.args[0]!
  return pair.op === Op.add2 ? [pair.args[0]!, pair.args[2]!] : undefined
}
