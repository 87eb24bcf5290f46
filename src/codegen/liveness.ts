// Where every virtual register is live. Needs non-SSA code over virtual registers with predecessors and successors set;
// leaves it as it is. For each register its references in order, and the ranges of positions where its value is needed.
// Blocks where a register is live are found by walking up from its uses (Boissinot et al., "by variable"), so that time
// and memory go with the ranges and not with blocks times registers.

import { int32, uint8 } from '../base/arrays.ts'
import { F } from '../thumb/forms.ts'
import { LR } from '../thumb/registers.ts'
import { type CodeFunction, FIRST_VIRTUAL, P } from './code.ts'
import { narrowOperands } from './narrow-operands.ts'
import {
  OperandBuffer,
  Role,
  appendOperands,
  fixedRegister,
  isPair,
  isRematerialisable,
  operandIndex,
} from './operands.ts'
import { Line, Ranges, widen } from './ranges.ts'

const DEPTH_LIMIT = 8
/** How often a loop is guessed to run, and what its references count for where bytes are to be saved. */
const LOOP_WEIGHT = 10
const SMALL_WEIGHT = 1.6
/** How often a block that ends in a trap is expected to run. */
const COLD = 0.01

/** What liveness finds. */
export class Liveness {
  readonly line: Line
  readonly ranges: Ranges
  /** First range of each virtual register, -1 for none. */
  readonly firstRange: Int32Array
  /** References of register v are [refStart[v], refStart[v + 1]), in the order in which they happen. */
  readonly refStart: Int32Array
  /** Number of the Code, and what the OperandBuffer says of the operand. */
  readonly refCode: Int32Array
  readonly refInfo: Int32Array
  /** Number of the Code that alone defines a register and can be done again anywhere, -1 if there is none. */
  readonly remat: Int32Array
  /** Uses of such registers by copies and fixed operands, which are no references: Code, info, register. */
  readonly rematUses: readonly number[]
  /** Real registers that Codes need by name: register, from, to. */
  readonly pins: readonly number[]
  /** Numbers of the Codes whose operands are pairs: PARALLEL_MOVEs and moves between virtual registers. */
  readonly moves: readonly number[]
  /** Has a call that comes back: LR is lost. A call of the trap path doesn't. */
  readonly losesLink: boolean
  constructor(
    line: Line,
    ranges: Ranges,
    firstRange: Int32Array,
    refs: { start: Int32Array; code: Int32Array; info: Int32Array },
    remat: Int32Array,
    rematUses: readonly number[],
    flat: { readonly pins: readonly number[]; readonly moves: readonly number[]; readonly losesLink: boolean },
  ) {
    this.line = line
    this.ranges = ranges
    this.firstRange = firstRange
    this.refStart = refs.start
    this.refCode = refs.code
    this.refInfo = refs.info
    this.remat = remat
    this.rematUses = rematUses
    this.pins = flat.pins
    this.moves = flat.moves
    this.losesLink = flat.losesLink
  }
}

/** Live ranges and references of `fn`. `small`: a loop's references hardly count for more than others, as bytes are to be saved. */
export function liveness(fn: CodeFunction, small = false): Liveness {
  const line = layLine(fn, small ? SMALL_WEIGHT : LOOP_WEIGHT)
  const flat = collect(fn, line, small)
  const rematUses: number[] = []
  const refs = sortByRegister(fn.nextVirtual, flat, rematUses)
  const builder = new RangeBuilder(fn, line, refs)
  for (let v = FIRST_VIRTUAL; v < fn.nextVirtual; v++) builder.build(v)
  return new Liveness(line, builder.ranges, builder.firstRange, refs, flat.remat, rematUses, flat)
}

function layLine(fn: CodeFunction, weight: number): Line {
  const { blocks } = fn
  let count = 1
  for (const block of blocks) count += block.code.length + 1
  const line = new Line(count, blocks.length)
  let number = 1
  for (let b = 0; b < blocks.length; b++) {
    const { code, loopDepth } = blocks[b]!
    line.first[b] = number
    for (let i = 0; i < code.length; i++) {
      line.blockOf[number++] = b
      line.codes.push(code[i])
    }
    line.blockOf[number] = b
    line.codes.push(undefined)
    line.footer[b] = number++
    const trap = code.length > 0 && code[code.length - 1]!.form === P.UNREACHABLE
    line.frequency[b] = weight ** Math.min(loopDepth, DEPTH_LIMIT) * (trap ? COLD : 1)
  }
  return line
}

