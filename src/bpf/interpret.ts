// The oracle: RFC 9669 as plain code over 64-bit BigInts. Takes a checked Program (check.ts says what that promises).
// Beyond the RFC: addresses are the low 32 bits; what was never written reads as 0, as do R1-R5 after a call and, in a callee, R0
// and R6-R9; a misaligned atomic, an access outside of memory and calls too deep are traps; callx calls the helper of a number below
// 256, or else the function that has all 64 bits as its address. Packet loads read from the R1 with which their program was entered.

import { InputError, unreachable } from '../base/errors.ts'
import { TrapCode, trapMessage, type Outcome } from '../base/outcome.ts'
import { addressOf } from './data.ts'
import { frameSize } from './frame-size.ts'
import { callHelper, type Helper, HelperFault, type HelperMemory, noHelpers, type HelperSet } from './helpers.ts'
import {
  type LoadedProgram,
  type LoadedPrograms,
  loadPrograms,
  type ProgramParts,
  type TailTarget,
} from './interpret-load.ts'
import type { AluOp, AtomicOp, JumpOp, Row } from './isa.ts'
import { MapError, MapType } from './maps.ts'
import { RegionMemory, type InterpreterMemory } from './memory.ts'
import type { Instruction, Program } from './program.ts'

export { DEFAULT_DATA_BASE, DEFAULT_MAP_BASE, type ProgramParts, type TailTarget } from './interpret-load.ts'

/** Where the stack begins unless the caller says otherwise. */
export const DEFAULT_STACK_BASE = 0x2010_0000
/** callx of less than this is of a helper. */
const FIRST_FUNCTION_ADDRESS = 256
/** bpf_tail_call, for programs that have a program array. */
const TAIL_CALL = 12
/** How many tail calls a run may make. */
const MAXIMUM_TAIL_CALLS = 33

export interface InterpretOptions extends ProgramParts {
  /** Everything but the stack and the program's data. */
  readonly memory?: InterpreterMemory
  /** R1 at entry: address of the context, 32 bits; 0 without one. Packet loads read from it. */
  readonly r1?: number
  /** R2 at entry, 32 bits: how many bytes packet loads may read. */
  readonly r2?: number
  readonly helpers?: HelperSet
  /** Lowest address of the stack. */
  readonly stackBase?: number
  /** What program arrays hold: the programs by the numbers that OracleMap.setProgram was given, from 1 on. */
  readonly programs?: ReadonlyMap<number, TailTarget>
  /** Functions that may be active at once, the entry included. */
  readonly maximumDepth?: number
  /** Instructions to execute before the run is stopped. */
  readonly maximumInstructions?: number
}

export interface Interpretation {
  readonly outcome: Outcome
  /** Executed BPF instructions; LDDW is one. */
  readonly instructions: number
}

/** Runs the entry of a program. Throws InputError for a helper that gives a promise: interpretAsync waits for it. */
export function interpret(program: Program, options: InterpretOptions = {}): Interpretation {
  return new Interpreter(program, options).run()
}

/** Runs the entry of a program whose helpers may be asynchronous. */
export function interpretAsync(program: Program, options: InterpretOptions = {}): Promise<Interpretation> {
  return new Interpreter(program, options).runAsync()
}

/** A helper that has not answered yet. */
interface Pending {
  readonly number: number
  readonly result: Promise<bigint>
  readonly instruction: Instruction
}

interface Frame {
  /** The caller's program, its R1 at entry, and its place. */
  readonly program: LoadedProgram
  readonly context: number
  readonly returnTo: number
  /** The caller's R6 to R9. */
  readonly saved: readonly bigint[]
}

