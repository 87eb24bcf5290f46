// Functions in SSA form: blocks of values. A phi is an ordinary value at the head of its block, with one operand a
// predecessor, in their order. Ids are dense, so that what a pass knows of values stands in arrays beside them.

import { int32 } from '../base/arrays.ts'
import { unreachable } from '../base/errors.ts'
import type { Prototype } from '../base/prototype.ts'
import { I32, I64, Op, type Op as Operation, type Type, VOID } from './op.ts'

/** Something with an address: what a call calls, what `address` is the address of. */
export type Callee =
  | { readonly kind: 'function'; readonly index: number }
  /** With a prototype the operands are its parameters: I64 where they have 64 bits, else words that are extended already. */
  | { readonly kind: 'helper'; readonly number: number; readonly prototype?: Prototype | undefined }
  | { readonly kind: 'routine'; readonly name: string }
  /** The helper whose address is operand 0; the arguments follow. */
  | { readonly kind: 'pointer'; readonly prototype: Prototype | undefined }
  | { readonly kind: 'data'; readonly section: number }
  | { readonly kind: 'map'; readonly index: number }
  /** `frame`: the stack of a function that was taken in at one place; `depth` is how many calls below this one it was. */
  | { readonly kind: 'area'; readonly index: number; readonly depth: number }

/** A call that leaves the program, for a function that is given addresses of the stack to use what lies from there up. */
export function callsHelper(value: Value): boolean {
  return (
    value.callee !== null && value.op === Op.call && (value.callee.kind === 'helper' || value.callee.kind === 'pointer')
  )
}

const NONE: Value[] = []
const EMPTY: readonly null[] = Array.from({ length: 64 }, () => null)

function hash(type: Type, low: number, high: number): number {
  const mixed = Math.imul(low ^ Math.imul(high, 0x2c1b3c6d) ^ type, 0x9e3779b1)
  return mixed ^ (mixed >>> 15)
}

export class Value {
  /** Its number in the function; changed by renumber alone. */
  id: number
  op: Operation
  type: Type
  args: Value[]
  /** Constant (low word), offset, index or code: signed 32 bits. */
  imm: number
  /** High word of an I64 constant. */
  immHigh: number
  block: Block
  /** call, address: of what; frame: null for the function's own stack, or an area. One object for each thing in a function, so that they can be compared. */
  callee: Callee | null
  /** BPF slot that it serves, -1 for none. */
  origin: number
  /** Number of operands that it is, where a pass keeps count (countUses). */
  uses: number
  /** Another that stands for this one, until replaceValues. */
  replacement: Value | null
  constructor(id: number, op: Operation, type: Type, args: Value[], imm: number, block: Block, origin: number) {
    this.id = id
    this.op = op
    this.type = type
    this.args = args
    this.imm = imm
    this.immHigh = 0
    this.block = block
    this.callee = null
    this.origin = origin
    this.uses = 0
    this.replacement = null
  }
}

export class Block {
  readonly id: number
  /** Phis first, the terminator last. */
  values: Value[]
  predecessors: Block[]
  successors: Block[]
  /** Index in reverse postorder; -1 if not reached. Set by `order` of cfg.ts. */
  order: number
  loopDepth: number
  constructor(id: number) {
    this.id = id
    this.values = []
    this.predecessors = []
    this.successors = []
    this.order = -1
    this.loopDepth = 0
  }
  get terminator(): Value {
    return this.values[this.values.length - 1] ?? unreachable(`block b${this.id} is empty`)
  }
}

export class Func {
  readonly name: string
  /** In layout order; the first is the entry and has no predecessors. */
  blocks: Block[] = []
  valueCount = 0
  blockCount = 0
  /** How many areas there are beside its own stack, numbered from 1 on. */
  areas = 0
  /** Types of the parameters. */
  params: Type[]
  /** The first parameter is a program's context: the address of an object, or 0. */
  hasContext = false
  /** Bytes below R10 that may be used by an address that is not followed: 512, or as many as its functions take addresses of. */
  stackBytes = 512
  /** All constants, hashed: each is in the first place that was free from its own on. */
  private constants: (Value | null)[] = EMPTY.slice()
  private constantCount = 0

  private readonly things = new Map<string, Callee>()

  constructor(name: string, params: Type[]) {
    this.name = name
    this.params = params
  }

  /** The one object for this thing: see Value.callee. */
  thing(callee: Callee): Callee {
    const key = Object.values(callee).join(' ')
    const known = this.things.get(key)
    if (known !== undefined) return known
    this.things.set(key, callee)
    return callee
  }

  /** A stack of its own in this frame, for a function that is taken in. */
  newArea(depth: number): Callee {
    return this.thing({ kind: 'area', index: ++this.areas, depth })
  }

  newBlock(): Block {
    const block = new Block(this.blockCount++)
    this.blocks.push(block)
    return block
  }

  /** A new value that is in no block's list yet. */
  create(block: Block, op: Operation, type: Type, args: Value[] = NONE, imm = 0, origin = -1): Value {
    return new Value(this.valueCount++, op, type, args, imm, block, origin)
  }

  /** A new value at the end of a block. */
  append(block: Block, op: Operation, type: Type, args: Value[] = NONE, imm = 0, origin = -1): Value {
    const value = this.create(block, op, type, args, imm, origin)
    block.values.push(value)
    return value
  }

  /** The word constant; constants are in no block's list, one of each in a function. */
  word(value: number): Value {
    return this.constant(I32, value | 0, 0)
  }

