// Atomic operations on memory that is known to be aligned: words by LDREX and STREX, double words with interrupts masked,
// since there is no LDREXD (DDI 0403E A3.4). One core: nothing but an interrupt can come between.

import { unreachable } from '../base/errors.ts'
import type { Value } from '../ir/func.ts'
import { Op } from '../ir/op.ts'
import { F } from '../thumb/forms.ts'
import { fitsExclusive, fitsOffset } from '../thumb/immediates.ts'
import { Cond, Flags } from '../thumb/instruction.ts'
import { SP } from '../thumb/registers.ts'
import { Base, Code, P } from './code.ts'
import { frameOffset } from './frame-extent.ts'
import type { Selector } from './selector.ts'

const PRIMASK = 16

export function lowerAtomic(selector: Selector, value: Value): void {
  if (value.op >= Op.atomicadd2 && value.op <= Op.atomiccmpxchg2) lowerDouble(selector, value)
  else if (value.op >= Op.atomicadd && value.op <= Op.atomiccmpxchg) lowerWord(selector, value)
  else unreachable(`effect ${value.op}`)
}

const operations: Record<number, number> = {
  [Op.atomicadd]: F.ADD_r,
  [Op.atomicor]: F.ORR_r,
  [Op.atomicand]: F.AND_r,
  [Op.atomicxor]: F.EOR_r,
}

/**
 * Code blocks, made from behind: what leads here; the loop, of two blocks for a comparison; ways back and out, which are
 * blocks of their own so that no edge is critical; what follows.
 */
function lowerWord(selector: Selector, value: Value): void {
  const [address, operand, replacement] = value.args as [Value, Value, Value | undefined]
  const after = selector.newLabel()
  const again = selector.newLabel()
  const loop = selector.newLabel()
  const old = selector.use(value)
  const place = selector.newRegister()
  const offset = fitsExclusive(value.imm) ? value.imm : 0
  // Operands come before the loop: constants too.
  const first = selector.newRegister()
  selector.cutBlock(after)
  if (value.op === Op.atomiccmpxchg) {
    const second = selector.newRegister()
    const miss = selector.newLabel()
    const done = selector.newLabel()
    const hit = selector.newLabel()
    jumpBlock(selector, miss, after)
    jumpBlock(selector, done, after)
    jumpBlock(selector, again, loop)
    storeAndRepeat(selector, second, place, offset, again, done)
    selector.cutBlock(hit)
    selector.emit(F.LDREX, old, place, -1, offset)
    selector.emit(F.CMP_r, -1, old, first).s = Flags.SET
    selector.branchTo(miss, Cond.NE)
    selector.branchTo(hit)
    selector.cutBlock(loop)
    selector.emit(F.MOV_r, second, -1, selector.use(replacement!))
  } else {
    jumpBlock(selector, again, loop)
    selector.emit(F.LDREX, old, place, -1, offset)
    const operation = operations[value.op]
    const stored = operation === undefined ? first : selector.newRegister()
    if (operation !== undefined) selector.emit(operation, stored, old, first).s = Flags.ANY
    storeAndRepeat(selector, stored, place, offset, again, after)
    selector.cutBlock(loop)
  }
  selector.emit(F.MOV_r, first, -1, selector.use(operand))
  materialise(selector, place, address, offset === value.imm ? 0 : value.imm)
}

function jumpBlock(selector: Selector, label: number, to: number): void {
  selector.branchTo(to)
  selector.cutBlock(label)
}

function storeAndRepeat(
  selector: Selector,
  stored: number,
  place: number,
  offset: number,
  again: number,
  done: number,
): void {
  const status = selector.newRegister()
  selector.emit(F.STREX, stored, place, -1, offset).a = status
  selector.emit(F.CMP_i, -1, status, -1, 0).s = Flags.SET
  selector.branchTo(again, Cond.NE)
  selector.branchTo(done)
}

/** register = address + offset. */
function materialise(selector: Selector, register: number, address: Value, offset: number): void {
  if (address.op === Op.frame) {
    const code = new Code(P.FRAME_ADDRESS)
    code.d = register
    code.imm = frameOffset(selector.frame, address) + offset
    selector.put(code)
  } else if (offset === 0) {
    selector.emit(F.MOV_r, register, -1, selector.use(address))
  } else {
    selector.emit(F.ADD_r, register, selector.use(address), selector.constant(offset)).s = Flags.ANY
  }
}

function lowerDouble(selector: Selector, value: Value): void {
  const [address, aLow, aHigh, bLow, bHigh] = value.args as [Value, Value, Value, Value | undefined, Value | undefined]
  const place = selector.address(address, value.imm, (offset) => fitsOffset(offset) && fitsOffset(offset + 4))
  const mask = selector.newRegister()
  const low = selector.half(value, 0)
  const high = selector.half(value, 1)
  const first = selector.use(aLow)
  const second = selector.use(aHigh)
  const access = (form: number, register: number, offset: number, cond: number = Cond.AL): void => {
    const code = selector.emit(form, register, place.n, -1, place.imm + offset)
    code.base = place.n === SP ? place.base : Base.NONE
    code.cond = cond
  }
  selector.emit(F.MRS, mask, -1, -1, PRIMASK)
  selector.emit(F.CPSID, -1, -1, -1, 2)
  access(F.LDR_i, low, 0)
  access(F.LDR_i, high, 4)
  if (value.op === Op.atomiccmpxchg2) {
    const newLow = selector.use(bLow!)
    const newHigh = selector.use(bHigh!)
    selector.emit(F.CMP_r, -1, low, first).s = Flags.SET
    const compare = selector.emit(F.CMP_r, -1, high, second)
    compare.s = Flags.SET
    compare.cond = Cond.EQ
    access(F.STR_i, newLow, 0, Cond.EQ)
    access(F.STR_i, newHigh, 4, Cond.EQ)
  } else {
    let storedLow = first
    let storedHigh = second
    if (value.op !== Op.atomicxchg2) {
      storedLow = selector.newRegister()
      storedHigh = selector.newRegister()
      const [lower, upper] = doubles[value.op]!
      const one = selector.emit(lower, storedLow, low, first)
      one.s = value.op === Op.atomicadd2 ? Flags.SET : Flags.ANY
      selector.emit(upper, storedHigh, high, second).s = Flags.ANY
    }
    access(F.STR_i, storedLow, 0)
    access(F.STR_i, storedHigh, 4)
  }
  const restore = selector.emit(F.MSR, -1, mask, -1, PRIMASK)
  restore.amount = 2
}

const doubles: Record<number, readonly [number, number]> = {
  [Op.atomicadd2]: [F.ADD_r, F.ADC_r],
  [Op.atomicor2]: [F.ORR_r, F.ORR_r],
  [Op.atomicand2]: [F.AND_r, F.AND_r],
  [Op.atomicxor2]: [F.EOR_r, F.EOR_r],
}