class Interpreter {
  private readonly programs: LoadedPrograms
  /** The one that runs; tail calls go to others. */
  private program: LoadedProgram
  private tailCalls = 0
  private readonly memory: InterpreterMemory
  private readonly data: InterpreterMemory
  private readonly stack: InterpreterMemory
  private readonly stackBase: number
  private readonly stackEnd: number
  private readonly helpers: HelperSet
  /** R1 at the entry of the program that runs: packet loads read from it. */
  private context: number
  private readonly length: number
  private readonly maximumDepth: number
  /** Bytes of stack that each function has below its R10. */
  private readonly frameSize: number
  private readonly maximumInstructions: number
  /** R0 to R10, always in 0 to 2^64 - 1. */
  private readonly r: bigint[] = Array.from({ length: 11 }, () => 0n)
  private readonly frames: Frame[] = []
  private pc: number
  private outcome: Outcome | undefined
  private executed = 0
  private pending: Pending | undefined

  constructor(program: Program, options: InterpretOptions) {
    this.helpers = options.helpers ?? noHelpers
    this.programs = loadPrograms(program, options, options.programs ?? new Map(), this.helpers)
    this.program = this.programs.main
    this.data = new RegionMemory(this.programs.regions)
    this.memory = options.memory ?? new RegionMemory([])
    this.context = (options.r1 ?? 0) >>> 0
    this.length = (options.r2 ?? 0) >>> 0
    this.maximumDepth = options.maximumDepth ?? 64
    this.maximumInstructions = options.maximumInstructions ?? 100_000_000
    this.stackBase = options.stackBase ?? DEFAULT_STACK_BASE
    const tails = [...(options.programs ?? new Map<number, TailTarget>()).values()]
    this.frameSize = Math.max(frameSize(program), ...tails.map((target) => frameSize(target.program)))
    this.stackEnd = this.stackBase + this.maximumDepth * this.frameSize
    const bytes = new Uint8Array(this.maximumDepth * this.frameSize)
    this.stack = new RegionMemory([{ base: this.stackBase, bytes }])
    this.pc = program.functions[program.entry]!.start
    this.r[1] = BigInt(this.context)
    this.r[2] = BigInt(this.length)
    this.r[10] = BigInt(this.stackEnd)
  }

  run(): Interpretation {
    const outcome = this.advance()
    if (outcome !== undefined) return { outcome, instructions: this.executed }
    const { number, result } = this.pending!
    result.catch(() => {}) // Nobody waits for it.
    throw new InputError(`helper ${number} gave a promise, which only interpretAsync waits for`)
  }

  async runAsync(): Promise<Interpretation> {
    for (;;) {
      const outcome = this.advance()
      if (outcome !== undefined) return { outcome, instructions: this.executed }
      const { number, result, instruction } = this.pending!
      this.pending = undefined
      try {
        this.answer(number, await result)
      } catch (error) {
        this.failed(error, instruction)
      }
    }
  }

  /** Runs to the end, or to a helper that is pending. */
  private advance(): Outcome | undefined {
    while (this.outcome === undefined && this.pending === undefined) {
      const instruction = this.program.program.instructions[this.pc]!
      if (this.executed === this.maximumInstructions) {
        const message = `stopped after ${this.executed} instructions`
        this.outcome = {
          kind: 'limited',
          limit: 'instructions',
          pc: instruction.slot * 8,
          slot: this.slotOf(instruction),
          message,
        }
        break
      }
      this.executed++
      this.pc++
      this.step(instruction)
    }
    return this.outcome
  }

  private step(instruction: Instruction): void {
    const { row, dst, src, imm } = instruction
    const { r } = this
    switch (row.kind) {
      case 'alu': {
        const b = row.source === 'reg' ? r[src]! : BigInt(imm)
        r[dst] = alu(row.op, row.width, r[dst]!, BigInt.asUintN(64, b))
        return
      }
      case 'lddw':
        r[dst] =
          instruction.reference === null
            ? (BigInt(instruction.immHigh >>> 0) << 32n) | BigInt(imm >>> 0)
            : BigInt(addressOf(instruction.reference, this.program.addresses))
        return
      case 'load': {
        const value = this.load(this.address(src, instruction.offset), row.size, instruction)
        r[dst] = row.signed ? signExtend(value, row.size * 8) : value
        return
      }
      case 'store': {
        const value = row.source === 'reg' ? r[src]! : BigInt.asUintN(64, BigInt(imm))
        this.store(this.address(dst, instruction.offset), row.size, value, instruction)
        return
      }
      case 'atomic':
        this.atomic(row, instruction)
        return
      case 'jump': {
        const b = row.source === 'reg' ? r[src]! : BigInt.asUintN(64, BigInt(imm))
        if (taken(row.op, row.width, r[dst]!, b)) this.pc = instruction.target
        return
      }
      case 'call':
        this.call(row.callee, instruction)
        return
      case 'exit':
        this.exit()
        return
      case 'packet':
        this.packet(row.indirect, row.size, instruction)
    }
  }

