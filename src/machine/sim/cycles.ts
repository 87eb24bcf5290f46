// The cycle model: a deterministic one of the Cortex-M4 with zero-wait-state memory (ARM 100166, table 3-1 and the
// timings of loads and stores). Most of an instruction's cycles are known from it and the one before it, so they are
// added up once for a block; handlers add what values decide (division, unaligned accesses, branches taken, conditions).
// What it leaves out: flash wait states, and code fetched over the System bus.

import { F, FIELD, reads, writes } from '../../thumb/forms.ts'
import type { Form, FormName } from '../../thumb/forms.ts'
import { isMultiple } from './core.ts'
import type { Op } from './core.ts'
import { countRegisters } from './load-store.ts'

/** Kinds of instruction, as the model tells them apart. */
const Kind = {
  PROCESS: 0,
  LOAD: 1,
  STORE: 2,
  MANY_LOAD: 3,
  MANY_STORE: 4,
  TABLE: 5,
  BRANCH: 6,
  IT: 7,
  SYSTEM: 8,
} as const

const kinds = new Uint8Array(Object.keys(F).length)
function classify(kind: number, names: readonly FormName[]): void {
  for (const name of names) kinds[F[name]] = kind
}
classify(Kind.LOAD, [
  'LDR_i',
  'LDRB_i',
  'LDRH_i',
  'LDRSB_i',
  'LDRSH_i',
  'LDR_r',
  'LDRB_r',
  'LDRH_r',
  'LDRSB_r',
  'LDRSH_r',
  'LDR_l',
  'LDRB_l',
  'LDRH_l',
  'LDRSB_l',
  'LDRSH_l',
  'LDRT',
  'LDRBT',
  'LDRHT',
  'LDRSBT',
  'LDRSHT',
  'LDREX',
  'LDREXB',
  'LDREXH',
])
classify(Kind.STORE, [
  'STR_i',
  'STRB_i',
  'STRH_i',
  'STR_r',
  'STRB_r',
  'STRH_r',
  'STRT',
  'STRBT',
  'STRHT',
  'STREX',
  'STREXB',
  'STREXH',
])
classify(Kind.MANY_LOAD, ['LDRD_i', 'LDRD_l', 'LDM', 'LDMDB'])
classify(Kind.MANY_STORE, ['STRD_i', 'STM', 'STMDB'])
classify(Kind.TABLE, ['TBB', 'TBH'])
classify(Kind.BRANCH, ['B', 'BL', 'BX', 'BLX_r', 'CBZ', 'CBNZ'])
classify(Kind.IT, ['IT'])
classify(Kind.SYSTEM, [
  'SVC',
  'BKPT',
  'UDF',
  'DMB',
  'DSB',
  'ISB',
  'MRS',
  'MSR',
  'CPSIE',
  'CPSID',
  'CLREX',
  'PLD_i',
  'PLD_r',
  'PLD_l',
  'PLI_i',
  'PLI_r',
  'PLI_l',
])

const PC_BIT = 1 << 15
const bit = (register: number): number => (register < 0 ? 0 : 1 << register)
const isStoreByRegister = (form: Form): boolean => form === F.STR_r || form === F.STRB_r || form === F.STRH_r

/** The registers that fields in `set` (FIELD bits) name. */
function registers(op: Op, set: number): number {
  return (
    ((set & FIELD.d) !== 0 ? bit(op.d) : 0) |
    ((set & FIELD.n) !== 0 ? bit(op.n) : 0) |
    ((set & FIELD.m) !== 0 ? bit(op.m) : 0) |
    ((set & FIELD.a) !== 0 ? bit(op.a) : 0)
  )
}
function writesBack(op: Op): boolean {
  return op.index !== 0 && op.n >= 0
}
/** Registers that the address is made of. */
function addressRegisters(op: Op): number {
  return registers(op, reads[op.form]! & (FIELD.n | FIELD.m))
}

/** Does it write PC by the ALU or by a load? Branches are not meant. */
export function loadsPc(op: Op): boolean {
  const kind = kinds[op.form]!
  if (isMultiple(op.form)) return kind === Kind.MANY_LOAD && (op.imm & PC_BIT) !== 0
  return kind === Kind.LOAD && op.d === 15
}

/** Cycles of an instruction on its own: rows C1 to C17, a conditional branch as not taken. */
export function baseCycles(op: Op): number {
  switch (kinds[op.form]!) {
    case Kind.LOAD:
      return loadsPc(op) ? 5 : 2
    case Kind.STORE:
      return isStoreByRegister(op.form) ? 2 : 1
    case Kind.MANY_LOAD:
    case Kind.MANY_STORE:
      return 1 + (isMultiple(op.form) ? countRegisters(op.imm) : 2) + (loadsPc(op) ? 3 : 0)
    case Kind.TABLE:
      return 5
    case Kind.BRANCH:
      if (op.form === F.BX || op.form === F.BLX_r) return 3
      return op.form === F.BL ? 2 : 1
    case Kind.SYSTEM:
      return op.form === F.MRS || op.form === F.MSR || op.form === F.ISB ? 2 : 1
    case Kind.PROCESS:
      if ((writes[op.form]! & FIELD.d) !== 0 && op.d === 15) return 3
      // A division takes 2 at least; its handler adds the rest.
      return op.form === F.UDIV || op.form === F.SDIV ? 2 : 1
    default:
      return 1
  }
}

/**
 * Cycles more (or fewer) at `op` because `previous` came directly before it in sequence and was executed, or was skipped
 * by its condition. `previous` is null after a taken branch.
 */
export function sequenceCycles(previous: Op | null, skipped: boolean, op: Op): number {
  if (previous === null) return 0
  const kind = kinds[op.form]!
  if (kind === Kind.IT) return previous.size === 2 ? -1 : 0
  const accesses = kind === Kind.LOAD || kind === Kind.STORE || kind === Kind.MANY_LOAD || kind === Kind.MANY_STORE
  if (skipped || !(accesses || kind === Kind.TABLE)) return 0
  const single = kind === Kind.LOAD || kind === Kind.STORE
  const address = addressRegisters(op)
  switch (kinds[previous.form]!) {
    case Kind.LOAD: {
      const taken = bit(previous.d) | (writesBack(previous) ? bit(previous.n) : 0)
      return single && (address & taken) === 0 ? -1 : 0
    }
    case Kind.STORE: {
      const forwarded = kind === Kind.LOAD || kind === Kind.MANY_LOAD ? 1 : 0
      return forwarded + (writesBack(previous) && (address & bit(previous.n)) !== 0 ? 1 : 0)
    }
    case Kind.PROCESS:
      return (address & registers(previous, writes[previous.form]!)) !== 0 ? 1 : 0
    default:
      return 0
  }
}
