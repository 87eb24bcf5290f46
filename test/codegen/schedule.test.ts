import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Code } from '../../src/codegen/code.ts'
import { OperandBuffer, Role, collectOperands } from '../../src/codegen/operands.ts'
import { schedule } from '../../src/codegen/schedule.ts'
import { F } from '../../src/thumb/forms.ts'
import { Cond, Flags, Index } from '../../src/thumb/instruction.ts'

const LOADS = [F.LDR_i, F.LDRB_i, F.LDR_r]
const STORES = [F.STR_i, F.STR_r]
const sums = [F.ADD_i, F.ADD_r, F.EOR_r, F.ADC_i, F.MOV_r, F.UMLAL, F.CMP_i, F.LSL_i]
const register = fc.integer({ min: 0, max: 4 })

const code = fc
  .record({
    form: fc.oneof(fc.constantFrom(...LOADS, ...STORES), fc.constantFrom(...sums), fc.constant(F.LDRD_i)),
    d: register,
    n: register,
    m: register,
    a: register,
    s: fc.constantFrom(Flags.KEEP, Flags.SET, Flags.ANY),
    cond: fc.constantFrom(Cond.AL, Cond.AL, Cond.AL, Cond.AL, Cond.EQ),
    index: fc.constantFrom(Index.OFFSET, Index.OFFSET, Index.POST),
  })
  .map((row) => {
    const made = new Code(row.form)
    const isMemory = LOADS.includes(row.form) || STORES.includes(row.form)
    if (row.form !== F.CMP_i) made.d = row.d
    if (row.form !== F.MOV_r && row.form !== F.LSL_i) made.n = row.n
    if (![F.LDR_i, F.LDRB_i, F.STR_i, F.ADD_i, F.ADC_i, F.CMP_i, F.LDRD_i].includes(row.form)) made.m = row.m
    if (row.form === F.UMLAL || row.form === F.LDRD_i) made.a = row.a
    if (!isMemory && row.form !== F.UMLAL && row.form !== F.LDRD_i) made.s = row.form === F.CMP_i ? Flags.SET : row.s
    if ([F.LDR_i, F.LDRB_i, F.STR_i].includes(row.form)) made.index = row.index
    made.cond = row.cond
    return made
  })

const FLAGS = 20
const MEMORY = 21
const buffer = new OperandBuffer()

/** What a code reads and writes: registers, the flags, and memory as one more. */
function effects(of: Code): { reads: Set<number>; writes: Set<number> } {
  const readSet = new Set<number>()
  const writeSet = new Set<number>()
  collectOperands(of, buffer)
  for (let i = 0; i < buffer.count; i++) {
    if ((buffer.info[i]! & Role.USE) !== 0) readSet.add(buffer.register[i]!)
    if ((buffer.info[i]! & Role.DEF) !== 0) writeSet.add(buffer.register[i]!)
  }
  if (of.cond !== Cond.AL || of.form === F.ADC_i) readSet.add(FLAGS)
  if (of.s === Flags.SET) writeSet.add(FLAGS)
  // Every access keeps its place among the others.
  if (LOADS.includes(of.form) || STORES.includes(of.form) || of.form === F.LDRD_i) writeSet.add(MEMORY)
  return { reads: readSet, writes: writeSet }
}

function mustStay(one: Code, other: Code): boolean {
  const a = effects(one)
  const b = effects(other)
  for (const r of a.writes) if (b.reads.has(r) || b.writes.has(r)) return true
  for (const r of a.reads) if (b.writes.has(r)) return true
  return false
}

const isAccess = (of: Code): boolean => of.cond === Cond.AL && (LOADS.includes(of.form) || STORES.includes(of.form))

/** Cycles by rows C4, C7 and C8 of the cycle model, less those that each instruction takes anyway. */
function stalls(list: readonly Code[]): number {
  let sum = 0
  for (let i = 1; i < list.length; i++) {
    const [before, after] = [list[i - 1]!, list[i]!]
    if (!isAccess(after)) continue
    const made = effects(before).writes
    const waits = [after.n, after.m].some((r) => r >= 0 && made.has(r))
    if (LOADS.includes(before.form) && before.cond === Cond.AL) sum -= waits ? 0 : 1
    else if (STORES.includes(before.form)) sum += (LOADS.includes(after.form) ? 1 : 0) + (waits ? 1 : 0)
    else if (waits && before.form !== F.LDRD_i) sum += 1
  }
  return sum
}

describe('schedule', () => {
  it('keeps what depends on each other in order, and costs no more', () => {
    fc.assert(
      fc.property(fc.array(code, { maxLength: 24 }), (list) => {
        const before = list.slice()
        const changed = schedule(list)
        expect(new Set(list)).toEqual(new Set(before))
        expect(list.length).toBe(before.length)
        const place = new Map(list.map((each, at) => [each, at]))
        for (let i = 0; i < before.length; i++) {
          for (let j = i + 1; j < before.length; j++) {
            if (mustStay(before[i]!, before[j]!)) expect(place.get(before[i]!)!).toBeLessThan(place.get(before[j]!)!)
          }
        }
        expect(changed).toBe(list.some((each, at) => each !== before[at]))
        expect(stalls(list)).toBeLessThanOrEqual(stalls(before))
      }),
      { numRuns: 3000 },
    )
  })

  it('brings loads together and fills the gap behind an address', () => {
    const make = (form: number, d: number, n: number, imm: number): Code => {
      const made = new Code(form)
      made.d = d
      made.n = n
      made.imm = imm
      return made
    }
    const one = make(F.LDR_i, 1, 0, 0)
    const sum = make(F.ADD_i, 2, 1, 1)
    const two = make(F.LDR_i, 3, 0, 4)
    const address = make(F.ADD_i, 4, 3, 8)
    const store = make(F.STR_i, 2, 4, 0)
    const last = make(F.ADD_i, 5, 5, 1)
    const before = [one, sum, two, address, store]
    expect(schedule(before)).toBe(true)
    expect(before).toEqual([one, two, address, sum, store])
    const behind = [address, store, last]
    expect(schedule(behind)).toBe(true)
    expect(behind).toEqual([address, last, store])
  })
})
