// Program -> SSA, 64-bit as BPF is (RFC 9669). Every BPF register is an I64 value, or a word where its high half is 0: the 32-bit
// instructions are word operations between a trunc and a zext, which are made where somebody asks for them. Registers never written,
// and R1-R5 after a call, are 0.

import { int32, uint8 } from '../base/arrays.ts'
import { Env } from '../base/abi.ts'
import { unreachable } from '../base/errors.ts'
import { TrapCode } from '../base/outcome.ts'
import type { ResultType, ValueType } from '../base/prototype.ts'
import { type Grants, prototypeOf } from '../bpf/helpers.ts'
import type { AluOp, AtomicOp, JumpOp } from '../bpf/isa.ts'
import { MapError, MapLayout, MapType, round8 } from '../bpf/maps.ts'
import type { BpfFunction, Instruction, MapDefinition, Program, Reference } from '../bpf/program.ts'
import { type Block, type Callee, Func, type Value } from '../ir/func.ts'
import type { Module } from '../ir/module.ts'
import { EFFECT, I32, I64, Op, TERMINATOR, VOID, attributes } from '../ir/op.ts'
import { type BasicBlock, basicBlocks, reversePostorder } from './liveness.ts'
import { atomics, binary } from './operations.ts'
import { placePhis } from './phis.ts'
import { addressTaken, hasPacketsBelow, hasTailCalls, type Shared, Table } from './shared.ts'

export interface BuildOptions {
  /** Numbers of the helpers that the program may call, and prototypes; callx reaches these alone. */
  readonly helpers: Grants
  /** Code that is never patched: it takes addresses from env's table. */
  readonly positionIndependent?: boolean | undefined
  /** A helper whose result 0 ends the whole program with r0 = 0. */
  readonly unwindHelper?: number | undefined
  /** Told what each instruction gives, or else does; of one that is never reached it is not. */
  readonly made?: ((slot: number, value: Value) => void) | undefined
}

/** SSA of the entry, of those that program arrays hold, and of every function that calls reach from them. */
export function buildSsa(program: Program, options: BuildOptions): Module {
  const functionAt = new Map<number, number>()
  for (const [index, fn] of program.functions.entries()) functionAt.set(fn.start, index)
  const functions: (Func | null)[] = program.functions.map(() => null)
  const taken = addressTaken(program)
  const table = options.positionIndependent === true ? new Table() : undefined
  const work: number[] = []
  const queued = new Set<number>()
  const want = (index: number): void => {
    if (!queued.has(index)) {
      queued.add(index)
      work.push(index)
    }
  }
  const callee = (instruction: Instruction): number => {
    const index = functionAt.get(instruction.target) ?? unreachable(`no function starts at ${instruction.target}`)
    want(index)
    return index
  }
  for (const index of taken) want(index)
  const packetsBelow = hasPacketsBelow(program, taken)
  const shared: Shared = { callee, taken, table, packetsBelow, tailCalls: hasTailCalls(program) }
  const build = (index: number, isEntry: boolean): Func =>
    new FunctionBuilder(program, program.functions[index]!, isEntry, options, shared).build()
  const entry = build(program.entry, true)
  const entries: (Func | null)[] = program.functions.map(() => null)
  for (const { programs = [] } of program.maps) {
    for (const { function: index } of programs) if (index !== program.entry) entries[index] ??= build(index, true)
  }
  for (let index = work.pop(); index !== undefined; index = work.pop()) {
    functions[index] = build(index, false)
  }
  const sections = program.data.map(({ kind, bytes, pointers }) => {
    return { isConstant: kind === 'rodata', bytes, pointers: pointers.map(({ offset }) => offset) }
  })
  return { entry, entries, functions, taken, sections, routines: new Map(), table: table?.things ?? [] }
}

const REGISTERS = 11
/** Bytes from r10 within which an address of the stack is followed. */
const FRAME_REACH = 1 << 15
/** Helpers that are code of the program's own. */
const MAP_LOOKUP = 1
const TAIL_CALL = 12
/** How often one call of a program may go on by tail calls: the kernel's limit. */
const MAXIMUM_TAIL_CALLS = 33
/** Values below this are helpers' numbers for callx, others functions' addresses. */
const HELPER_NUMBERS = 256