interface Flat {
  count: number
  register: Int32Array
  code: Int32Array
  info: Int32Array
  remat: Int32Array
  pins: number[]
  moves: number[]
  losesLink: boolean
}

/** Every reference to a virtual register in the line's order, and what is pinned to real registers. */
function collect(fn: CodeFunction, line: Line, small: boolean): Flat {
  const refs = new OperandBuffer(line.count * 4)
  let codeOf = int32(refs.register.length)
  let count = 0
  const pins: number[] = []
  const moves: number[] = []
  let losesLink = false
  const remat = int32(fn.nextVirtual).fill(-1)
  /** Position up to which each real register is written by name in this block. */
  const written = new Int32Array(16)
  const defined = uint8(fn.nextVirtual)
  for (let number = 1; number < line.count; number++) {
    const code = line.codes[number]
    if (code === undefined) {
      for (let r = 0; r < 16; r++) written[r] = 3 * number + 3
      continue
    }
    appendOperands(code, refs)
    const narrow = small ? narrowOperands(code) : 0
    const { register, info } = refs
    if (codeOf.length < register.length) codeOf = widen(codeOf) as Int32Array<ArrayBuffer>
    // What refers to virtual registers stays, the rest goes.
    const end = refs.count
    for (let i = count; i < end; i++) {
      const r = register[i]!
      let role = info[i]!
      if ((role & (Role.FIXED | Role.PAIR)) === 0 && ((narrow >> operandIndex(role)) & 1) !== 0) role |= Role.SHORT
      if (r < FIRST_VIRTUAL) {
        pinReal(r, role, number, written, pins)
        continue
      }
      if ((role & Role.DEF) !== 0) {
        if (defined[r] === 0 && isRematerialisable(code)) remat[r] = number
        else remat[r] = -1
        defined[r] = 1
      }
      register[count] = r
      codeOf[count] = number
      info[count++] = role
      if ((role & Role.FIXED) !== 0) {
        const at = 3 * number + ((role & Role.USE) !== 0 ? 1 : 2)
        pins.push(fixedRegister(role), at, at + 1)
      }
    }
    refs.count = count
    const { form } = code
    if (form === P.PARALLEL_MOVE || (form === F.MOV_r && isPair(code))) moves.push(number)
    else if (form >= P.CALL) {
      const { clobbers } = code
      if (((clobbers >> LR) & 1) !== 0 || (form === P.CALL && code.fixedDefs.length > 0)) losesLink = true
      for (let rest = clobbers; rest !== 0; rest &= rest - 1)
        pins.push(31 - Math.clz32(rest & -rest), 3 * number + 2, 3 * number + 3)
    }
  }
  return { count, register: refs.register, code: codeOf, info: refs.info, remat, pins, moves, losesLink }
}

/** A real register in a field is held from where its block last wrote it (or from the block's start) to its use. */
function pinReal(register: number, role: number, number: number, written: Int32Array, pins: number[]): void {
  if ((role & Role.USE) !== 0) {
    const from = Math.max(3, written[register]!)
    const to = 3 * number + 2
    if (from < to) pins.push(register, from, to)
    written[register] = to
  }
  if ((role & Role.DEF) !== 0) {
    pins.push(register, 3 * number + 2, 3 * number + 3)
    written[register] = 3 * number + 3
  }
}

interface Refs {
  start: Int32Array
  code: Int32Array
  info: Int32Array
}

function sortByRegister(registers: number, flat: Flat, rematUses: number[]): Refs {
  const { count, register, remat } = flat
  const start = int32(registers + 1)
  const copied = Role.PAIR | Role.FIXED
  for (let i = 0; i < count; i++) {
    const r = register[i]!
    const info = flat.info[i]!
    if (remat[r]! >= 0 && (info & Role.USE) !== 0 && (info & copied) !== 0) {
      rematUses.push(flat.code[i]!, info, r)
      register[i] = 0
      continue
    }
    start[r + 1] = start[r + 1]! + 1
  }
  for (let r = 0; r < registers; r++) start[r + 1] = start[r + 1]! + start[r]!
  const fill = start.slice(0, registers)
  const code = int32(start[registers]!)
  const info = int32(start[registers]!)
  for (let i = 0; i < count; i++) {
    const r = register[i]!
    if (r === 0) continue
    const at = fill[r]!
    fill[r] = at + 1
    code[at] = flat.code[i]!
    info[at] = flat.info[i]!
  }
  return { start, code, info }
}

