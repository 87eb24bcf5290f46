// Loads that give the same in every round of a loop are done before it, with the address that they take: nothing in the loop may
// change their bytes, and they are certain to be done, or of memory that is always there. What may be a device's stays, and so does,
// in a loop that writes nothing or ends by what it loads, all that others may write: it may wait for an interrupt.
// Needs: words, numbered, loads that repeat removed. Leaves the address of what is loaded where it was, perhaps dead.

import { removeUnreachable } from '../ir/cfg.ts'
import { type Block, type Func, type Value } from '../ir/func.ts'
import { Op, PURE, VOID, attributes } from '../ir/op.ts'
import type { Section } from '../ir/module.ts'
import { type Loop, LoopForest } from './loops.ts'
import { type Access, Effect, accessOf, callReaches, effectOf, mayMeet } from './memory-access.ts'
import { Addresses, Kind, STACK_BYTES, isAtomic, isLoad } from './regions.ts'

/** Loads of one loop: each takes a register through all of it. */
const MAXIMUM = 6
/** Writes of a loop that are looked at. */
const MAXIMUM_WRITES = 64
/** Operations of an address. */
const DEEPEST = 3
/** Operations between a load and the condition that depends on it. */
const DEEPEST_CONDITION = 6

/** Whether anything changed. */
export function hoistLoads(func: Func, isEntry: boolean, sections: readonly Section[]): boolean {
  const order = removeUnreachable(func)
  if (!hasLoop(order)) return false
  const forest = new LoopForest(order)
  let addresses: Addresses | undefined
  let changed = false
  for (const loop of forest.loops) {
    if (!loop.blocks.some(({ values }) => values.some(({ op }) => isLoad(op)))) continue
    forest.enter(loop)
    const loads: Value[] = []
    for (const block of loop.blocks) for (const value of block.values) if (isInvariant(forest, value)) loads.push(value)
    if (loads.length === 0) continue
    addresses ??= new Addresses(func, order, isEntry)
    changed = new Hoist(func, forest, loop, addresses, sections).run(loads) || changed
  }
  return changed
}

/** Whether a block leads to one before it. */
function hasLoop(order: readonly Block[]): boolean {
  for (const block of order) for (const next of block.successors) if (next.order <= block.order) return true
  return false
}

/** A load from an address that is computed before the loop, or could be. */
function isInvariant(forest: LoopForest, value: Value): boolean {
  return isLoad(value.op) && value.op !== Op.load64 && isComputable(forest, value.args[0]!, DEEPEST)
}

function isComputable(forest: LoopForest, value: Value, depth: number): boolean {
  if (!forest.isInside(value)) return true
  if (depth === 0 || (attributes[value.op]! & PURE) === 0 || value.op === Op.phi) return false
  return value.args.every((arg) => isComputable(forest, arg, depth - 1))
}

/** What is deeper than that counts as dependent. */
function dependsOn(value: Value, load: Value, depth: number): boolean {
  if (value === load) return true
  if (value.op === Op.phi || (attributes[value.op]! & PURE) === 0) return false
  return depth === 0 ? value.args.length > 0 : value.args.some((arg) => dependsOn(arg, load, depth - 1))
}

class Hoist {
  private readonly func: Func
  private readonly forest: LoopForest
  private readonly loop: Loop
  private readonly addresses: Addresses
  private readonly sections: readonly Section[]
  /** Where they go, in front of its jump. */
  private target: Block | undefined

  constructor(func: Func, forest: LoopForest, loop: Loop, addresses: Addresses, sections: readonly Section[]) {
    this.func = func
    this.forest = forest
    this.loop = loop
    this.addresses = addresses
    this.sections = sections
  }

  run(loads: readonly Value[]): boolean {
    const { loop, addresses } = this
    const writes: Value[] = []
    for (const block of loop.blocks) {
      for (const value of block.values) if (effectOf(value) !== Effect.NONE) writes.push(value)
    }
    if (writes.length > MAXIMUM_WRITES) return false
    // A call or an atomic operation may end the program before the load.
    const mayEnd = writes.some((write) => effectOf(write) !== Effect.ACCESS || isAtomic(write.op))
    let count = 0
    for (const load of loads) {
      const access = accessOf(addresses, load)
      const number = addresses.of(access.root)
      if (number <= 0) continue
      const { kind } = addresses.regions[number]!
      const isPrivate = kind === Kind.STACK || kind === Kind.ENV || kind === Kind.MAP
      if (!isPrivate && (writes.length === 0 || this.decidesEnd(load))) continue
      if (!this.isThere(access, number) && (mayEnd || !this.isCertain(load.block))) continue
      if (writes.some((write) => this.changes(write, access))) continue
      this.move(load)
      if (++count === MAXIMUM) break
    }
    return count > 0
  }

  /** Memory that is there however the loop goes. */
  private isThere({ root, offset, size }: Access, number: number): boolean {
    const { kind, index } = this.addresses.regions[number]!
    if (kind === Kind.ENV || kind === Kind.MAP) return true
    if (!this.addresses.isExact(root)) return false
    const from = this.addresses.from[root.id]! + offset
    if (kind === Kind.STACK) return from >= -STACK_BYTES && from + size <= 0
    const section = kind === Kind.SECTION ? this.sections[index] : undefined
    return section !== undefined && from >= 0 && from + size <= section.bytes.length
  }

  /** Whether a condition on which the loop is left depends on the load. */
  private decidesEnd(load: Value): boolean {
    for (const block of this.loop.blocks) {
      if (this.isExit(block) && block.terminator.args.some((arg) => dependsOn(arg, load, DEEPEST_CONDITION)))
        return true
    }
    return false
  }

  private isExit({ successors }: Block): boolean {
    return successors.length === 0 || successors.some((next) => !this.loop.blocks.includes(next))
  }

  /** Every way through the loop, the first time too, comes by the block. */
  private isCertain(block: Block): boolean {
    const { loop, forest } = this
    if (block === loop.header) return true
    for (const each of loop.blocks) {
      if (this.isExit(each) && !forest.dominates(block, each)) return false
    }
    return forest.dominates(block, loop.latch)
  }

  private changes(write: Value, access: Access): boolean {
    const effect = effectOf(write)
    if (effect !== Effect.ACCESS) return callReaches(this.addresses, effect, access)
    return mayMeet(this.addresses, access, accessOf(this.addresses, write))
  }

  /** Moves a value, and what it is computed from, in front of the loop. */
  private move(value: Value): void {
    if (!this.forest.isInside(value)) return
    for (const arg of value.args) this.move(arg)
    const { values } = value.block
    values.splice(values.indexOf(value), 1)
    this.target ??= this.landing()
    value.block = this.target
    this.target.values.splice(this.target.values.length - 1, 0, value)
  }

  /** The block before the loop that leads nowhere else; made, if there is none. */
  private landing(): Block {
    const { before, header } = this.loop
    if (before.successors.length === 1) return before
    const block = this.func.newBlock()
    this.func.append(block, Op.jump, VOID, [], 0, before.terminator.origin)
    // For the loops around this one it stands where the block before it does.
    block.order = before.order
    before.successors[before.successors.indexOf(header)] = block
    header.predecessors[header.predecessors.indexOf(before)] = block
    block.predecessors.push(before)
    block.successors.push(header)
    return block
  }
}