class FunctionBuilder {
  private readonly program: Program
  private readonly fn: BpfFunction
  private readonly isEntry: boolean
  private readonly options: BuildOptions
  private readonly shared: Shared
  private readonly func: Func
  private readonly env: Value
  private readonly frame: Value
  private block: Block
  /** Values of R0-R10 at this point. Words stand for what zext makes of them. */
  private state: Value[]
  /** By register: the trunc of what it held when that was asked for last. */
  private readonly truncs: (Value | undefined)[] = Array.from({ length: REGISTERS }, () => undefined)
  private origin = -1
  /** By number of an IR block: the registers at its end, for the phis of its successors. */
  private readonly finalState: Value[][] = []
  /** By number of an IR block: the basic block that it serves; blocks that leave the program stand last. */
  private readonly place: number[] = [-1]
  private basic = -1

  constructor(program: Program, fn: BpfFunction, isEntry: boolean, options: BuildOptions, shared: Shared) {
    this.program = program
    this.fn = fn
    this.isEntry = isEntry
    this.options = options
    this.shared = shared
    this.func = new Func(fn.name, isEntry ? [I32, I32, I32] : [I64, I64, I64, I64, I64, I32])
    const { func } = this
    func.hasContext = isEntry
    this.block = func.newBlock()
    const zero = func.double(0, 0)
    this.state = Array.from({ length: REGISTERS }, () => zero)
    for (const [index, type] of func.params.entries()) {
      const param = func.append(this.block, Op.param, type, [], index)
      const register = index + 1
      if (type === I64) this.state[register] = param
      else if (isEntry && index < 2) this.state[register] = param
    }
    this.env = this.param(func.params.length - 1)
    this.frame = func.append(this.block, Op.frame, I32)
    this.state[10] = this.frame
    if (isEntry && shared.packetsBelow) this.setContext(this.param(0))
  }

  build(): Func {
    const { func } = this
    const blocks = basicBlocks(this.program, this.fn)
    const order = reversePostorder(blocks)
    const incoming = int32(blocks.length)
    incoming[0] = 1 // from the prologue
    for (const index of order) for (const to of blocks[index]!.successors) incoming[to]!++
    // IR blocks in the order of the text, whatever the order of their making.
    const heads: (Block | undefined)[] = blocks.map(() => undefined)
    const reached = uint8(blocks.length)
    for (const index of order) reached[index] = 1
    for (const index of blocks.keys()) if (reached[index] === 1) heads[index] = this.newBlock(index)
    const madeInOrder = func.blocks.length
    const masks = placePhis(blocks, order)
    this.finish(masks[0]!)
    func.jump(this.block, heads[0]!)
    const phis: Value[] = []
    const registers: number[] = []
    for (const index of order) {
      const basic = blocks[index]!
      const head = heads[index]!
      this.block = head
      this.basic = index
      this.origin = -1
      if (incoming[index]! > 1) {
        // What needs no phi is the same along every way; one of them is done.
        this.state = this.finalState[head.predecessors[0]!.id]!.slice()
        const zero = func.double(0, 0)
        const mask = masks[index]!
        for (let register = 0; register < 10; register++) {
          const bit = 1 << register
          if ((basic.liveIn & bit) === 0) this.state[register] = zero
          else if ((mask & bit) !== 0) {
            const phi = func.append(head, Op.phi, I64)
            this.state[register] = phi
            phis.push(phi)
            registers.push(register)
          } else {
            // The word is from above, but that way alone may have extended it.
            const value = this.state[register]!
            if (value.op === Op.zext) this.state[register] = value.args[0]!
          }
        }
        this.state[10] = this.frame
      } else {
        // Reverse postorder: the only predecessor is done.
        this.state = this.finalState[head.predecessors[0]!.id]!.slice()
      }
      let asked = 0
      for (let edge = 0; edge < basic.successors.length; edge++) asked |= masks[basic.successors[edge]!]!
      this.translate(basic, heads, asked)
    }
    for (const [index, phi] of phis.entries()) {
      const register = registers[index]!
      phi.args = phi.block.predecessors.map((from) => this.finalState[from.id]![register]!)
    }
    if (func.blocks.length > madeInOrder) {
      func.blocks.sort((a, b) => this.place[a.id]! - this.place[b.id]! || a.id - b.id)
    }
    return func
  }