/** Position at which a reference takes part first. */
export function refPosition(code: number, info: number): number {
  if ((info & Role.USE) !== 0) return (info & Role.FIXED) !== 0 ? 3 * code : 3 * code + 1
  if ((info & Role.FIXED) !== 0) return 3 * code + 3
  return (info & Role.EARLY) !== 0 ? 3 * code + 1 : 3 * code + 2
}

/** Bits of `mark`: live at the block's start, at its end. */
const IN = 1
const OUT = 2

/** So few numbers are sorted here sooner than by a call. */
const FEW = 32

/** Sorts the first `count` numbers. */
function sortFirst(numbers: Int32Array, count: number): void {
  if (count > FEW) {
    numbers.subarray(0, count).sort()
    return
  }
  for (let at = 1; at < count; at++) {
    const number = numbers[at]!
    let to = at
    for (; to > 0 && numbers[to - 1]! > number; to--) numbers[to] = numbers[to - 1]!
    numbers[to] = number
  }
}

class RangeBuilder {
  readonly ranges: Ranges
  readonly firstRange: Int32Array
  readonly #line: Line
  readonly #refs: Refs
  readonly #predecessorStart: Int32Array
  readonly #predecessors: Int32Array
  /** By block: IN and OUT of the register that was asked for last, which stands above them. */
  readonly #mark: Int32Array
  /** By block: the last register with references in it, times 2, and 1 more if they define it. */
  readonly #refers: Int32Array
  #stack = new Int32Array(256)
  #through = new Int32Array(256)
  #throughCount = 0
  #last = -1

  constructor(fn: CodeFunction, line: Line, refs: Refs) {
    const { blocks } = fn
    this.#line = line
    this.#refs = refs
    this.ranges = new Ranges(Math.max(64, Math.ceil(fn.nextVirtual * 1.5)))
    this.firstRange = int32(fn.nextVirtual).fill(-1)
    this.#predecessorStart = int32(blocks.length + 1)
    let edges = 0
    for (let b = 0; b < blocks.length; b++) {
      this.#predecessorStart[b] = edges
      edges += blocks[b]!.predecessors.length
    }
    this.#predecessorStart[blocks.length] = edges
    this.#predecessors = int32(edges)
    for (let b = 0, e = 0; b < blocks.length; b++) for (const p of blocks[b]!.predecessors) this.#predecessors[e++] = p
    this.#mark = int32(blocks.length)
    this.#refers = int32(blocks.length)
  }

  build(v: number): void {
    const { start, code, info } = this.#refs
    const begin = start[v]!
    const end = start[v + 1]!
    if (begin === end) return
    this.#last = -1
    const { blockOf } = this.#line
    const firstBlock = blockOf[code[begin]!]!
    const lastBlock = blockOf[code[end - 1]!]!
    if (firstBlock === lastBlock && (info[begin]! & Role.USE) === 0) {
      this.#inBlock(v, begin, end, -1, -1)
      return
    }
    this.#walk(v, begin, end)
    this.#emit(v, begin, end)
  }

  /** Marks the blocks where v is live at the start or the end. */
  #walk(v: number, begin: number, end: number): void {
    const { code, info } = this.#refs
    const { blockOf } = this.#line
    for (let i = begin; i < end; i++) {
      const b = blockOf[code[i]!]!
      const defines = (info[i]! & Role.DEF) !== 0 ? 1 : 0
      if (this.#refers[b]! >> 1 !== v) this.#refers[b] = (v << 1) | defines
      else if (defines === 1) this.#refers[b] = (v << 1) | 1
    }
    this.#throughCount = 0
    for (let i = begin, previous = -1; i < end; i++) {
      const b = blockOf[code[i]!]!
      if (b === previous) continue
      previous = b
      if ((info[i]! & Role.USE) !== 0) this.#liveIn(v, b)
    }
  }

