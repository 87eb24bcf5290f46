// Instruction selection: IR in words -> Thumb instructions over virtual registers. Needs: legal IR without dead code. Blocks are taken in
// reverse postorder from behind, and each block from its end, so that all uses of a value are seen before it: what an instruction took into
// its operands (a shift, an address, a product) is then not made at all. Leaves: CodeFunction as code.ts says, phis as PARALLEL_MOVE, flags
// set next to what reads them.

import { emptySlots, firstOf, int32 } from '../base/arrays.ts'
import { unreachable } from '../base/errors.ts'
import { passing } from '../base/prototype.ts'
import { dominators, findLoops, removeUnreachable } from '../ir/cfg.ts'
import { splitCriticalEdges } from '../ir/edges.ts'
import type { Block, Func, Value } from '../ir/func.ts'
import { loopOrder } from '../ir/loop-order.ts'
import { COMPARE, EFFECT, Op, TERMINATOR, attributes } from '../ir/op.ts'
import { F } from '../thumb/forms.ts'
import { Cond, Flags } from '../thumb/instruction.ts'
import { CALLER_SAVED } from '../thumb/registers.ts'
import { Code, CodeBlock, CodeFunction, type Fixed, P, isJump, join } from './code.ts'
import { reuseFlags } from './compares.ts'
import { branchesFrom } from './operands.ts'
import { lowerAtomic } from './select-atomic.ts'
import { testOf } from './select-compare.ts'
import { lowerValue } from './select-value.ts'
import { Selector, type SelectOptions, type Symbols } from './selector.ts'
import { isPlain, tiePhis } from './tie-phis.ts'

/** Selects a function's instructions. Changes the IR only by splitting edges. */
export function select(func: Func, symbols: Symbols, options: SelectOptions): CodeFunction {
  return new Walk(func, symbols, options).run()
}

/** Values between a test and its branch that are looked at. */
const BEHIND_LIMIT = 8

/** The walk over a function's blocks; what is no plain value is lowered here. */
class Walk extends Selector {
  private readonly phiDefs: number[] = []
  private readonly phiUses: number[] = []

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
    this.putLoopConstants()
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
}