  private newBlock(place = this.basic): Block {
    const block = this.func.newBlock()
    this.place[block.id] = place
    return block
  }

  private param(index: number): Value {
    return this.func.blocks[0]!.values.find((value) => value.op === Op.param && value.imm === index)!
  }

  /** `asked`: the registers that phis of the successors read. */
  private finish(asked: number): void {
    for (let register = 0; asked >> register !== 0; register++) if ((asked & (1 << register)) !== 0) this.wide(register)
    this.finalState[this.block.id] = this.state
  }

  private translate(basic: BasicBlock, heads: readonly (Block | undefined)[], asked: number): void {
    const { func } = this
    for (let index = basic.start; index < basic.end; index++) {
      const instruction = this.program.instructions[index]!
      this.origin = instruction.slot
      const { row } = instruction
      switch (row.kind) {
        case 'alu':
          this.alu(instruction, row.op, row.width, row.source)
          break
        case 'lddw':
          this.state[instruction.dst] =
            instruction.reference === null
              ? func.double(instruction.imm, instruction.immHigh)
              : this.addressOf(instruction.reference)
          break
        case 'load':
          this.load(instruction, row.size, row.signed)
          break
        case 'store':
          this.store(instruction, row.size, row.source)
          break
        case 'atomic':
          this.atomic(instruction, row.op, row.fetch, row.size)
          break
        case 'call':
          this.call(instruction, row.callee)
          break
        case 'packet':
          this.packet(instruction, row.indirect, row.size)
          break
        case 'exit':
          this.add(Op.ret, VOID, [this.wide(0)])
          this.tell(instruction)
          return
        case 'jump':
          this.finish(asked)
          if (row.op === 'ja') {
            func.jump(this.block, heads[basic.successors[0]!]!, this.origin)
          } else {
            const condition = this.condition(instruction, row.op, row.width, row.source)
            func.branch(this.block, condition, heads[basic.successors[0]!]!, heads[basic.successors[1]!]!, this.origin)
          }
          this.tell(instruction)
          return
      }
      this.tell(instruction)
    }
    this.finish(asked)
    func.jump(this.block, heads[basic.successors[0]!]!, this.origin)
  }

  /** What was made of an instruction: the last effect, or else what its register holds. */
  private tell({ slot, dst, row }: Instruction): void {
    const { made } = this.options
    if (made === undefined) return
    const { values } = this.block
    for (let at = values.length - 1; at >= 0 && values[at]!.origin === slot; at--) {
      if ((attributes[values[at]!.op]! & (EFFECT | TERMINATOR)) !== 0) return made(slot, values[at]!)
    }
    made(slot, this.state[row.kind === 'call' || row.kind === 'packet' ? 0 : dst]!)
  }

  // --- values

  private add(op: number, type: 0 | 1 | 2, args: Value[], imm = 0): Value {
    return this.func.append(this.block, op, type, args, imm, this.origin)
  }

  /** The low word of a register. */
  private low(register: number): Value {
    const value = this.state[register]!
    const before = this.truncs[register]
    // One for all who ask in this block.
    if (before !== undefined && before.args[0] === value && before.block === this.block) return before
    const word = this.lowOf(value)
    if (word.op === Op.trunc) this.truncs[register] = word
    return word
  }

  private lowOf(value: Value): Value {
    if (value.type === I32) return value
    if (value.op === Op.zext || value.op === Op.sext) return value.args[0]!
    if (value.op === Op.const) return this.func.word(value.imm)
    return this.add(Op.trunc, I32, [value])
  }

  /** All 64 bits of a register. */
  private wide(register: number): Value {
    const value = this.state[register]!
    return value.type === I64 ? value : (this.state[register] = this.zext(value))
  }

  private wideOf(value: Value): Value {
    return value.type === I64 ? value : this.zext(value)
  }

  private zext(word: Value): Value {
    if (word.op === Op.const) return this.func.double(word.imm, 0)
    return this.add(Op.zext, I64, [word])
  }

  private sext(word: Value): Value {
    return this.add(Op.sext, I64, [word])
  }

  /** The second operand: a register or the immediate, sign-extended. */
  private source(instruction: Instruction, source: 'imm' | 'reg'): Value {
    if (source === 'reg') return this.wide(instruction.src)
    return this.func.double(instruction.imm, instruction.imm >> 31)
  }

