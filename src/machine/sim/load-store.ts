// What loads and stores do: single, double, multiple, exclusive. Rt is d, Rt2 is a, the status of STREX is a.
// A fault leaves the base register as it was. DDI 0403E A7.7, A3.2.1 (alignment), A3.4 (exclusives).

import type { Core, Handler, Op } from './core.ts'
import { Fault, hex } from './memory.ts'
import type { Memory } from './memory.ts'

type Load = (memory: Memory, address: number) => number
type Store = (memory: Memory, address: number, value: number) => void

const word: Load = (memory, address) => memory.load32(address)
const half: Load = (memory, address) => memory.load16(address)
const byte: Load = (memory, address) => memory.load8(address)
const signedHalf: Load = (memory, address) => (memory.load16(address) << 16) >> 16
const signedByte: Load = (memory, address) => (memory.load8(address) << 24) >> 24
const storeWord: Store = (memory, address, value) => memory.store32(address, value)
const storeHalf: Store = (memory, address, value) => memory.store16(address, value)
const storeByte: Store = (memory, address, value) => memory.store8(address, value)

/** The manual's MemA: always a fault if not aligned. */
function aligned(address: number, size: number): number {
  if ((address & (size - 1)) !== 0) {
    throw new Fault('UNALIGNED', `address ${hex(address)} is not a multiple of ${size}`, address)
  }
  return address
}
/** Immediate addressing: the address of the access. */
function addressOf(core: Core, op: Op): number {
  const base = core.r[op.n]!
  return op.index === 2 ? base : (base + op.imm) | 0
}
function writeBack(core: Core, op: Op): void {
  if (op.index !== 0) core.r[op.n] = core.r[op.n]! + op.imm
}
function indexed(core: Core, op: Op): number {
  return (core.r[op.n]! + (core.r[op.m]! << op.amount)) | 0
}
function literal(op: Op): number {
  return ((op.pc & ~3) + op.imm) | 0
}

function loadImmediate(load: Load): Handler {
  return (core, op) => {
    const value = load(core.memory, addressOf(core, op))
    writeBack(core, op)
    core.r[op.d] = value
  }
}
function loadIndexed(load: Load): Handler {
  return (core, op) => {
    core.r[op.d] = load(core.memory, indexed(core, op))
  }
}
function loadLiteral(load: Load): Handler {
  return (core, op) => {
    core.r[op.d] = load(core.memory, literal(op))
  }
}
function storeImmediate(store: Store): Handler {
  return (core, op) => {
    store(core.memory, addressOf(core, op), core.r[op.d]!)
    writeBack(core, op)
  }
}
function storeIndexed(store: Store): Handler {
  return (core, op) => store(core.memory, indexed(core, op), core.r[op.d]!)
}
function loadDouble(core: Core, op: Op, address: number): void {
  const low = core.memory.load32(aligned(address, 4))
  const high = core.memory.load32(address + 4)
  writeBack(core, op)
  core.r[op.d] = low
  core.r[op.a] = high
}
function loadExclusive(load: Load, size: number): Handler {
  return (core, op) => {
    const value = load(core.memory, aligned((core.r[op.n]! + op.imm) | 0, size))
    core.exclusive = true
    core.r[op.d] = value
  }
}
function storeExclusive(store: Store, size: number): Handler {
  return (core, op) => {
    const address = aligned((core.r[op.n]! + op.imm) | 0, size)
    if (core.exclusive) store(core.memory, address, core.r[op.d]!)
    core.r[op.a] = core.exclusive ? 0 : 1
    core.exclusive = false
  }
}