  private address(register: number, offset: number): number {
    return Number(BigInt.asUintN(32, this.r[register]! + BigInt(offset)))
  }

  private memoryAt(address: number): InterpreterMemory {
    if (address >= this.stackBase && address < this.stackEnd) return this.stack
    for (const { base, bytes } of this.programs.regions) {
      if (address >= base && address < base + bytes.length) return this.data
    }
    return this.memory
  }

  private load(address: number, size: number, instruction: Instruction): bigint {
    const value = this.memoryAt(address).load(address, size)
    if (value === undefined) this.trap(TrapCode.BAD_ACCESS, instruction)
    return value ?? 0n
  }

  private store(address: number, size: number, value: bigint, instruction: Instruction): void {
    if (!this.memoryAt(address).store(address, size, value)) this.trap(TrapCode.BAD_ACCESS, instruction)
  }

  private atomic(row: Row & { kind: 'atomic' }, instruction: Instruction): void {
    const { r } = this
    const bits = row.size * 8
    const address = this.address(instruction.dst, instruction.offset)
    if (address % row.size !== 0) {
      this.trap(TrapCode.MISALIGNED_ATOMIC, instruction)
      return
    }
    const old = this.load(address, row.size, instruction)
    if (this.outcome !== undefined) return
    const operand = BigInt.asUintN(bits, r[instruction.src]!)
    this.store(address, row.size, exchanged(row.op, old, operand, BigInt.asUintN(bits, r[0]!)), instruction)
    if (row.op === 'cmpxchg') r[0] = old
    else if (row.fetch) r[instruction.src] = old
  }

  private call(callee: 'helper' | 'local' | 'register', instruction: Instruction): void {
    const { r } = this
    const value = r[instruction.dst]!
    const byPointer = callee === 'register' && value >= FIRST_FUNCTION_ADDRESS
    const start = byPointer
      ? this.program.functionStarts.get(value)
      : callee === 'local'
        ? instruction.target
        : undefined
    if (start !== undefined) {
      if (this.frames.length + 1 >= this.maximumDepth) {
        this.trap(TrapCode.CALL_DEPTH, instruction)
        return
      }
      this.frames.push({ program: this.program, context: this.context, returnTo: this.pc, saved: r.slice(6, 10) })
      r[0] = 0n
      r.fill(0n, 6, 10)
      r[10] = r[10]! - BigInt(this.frameSize)
      this.pc = start
      return
    }
    const number = callee === 'register' ? Number(value) : instruction.imm
    if (!byPointer && number === TAIL_CALL && this.program.tailCalls) {
      this.tailCall(instruction)
      return
    }
    const helper = byPointer ? undefined : this.program.helpers.get(number)
    if (helper === undefined) {
      this.trap(TrapCode.UNKNOWN_HELPER, instruction)
      return
    }
    this.callHelper(number, helper, instruction)
  }

  /** bpf_tail_call(ctx, program array, index): another program in place of this function, or R0 = -ENOENT. */
  private tailCall(instruction: Instruction): void {
    const { r } = this
    const word = (register: number): number => Number(BigInt.asUintN(32, r[register]!))
    const context = word(1)
    const map = this.programs.mapAt.get(word(2))
    if (map === undefined || map.definition.type !== MapType.PROGRAM_ARRAY) {
      this.trap(TrapCode.BAD_ACCESS, instruction)
      return
    }
    const number = map.program(word(3))
    if (number === 0 || this.tailCalls === MAXIMUM_TAIL_CALLS) {
      r[0] = BigInt.asUintN(64, BigInt(MapError.ENOENT))
      r.fill(0n, 1, 6)
      return
    }
    const own = number < 0
    const target = own ? this.programs.owners.get(map.definition) : this.programs.targets.get(number)
    if (target === undefined) {
      const what = own ? 'programs of an object' : `program ${number}`
      throw new InputError(`map '${map.definition.name}' holds ${what}, which is not among the programs`)
    }
    this.tailCalls++
    this.program = target
    this.context = context
    r.fill(0n, 0, 10)
    r[1] = BigInt(context)
    r[2] = BigInt(this.length)
    const { functions, entry } = target.program
    this.pc = functions[own ? ~number : entry]!.start
  }