  /** The low word of that. */
  private lowSource(instruction: Instruction, source: 'imm' | 'reg'): Value {
    return source === 'reg' ? this.low(instruction.src) : this.func.word(instruction.imm)
  }

  // --- arithmetic, RFC 9669 section 4.1

  private alu(instruction: Instruction, op: AluOp, width: 32 | 64, source: 'imm' | 'reg'): void {
    const { dst } = instruction
    const result = this.aluResult(instruction, op, width, source)
    this.state[dst] = result.op === Op.const ? this.wideOf(result) : result
  }

  /** A word where the high one is 0. */
  private aluResult(instruction: Instruction, op: AluOp, width: 32 | 64, source: 'imm' | 'reg'): Value {
    const { func } = this
    const { dst, src } = instruction
    switch (op) {
      case 'mov':
        if (width === 32) return this.lowSource(instruction, source)
        return source === 'reg' ? this.state[src]! : this.source(instruction, source)
      case 'movsx8':
      case 'movsx16': {
        const value = this.add(op === 'movsx8' ? Op.sext8 : Op.sext16, I32, [this.low(src)])
        return width === 64 ? this.sext(value) : value
      }
      case 'movsx32':
        return this.sext(this.low(src))
      case 'le16':
        return this.add(Op.and, I32, [this.low(dst), func.word(0xffff)])
      case 'le32':
        return this.low(dst)
      case 'le64':
        return this.state[dst]!
      case 'be16':
      case 'bswap16':
        return this.add(Op.bswap16, I32, [this.low(dst)])
      case 'be32':
      case 'bswap32':
        return this.add(Op.bswap, I32, [this.low(dst)])
      case 'be64':
      case 'bswap64':
        return this.add(Op.bswap, I64, [this.wide(dst)])
      case 'neg':
        return width === 64
          ? this.add(Op.sub, I64, [func.double(0, 0), this.wide(dst)])
          : this.add(Op.sub, I32, [func.word(0), this.low(dst)])
      case 'lsh':
      case 'rsh':
      case 'arsh': {
        const operation = op === 'lsh' ? Op.lsl : op === 'rsh' ? Op.lsr : Op.asr
        const mask = width - 1
        const amount =
          source === 'imm' ? func.word(instruction.imm & mask) : this.add(Op.and, I32, [this.low(src), func.word(mask)])
        return width === 64
          ? this.add(operation, I64, [this.wide(dst), amount])
          : this.add(operation, I32, [this.low(dst), amount])
      }
      default: {
        const operation = binary[op]
        if (op === 'add' && width === 64 && source === 'imm') {
          const left = this.state[dst]!
          const place = left.op === Op.zext ? left.args[0]! : left
          if (place.op === Op.frame) {
            // An address of the stack, as long as no carry can leave its word.
            const offset = place.imm + instruction.imm
            if (Math.abs(offset) <= FRAME_REACH) {
              func.stackBytes = Math.max(func.stackBytes, -offset)
              return this.add(Op.frame, I32, [], offset)
            }
          }
        }
        return width === 64
          ? this.add(operation, I64, [this.wide(dst), this.source(instruction, source)])
          : this.add(operation, I32, [this.low(dst), this.lowSource(instruction, source)])
      }
    }
  }

  private condition(instruction: Instruction, op: JumpOp, width: 32 | 64, source: 'imm' | 'reg'): Value {
    const left = width === 32 ? this.low(instruction.dst) : this.wide(instruction.dst)
    const right = width === 32 ? this.lowSource(instruction, source) : this.source(instruction, source)
    switch (op) {
      case 'jeq':
        return this.add(Op.eq, I32, [left, right])
      case 'jne':
        return this.add(Op.ne, I32, [left, right])
      case 'jgt':
        return this.add(Op.ult, I32, [right, left])
      case 'jge':
        return this.add(Op.ule, I32, [right, left])
      case 'jlt':
        return this.add(Op.ult, I32, [left, right])
      case 'jle':
        return this.add(Op.ule, I32, [left, right])
      case 'jsgt':
        return this.add(Op.slt, I32, [right, left])
      case 'jsge':
        return this.add(Op.sle, I32, [right, left])
      case 'jslt':
        return this.add(Op.slt, I32, [left, right])
      case 'jsle':
        return this.add(Op.sle, I32, [left, right])
      case 'jset': {
        const both = this.add(Op.and, left.type, [left, right])
        return this.add(Op.ne, I32, [both, width === 32 ? this.func.word(0) : this.func.double(0, 0)])
      }
      case 'ja':
        return unreachable('ja has no condition')
    }
  }

