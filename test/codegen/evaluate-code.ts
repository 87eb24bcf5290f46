// Runs Code over virtual or real registers with a meaning made up for tests: every result is a hash of the form and of
// what it read. What can be seen from outside (stores, calls, branches, results) makes a trace.

import { type Code, type CodeFunction, P } from '../../src/codegen/code.ts'
import { F, FIELD, formNames, reads, writes } from '../../src/thumb/forms.ts'
import { Cond } from '../../src/thumb/instruction.ts'

const FIELDS = ['d', 'n', 'm', 'a'] as const

function mix(hash: number, value: number): number {
  let x = Math.imul(hash ^ value, 0x85ebca6b)
  x ^= x >>> 13
  return Math.imul(x, 0xc2b2ae35) ^ (x >>> 16)
}

/** Trace of at most `steps` Codes, inserted moves not counted. */
export function evaluate(fn: CodeFunction, steps: number): number[] {
  const registers = new Map<number, number>()
  const slots = new Map<number, number>()
  const trace: number[] = []
  let equal = false
  const get = (register: number): number => registers.get(register) ?? 0
  let block = 0
  let index = 0
  let left = steps
  const constant = (code: Code): number => mix(mix(code.form, code.imm), code.symbol)
  for (let r = 0; r < 15; r++) registers.set(r, mix(77, r))
  for (let guard = 0; guard < steps * 60 && left > 0; guard++) {
    const code = fn.blocks[block]!.code[index]
    if (code === undefined) {
      block++
      index = 0
      continue
    }
    index++
    switch (code.form) {
      case P.PARALLEL_MOVE: {
        const values = code.uses.map(get)
        code.defs.forEach((def, i) => registers.set(def, values[i]!))
        continue
      }
      case F.MOV_r:
        registers.set(code.d, get(code.m))
        continue
      case P.SPILL_LOAD:
        registers.set(code.d, slots.get(code.imm) ?? 0)
        continue
      case P.SPILL_STORE:
        slots.set(code.imm, get(code.d))
        continue
      case P.CONSTANT:
      case P.FRAME_ADDRESS:
        registers.set(code.d, constant(code))
        continue
      case F.EOR_r:
        registers.set(code.d, get(code.n) ^ get(code.m))
        continue
      case P.ENTRY:
        for (const { vreg, register } of code.fixedDefs) registers.set(vreg, get(register))
        continue
    }
    left--
    const virtual = code.form === P.CALL || code.form === P.RETURN ? code.fixedUses : []
    let use = 0
    let def = 0
    if (code.form < formNames.length) {
      use = reads[code.form]!
      def = writes[code.form]!
    } else if (code.form === P.ARGUMENT_LOAD) def = FIELD.d
    else if (code.form === P.ARGUMENT_STORE) use = FIELD.d
    else if (code.form === P.TABLE_BRANCH) use = FIELD.n
    else if (code.form === P.CALL) use = FIELD.m
    if (code.index !== 0) {
      use |= FIELD.n
      def |= FIELD.n
    }
    let hash = mix(mix(code.form, code.imm), code.cond)
    for (const field of FIELDS) if ((use & FIELD[field]) !== 0 && code[field] >= 0) hash = mix(hash, get(code[field]))
    // Fixed operands are virtual before allocation and in their registers after.
    const allocated = fn.written !== 0
    for (const { vreg, register } of virtual) hash = mix(hash, get(allocated ? register : vreg))
    if (code.cond !== Cond.AL && code.form !== F.B && (code.cond === Cond.EQ) !== equal) continue
    const results = FIELDS.filter((field) => (def & FIELD[field]) !== 0 && code[field] >= 0)
    for (const field of results) registers.set(code[field], mix(hash, FIELD[field]))
    if (code.s === 1) equal = (hash & 1) !== 0
    if (code.form === P.CALL) {
      for (let r = 0; r < 15; r++) if ((code.clobbers >> r) & 1) registers.set(r, mix(left, r))
      for (const { vreg, register } of code.fixedDefs) registers.set(allocated ? register : vreg, mix(hash, register))
    }
    if (results.length === 0 || code.form === P.CALL) trace.push(hash)
    if (code.form === P.RETURN || code.form === P.UNREACHABLE) break
    let taken = -1
    if (code.form === F.B) taken = code.cond === Cond.AL || (code.cond === Cond.EQ) === equal ? code.target : -1
    else if (code.form === F.CBZ || code.form === F.CBNZ) taken = (hash & 1) !== 0 ? code.target : -1
    else if (code.form === P.TABLE_BRANCH) taken = code.targets[(hash >>> 0) % code.targets.length]!
    if (taken >= 0) {
      block = taken
      index = 0
      trace.push(taken)
    }
  }
  return trace
}
