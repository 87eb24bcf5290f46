// What the lowering of values works with: the function's virtual registers and constants, and the instructions of the block at hand, which
// are gathered from its end. select.ts walks over the blocks; the files select-*.ts lower values through this.

import { firstOf } from '../base/arrays.ts'
import type { Block, Func, Value } from '../ir/func.ts'
import { I64, Op } from '../ir/op.ts'
import { F } from '../thumb/forms.ts'
import { Cond } from '../thumb/instruction.ts'
import { SP } from '../thumb/registers.ts'
import { Base, Code, CodeBlock, CodeFunction, P } from './code.ts'
import { type FrameExtent, frameExtent, frameOffset } from './frame-extent.ts'
import { Writebacks } from './select-writeback.ts'

/** Numbers of the module's symbols, as far as selection needs them. */
export interface Symbols {
  of(callee: NonNullable<Value['callee']>): number
  /** Bytes to whose multiple the linker puts what it names. */
  alignmentOf(callee: NonNullable<Value['callee']>): number
  /** The routine that leaves a program from any depth (leave.ts). */
  leave(): number
}

export interface SelectOptions {
  /** The function is the module's entry. */
  readonly entry: boolean
  /** Entry: env is used, SP is saved in it at this offset. -1: not. */
  readonly saveSp: number
  /** Few bytes count for more than few cycles. */
  readonly small?: boolean
  /** Told of an addition that an access does as well: the instructions of both. */
  readonly steps?: ((sum: number, access: number) => void) | undefined
}

/** Uses up to which a constant is made in each block, where bytes are to be saved. */
const FEW_USES = 3

interface Constant {
  vreg: number
  /** The number of instructions of the block, counted from its end, before which it must stand. */
  at: number
  imm: number
  symbol: number
  origin: number
  /** Number of the code block that it was made for, counted as they are closed. */
  readonly block: number
}

/** So few constants are sorted sooner without a call for each comparison. */
const FEW = 16

/** One function, while its instructions are selected. */
export class Selector {
  readonly func: Func
  readonly symbols: Symbols
  readonly options: SelectOptions
  readonly code: CodeFunction
  readonly frame: FrameExtent
  readonly writebacks = new Writebacks()
  /** The block whose values are being lowered. */
  block: Block
  /** Place in its block of the value that is being lowered. */
  position = 0
  /** A difference that the block's comparison has made. */
  merged: Value | null = null
  /** Flags are set before the values that are being lowered and read behind them. */
  keepsFlags = false
  /** Instructions of the current value, forwards. */
  protected group: Code[] = []
  /** Instructions of the current code block, backwards. */
  private out: Code[] = []
  /** Room for the code block that is being closed. */
  private readonly forwards: Code[] = []
  protected origin = -1
  /** By value: virtual register, 0 for not needed (so far). Words of pairs stand in `halves`. */
  protected registers = new Int32Array(0)
  protected halves = new Int32Array(0)
  /** Registers of four words a pair, from 4 on. */
  private readonly words: number[] = [0, 0, 0, 0]
  private readonly constants = new Map<number, Constant>()
  /** Addresses, by number of the symbol and offset. */
  private readonly addresses = new Map<number, Constant>()
  /** The same for loops: all made at the function's start. */
  private readonly loopConstants = new Map<number, Constant>()
  private readonly loopAddresses = new Map<number, Constant>()
  protected wanted: Constant[] = []
  /** Those of the current code block, as they were made. */
  private readonly blockConstants: Constant[] = []
  private readonly blockAddresses: Constant[] = []
  private closed = 0
  /** Code blocks of each IR block, by its id, forwards. */
  protected made: (CodeBlock[] | undefined)[] = []
  /** Labels: an IR block's id is that of its first code block; more are numbered on. */
  protected labels: number

  constructor(func: Func, symbols: Symbols, options: SelectOptions) {
    this.func = func
    this.symbols = symbols
    this.options = options
    this.code = new CodeFunction(func.name)
    this.frame = frameExtent(func)
    this.block = func.blocks[0]!
    this.labels = 0
  }

  newRegister(): number {
    return this.code.nextVirtual++
  }

  /** The register of a value that an instruction needs. */
  use(value: Value): number {
    if (value.op === Op.const) return this.constant(value.imm, -1, value.uses)
    if (value.op === Op.address) return this.constant(value.imm, this.symbols.of(value.callee!))
    if (value.op === Op.word) return this.half(value.args[0]!, value.imm)
    let register = this.registers[value.id]!
    if (register === 0) {
      register = this.newRegister()
      this.registers[value.id] = register
    }
    return register
  }

  /** The register of a word of a pair operation. */
  half(pair: Value, index: number): number {
    const { words } = this
    let first = this.halves[pair.id]!
    if (first === 0) {
      first = words.length
      words.push(0, 0, 0, 0)
      this.halves[pair.id] = first
    }
    return (words[first + index] ||= this.newRegister())
  }

  /** Something that was selected already, and runs later, reads the word. */
  isNeeded(value: Value): boolean {
    return value.op === Op.word ? this.halfIfUsed(value.args[0]!, value.imm) !== 0 : this.registers[value.id] !== 0
  }

  /** The register of the word of a pair, 0 if nobody reads it. */
  halfIfUsed(pair: Value, index: number): number {
    return this.words[this.halves[pair.id]! + index]!
  }