  private addressOf(reference: Reference): Value {
    const { func } = this
    const offset = reference.kind === 'data' ? reference.offset : 0
    const thing = func.thing(
      reference.kind === 'data' ? { kind: 'data', section: reference.section } : { ...reference },
    )
    if (this.shared.table !== undefined) {
      const base = this.fromTable(this.shared.table, thing)
      return offset === 0 ? base : this.add(Op.add, I32, [base, func.word(offset)])
    }
    const value = this.add(Op.address, I32, [], offset)
    value.callee = thing
    return value
  }

  private fromTable(table: Table, thing: Callee): Value {
    const value = this.add(Op.tableaddress, I32, [this.env], table.indexOf(thing))
    value.callee = this.func.thing(thing)
    return value
  }

  // --- memory, RFC 9669 section 5

  private load(instruction: Instruction, size: 1 | 2 | 4 | 8, signed: boolean): void {
    const address = this.low(instruction.src)
    const { offset } = instruction
    if (size === 8) {
      this.state[instruction.dst] = this.add(Op.load64, I64, [address], offset)
      return
    }
    const op = size === 4 ? Op.load32 : size === 2 ? (signed ? Op.load16s : Op.load16) : signed ? Op.load8s : Op.load8
    const word = this.add(op, I32, [address], offset)
    this.state[instruction.dst] = signed ? this.sext(word) : word
  }

  private store(instruction: Instruction, size: 1 | 2 | 4 | 8, source: 'imm' | 'reg'): void {
    const address = this.low(instruction.dst)
    if (size === 8) this.add(Op.store64, VOID, [address, this.source(instruction, source)], instruction.offset)
    else {
      const op = size === 4 ? Op.store32 : size === 2 ? Op.store16 : Op.store8
      this.add(op, VOID, [address, this.lowSource(instruction, source)], instruction.offset)
    }
  }

  private atomic(instruction: Instruction, op: AtomicOp, fetch: boolean, size: 4 | 8): void {
    const { func } = this
    const { dst, src, offset } = instruction
    const address = this.low(dst)
    const place = offset === 0 ? address : this.add(Op.add, I32, [address, func.word(offset)])
    const rest = this.add(Op.and, I32, [place, func.word(size - 1)])
    this.leaveIf(this.add(Op.ne, I32, [rest, func.word(0)]), TrapCode.MISALIGNED_ATOMIC)
    const operand = (register: number): Value => (size === 8 ? this.wide(register) : this.low(register))
    const args = op === 'cmpxchg' ? [address, operand(0), operand(src)] : [address, operand(src)]
    const old = this.add(atomics[op], size === 8 ? I64 : I32, args, offset)
    if (fetch) this.state[op === 'cmpxchg' ? 0 : src] = old
  }

  /** LD_ABS and LD_IND: big-endian from the bytes at the program's R1, the run's R2 of them; outside, the program ends with 0. */
  private packet(instruction: Instruction, indirect: boolean, size: 1 | 2 | 4): void {
    const { func } = this
    const imm = func.word(instruction.imm)
    const index = indirect ? this.add(Op.add, I32, [this.low(instruction.src), imm]) : imm
    const ctx = this.context()
    const length = this.isEntry ? this.param(1) : this.add(Op.load32, I32, [this.env], Env.len)
    this.leaveIf(this.add(Op.slt, I32, [index, func.word(0)]), 0)
    this.leaveIf(this.add(Op.ult, I32, [length, func.word(size)]), 0)
    this.leaveIf(this.add(Op.ult, I32, [this.add(Op.sub, I32, [length, func.word(size)]), index]), 0)
    const address = this.add(Op.add, I32, [ctx, index])
    const op = size === 4 ? Op.load32 : size === 2 ? Op.load16 : Op.load8
    const word = this.add(op, I32, [address])
    const swapped = size === 1 ? word : this.add(size === 2 ? Op.bswap16 : Op.bswap, I32, [word])
    this.state[0] = swapped
  }

