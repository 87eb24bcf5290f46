// The function with the places that its values got: operands become real registers, and moves are put where a value
// changes its place (at cuts, along edges), at fixed operands, and for PARALLEL_MOVEs. A value is stored only where memory
// doesn't hold it already: at each move to memory, or once behind its definitions if that is cheaper.

import { int32, uint8 } from '../base/arrays.ts'
import { unreachable } from '../base/errors.ts'
import { F } from '../thumb/forms.ts'
import { ALLOCATABLE, CALLEE_SAVED, LR } from '../thumb/registers.ts'
import { type Code, type CodeBlock, type CodeFunction, FIRST_VIRTUAL, P, isMove } from './code.ts'
import type { Liveness } from './liveness.ts'
import { FIRST_SLOT, type Location, MoveResolver, NOWHERE, madeBy } from './moves.ts'
import { Field, Role, fixedRegister, isBranch, isPair, operandIndex } from './operands.ts'
import type { Assignment } from './regalloc-assign.ts'
import type { Bundles } from './regalloc-bundles.ts'
import { dropUnused, expectedRuns, moveToMemory } from './regalloc-residence.ts'

/** When moves happen at a number: before its Code, on the edge behind it (before a branch), after its Code. */
const BEFORE = 0
const EDGE = 1
const AFTER = 2

/** Rewrites `fn` by `assignment`; sets `spillWords` and `written`. */
export function rewrite(fn: CodeFunction, assignment: Assignment): void {
  new Rewriter(fn, assignment).run()
}

class Rewriter {
  readonly #fn: CodeFunction
  readonly #assignment: Assignment
  readonly #live: Liveness
  readonly #bundles: Bundles
  /** Per range. */
  readonly #location: Int32Array
  #spillWords = 0
  /** Moves, linked by number. */
  readonly #moveHead: Int32Array
  readonly #moveNext: number[] = []
  readonly #moveFrom: number[] = []
  readonly #moveTo: number[] = []
  readonly #movePhase: number[] = []
  /** Per Code that moves (PARALLEL_MOVE, MOV): its first pair. */
  readonly #pairBase: Int32Array
  readonly #pairFrom: Int32Array
  readonly #pairTo: Int32Array
  readonly #deleted: Uint8Array
  /** Per block with one successor: number where moves of its edge stand, -1 for others. */
  readonly #exit: Int32Array