  /**
   * A constant in a register: one of each in a block, made before the first instruction that needs it. In loops one of
   * each in the function, made at its start: the allocator makes it again where it would rather not keep it. Where bytes are to
   * be saved, that goes for what has many uses (`uses`), wherever they are.
   */
  constant(imm: number, symbol = -1, uses = 0): number {
    const loop = this.options.small === true ? uses > FEW_USES && imm >>> 8 !== 0 : this.block.loopDepth > 0
    const known =
      symbol >= 0 ? (loop ? this.loopAddresses : this.addresses) : loop ? this.loopConstants : this.constants
    const key = symbol >= 0 ? symbol * 2 ** 32 + (imm >>> 0) : imm
    let constant = known.get(key)
    if (constant === undefined || (!loop && constant.block !== this.closed)) {
      constant = { vreg: this.newRegister(), at: 0, imm, symbol, origin: this.origin, block: this.closed }
      known.set(key, constant)
      if (!loop) (symbol >= 0 ? this.blockAddresses : this.blockConstants).push(constant)
    }
    if (!loop) this.wanted.push(constant)
    return constant.vreg
  }

  /** The block has the word in a register already. */
  hasConstant(imm: number): boolean {
    const loop = this.block.loopDepth > 0 && this.options.small !== true
    return (loop ? this.loopConstants : this.constants).has(imm | 0)
  }

  /** At the function's start: what loops share. */
  protected putLoopConstants(): void {
    for (const constant of this.loopConstants.values()) this.group.push(constantCode(constant))
    for (const constant of this.loopAddresses.values()) this.group.push(constantCode(constant))
  }

  put(code: Code): Code {
    code.origin = this.origin
    this.group.push(code)
    return code
  }

  /** A new instruction with these register fields. */
  emit(form: number, d: number, n = -1, m = -1, imm = 0): Code {
    const code = new Code(form)
    code.d = d
    code.n = n
    code.m = m
    code.imm = imm
    return this.put(code)
  }

  /**
   * Whether an operand may be taken into the instruction that reads it: pure, read by that alone, of the same block, so
   * that nothing is computed more often or later than it was.
   */
  foldable(value: Value): boolean {
    return value.uses === 1 && value.block === this.block
  }

  newLabel(): number {
    return this.labels++
  }

  /** What was made so far, from here to the end of the block, becomes a code block of its own with this label. */
  cutBlock(label: number): void {
    this.flush()
    this.closeBlock(label)
  }

  needed(value: Value): boolean {
    return value.type === I64 ? this.halves[value.id] !== 0 : this.registers[value.id] !== 0
  }

  /** What reads the value has been selected, and an instruction that gives it too. */
  drop(value: Value): void {
    this.registers[value.id] = 0
  }

  protected flush(): void {
    const { group, out, wanted } = this
    // One by one, as there are few: setting a length takes longer.
    while (group.length > 0) out.push(group.pop()!)
    while (wanted.length > 0) wanted.pop()!.at = out.length
  }

  /** Turns what was gathered into a code block, its constants in their places. */
  protected closeBlock(label: number): void {
    const { out, forwards } = this
    const block = new CodeBlock(label)
    block.loopDepth = this.block.loopDepth
    let length = 0
    const { blockConstants: constants, blockAddresses } = this
    for (const address of blockAddresses) constants.push(address)
    sortByPlace(constants)
    for (const constant of constants) {
      while (out.length > constant.at) forwards[length++] = out.pop()!
      forwards[length++] = constantCode(constant)
    }
    while (constants.length > 0) constants.pop()
    while (blockAddresses.length > 0) blockAddresses.pop()
    this.closed++
    while (out.length > 0) forwards[length++] = out.pop()!
    block.code = firstOf(forwards, length)
    const behind = this.made[this.block.id]
    this.made[this.block.id] = behind === undefined ? [block] : [block, ...behind]
  }

  branchTo(label: number, cond: number = Cond.AL): void {
    const code = this.emit(F.B, -1)
    code.cond = cond
    code.target = label
  }

  // --- addresses

  /** Register and offset of a memory access: of the stack frame, or of a value. `reach`: whether an offset can be encoded. */
  address(value: Value, offset: number, reach: (offset: number) => boolean): { n: number; imm: number; base: number } {
    if (value.op === Op.frame) {
      const imm = frameOffset(this.frame, value) + offset
      if (imm >= 0 && imm + 4 < 4096 && reach(imm)) return { n: SP, imm, base: Base.FRAME }
    }
    if (value.op === Op.address) {
      // One base for what lies near the start of a section.
      const imm = value.imm + offset
      if (imm >= 0 && imm + 4 < 4096 && reach(imm)) {
        return { n: this.constant(0, this.symbols.of(value.callee!)), imm, base: Base.NONE }
      }
    }
    if (reach(offset)) return { n: this.use(value), imm: offset, base: Base.NONE }
    const sum = this.newRegister()
    const add = this.emit(F.ADD_r, sum, this.use(value), this.constant(offset))
    add.s = 2
    return { n: sum, imm: 0, base: Base.NONE }
  }
}

/** The first of the block first; equals stay in their order. */
function sortByPlace(constants: Constant[]): void {
  if (constants.length > FEW) {
    constants.sort((a, b) => b.at - a.at)
    return
  }
  for (let at = 1; at < constants.length; at++) {
    const constant = constants[at]!
    let to = at
    for (; to > 0 && constants[to - 1]!.at < constant.at; to--) constants[to] = constants[to - 1]!
    constants[to] = constant
  }
}

function constantCode(constant: Constant): Code {
  const code = new Code(P.CONSTANT)
  code.d = constant.vreg
  code.imm = constant.imm
  code.symbol = constant.symbol
  code.origin = constant.origin
  return code
}