  /** R1 at the entry of this program. */
  private context(): Value {
    return this.isEntry ? this.param(0) : this.add(Op.load32, I32, [this.env], Env.ctx)
  }
  /** For the packet loads of functions that are called. */
  private setContext(ctx: Value): void {
    this.add(Op.store32, VOID, [this.env, ctx], Env.ctx)
  }

  // --- calls and ways out

  /** Goes on in a new block unless the condition holds; then the program ends with this outcome. */
  private leaveIf(condition: Value, code: number): void {
    const { func } = this
    const out = this.newBlock(Number.MAX_SAFE_INTEGER)
    const next = this.newBlock()
    func.branch(this.block, condition, out, next, this.origin)
    this.block = out
    this.leave(code)
    this.block = next
  }

  private leave(code: number): void {
    // In the entry, to end with 0 is to return.
    if (code === 0 && this.isEntry) this.add(Op.ret, VOID, [this.func.double(0, 0)])
    else this.add(Op.trap, VOID, [this.env], code)
  }

  private call(instruction: Instruction, kind: 'helper' | 'local' | 'register'): void {
    // Helpers take most of their arguments as words.
    if (kind !== 'helper') for (let register = 1; register <= 5; register++) this.wide(register)
    const args = this.state.slice(1, 6)
    let result: Value
    if (kind === 'local') {
      result = this.local(this.shared.callee(instruction), args)
    } else if (kind === 'helper') {
      result = this.helper(instruction.imm, args)
    } else {
      result = this.dispatch(this.wide(instruction.dst), args)
    }
    const zero = this.func.double(0, 0)
    this.state[0] = result
    for (let register = 1; register <= 5; register++) this.state[register] = zero
  }

  private helper(number: number, args: Value[]): Value {
    if (number === TAIL_CALL && this.shared.tailCalls) {
      return this.tailCall(args)
    }
    const array = number === MAP_LOOKUP ? this.arrayMap(args[0]!) : undefined
    if (array !== undefined) return this.lookup(array, args)
    const prototype = prototypeOf(this.options.helpers, number)
    const given = prototype?.parameters.map(({ type }, index) => this.narrow(args[index]!, type))
    const callee: Callee = { kind: 'helper', number, prototype }
    const target = this.shared.table === undefined ? [] : [this.fromTable(this.shared.table, callee)]
    const call = this.add(Op.call, I64, [...target, ...(given ?? args.map((arg) => this.wideOf(arg)))])
    call.callee = this.shared.table === undefined ? callee : { kind: 'pointer', prototype }
    const result = prototype === undefined ? call : this.extend(call, prototype.result)
    if (number === this.options.unwindHelper) {
      this.leaveIf(this.add(Op.eq, I32, [this.wideOf(result), this.func.double(0, 0)]), 0)
    }
    return result
  }

  /** The array map whose address a value is, if that is plain to see. */
  private arrayMap(value: Value): MapDefinition | undefined {
    const callee = (value.op === Op.zext ? value.args[0]! : value).callee
    const map = callee?.kind === 'map' ? this.program.maps[callee.index]! : undefined
    return map?.type === MapType.ARRAY || map?.type === MapType.PERCPU_ARRAY ? map : undefined
  }

  /** Lookup in an array map without a call: the element's address, 0 beyond the end. */
  private lookup(map: MapDefinition, args: Value[]): Value {
    const { func } = this
    const index = this.add(Op.load32, I32, [this.lowOf(args[1]!)])
    const elements = this.add(Op.load32, I32, [this.lowOf(args[0]!)], MapLayout.elements)
    const distance = this.add(Op.mul, I32, [index, func.word(round8(map.valueSize))])
    const inside = this.add(Op.ult, I32, [index, func.word(map.maxEntries)])
    return this.add(Op.select, I32, [inside, this.add(Op.add, I32, [elements, distance]), func.word(0)])
  }