  /** The 64-bit constant of two words. */
  double(low: number, high: number): Value {
    return this.constant(I64, low | 0, high | 0)
  }

  private constant(type: Type, low: number, high: number): Value {
    const { constants } = this
    const mask = constants.length - 1
    for (let at = hash(type, low, high) & mask; ; at = (at + 1) & mask) {
      const known = constants[at]!
      if (known === null) break
      if (known.imm === low && known.immHigh === high && known.type === type) return known
    }
    const made = this.create(this.blocks[0]!, Op.const, type, NONE, low)
    made.immHigh = high
    if (++this.constantCount * 2 > constants.length) this.growConstants()
    this.putConstant(made)
    return made
  }

  private putConstant(constant: Value): void {
    const { constants } = this
    const mask = constants.length - 1
    let at = hash(constant.type, constant.imm, constant.immHigh) & mask
    while (constants[at] !== null) at = (at + 1) & mask
    constants[at] = constant
  }

  /** Sets `uses` of all constants, which no block has, to 0. */
  forgetConstantUses(): void {
    const { constants } = this
    for (let at = 0; at < constants.length; at++) {
      const constant = constants[at]!
      if (constant !== null) constant.uses = 0
    }
  }

  private growConstants(): void {
    const before = this.constants
    this.constants = before.concat(before, before, before).fill(null)
    for (const constant of before) if (constant !== null) this.putConstant(constant)
  }

  /**
   * Numbers the values that are left without gaps, in the order that they had: what passes know of values stands in arrays as long as
   * there are numbers. Only between passes.
   */
  renumber(): void {
    const number = int32(this.valueCount)
    for (const { values } of this.blocks) for (let at = 0; at < values.length; at++) number[values[at]!.id] = 1
    for (const constant of this.constants) if (constant !== null) number[constant.id] = 1
    let next = 0
    for (let id = 0; id < number.length; id++) {
      const isThere = number[id]!
      number[id] = next
      next += isThere
    }
    for (const { values } of this.blocks) {
      for (let at = 0; at < values.length; at++) values[at]!.id = number[values[at]!.id]!
    }
    for (const constant of this.constants) if (constant !== null) constant.id = number[constant.id]!
    this.valueCount = next
  }

  jump(from: Block, to: Block, origin = -1): void {
    this.append(from, Op.jump, VOID, NONE, 0, origin)
    connect(from, to)
  }

  branch(from: Block, condition: Value, then: Block, otherwise: Block, origin = -1): void {
    this.append(from, Op.branch, VOID, [condition], 0, origin)
    from.successors = [then, otherwise]
    then.predecessors = withOne(then.predecessors, from)
    otherwise.predecessors = withOne(otherwise.predecessors, from)
  }
}

export function connect(from: Block, to: Block): void {
  from.successors = withOne(from.successors, to)
  to.predecessors = withOne(to.predecessors, from)
}

/** The blocks and one more. An array that grows takes room for 17 at once, and most never have more than two. */
function withOne(blocks: Block[], block: Block): Block[] {
  if (blocks.length === 0) return [block]
  if (blocks.length === 1) return [blocks[0]!, block]
  blocks.push(block)
  return blocks
}

/** Takes the edge at index `at` of `from`'s successors away, with the operands of the target's phis for it. */
export function disconnect(from: Block, at: number): void {
  const to = from.successors[at]!
  from.successors.splice(at, 1)
  const index = to.predecessors.indexOf(from)
  to.predecessors.splice(index, 1)
  for (const value of to.values) {
    if (value.op !== Op.phi) break
    value.args.splice(index, 1)
  }
}

/** Sets `uses` of every value. */
export function countUses(func: Func): void {
  func.forgetConstantUses()
  for (const { values } of func.blocks) for (let index = 0; index < values.length; index++) values[index]!.uses = 0
  for (const { values } of func.blocks) {
    for (let index = 0; index < values.length; index++) {
      const { args } = values[index]!
      for (let at = 0; at < args.length; at++) args[at]!.uses++
    }
  }
}

/** The value that stands for this one in the end. */
export function resolve(value: Value): Value {
  if (value.replacement === null) return value
  let target = value.replacement
  while (target.replacement !== null) target = target.replacement
  // Shortens the chain for those who come after.
  for (let at = value; at.replacement !== null && at.replacement !== target;) {
    const next = at.replacement
    at.replacement = target
    at = next
  }
  return target
}

/** Where a value has a replacement, every operand that is the value becomes that, and the value leaves its block. */
export function replaceValues(func: Func): void {
  for (const block of func.blocks) {
    const { values } = block
    let kept = 0
    for (let index = 0; index < values.length; index++) {
      const value = values[index]!
      if (value.replacement !== null) continue
      const { args } = value
      for (let at = 0; at < args.length; at++) {
        const arg = args[at]!
        if (arg.replacement !== null) args[at] = resolve(arg)
      }
      values[kept++] = value
    }
    if (kept < values.length) values.length = kept
  }
}

/** The same for the operands of phis alone: behind a walk in reverse postorder that has done all else, since those may come later. */
export function replaceInPhis(blocks: readonly Block[]): void {
  for (let block = 0; block < blocks.length; block++) {
    const { values } = blocks[block]!
    for (let index = 0; index < values.length && values[index]!.op === Op.phi; index++) {
      const { args } = values[index]!
      for (let at = 0; at < args.length; at++) {
        const arg = args[at]!
        if (arg.replacement !== null) args[at] = resolve(arg)
      }
    }
  }
}
