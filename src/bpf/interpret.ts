// The oracle: RFC 9669 as plain code over 64-bit BigInts. Takes a checked Program (check.ts says what that promises).
// Beyond the RFC: addresses are the low 32 bits; what was never written reads as 0, as do R1-R5 after a call and, in a callee, R0
// and R6-R9; a misaligned atomic, an access outside of memory and calls too deep are traps; callx calls the helper of a number below
// 256, or else the function that has all 64 bits as its address.

import { InputError, unreachable } from '../base/errors.ts'
import { TrapCode, trapMessage, type Outcome } from '../base/outcome.ts'
import { addressOf, type Addresses, initialData, placeData } from './data.ts'
import { callHelper, type Helper, HelperFault, type HelperMemory, noHelpers, type HelperSet } from './helpers.ts'
import type { AluOp, AtomicOp, JumpOp, Row } from './isa.ts'
import { RegionMemory, type InterpreterMemory, type MemoryRegion } from './memory.ts'
import type { Instruction, Program } from './program.ts'

/** Bytes of stack that each function has below its R10. */
export const FRAME_SIZE = 512
/** Where the stack begins unless the caller says otherwise. */
export const DEFAULT_STACK_BASE = 0x2010_0000
/** Where the program's data begins unless the caller says otherwise. */
export const DEFAULT_DATA_BASE = 0x2018_0000
const DEFAULT_MAP_BASE = 0x3000_0000
const MAP_DISTANCE = 16
const DEFAULT_FUNCTION_BASE = 0x1000_0001
const FUNCTION_DISTANCE = 8
/** callx of less than this is of a helper. */
const FIRST_FUNCTION_ADDRESS = 256

export interface InterpretOptions {
  /** Everything but the stack and the program's data. */
  readonly memory?: InterpreterMemory
  /** R1 at entry: address of the context, 32 bits; 0 without one. Packet loads read from it. */
  readonly r1?: number
  /** R2 at entry, 32 bits: how many bytes packet loads may read. */
  readonly r2?: number
  readonly helpers?: HelperSet
  /** Lowest address of the stack. */
  readonly stackBase?: number
  /** Address of each of `Program.data`; one after the other from DEFAULT_DATA_BASE if not given. */
  readonly dataAddresses?: readonly number[]
  /** Address of each of `Program.maps`: what a program gives to helpers. */
  readonly mapAddresses?: readonly number[]
  /** Address of each of `Program.functions`, bit 0 set: what callx takes. */
  readonly functionAddresses?: readonly number[]
  /**
   * The bytes of each of `Program.data`, to be read and written from outside too; `memory` if they lie in the caller's memory at
   * `dataAddresses`, as `initialData` makes them. Default: new ones, for this run alone.
   */
  readonly data?: readonly Uint8Array[] | 'memory'
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

/** The addresses that a run has with these options. */
export function interpreterAddresses(program: Program, options: InterpretOptions = {}): Addresses {
  return {
    data: options.dataAddresses ?? placeData(program.data, DEFAULT_DATA_BASE),
    maps: options.mapAddresses ?? program.maps.map((_, index) => DEFAULT_MAP_BASE + MAP_DISTANCE * index),
    functions:
      options.functionAddresses ??
      program.functions.map((_, index) => DEFAULT_FUNCTION_BASE + FUNCTION_DISTANCE * index),
  }
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
  readonly returnTo: number
  /** The caller's R6 to R9. */
  readonly saved: readonly bigint[]
}

class Interpreter {
  private readonly program: Program
  private readonly memory: InterpreterMemory
  private readonly addresses: Addresses
  /** Index in `Program.instructions` by the address of a function. */
  private readonly functionStarts: ReadonlyMap<bigint, number>
  private readonly data: InterpreterMemory
  private readonly dataRegions: readonly MemoryRegion[]
  private readonly stack: InterpreterMemory
  private readonly stackBase: number
  private readonly stackEnd: number
  private readonly helpers: HelperSet
  private readonly context: number
  private readonly length: number
  private readonly maximumDepth: number
  private readonly maximumInstructions: number
  /** R0 to R10, always in 0 to 2^64 - 1. */
  private readonly r: bigint[] = Array.from({ length: 11 }, () => 0n)
  private readonly frames: Frame[] = []
  private pc: number
  private outcome: Outcome | undefined
  private executed = 0
  private pending: Pending | undefined

  constructor(program: Program, options: InterpretOptions) {
    this.program = program
    this.memory = options.memory ?? new RegionMemory([])
    this.helpers = options.helpers ?? noHelpers
    this.context = (options.r1 ?? 0) >>> 0
    this.length = (options.r2 ?? 0) >>> 0
    this.maximumDepth = options.maximumDepth ?? 64
    this.maximumInstructions = options.maximumInstructions ?? 100_000_000
    this.stackBase = options.stackBase ?? DEFAULT_STACK_BASE
    this.stackEnd = this.stackBase + this.maximumDepth * FRAME_SIZE
    this.stack = new RegionMemory([{ base: this.stackBase, bytes: new Uint8Array(this.maximumDepth * FRAME_SIZE) }])
    this.addresses = interpreterAddresses(program, options)
    this.functionStarts = new Map(
      program.functions.map(({ start }, index) => [BigInt(this.addresses.functions[index]!), start]),
    )
    const data = options.data ?? initialData(program, this.addresses)
    this.dataRegions =
      data === 'memory'
        ? []
        : program.data.map(({ kind }, index) => ({
            base: this.addresses.data[index]!,
            bytes: data[index]!,
            readOnly: kind === 'rodata',
          }))
    this.data = new RegionMemory(this.dataRegions)
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
    const { instructions } = this.program
    while (this.outcome === undefined && this.pending === undefined) {
      const instruction = instructions[this.pc]!
      if (this.executed === this.maximumInstructions) {
        const message = `stopped after ${this.executed} instructions`
        this.outcome = {
          kind: 'limited',
          limit: 'instructions',
          pc: instruction.slot * 8,
          slot: instruction.slot,
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
            : BigInt(addressOf(instruction.reference, this.addresses))
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
    for (const { base, bytes } of this.dataRegions) {
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
    const start = byPointer ? this.functionStarts.get(value) : callee === 'local' ? instruction.target : undefined
    if (start !== undefined) {
      if (this.frames.length + 1 >= this.maximumDepth) {
        this.trap(TrapCode.CALL_DEPTH, instruction)
        return
      }
      this.frames.push({ returnTo: this.pc, saved: r.slice(6, 10) })
      r[0] = 0n
      r.fill(0n, 6, 10)
      r[10] = r[10]! - BigInt(FRAME_SIZE)
      this.pc = start
      return
    }
    const number = callee === 'register' ? Number(value) : instruction.imm
    const helper = byPointer ? undefined : this.helpers.helpers.get(number)
    if (helper === undefined) {
      this.trap(TrapCode.UNKNOWN_HELPER, instruction)
      return
    }
    this.callHelper(number, helper, instruction)
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
    r[10] = r[10]! + BigInt(FRAME_SIZE)
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

  private trap(code: TrapCode, { slot }: Instruction): void {
    this.outcome = { kind: 'trapped', code, slot, message: trapMessage(code) }
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