  constructor(fn: CodeFunction, assignment: Assignment) {
    this.#fn = fn
    this.#assignment = assignment
    const live = (this.#live = assignment.live)
    this.#bundles = assignment.bundles
    const { line, ranges } = live
    this.#location = int32(ranges.count)
    this.#moveHead = int32(line.count).fill(-1)
    this.#deleted = uint8(line.count)
    this.#pairBase = int32(line.count)
    let pairs = 0
    for (let at = 0; at < live.moves.length; at++) {
      const n = live.moves[at]!
      const code = line.codes[n]!
      this.#pairBase[n] = pairs
      pairs += code.form === P.PARALLEL_MOVE ? code.uses.length : 1
    }
    this.#pairFrom = int32(pairs).fill(NOWHERE)
    this.#pairTo = int32(pairs).fill(NOWHERE)
    this.#exit = int32(fn.blocks.length).fill(-1)
    for (const block of fn.blocks) this.#exit[block.index] = this.#exitOf(block)
  }

  run(): void {
    const { split } = this.#assignment
    this.#locate()
    this.#rematUses()
    this.#realPairs()
    for (let v = FIRST_VIRTUAL; v < this.#fn.nextVirtual; v++) {
      if (this.#live.firstRange[v]! < 0) continue
      if (split[v] === 1) this.#transitions(v)
      this.#operands(v)
    }
    this.#emit()
  }

  /** Number where moves on the only edge out of a block stand. */
  #exitOf(block: CodeBlock): number {
    const { successors, code } = block
    if (successors.length === 0) return -1
    for (const s of successors) if (s !== successors[0]) return -1
    const footer = this.#live.line.footer[block.index]!
    let at = code.length
    while (at > 0 && isBranch(code[at - 1]!)) at--
    const branch = code[at]
    if (branch === undefined) return footer
    // Behind a branch that reads a register there is no place that both ways pass.
    return branch.form === F.B ? footer - (code.length - at) : -1
  }

  /** Locations of all ranges; spill slots for those in memory. */
  #locate(): void {
    const { ranges, remat, refInfo, firstRange } = this.#live
    const { split } = this.#assignment
    const bundles = this.#bundles
    const inMemory: number[] = []
    const setNeeds = uint8(bundles.count)
    for (let r = 0; r < ranges.count; r++) {
      const v = ranges.register[r]!
      const bundle = ranges.bundle[r]!
      let register = bundles.register[bundle]!
      const maker = remat[v]!
      if (maker >= 0) {
        // Only made here and never used from here: not made at all.
        const from = ranges.refFrom[r]!
        const alone = split[v] === 1 || (firstRange[v] === r && ranges.next[r] === -1)
        if (alone && ranges.refTo[r] === from + 1 && (refInfo[from]! & Role.DEF) !== 0) register = -1
        this.#location[r] = register >= 0 ? register : madeBy(maker)
      } else if (register >= 0) {
        this.#location[r] = register
      } else {
        inMemory.push(r)
        setNeeds[bundles.set[bundle]!] = 1
      }
    }
    if (inMemory.length === 0) return
    const slotOf = this.#slots(setNeeds)
    for (const r of inMemory) this.#location[r] = FIRST_SLOT + slotOf[bundles.set[ranges.bundle[r]!]!]!
  }