  /**
   * bpf_tail_call(ctx, program array, index): goes to that program in place of this function; its R1 is ctx, its R2 the
   * entry's. Falls through with -ENOENT where there is no program or too many came before.
   */
  private tailCall(args: Value[]): Value {
    const { func } = this
    const failed = this.newBlock()
    const failUnless = (condition: Value): void => {
      const next = this.newBlock()
      func.branch(this.block, condition, next, failed, this.origin)
      this.block = next
    }
    const map = this.lowOf(args[1]!)
    const index = this.lowOf(args[2]!)
    failUnless(this.add(Op.ult, I32, [index, this.add(Op.load32, I32, [map], MapLayout.maxEntries)]))
    const programs = this.add(Op.load32, I32, [map], MapLayout.elements)
    const place = this.add(Op.add, I32, [programs, this.add(Op.lsl, I32, [index, func.word(2)])])
    const target = this.add(Op.load32, I32, [place])
    failUnless(this.add(Op.ne, I32, [target, func.word(0)]))
    const count = this.add(Op.load32, I32, [this.env], Env.tailCalls)
    failUnless(this.add(Op.ult, I32, [count, func.word(MAXIMUM_TAIL_CALLS)]))
    this.add(Op.store32, VOID, [this.env, this.add(Op.add, I32, [count, func.word(1)])], Env.tailCalls)
    const len = this.add(Op.load32, I32, [this.env], Env.len)
    this.add(Op.tailcall, VOID, [target, this.lowOf(args[0]!), len, this.env])
    this.block = failed
    return func.double(MapError.ENOENT, -1)
  }

  private local(index: number, args: Value[]): Value {
    // A tail call in there leads to a program that has a context of its own.
    const { packetsBelow, tailCalls } = this.shared
    const ctx = packetsBelow && tailCalls ? this.context() : undefined
    const result = this.add(Op.call, I64, [...args, this.env])
    result.callee = { kind: 'function', index }
    if (ctx !== undefined) this.setContext(ctx)
    return result
  }

  /** What AAPCS has a caller pass for a parameter of this type: extended to a word, whatever the register has above. */
  private narrow(value: Value, type: ValueType): Value {
    const { func } = this
    switch (type) {
      case 'u64':
      case 's64':
        return this.wideOf(value)
      case 's8':
        return this.add(Op.sext8, I32, [this.lowOf(value)])
      case 's16':
        return this.add(Op.sext16, I32, [this.lowOf(value)])
      case 'u8':
        return this.add(Op.and, I32, [this.lowOf(value), func.word(0xff)])
      case 'u16':
        return this.add(Op.and, I32, [this.lowOf(value), func.word(0xffff)])
      case 'bool':
        return this.add(Op.ne, I32, [this.narrow(value, 'u8'), func.word(0)])
      case 'u32':
      case 's32':
      case 'pointer':
      case 'map':
        return this.lowOf(value)
    }
  }

  /** R0 of a call's result of this type. Narrow ones are extended again: not every callee does it as AAPCS says. */
  private extend(call: Value, type: ResultType): Value {
    switch (type) {
      case 'void':
        return this.func.double(0, 0)
      case 'u64':
      case 's64':
        return call
      case 's8':
      case 's16':
      case 's32':
        return this.sext(this.narrow(call, type))
      case 'bool':
        return this.narrow(call, 'u8')
      default:
        return this.narrow(call, type)
    }
  }

  /** callx: a chain of comparisons, over the granted helpers or the functions whose address can be had. */
  private dispatch(number: Value, args: Value[]): Value {
    const { func } = this
    const join = this.newBlock()
    const results: Value[] = []
    const tryCall = (candidate: Value, call: () => Value): void => {
      const match = this.newBlock()
      const next = this.newBlock()
      func.branch(this.block, this.add(Op.eq, I32, [number, candidate]), match, next, this.origin)
      this.block = match
      results.push(this.wideOf(call()))
      func.jump(this.block, join, this.origin)
      this.block = next
    }
    const pointers = this.newBlock()
    const numbers = this.newBlock()
    const isNumber = this.add(Op.ult, I32, [number, func.double(HELPER_NUMBERS, 0)])
    func.branch(this.block, isNumber, numbers, pointers, this.origin)
    this.block = pointers
    for (const index of this.shared.taken) {
      const address = this.zext(this.addressOf({ kind: 'function', index }))
      tryCall(address, () => this.local(index, args))
    }
    this.leave(TrapCode.UNKNOWN_HELPER)
    this.block = numbers
    for (const granted of [...this.options.helpers.keys()].toSorted((a, b) => a - b)) {
      tryCall(func.double(granted, 0), () => this.helper(granted, args))
    }
    this.leave(TrapCode.UNKNOWN_HELPER)
    this.block = join
    if (results.length === 0) return func.double(0, 0)
    return this.add(Op.phi, I64, results)
  }
}