  #liveIn(v: number, block: number): void {
    let depth = 0
    let stack = this.#stack
    if (this.#setMark(v, block, IN)) stack[depth++] = block
    while (depth > 0) {
      const b = stack[--depth]!
      const last = this.#predecessorStart[b + 1]!
      for (let e = this.#predecessorStart[b]!; e < last; e++) {
        const p = this.#predecessors[e]!
        if (!this.#setMark(v, p, OUT)) continue
        const refers = this.#refers[p]!
        if (refers >> 1 !== v) {
          if (this.#throughCount === this.#through.length)
            this.#through = widen(this.#through) as Int32Array<ArrayBuffer>
          this.#through[this.#throughCount++] = p
        }
        if (refers === ((v << 1) | 1)) continue
        if (!this.#setMark(v, p, IN)) continue
        if (depth === stack.length) stack = this.#stack = widen(stack) as Int32Array<ArrayBuffer>
        stack[depth++] = p
      }
    }
  }

  /** Sets `bit` for block; false if it was set. */
  #setMark(v: number, block: number, bit: number): boolean {
    const mark = this.#mark[block]!
    if (mark >> 2 !== v) {
      this.#mark[block] = (v << 2) | bit
      return true
    }
    if ((mark & bit) !== 0) return false
    this.#mark[block] = mark | bit
    return true
  }

  /** Ranges from marks and references, in the order of blocks. */
  #emit(v: number, begin: number, end: number): void {
    const { code } = this.#refs
    const { blockOf, first, footer } = this.#line
    const through = this.#through
    const count = this.#throughCount
    sortFirst(through, count)
    let t = 0
    let i = begin
    while (i < end || t < count) {
      const b = i < end ? blockOf[code[i]!]! : -1
      if (t < count && (b < 0 || through[t]! < b)) {
        const block = through[t++]!
        this.#extend(v, 3 * first[block]!, 3 * footer[block]! + 3, i, i)
        continue
      }
      let j = i + 1
      while (j < end && blockOf[code[j]!] === b) j++
      const mark = this.#mark[b]! >> 2 === v ? this.#mark[b]! : 0
      this.#inBlock(v, i, j, (mark & IN) !== 0 ? 3 * first[b]! : -1, (mark & OUT) !== 0 ? 3 * footer[b]! + 3 : -1)
      i = j
    }
  }

  /** Ranges of v within a block, whose references are [begin, end). `start` and `stop` are -1 where v isn't live in or out. */
  #inBlock(v: number, begin: number, end: number, start: number, stop: number): void {
    const { code, info } = this.#refs
    let from = start
    let to = start
    let firstRef = begin
    for (let i = begin; i < end; i++) {
      const role = info[i]!
      const number = code[i]!
      if ((role & Role.USE) !== 0) {
        const need = 3 * number + ((role & Role.FIXED) !== 0 ? 1 : 2)
        if (need > to) to = need
      }
      if ((role & Role.DEF) !== 0) {
        if ((role & Role.USE) === 0) {
          // A new value: what was live ends with its last use.
          const at = refPosition(number, role)
          if (from >= 0 && to > from) this.#extend(v, from, to, firstRef, i)
          from = at
          to = at
          firstRef = i
          // A register that is written is written even if nobody reads it.
          if ((role & (Role.FIXED | Role.PAIR)) === 0) to = 3 * number + 3
        } else {
          to = 3 * number + 3
        }
      }
    }
    if (stop >= 0) to = stop
    if (from >= 0 && to > from) this.#extend(v, from, to, firstRef, end)
  }

  /** Adds [from, to) with the references [refFrom, refTo), joined to the last range when they touch. */
  #extend(v: number, from: number, to: number, refFrom: number, refTo: number): void {
    const { ranges } = this
    const last = this.#last
    if (last >= 0 && from === ranges.to[last]) {
      ranges.to[last] = to
      ranges.refTo[last] = refTo
      return
    }
    const id = ranges.add(v, from, to)
    ranges.refFrom[id] = refFrom
    ranges.refTo[id] = refTo
    if (last >= 0) ranges.next[last] = id
    else this.firstRange[v] = id
    this.#last = id
  }
}