  private callHelper(number: number, helper: Helper, instruction: Instruction): void {
    const { r } = this
    try {
      const result = callHelper(helper, [r[1]!, r[2]!, r[3]!, r[4]!, r[5]!], this.helperMemory)
      if (result instanceof Promise) this.pending = { number, result, instruction }
      else this.answer(number, result)
    } catch (error) {
      this.failed(error, instruction)
    }
  }

  /** Goes on after a helper. */
  private answer(number: number, result: bigint): void {
    const { r } = this
    r[0] = result
    r.fill(0n, 1, 6)
    if (number === this.helpers.unwind && result === 0n) this.finish(0n)
  }

  private failed(error: unknown, instruction: Instruction): void {
    if (!(error instanceof HelperFault)) throw error
    this.trap(TrapCode.BAD_ACCESS, instruction)
  }

  /** What helpers see. */
  private readonly helperMemory: HelperMemory = {
    read: (address, length) => {
      if (length < 0) throw new HelperFault(address, 'read')
      const bytes: number[] = []
      for (let at = address; at < address + length; at++) {
        const byte = this.memoryAt(at).load(at, 1)
        if (byte === undefined) throw new HelperFault(address, 'read')
        bytes.push(Number(byte))
      }
      return Uint8Array.from(bytes)
    },
    write: (address, bytes) => {
      // All or nothing.
      void this.helperMemory.read(address, bytes.length)
      for (const [index, byte] of bytes.entries()) {
        if (!this.memoryAt(address + index).store(address + index, 1, BigInt(byte)))
          throw new HelperFault(address, 'write')
      }
    },
  }

  private exit(): void {
    const { r } = this
    const frame = this.frames.pop()
    if (frame === undefined) {
      this.finish(r[0]!)
      return
    }
    r.fill(0n, 1, 6)
    for (const [index, value] of frame.saved.entries()) r[6 + index] = value
    r[10] = r[10]! + BigInt(this.frameSize)
    this.program = frame.program
    this.context = frame.context
    this.pc = frame.returnTo
  }

  private packet(indirect: boolean, size: number, instruction: Instruction): void {
    const base = indirect ? this.r[instruction.src]! : 0n
    const index = Number(BigInt.asIntN(32, base + BigInt(instruction.imm)))
    if (index < 0 || index + size > this.length) {
      this.finish(0n)
      return
    }
    const value = this.load((this.context + index) >>> 0, size, instruction)
    this.r[0] = swapBytes(value, size * 8)
  }

  private finish(r0: bigint): void {
    this.outcome = { kind: 'returned', r0 }
  }

  private trap(code: TrapCode, instruction: Instruction): void {
    this.outcome = { kind: 'trapped', code, slot: this.slotOf(instruction), message: trapMessage(code) }
  }

  /** Slots of an outcome are of the program that was run, and not of those that tail calls lead to. */
  private slotOf({ slot }: Instruction): number {
    return this.program === this.programs.main ? slot : -1
  }
}

