// Where every virtual register is live. Needs non-SSA code over virtual registers with predecessors and successors set;
// leaves it as it is. For each register its references in order, and the ranges of positions where its value is needed.
// Blocks where a register is live are found by walking up from its uses (Boissinot et al., "by variable"), so that time
// and memory go with the ranges and not with blocks times registers.

import { int32, uint8 } from '../base/arrays.ts'
import { type CodeFunction, FIRST_VIRTUAL, P } from './code.ts'
import { narrowOperands } from './narrow-operands.ts'
import { OperandBuffer, Role, collectOperands, fixedRegister, isRematerialisable, operandIndex } from './operands.ts'
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
  /** Number of the Code, and what collectOperands says of the operand. */
  readonly refCode: Int32Array
  readonly refInfo: Int32Array
  /** Number of the Code that alone defines a register and can be done again anywhere, -1 if there is none. */
  readonly remat: Int32Array
  /** Uses of such registers by copies and fixed operands, which are no references: Code, info, register. */
  readonly rematUses: readonly number[]
  /** Real registers that Codes need by name: register, from, to. */
  readonly pins: readonly number[]
  constructor(
    line: Line,
    ranges: Ranges,
    firstRange: Int32Array,
    refs: { start: Int32Array; code: Int32Array; info: Int32Array },
    remat: Int32Array,
    rematUses: readonly number[],
    pins: readonly number[],
  ) {
    this.line = line
    this.ranges = ranges
    this.firstRange = firstRange
    this.refStart = refs.start
    this.refCode = refs.code
    this.refInfo = refs.info
    this.remat = remat
    this.rematUses = rematUses
    this.pins = pins
  }
}

/** Live ranges and references of `fn`. `small`: a loop's references hardly count for more than others, as bytes are to be saved. */
export function liveness(fn: CodeFunction, small = false): Liveness {
  const line = layLine(fn, small ? SMALL_WEIGHT : LOOP_WEIGHT)
  const pins: number[] = []
  const flat = collect(fn, line, pins, small)
  const rematUses: number[] = []
  const refs = sortByRegister(fn.nextVirtual, flat, rematUses)
  const builder = new RangeBuilder(fn, line, refs)
  for (let v = FIRST_VIRTUAL; v < fn.nextVirtual; v++) builder.build(v)
  return new Liveness(line, builder.ranges, builder.firstRange, refs, flat.remat, rematUses, pins)
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
}

/** Every reference to a virtual register in the line's order, and what is pinned to real registers. */
function collect(fn: CodeFunction, line: Line, pins: number[], small: boolean): Flat {
  const buffer = new OperandBuffer()
  let capacity = line.count * 4
  let register = int32(capacity)
  let codeOf = int32(capacity)
  let info = int32(capacity)
  let count = 0
  const remat = int32(fn.nextVirtual).fill(-1)
  /** Position up to which each real register is written by name in this block. */
  const written = new Int32Array(16)
  const defined = uint8(fn.nextVirtual)
  for (let number = 1; number < line.count; number++) {
    const code = line.codes[number]
    if (code === undefined) {
      written.fill(3 * number + 3)
      continue
    }
    collectOperands(code, buffer)
    const narrow = small ? narrowOperands(code) : 0
    while (count + buffer.count > capacity) {
      register = widen(register) as Int32Array<ArrayBuffer>
      codeOf = widen(codeOf) as Int32Array<ArrayBuffer>
      info = widen(info) as Int32Array<ArrayBuffer>
      capacity = register.length
    }
    for (let i = 0; i < buffer.count; i++) {
      const r = buffer.register[i]!
      let role = buffer.info[i]!
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
    if (code.clobbers !== 0) {
      for (let r = 0; r < 16; r++) if ((code.clobbers >> r) & 1) pins.push(r, 3 * number + 2, 3 * number + 3)
    }
  }
  return { count, register, code: codeOf, info, remat }
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
  /** Register for which `mark` of a block, or its having references, was set last. */
  readonly #stamp: Int32Array
  readonly #mark: Uint8Array
  /** Of the register in `refStamp`: the block's first reference, and whether it defines. */
  readonly #refStamp: Int32Array
  readonly #defines: Uint8Array
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
    this.#stamp = int32(blocks.length)
    this.#mark = uint8(blocks.length)
    this.#refStamp = int32(blocks.length)
    this.#defines = uint8(blocks.length)
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
      if (this.#refStamp[b] !== v) {
        this.#refStamp[b] = v
        this.#defines[b] = 0
      }
      if ((info[i]! & Role.DEF) !== 0) this.#defines[b] = 1
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
        const referenced = this.#refStamp[p] === v
        if (!referenced) {
          if (this.#throughCount === this.#through.length)
            this.#through = widen(this.#through) as Int32Array<ArrayBuffer>
          this.#through[this.#throughCount++] = p
        }
        if (referenced && this.#defines[p] === 1) continue
        if (!this.#setMark(v, p, IN)) continue
        if (depth === stack.length) stack = this.#stack = widen(stack) as Int32Array<ArrayBuffer>
        stack[depth++] = p
      }
    }
  }

  /** Sets `bit` for block; false if it was set. */
  #setMark(v: number, block: number, bit: number): boolean {
    if (this.#stamp[block] !== v) {
      this.#stamp[block] = v
      this.#mark[block] = bit
      return true
    }
    const mark = this.#mark[block]!
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
      const mark = this.#stamp[b] === v ? this.#mark[b]! : 0
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
