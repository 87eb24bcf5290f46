// Loads of what is known already become that: what a store or another load of the same bytes left, where nothing on any way
// between may have changed it; and of constants in sections that nobody writes. A store of what is there already goes. What is not
// known to be the stack, the context, a section or a map's may be a device's: those accesses stay.
// Blocks in reverse postorder, each beginning with what its immediate dominator knows at its end.
// Needs: words, numbered, so that equal addresses are one value. Leaves work for fold and dead-code.

import { int32 } from '../base/arrays.ts'
import { dominators, removeUnreachable } from '../ir/cfg.ts'
import { type Block, type Func, type Value, replaceInPhis, resolve } from '../ir/func.ts'
import type { Section } from '../ir/module.ts'
import { Op, type Type } from '../ir/op.ts'
import { type Access, Effect, accessOf, callReaches, covers, effectOf, mayMeet } from './memory-access.ts'
import { Addresses, Kind, isLoad, isStore } from './regions.ts'
import { Rewriting } from './rewriting.ts'
import { extract } from './slot-parts.ts'

/** The low bytes of `value` are what the memory holds. */
interface Fact extends Access {
  readonly value: Value
  /** The load that gave it, or -1. */
  readonly op: number
}

/** Facts that are kept at a place; the oldest go. */
const MAXIMUM_FACTS = 48
/** Blocks between a block and its dominator that are looked through. */
const MAXIMUM_BETWEEN = 32

/** What changes memory in a block. */
function changesOf({ values }: Block): Value[] {
  const changes: Value[] = []
  for (let index = 0; index < values.length; index++) {
    const value = values[index]!
    if (effectOf(value) !== Effect.NONE) changes.push(value)
  }
  return changes
}

/** Whether anything changed. */
export function removeLoads(func: Func, isEntry: boolean, sections: readonly Section[]): boolean {
  if (!hasLoads(func)) return false
  const order = removeUnreachable(func)
  return new Pass(func, order, isEntry, sections).run()
}

function hasLoads(func: Func): boolean {
  for (const block of func.blocks) {
    const { values } = block
    for (let index = 0; index < values.length; index++) if (isLoad(values[index]!.op)) return true
  }
  return false
}

class Pass {
  private readonly func: Func
  private readonly order: readonly Block[]
  private readonly sections: readonly Section[]
  private readonly addresses: Addresses
  private readonly idom: Int32Array
  /** By block: what changes memory in it. */
  private readonly changes: Value[][]
  /** By block: what is known at its end. */
  private readonly ends: Fact[][] = []
  private readonly met: Int32Array
  private changed = false
  private facts: Fact[] = []
  private readonly list = new Rewriting()

  constructor(func: Func, order: readonly Block[], isEntry: boolean, sections: readonly Section[]) {
    this.func = func
    this.order = order
    this.sections = sections
    this.addresses = new Addresses(func, order, isEntry)
    this.idom = dominators(order)
    this.changes = order.map(changesOf)
    this.met = int32(order.length).fill(-1)
  }

  run(): boolean {
    for (const block of this.order) {
      this.facts = block.order === 0 ? [] : this.knownAbove(block)
      const { values } = block
      this.list.begin(values)
      for (let index = 0; index < values.length; index++) {
        const value = values[index]!
        const { args } = value
        for (let at = 0; at < args.length; at++) {
          const arg = args[at]!
          if (arg.replacement !== null) args[at] = resolve(arg)
        }
        if (this.visit(value)) this.list.keep(value)
        else this.changed = true
      }
      block.values = this.list.end()
      this.ends.push(this.facts)
    }
    if (this.changed) replaceInPhis(this.order)
    return this.changed
  }

  /** What the immediate dominator knows that no block between can have changed. */
  private knownAbove(block: Block): Fact[] {
    const above = this.idom[block.order]!
    const facts = this.ends[above]!
    if (block.predecessors.length === 1 || facts.length === 0) return facts.slice()
    // Backwards from the block to the dominator; around a loop this comes to the block itself.
    const work: Block[] = [...block.predecessors]
    const known = facts.slice()
    let count = 0
    let changes = false
    while (work.length > 0) {
      const between = work.pop()!
      if (between.order === above || this.met[between.order] === block.order) continue
      this.met[between.order] = block.order
      if (++count > MAXIMUM_BETWEEN) return []
      for (const value of this.changes[between.order]!) {
        this.forget(known, value)
        changes = true
      }
      if (known.length === 0) return known
      for (const from of between.predecessors) work.push(from)
    }
    const isLoop = this.met[block.order] === block.order
    return isLoop && !changes ? known.filter((fact) => this.isPrivate(fact)) : known
  }

