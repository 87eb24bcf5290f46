// SSA again where blocks were copied: what such a block computed now has a version in each copy, and a use elsewhere gets the one that
// comes its way, through new phis where several do. Needs and leaves: any stage.

import { unreachable } from '../base/errors.ts'
import type { Block, Func, Value } from '../ir/func.ts'
import { Op } from '../ir/op.ts'

interface Use {
  readonly user: Value
  readonly at: number
  /** The value is needed at this block's end, or at its start. */
  readonly block: Block
  readonly atEnd: boolean
}

export class SsaRepair {
  readonly #func: Func
  /** Of each value of a copied block: what it is at the end of a copy. */
  readonly #versions = new Map<Value, Map<Block, Value>>()
  /** The copied blocks: few. */
  readonly #blocks: Block[] = []

  constructor(func: Func) {
    this.#func = func
  }

  /** `twins`: what the values of `block` are in `copy`, which is a copy of it, and perhaps of others. */
  add(block: Block, copy: Block, twins: ReadonlyMap<Value, Value>): void {
    if (!this.#blocks.includes(block)) this.#blocks.push(block)
    for (const value of block.values) {
      const twin = twins.get(value)
      if (twin === undefined) continue
      let versions = this.#versions.get(value)
      if (versions === undefined) this.#versions.set(value, (versions = new Map()))
      versions.set(copy, twin)
    }
  }

  /** Corrects all uses. Every block of the function must be reached and have its order in reverse postorder. */
  run(): void {
    const uses = new Map<Value, Use[]>()
    for (const block of this.#func.blocks) {
      for (const user of block.values) {
        for (let at = 0; at < user.args.length; at++) {
          const value = user.args[at]!
          if (!this.#blocks.includes(value.block) || !this.#versions.has(value)) continue
          const atEnd = user.op === Op.phi
          // Within a block, what stands above is meant; copies have their own already.
          if (!atEnd && value.block === block) continue
          const use = { user, at, block: atEnd ? block.predecessors[at]! : block, atEnd }
          const list = uses.get(value)
          if (list === undefined) uses.set(value, [use])
          else list.push(use)
        }
      }
    }
    for (const [value, list] of uses) this.#rewrite(value, list)
  }

  #rewrite(value: Value, uses: readonly Use[]): void {
    const versions = this.#versions.get(value)!
    /** By block: what the value is at its start, where somebody needs it. */
    const starts = new Map<Block, Value | undefined>()
    const ends = (block: Block): Value | undefined =>
      block === value.block ? value : (versions.get(block) ?? starts.get(block))
    const work: Block[] = []
    const need = (block: Block): void => {
      if (starts.has(block)) return
      starts.set(block, undefined)
      work.push(block)
    }
    const needEnd = (block: Block): void => {
      if (block !== value.block && !versions.has(block)) need(block)
    }
    for (const { block, atEnd } of uses) (atEnd ? needEnd : need)(block)
    for (let block = work.pop(); block !== undefined; block = work.pop()) block.predecessors.forEach(needEnd)
    const blocks = [...starts.keys()].toSorted((a, b) => a.order - b.order)
    const phis: Value[] = []
    for (const block of blocks) {
      const first = ends(block.predecessors[0]!)
      if (first !== undefined && block.predecessors.every((from) => ends(from) === first)) starts.set(block, first)
      else {
        const phi = this.#func.create(block, Op.phi, value.type, [], 0, value.origin)
        block.values.unshift(phi)
        starts.set(block, phi)
        phis.push(phi)
      }
    }
    const missing = (): never => unreachable('a use that no version reaches')
    for (const phi of phis) phi.args = phi.block.predecessors.map((from) => ends(from) ?? missing())
    for (const { user, at, block, atEnd } of uses)
      user.args[at] = (atEnd ? ends(block) : starts.get(block)) ?? missing()
  }
}