  /** A slot for each set that needs one. A slot is taken from the set's first position to its last. */
  #slots(needs: Uint8Array): Int32Array {
    const { ranges } = this.#live
    const bundles = this.#bundles
    const from = int32(bundles.count).fill(0x7fffffff)
    const to = int32(bundles.count)
    for (let r = 0; r < ranges.count; r++) {
      const set = bundles.set[ranges.bundle[r]!]!
      if (ranges.from[r]! < from[set]!) from[set] = ranges.from[r]!
      if (ranges.to[r]! > to[set]!) to[set] = ranges.to[r]!
    }
    const starts: number[] = []
    for (let set = 0; set < bundles.count; set++) if (needs[set] === 1) starts.push(set)
    const ends = starts.slice()
    starts.sort((a, b) => from[a]! - from[b]! || a - b)
    ends.sort((a, b) => to[a]! - to[b]! || a - b)
    const slotOf = int32(bundles.count)
    const free: number[] = []
    let e = 0
    for (const set of starts) {
      while (to[ends[e]!]! <= from[set]!) free.push(slotOf[ends[e++]!]!)
      slotOf[set] = free.pop() ?? this.#spillWords++
    }
    return slotOf
  }

  #move(number: number, phase: number, from: Location, to: Location): void {
    if (from === to || to < NOWHERE) return
    this.#moveNext.push(this.#moveHead[number]!)
    this.#moveHead[number] = this.#moveFrom.length
    this.#moveFrom.push(from)
    this.#moveTo.push(to)
    this.#movePhase.push(phase)
  }

  /** Copies and fixed uses of what can be made again. */
  #rematUses(): void {
    const { rematUses, remat } = this.#live
    for (let i = 0; i < rematUses.length; i += 3) {
      const number = rematUses[i]!
      const info = rematUses[i + 1]!
      const made = madeBy(remat[rematUses[i + 2]!]!)
      if ((info & Role.FIXED) !== 0) this.#move(number, BEFORE, made, fixedRegister(info))
      else if ((info & Role.PAIR) !== 0) this.#pairFrom[this.#pair(number, info)] = made
      else unreachable('copy of a constant to a real register')
    }
  }

  #pair(number: number, info: number): number {
    const base = this.#pairBase[number]!
    return this.#live.line.codes[number]!.form === P.PARALLEL_MOVE ? base + operandIndex(info) : base
  }

  /** Real registers that stand in PARALLEL_MOVEs. */
  #realPairs(): void {
    const { line, moves } = this.#live
    for (let at = 0; at < moves.length; at++) {
      const n = moves[at]!
      const code = line.codes[n]!
      if (code.form !== P.PARALLEL_MOVE) continue
      const base = this.#pairBase[n]!
      for (let i = 0; i < code.uses.length; i++) {
        if (code.uses[i]! < FIRST_VIRTUAL) this.#pairFrom[base + i] = code.uses[i]!
        if (code.defs[i]! < FIRST_VIRTUAL) this.#pairTo[base + i] = code.defs[i]!
      }
    }
  }

  /** Writes the locations of v's ranges into the operands of their Codes. */
  #operands(v: number): void {
    const { ranges, firstRange, refCode, refInfo, line } = this.#live
    for (let r = firstRange[v]!; r >= 0; r = ranges.next[r]!) {
      const location = this.#location[r]!
      const stop = ranges.refTo[r]!
      for (let ref = ranges.refFrom[r]!; ref < stop; ref++) {
        const info = refInfo[ref]!
        const number = refCode[ref]!
        if ((info & Role.FIXED) !== 0) {
          if ((info & Role.USE) !== 0) this.#move(number, BEFORE, location, fixedRegister(info))
          else this.#move(number, AFTER, fixedRegister(info), location)
        } else if ((info & Role.PAIR) !== 0) {
          const pair = this.#pair(number, info)
          if ((info & Role.USE) !== 0) this.#pairFrom[pair] = location
          else this.#pairTo[pair] = location
        } else if (location < NOWHERE) {
          this.#deleted[number] = 1
        } else {
          if (location >= FIRST_SLOT) unreachable('operand in memory')
          const code = line.codes[number]!
          switch (operandIndex(info)) {
            case Field.D:
              code.d = location
              break
            case Field.N:
              code.n = location
              break
            case Field.M:
              code.m = location
              break
            default:
              code.a = location
          }
        }
      }
    }
  }

  // Moves between the ranges of one register.

  #list: number[] = []
  #edgeFrom: number[] = []
  #edgeTo: number[] = []
  #edgeNumber: number[] = []
  #edgePhase: number[] = []
  /** Block that the moves run with, -1 where there is no place for them. */
  #edgeBlock: number[] = []
  #edgeRuns: number[] = []
  /** By block, once somebody asks. */
  #runs: Float64Array | undefined

  #transitions(v: number): void {
    const { ranges, firstRange, line } = this.#live
    const list = this.#list
    list.length = 0
    let memory = false
    for (let r = firstRange[v]!; r >= 0; r = ranges.next[r]!) {
      list.push(r)
      if (this.#location[r]! >= FIRST_SLOT) memory = true
    }
    this.#edgeFrom.length = 0
    this.#edgeTo.length = 0
    this.#edgeNumber.length = 0
    this.#edgePhase.length = 0
    this.#edgeBlock.length = 0
    this.#edgeRuns.length = 0
    for (let i = 0; i < list.length; i++) {
      const r = list[i]!
      const from = ranges.from[r]!
      const number = Math.trunc(from / 3)
      let block = line.blockOf[number]!
      if (from === 3 * line.first[block]!) {
        this.#edgesInto(block, r)
      } else if (i > 0 && ranges.to[list[i - 1]!] === from) {
        if (from % 3 === 1) this.#transition(list[i - 1]!, r, number, BEFORE, block)
        else this.#transition(list[i - 1]!, r, number - 1, AFTER, block)
      }
      for (block++; block < line.first.length && 3 * line.first[block]! < ranges.to[r]!; block++)
        this.#edgesInto(block, r)
    }
    const maker = this.#live.remat[v]!
    const ways = { from: this.#edgeFrom, to: this.#edgeTo, runs: this.#edgeRuns }
    if (maker >= 0) dropUnused(this.#live, list, ways, this.#location, madeBy(maker))
    if (memory) {
      this.#runs ??= expectedRuns(this.#fn)
      for (let i = 0; i < this.#edgeBlock.length; i++)
        this.#edgeRuns.push(this.#edgeBlock[i]! < 0 ? 0 : this.#runs[this.#edgeBlock[i]!]!)
      const inMemory = list.find((r) => this.#location[r]! >= FIRST_SLOT)!
      moveToMemory(this.#live, this.#runs, list, ways, this.#location, this.#location[inMemory]!)
      this.#store()
    }
    for (let i = 0; i < this.#edgeFrom.length; i++) {
      const from = this.#edgeFrom[i]!
      if (from < 0) continue
      this.#move(this.#edgeNumber[i]!, this.#edgePhase[i]!, this.#location[from]!, this.#location[this.#edgeTo[i]!]!)
    }
  }

  #transition(from: number, to: number, number: number, phase: number, block: number): void {
    if (from === to) return
    this.#edgeFrom.push(from)
    this.#edgeTo.push(to)
    this.#edgeNumber.push(number)
    this.#edgePhase.push(phase)
    this.#edgeBlock.push(block)
  }

  #edgesInto(block: number, range: number): void {
    const { predecessors } = this.#fn.blocks[block]!
    const { line } = this.#live
    for (let i = 0; i < predecessors.length; i++) {
      const p = predecessors[i]!
      const source = this.#rangeAt(3 * line.footer[p]! + 2)
      if (source < 0 || source === range) continue
      // Where nothing moves, what is known of memory goes along.
      const same = this.#location[source] === this.#location[range] && this.#location[source]! < FIRST_SLOT
      if (this.#fn.blocks[p]!.successors.length > 1 && predecessors.indexOf(p) !== i) continue
      const exit = this.#exit[p]!
      if (exit >= 0) this.#transition(source, range, exit, EDGE, p)
      else if (predecessors.every((other) => other === p))
        this.#transition(source, range, line.first[block]! - 1, AFTER, block)
      else if (same) this.#transition(source, range, 0, EDGE, -1)
      else unreachable('critical edge')
    }
  }

  /** Range in #list that holds `position`, -1 if none does. */
  #rangeAt(position: number): number {
    const { ranges } = this.#live
    const list = this.#list
    let low = 0
    let high = list.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (ranges.to[list[middle]!]! <= position) low = middle + 1
      else high = middle
    }
    if (low === list.length) return -1
    const r = list[low]!
    return ranges.from[r]! <= position ? r : -1
  }

  /** Drops the stores of what memory holds already; stores behind the definitions instead where that is cheaper. */
  #store(): void {
    const { ranges, refCode, refInfo, line } = this.#live
    const location = this.#location
    const list = this.#list
    const edges = this.#edgeFrom.length
    // A range in a register is dirty when memory may not hold its value.
    const dirty = new Set<number>()
    let definitionCost = 0
    for (const r of list) {
      if (location[r]! >= FIRST_SLOT) continue
      for (let ref = ranges.refFrom[r]!; ref < ranges.refTo[r]!; ref++) {
        if ((refInfo[ref]! & Role.DEF) === 0) continue
        dirty.add(r)
        definitionCost += line.frequency[line.blockOf[refCode[ref]!]!]!
      }
    }
    for (let changed = true; changed;) {
      changed = false
      for (let i = 0; i < edges; i++) {
        const to = this.#edgeTo[i]!
        if (location[to]! >= FIRST_SLOT || dirty.has(to) || !dirty.has(this.#edgeFrom[i]!)) continue
        dirty.add(to)
        changed = true
      }
    }
    let storeCost = 0
    for (let i = 0; i < edges; i++) {
      if (location[this.#edgeTo[i]!]! < FIRST_SLOT || location[this.#edgeFrom[i]!]! >= FIRST_SLOT) continue
      if (dirty.has(this.#edgeFrom[i]!)) storeCost += line.frequency[line.blockOf[Math.max(1, this.#edgeNumber[i]!)]!]!
      else this.#edgeFrom[i] = -1
    }
    if (storeCost <= definitionCost) return
    let slot = NOWHERE
    for (let i = 0; i < edges; i++) {
      const to = location[this.#edgeTo[i]!]!
      const from = this.#edgeFrom[i]!
      if (to < FIRST_SLOT || from < 0 || location[from]! >= FIRST_SLOT) continue
      slot = to
      this.#edgeFrom[i] = -1
    }
    for (const r of list) {
      if (location[r]! >= FIRST_SLOT) continue
      for (let ref = ranges.refFrom[r]!; ref < ranges.refTo[r]!; ref++) {
        const info = refInfo[ref]!
        if ((info & Role.DEF) === 0) continue
        this.#move(refCode[ref]!, AFTER, (info & Role.FIXED) !== 0 ? fixedRegister(info) : location[r]!, slot)
      }
    }
  }

  // Output.

  #resolver!: MoveResolver
  /** Registers that moves may use in passing. */
  #passing = 0

  #emit(): void {
    const fn = this.#fn
    const { line, pins } = this.#live
    const bundles = this.#bundles
    let written = 0
    for (let id = 0; id < bundles.count; id++) {
      if (bundles.length[id]! > 0 && bundles.register[id]! >= 0) written |= 1 << bundles.register[id]!
    }
    for (let i = 0; i < pins.length; i += 3) written |= 1 << pins[i]!
    this.#passing = ALLOCATABLE & (this.#assignment.used | (0xffff & ~CALLEE_SAVED & ~(1 << LR)))
    const resolver = (this.#resolver = new MoveResolver(this.#spillWords, line.codes))
    for (const block of fn.blocks) this.#emitBlock(block)
    fn.written = written | resolver.written
    fn.spillWords = resolver.spillWords
  }

  #emitBlock(block: CodeBlock): void {
    const { index } = block
    const { line } = this.#live
    const { taken } = this.#assignment
    const resolver = this.#resolver
    const out: Code[] = []
    const first = line.first[index]!
    const footer = line.footer[index]!
    const exit = this.#exit[index]!
    /** What is wanted on the only edge out. */
    const leaving = exit >= 0 ? taken.at(3 * line.first[block.successors[0]!]!) : 0
    let origin = -1
    if (block.predecessors.length > 0) this.#gather(first - 1, AFTER)
    for (let n = first; n < footer; n++) {
      const code = line.codes[n]!
      const moves = this.#moveHead[n]! >= 0
      if (moves) this.#gather(n, BEFORE)
      origin = code.origin
      if (code.form === P.PARALLEL_MOVE || (code.form === F.MOV_r && isPair(code))) {
        const base = this.#pairBase[n]!
        const count = code.form === P.PARALLEL_MOVE ? code.uses.length : 1
        for (let i = 0; i < count; i++) resolver.add(this.#pairFrom[base + i]!, this.#pairTo[base + i]!)
        resolver.settle()
      } else if (this.#deleted[n] === 0) {
        if (n === exit) this.#gather(n, EDGE)
        if (!resolver.isEmpty) resolver.resolve(out, n === exit ? leaving : taken.at(3 * n + 1), this.#passing, origin)
        // A move between real registers that are the same by now.
        if (code.form !== F.MOV_r || code.d !== code.m || !isMove(code)) out.push(code)
      }
      if (moves) this.#gather(n, AFTER)
    }
    if (exit === footer) this.#gather(footer, EDGE)
    if (!resolver.isEmpty) resolver.resolve(out, exit >= 0 ? leaving : taken.at(3 * footer + 2), this.#passing, origin)
    block.code = out
  }

  /** Hands the moves of a number and phase to the resolver. */
  #gather(number: number, phase: number): void {
    for (let i = this.#moveHead[number]!; i >= 0; i = this.#moveNext[i]!) {
      if (this.#movePhase[i] === phase) this.#resolver.add(this.#moveFrom[i]!, this.#moveTo[i]!)
    }
    this.#resolver.settle()
  }
}