/** Number of registers in a mask. */
export function countRegisters(mask: number): number {
  let count = 0
  for (let rest = mask & 0xffff; rest !== 0; rest &= rest - 1) count++
  return count
}
function loadMultiple(core: Core, op: Op, start: number, end: number): void {
  aligned(start, 4)
  let address = start
  // All loads before all writes: a fault leaves the registers, the base among them, as they were.
  const loaded: number[] = []
  for (let rest = op.imm; rest !== 0; rest &= rest - 1) {
    loaded.push(core.memory.load32(address))
    address = (address + 4) | 0
  }
  if (op.index !== 0) core.r[op.n] = end
  let index = 0
  for (let rest = op.imm; rest !== 0; rest &= rest - 1) core.r[31 - Math.clz32(rest & -rest)] = loaded[index++]!
}
function storeMultiple(core: Core, op: Op, start: number, end: number): void {
  aligned(start, 4)
  let address = start
  for (let rest = op.imm; rest !== 0; rest &= rest - 1) {
    core.memory.store32(address, core.r[31 - Math.clz32(rest & -rest)]!)
    address = (address + 4) | 0
  }
  if (op.index !== 0) core.r[op.n] = end
}
const nothing: Handler = () => {}

export const loadStore = {
  LDR_i: loadImmediate(word),
  LDRB_i: loadImmediate(byte),
  LDRH_i: loadImmediate(half),
  LDRSB_i: loadImmediate(signedByte),
  LDRSH_i: loadImmediate(signedHalf),
  LDR_r: loadIndexed(word),
  LDRB_r: loadIndexed(byte),
  LDRH_r: loadIndexed(half),
  LDRSB_r: loadIndexed(signedByte),
  LDRSH_r: loadIndexed(signedHalf),
  LDR_l: loadLiteral(word),
  LDRB_l: loadLiteral(byte),
  LDRH_l: loadLiteral(half),
  LDRSB_l: loadLiteral(signedByte),
  LDRSH_l: loadLiteral(signedHalf),
  LDRD_l: (core, op) => loadDouble(core, op, literal(op)),
  STR_i: storeImmediate(storeWord),
  STRB_i: storeImmediate(storeByte),
  STRH_i: storeImmediate(storeHalf),
  STR_r: storeIndexed(storeWord),
  STRB_r: storeIndexed(storeByte),
  STRH_r: storeIndexed(storeHalf),
  LDRD_i: (core, op) => loadDouble(core, op, addressOf(core, op)),
  STRD_i: (core, op) => {
    const address = aligned(addressOf(core, op), 4)
    core.memory.store32(address, core.r[op.d]!)
    core.memory.store32(address + 4, core.r[op.a]!)
    writeBack(core, op)
  },
  LDRT: loadImmediate(word),
  LDRBT: loadImmediate(byte),
  LDRHT: loadImmediate(half),
  LDRSBT: loadImmediate(signedByte),
  LDRSHT: loadImmediate(signedHalf),
  STRT: storeImmediate(storeWord),
  STRBT: storeImmediate(storeByte),
  STRHT: storeImmediate(storeHalf),

  LDM: (core, op) => {
    const base = core.r[op.n]!
    loadMultiple(core, op, base, base + 4 * countRegisters(op.imm))
  },
  LDMDB: (core, op) => {
    const base = core.r[op.n]! - 4 * countRegisters(op.imm)
    loadMultiple(core, op, base, base)
  },
  STM: (core, op) => {
    const base = core.r[op.n]!
    storeMultiple(core, op, base, base + 4 * countRegisters(op.imm))
  },
  STMDB: (core, op) => {
    const base = core.r[op.n]! - 4 * countRegisters(op.imm)
    storeMultiple(core, op, base, base)
  },

  LDREX: loadExclusive(word, 4),
  LDREXB: loadExclusive(byte, 1),
  LDREXH: loadExclusive(half, 2),
  STREX: storeExclusive(storeWord, 4),
  STREXB: storeExclusive(storeByte, 1),
  STREXH: storeExclusive(storeHalf, 2),
  CLREX: (core) => {
    core.exclusive = false
  },

  PLD_i: nothing,
  PLD_r: nothing,
  PLD_l: nothing,
  PLI_i: nothing,
  PLI_r: nothing,
  PLI_l: nothing,
} as const satisfies Record<string, Handler>
