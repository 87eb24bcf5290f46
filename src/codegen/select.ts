// Instruction selection: IR in words -> Thumb instructions over virtual registers. Needs: legal IR without dead code. Blocks are taken in reverse postorder from behind, and each block from its end, so that
// all uses of a value are seen before it: what an instruction took into its operands (a shift, an address, a product) is
// then not made at all. Leaves: CodeFunction as code.ts says, phis as PARALLEL_MOVE, flags set next to what reads them.

import { emptySlots, firstOf, int32 } from '../base/arrays.ts'
import { unreachable } from '../base/errors.ts'
import { passing } from '../base/prototype.ts'
import { dominators, findLoops, removeUnreachable } from '../ir/cfg.ts'
import { splitCriticalEdges } from '../ir/edges.ts'
import type { Block, Func, Value } from '../ir/func.ts'
import { loopOrder } from '../ir/loop-order.ts'
import { COMPARE, EFFECT, I64, Op, TERMINATOR, attributes } from '../ir/op.ts'
import { F } from '../thumb/forms.ts'
import { Cond, Flags } from '../thumb/instruction.ts'
import { CALLER_SAVED, SP } from '../thumb/registers.ts'
import { Base, Code, CodeBlock, CodeFunction, type Fixed, P, isJump, join } from './code.ts'
import { reuseFlags } from './compares.ts'
import { type FrameExtent, frameExtent, frameOffset } from './frame-extent.ts'
import { branchesFrom } from './operands.ts'
import { lowerAtomic } from './select-atomic.ts'
import { testOf } from './select-compare.ts'
import { lowerValue } from './select-value.ts'
import { Writebacks } from './select-writeback.ts'
import { isPlain, tiePhis } from './tie-phis.ts'

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

/** Selects a function's instructions. Changes the IR only by splitting edges. */
export function select(func: Func, symbols: Symbols, options: SelectOptions): CodeFunction {
  return new Selector(func, symbols, options).run()
}