/** RFC 9669, section 4.1. `a` and `b` are unsigned 64 bits, as is the result; 32-bit operations see the low halves. */
function alu(op: AluOp, width: 32 | 64, a64: bigint, b64: bigint): bigint {
  const a = width === 64 ? a64 : BigInt.asUintN(32, a64)
  const b = width === 64 ? b64 : BigInt.asUintN(32, b64)
  const shift = b & BigInt(width - 1)
  switch (op) {
    case 'add':
      return BigInt.asUintN(width, a + b)
    case 'sub':
      return BigInt.asUintN(width, a - b)
    case 'mul':
      return BigInt.asUintN(width, a * b)
    case 'div':
      return b === 0n ? 0n : a / b
    case 'mod':
      return b === 0n ? a : a % b
    case 'sdiv':
      // The one overflow, the least number by -1, wraps to itself.
      return b === 0n ? 0n : BigInt.asUintN(width, BigInt.asIntN(width, a) / BigInt.asIntN(width, b))
    case 'smod':
      // BigInt's remainder truncates toward zero, as C's does.
      return b === 0n ? a : BigInt.asUintN(width, BigInt.asIntN(width, a) % BigInt.asIntN(width, b))
    case 'or':
      return a | b
    case 'and':
      return a & b
    case 'xor':
      return a ^ b
    case 'lsh':
      return BigInt.asUintN(width, a << shift)
    case 'rsh':
      return a >> shift
    case 'arsh':
      return BigInt.asUintN(width, BigInt.asIntN(width, a) >> shift)
    case 'neg':
      return BigInt.asUintN(width, -a)
    case 'mov':
      return b
    case 'movsx8':
      return BigInt.asUintN(width, BigInt.asIntN(8, b))
    case 'movsx16':
      return BigInt.asUintN(width, BigInt.asIntN(16, b))
    case 'movsx32':
      return BigInt.asUintN(width, BigInt.asIntN(32, b))
    case 'le16':
      return BigInt.asUintN(16, a)
    case 'le32':
      return BigInt.asUintN(32, a)
    case 'le64':
      return a
    case 'be16':
    case 'bswap16':
      return swapBytes(a, 16)
    case 'be32':
    case 'bswap32':
      return swapBytes(a, 32)
    case 'be64':
    case 'bswap64':
      return swapBytes(a, 64)
    default:
      return unreachable(op)
  }
}

/** RFC 9669, section 4.3. `a` and `b` are unsigned 64 bits. */
function taken(op: JumpOp, width: 32 | 64, a64: bigint, b64: bigint): boolean {
  const a = width === 64 ? a64 : BigInt.asUintN(32, a64)
  const b = width === 64 ? b64 : BigInt.asUintN(32, b64)
  switch (op) {
    case 'ja':
      return true
    case 'jeq':
      return a === b
    case 'jne':
      return a !== b
    case 'jset':
      return (a & b) !== 0n
    case 'jgt':
      return a > b
    case 'jge':
      return a >= b
    case 'jlt':
      return a < b
    case 'jle':
      return a <= b
    case 'jsgt':
      return BigInt.asIntN(width, a) > BigInt.asIntN(width, b)
    case 'jsge':
      return BigInt.asIntN(width, a) >= BigInt.asIntN(width, b)
    case 'jslt':
      return BigInt.asIntN(width, a) < BigInt.asIntN(width, b)
    case 'jsle':
      return BigInt.asIntN(width, a) <= BigInt.asIntN(width, b)
    default:
      return unreachable(op)
  }
}

/** What an atomic operation leaves in memory (RFC 9669, section 5.3); more bits than its size are ignored by the store. */
function exchanged(op: AtomicOp, old: bigint, operand: bigint, compared: bigint): bigint {
  switch (op) {
    case 'add':
      return BigInt.asUintN(64, old + operand)
    case 'or':
      return old | operand
    case 'and':
      return old & operand
    case 'xor':
      return old ^ operand
    case 'xchg':
      return operand
    case 'cmpxchg':
      return old === compared ? operand : old
    default:
      return unreachable(op)
  }
}

function signExtend(value: bigint, bits: number): bigint {
  return BigInt.asUintN(64, BigInt.asIntN(bits, value))
}

/** The low `bits` of `value`, their bytes in the opposite order. */
function swapBytes(value: bigint, bits: number): bigint {
  let result = 0n
  for (let at = 0; at < bits; at += 8) result = (result << 8n) | ((value >> BigInt(at)) & 0xffn)
  return result
}