  /**
   * Nobody but the program writes there. A loop that writes nothing, and yet loads what it was compiled to load each time, waits for
   * an interrupt: what others write is loaded again there.
   */
  private isPrivate(fact: Fact): boolean {
    const { kind } = this.addresses.regions[this.addresses.of(fact.root)]!
    return kind === Kind.STACK || kind === Kind.ENV || kind === Kind.MAP
  }

  /** Takes away the facts that do not hold behind a value that may change memory. */
  private forget(facts: Fact[], value: Value): void {
    const { addresses } = this
    const effect = effectOf(value)
    const access = effect === Effect.ACCESS ? accessOf(addresses, value) : undefined
    let kept = 0
    for (let at = 0; at < facts.length; at++) {
      const fact = facts[at]!
      // A byte that has the value is changed by a store of that value nowhere.
      if (value.op === Op.store8 && fact.size === 1 && fact.value === value.args[1]) {
        facts[kept++] = fact
        continue
      }
      const lost = access === undefined ? callReaches(addresses, effect, fact) : mayMeet(addresses, fact, access)
      if (!lost) facts[kept++] = fact
    }
    facts.length = kept
  }

  /** Whether the value stays. */
  private visit(value: Value): boolean {
    const { op } = value
    if (isLoad(op)) return this.load(value)
    const effect = effectOf(value)
    if (effect === Effect.NONE) return true
    if (!isStore(op)) {
      this.forget(this.facts, value)
      return true
    }
    const access = accessOf(this.addresses, value)
    const stored = value.args[1]!
    const isKnown = this.addresses.of(access.root) > 0
    if (isKnown) {
      for (const fact of this.facts) {
        if (fact.value === stored && fact.size === access.size && covers(fact, access)) return false
      }
    }
    this.forget(this.facts, value)
    if (isKnown && access.size <= 4) this.learn(access, stored, -1)
    return true
  }

  private load(value: Value): boolean {
    const access = accessOf(this.addresses, value)
    const number = this.addresses.of(access.root)
    if (number <= 0 || value.op === Op.load64) return true
    const constant = this.constantAt(number, access)
    if (constant !== undefined) {
      value.replacement = this.part(value, constant, 0)
      return false
    }
    for (let at = this.facts.length - 1; at >= 0; at--) {
      const fact = this.facts[at]!
      if (!covers(fact, access)) continue
      const offset = access.offset - fact.offset
      const same = fact.op === value.op && offset === 0
      value.replacement = same ? fact.value : this.part(value, fact.value, offset)
      return false
    }
    this.learn(access, value, value.op)
    return true
  }

  private learn({ root, offset, size }: Access, value: Value, op: number): void {
    if (this.facts.length === MAXIMUM_FACTS) this.facts.shift()
    this.facts.push({ root, offset, size, value, op })
  }

  /** What a load gives of a word of which it reads the bytes from `at` on. */
  private part(load: Value, word: Value, at: number): Value {
    const make = (op: number, type: Type, args: Value[]): Value => {
      const made = this.func.create(load.block, op, type, args, 0, load.origin)
      this.list.insert(made)
      return made
    }
    return extract(this.func, make, load.op, word, at)
  }

  /** The word of which the low bytes are at a constant place of a section that nobody writes. */
  private constantAt(number: number, { root, offset, size }: Access): Value | undefined {
    const region = this.addresses.regions[number]!
    if (region.kind !== Kind.SECTION || !this.addresses.isExact(root)) return undefined
    const section = this.sections[region.index]
    if (section === undefined || !section.isConstant) return undefined
    const from = this.addresses.from[root.id]! + offset
    if (from < 0 || from + size > section.bytes.length) return undefined
    if (section.pointers.some((at) => at < from + size && from < at + 8)) return undefined
    let word = 0
    for (let at = 0; at < size; at++) word |= section.bytes[from + at]! << (8 * at)
    return this.func.word(word)
  }
}