/** Values between a test and its branch that are looked at. */
const BEHIND_LIMIT = 8

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
  private group: Code[] = []
  /** Instructions of the current code block, backwards. */
  private out: Code[] = []
  /** Room for the code block that is being closed. */
  private readonly forwards: Code[] = []
  private readonly phiDefs: number[] = []
  private readonly phiUses: number[] = []
  private origin = -1
  /** By value: virtual register, 0 for not needed (so far). Words of pairs stand in `halves`. */
  private registers = new Int32Array(0)
  private halves = new Int32Array(0)
  /** Registers of four words a pair, from 4 on. */
  private readonly words: number[] = [0, 0, 0, 0]
  private readonly constants = new Map<number, Constant>()
  /** Addresses, by number of the symbol and offset. */
  private readonly addresses = new Map<number, Constant>()
  /** The same for loops: all made at the function's start. */
  private readonly loopConstants = new Map<number, Constant>()
  private readonly loopAddresses = new Map<number, Constant>()
  private wanted: Constant[] = []
  /** Those of the current code block, as they were made. */
  private readonly blockConstants: Constant[] = []
  private readonly blockAddresses: Constant[] = []
  private closed = 0
  /** Code blocks of each IR block, by its id, forwards. */
  private made: (CodeBlock[] | undefined)[] = []
  /** Labels: an IR block's id is that of its first code block; more are numbered on. */
  private labels: number

  constructor(func: Func, symbols: Symbols, options: SelectOptions) {
    this.func = func
    this.symbols = symbols
    this.options = options
    this.code = new CodeFunction(func.name)
    this.frame = frameExtent(func)
    this.block = func.blocks[0]!
    this.labels = 0
  }

  run(): CodeFunction {
    const { func, code } = this
    splitCriticalEdges(func)
    const order = removeUnreachable(func)
    const idom = dominators(order)
    findLoops(order, idom)
    tiePhis(func, order, idom)
    this.made = emptySlots(func.blockCount)
    this.registers = int32(func.valueCount)
    this.halves = int32(func.valueCount)
    this.labels = func.blockCount
    code.frameBytes = this.frame.bytes
    code.savesAll = this.options.saveSp >= 0
    for (let index = order.length - 1; index >= 0; index--) this.lowerBlock(order[index]!)
    this.layOut(loopOrder(order, idom))
    return code
  }

  // --- what lowering asks for

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

  // --- blocks

  private lowerBlock(block: Block): void {
    this.block = block
    const { values } = block
    if (block.loopDepth > 0) this.writebacks.find(this.func, block)
    for (this.position = values.length - 1; this.position >= 0; this.position--) {
      const value = values[this.position]!
      if (value.op === Op.phi) break
      if (value === this.merged) continue
      this.origin = value.origin
      const attribute = attributes[value.op]!
      if ((attribute & TERMINATOR) !== 0) this.lowerTerminator(value)
      else if (value.op === Op.param || value.op === Op.word) continue
      else if ((attribute & EFFECT) !== 0) this.lowerEffect(value)
      else if (this.needed(value) || this.writebacks.nextOf(value) !== undefined) lowerValue(this, value)
      this.flush()
    }
    if (block === this.func.blocks[0]) this.lowerEntry()
    this.closeBlock(block.id)
  }

  needed(value: Value): boolean {
    return value.type === I64 ? this.halves[value.id] !== 0 : this.registers[value.id] !== 0
  }

  /** What reads the value has been selected, and an instruction that gives it too. */
  drop(value: Value): void {
    this.registers[value.id] = 0
  }

  private flush(): void {
    const { group, out, wanted } = this
    // One by one, as there are few: setting a length takes longer.
    while (group.length > 0) out.push(group.pop()!)
    while (wanted.length > 0) wanted.pop()!.at = out.length
  }

  /** Turns what was gathered into a code block, its constants in their places. */
  private closeBlock(label: number): void {
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

  /** Numbers the code blocks in layout order, branches with them, and joins them by edges. */
  private layOut(order: readonly Block[]): void {
    const { code } = this
    const index = int32(this.labels).fill(-1)
    const blocks: CodeBlock[] = []
    for (const block of order) {
      for (const each of this.made[block.id]!) {
        index[each.index] = blocks.length
        blocks.push(each)
      }
    }
    code.blocks = blocks
    for (let at = 0; at < blocks.length; at++) {
      blocks[at]!.index = at
      reuseFlags(blocks[at]!.code)
    }
    for (let at = 0; at < blocks.length; at++) {
      const block = blocks[at]!
      const codes = block.code
      for (let i = branchesFrom(codes); i < codes.length; i++) {
        const each = codes[i]!
        if (each.target >= 0) {
          each.target = index[each.target]!
          join(block, blocks[each.target]!)
        } else {
          each.targets = each.targets.map((label) => index[label]!)
          for (const target of each.targets) join(block, blocks[target]!)
        }
      }
      const last = codes[codes.length - 1]
      if (last === undefined || !(isJump(last) || last.form === P.TABLE_BRANCH))
        join(block, blocks[at + 1] ?? unreachable('falls off the end'))
    }
  }

  // --- terminators, calls, entry

  branchTo(label: number, cond: number = Cond.AL): void {
    const code = this.emit(F.B, -1)
    code.cond = cond
    code.target = label
  }

  private lowerTerminator(value: Value): void {
    const { block } = this
    switch (value.op) {
      case Op.jump: {
        const target = block.successors[0]!
        this.lowerPhis(target)
        this.branchTo(target.id)
        return
      }
      case Op.branch: {
        this.lowerBehind(value.args[0]!, testOf(this, value.args[0]!))
        return
      }
      case Op.switch: {
        const code = this.emit(P.TABLE_BRANCH, -1, this.use(value.args[0]!))
        code.targets = value.args.slice(1).map(({ imm }) => block.successors[imm]!.id)
        return
      }
      case Op.ret: {
        const code = new Code(P.RETURN)
        code.fixedUses = value.args.map((arg, register) => ({ vreg: this.use(arg), register }))
        this.put(code)
        return
      }
      case Op.tailcall: {
        const code = new Code(P.TAIL_CALL)
        const [target, ...args] = value.args
        code.fixedUses = [
          ...args.map((arg, register) => ({ vreg: this.use(arg), register })),
          { vreg: this.use(target!), register: 12 },
        ]
        this.put(code)
        return
      }
      case Op.trap: {
        const code = new Code(P.CALL)
        code.fixedUses = [
          { vreg: this.use(value.args[0]!), register: 0 },
          { vreg: this.constant(value.imm), register: 1 },
        ]
        code.symbol = this.symbols.leave()
        this.put(code)
        this.put(new Code(P.UNREACHABLE))
        return
      }
      default:
        unreachable(`terminator ${value.op}`)
    }
  }

  private takesTest(operand: Value): boolean {
    return (attributes[operand.op]! & COMPARE) !== 0 && this.foldable(operand)
  }

  /** The branch, behind the values that stand between it and its test: they leave the flags alone. */
  private lowerBehind(test: Value, cond: number): void {
    const { block, group, wanted } = this
    const { values } = block
    let first = this.position
    let isRead = false
    while (first > 0 && first > this.position - BEHIND_LIMIT && isPlain(values[first - 1]!)) {
      // A comparison is made where its 1 is added.
      const { args } = values[first - 1]!
      if (this.takesTest(args[0]!) || this.takesTest(args[1]!)) break
      first--
      // tie-phis lets a test read what stands behind it.
      isRead ||= test.args.includes(values[first]!)
    }
    const isTest = first > 0 && values[first - 1] === test && (attributes[test.op]! & COMPARE) !== 0
    const between = first < this.position && isTest && !isRead
    if (between) {
      this.group = []
      this.wanted = []
    }
    this.branchTo(block.successors[0]!.id, cond)
    this.branchTo(block.successors[1]!.id)
    if (!between) return
    this.flush()
    this.keepsFlags = true
    for (this.position--; this.position >= first; this.position--) {
      const value = values[this.position]!
      if (value === this.merged || !this.needed(value)) continue
      this.origin = value.origin
      lowerValue(this, value)
      this.flush()
    }
    this.keepsFlags = false
    // The caller goes on with the test.
    this.position = first
    this.origin = test.origin
    this.group = group
    this.wanted = wanted
  }

  /** The moves into the phis of a block at the end of the only way from here to there. */
  private lowerPhis(target: Block): void {
    const { values } = target
    if (values[0]!.op !== Op.phi) return
    const at = target.predecessors.indexOf(this.block)
    const { phiDefs, phiUses } = this
    let count = 0
    for (let phi = values[0]!; phi.op === Op.phi; phi = values[count]!) {
      phiDefs[count] = this.use(phi)
      phiUses[count++] = this.use(phi.args[at]!)
    }
    const move = new Code(P.PARALLEL_MOVE)
    move.defs = firstOf(phiDefs, count)
    move.uses = firstOf(phiUses, count)
    this.put(move)
  }

  private lowerEffect(value: Value): void {
    if (value.op === Op.call) this.lowerCall(value)
    else if (value.op >= Op.store8 && value.op <= Op.store32) lowerValue(this, value)
    else if (value.op === Op.keep) this.use(value.args[0]!)
    else lowerAtomic(this, value)
  }

  private lowerCall(value: Value): void {
    const callee = value.callee!
    const { args } = value
    const results: Fixed[] = []
    for (let word = 0; word < 4; word++) {
      const vreg = this.halfIfUsed(value, word)
      if (vreg !== 0) results.push({ vreg, register: word })
    }
    const inRegisters: Fixed[] = []
    // Where AAPCS has the words of typed helpers; all else is passed without gaps.
    const byPointer = callee.kind === 'pointer'
    const places =
      (callee.kind === 'helper' || byPointer) && callee.prototype !== undefined
        ? passing(callee.prototype.parameters).words
        : undefined
    let words = 0
    for (const [index, arg] of (byPointer ? args.slice(1) : args).entries()) {
      const word = places === undefined ? index : places[index]!
      words = word + 1
      if (word < 4) {
        inRegisters.push({ vreg: this.use(arg), register: word })
      } else {
        const store = this.emit(P.ARGUMENT_STORE, this.use(arg))
        store.imm = word - 4
      }
    }
    const call = new Code(P.CALL)
    call.fixedUses = inRegisters
    call.fixedDefs = results
    call.clobbers = CALLER_SAVED
    if (byPointer) call.m = this.use(args[0]!)
    else if (callee.kind === 'helper') call.m = this.constant(0, this.symbols.of(callee))
    else call.symbol = this.symbols.of(callee)
    this.put(call)
    this.code.calls = true
    this.code.outgoingWords = Math.max(this.code.outgoingWords, words - 4)
  }

  private putConstant(constant: Constant): void {
    this.group.push(constantCode(constant))
  }

  private lowerEntry(): void {
    const entry = new Code(P.ENTRY)
    const fixed: Fixed[] = []
    this.put(entry)
    this.origin = -1
    for (const value of this.block.values) {
      if (value.op !== Op.param) continue
      const saves = value.imm === 2 && this.options.saveSp >= 0
      if (this.registers[value.id] === 0 && !saves) continue
      const register = this.use(value)
      if (value.imm < 4) fixed.push({ vreg: register, register: value.imm })
      else this.emit(P.ARGUMENT_LOAD, register).imm = value.imm - 4
      if (saves) this.saveSp(register)
    }
    entry.fixedDefs = fixed
    for (const constant of this.loopConstants.values()) this.putConstant(constant)
    for (const constant of this.loopAddresses.values()) this.putConstant(constant)
    this.flush()
  }

  /** env.sp = SP behind the prologue's PUSH, unless a program that this one was tail-called from has set it already. */
  private saveSp(env: number): void {
    const known = this.newRegister()
    const here = this.newRegister()
    const kept = this.newRegister()
    this.emit(F.LDR_i, known, env, -1, this.options.saveSp)
    this.emit(P.ENTRY_SP, here)
    this.emit(F.MOV_r, kept, -1, known)
    this.emit(F.CMP_i, -1, known).s = Flags.SET
    this.emit(F.MOV_r, kept, -1, here).cond = Cond.EQ
    this.emit(F.STR_i, kept, env, -1, this.options.saveSp)
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
