// The allocation checker. It follows values through allocated code by a definition of its own, and so tells whether every
// operand finds its virtual register's value where the allocator says that it is. Abstract interpretation, after the checker
// of regalloc2: the state maps each place (real register, spill slot) to the set of virtual registers whose present value it
// holds; where control flow meets, only what all ways agree on is kept. A constant is a place too: it always holds itself.
//
// Needs a snapshot from before allocation; the allocator keeps the Code objects that it keeps.

import { F, FIELD, formNames, reads, writes } from '../thumb/forms.ts'
import { Cond } from '../thumb/instruction.ts'
import { type Code, type CodeFunction, FIRST_VIRTUAL, type Fixed, P } from './code.ts'
import { printOne } from './print.ts'

interface Before {
  readonly code: Code
  readonly form: number
  readonly d: number
  readonly n: number
  readonly m: number
  readonly a: number
  readonly fixedUses: readonly Fixed[]
  readonly fixedDefs: readonly Fixed[]
  readonly defs: readonly number[]
  readonly uses: readonly number[]
  readonly text: string
}

/** What a function was before allocation. */
export interface Snapshot {
  readonly blocks: readonly (readonly Before[])[]
}

/** Remembers `fn`, to be checked after allocation. */
export function snapshot(fn: CodeFunction): Snapshot {
  return {
    blocks: fn.blocks.map((block) =>
      block.code.map((code) => ({
        code,
        form: code.form,
        d: code.d,
        n: code.n,
        m: code.m,
        a: code.a,
        fixedUses: code.fixedUses,
        fixedDefs: code.fixedDefs,
        defs: code.defs,
        uses: code.uses,
        text: printOne(code),
      })),
    ),
  }
}

/** Faults of an allocation, one sentence each; none if it is right. */
export function checkAllocation(before: Snapshot, after: CodeFunction): string[] {
  return new Checker(before, after).run()
}

/** Real register, `s3` for a slot, or a constant's text. */
type Place = number | string
/** Virtual register; -1 - r for what real register r holds in its own name. */
type Value = number

class State {
  readonly places = new Map<Place, Set<Value>>()

  copy(): State {
    const state = new State()
    for (const [place, values] of this.places) state.places.set(place, new Set(values))
    return state
  }
  at(place: Place): Set<Value> {
    return this.places.get(place) ?? new Set()
  }
  /** A new value for `value`, found at `place` alone. */
  define(value: Value, place: Place): void {
    this.forget(value)
    this.places.set(place, new Set([value]))
  }
  forget(value: Value): void {
    for (const values of this.places.values()) values.delete(value)
  }
  move(to: Place, from: Place): void {
    this.places.set(to, new Set(this.at(from)))
  }
  /** All at once: to[i] gets the value that from[i] has. No place changes. */
  rename(to: readonly Value[], from: readonly Value[]): void {
    for (const values of this.places.values()) {
      const gained = to.filter((_, i) => values.has(from[i]!))
      for (const value of to) values.delete(value)
      for (const value of gained) values.add(value)
    }
  }
  /** Keeps what `other` agrees on; whether that was less. */
  meet(other: State): boolean {
    let less = false
    for (const [place, values] of this.places) {
      const theirs = other.at(place)
      for (const value of values) {
        if (theirs.has(value)) continue
        values.delete(value)
        less = true
      }
    }
    return less
  }
}

function valueOf(register: number): Value {
  return register >= FIRST_VIRTUAL ? register : -1 - register
}

function constantOf(code: Code): string {
  return `${code.form} ${code.imm} ${code.symbol} ${code.base}`
}

const isConstant = (form: number): boolean => form === P.CONSTANT || form === P.FRAME_ADDRESS

/** Fields that a form reads and writes, by FIELD bits; write-back and conditions included. */
function rolesOf(code: Code): { use: number; def: number } {
  let use = 0
  let def = 0
  if (code.form < formNames.length) {
    use = reads[code.form]!
    def = writes[code.form]!
  } else {
    switch (code.form) {
      case P.CONSTANT:
      case P.FRAME_ADDRESS:
      case P.SPILL_LOAD:
      case P.ARGUMENT_LOAD:
      case P.ENTRY_SP:
        def = FIELD.d
        break
      case P.SPILL_STORE:
      case P.ARGUMENT_STORE:
        use = FIELD.d
        break
      case P.TABLE_BRANCH:
        use = FIELD.n
        break
      case P.CALL:
        use = FIELD.m
        break
    }
  }
  if (code.index !== 0) {
    use |= FIELD.n
    def |= FIELD.n
  }
  if (code.cond !== Cond.AL) use |= def
  return { use, def }
}

const FIELDS = ['d', 'n', 'm', 'a'] as const

class Checker {
  readonly #before: Snapshot
  readonly #after: CodeFunction
  readonly #faults: string[] = []
  #quiet = true
  #where = ''

  constructor(before: Snapshot, after: CodeFunction) {
    this.#before = before
    this.#after = after
  }

  run(): string[] {
    const { blocks } = this.#after
    const entry = new State()
    for (let r = 0; r < 15; r++) entry.places.set(r, new Set([valueOf(r)]))
    const into: (State | undefined)[] = blocks.map(() => undefined)
    into[0] = entry
    const work = [0]
    for (let b = work.shift(); b !== undefined; b = work.shift()) {
      const out = this.#block(b, into[b]!.copy())
      for (const s of blocks[b]!.successors) {
        const known = into[s]
        if (known === undefined) into[s] = out.copy()
        else if (!known.meet(out)) continue
        if (!work.includes(s)) work.push(s)
      }
    }
    this.#quiet = false
    for (let b = 0; b < blocks.length; b++) if (into[b] !== undefined) this.#block(b, into[b]!.copy())
    return this.#faults
  }

  #fault(text: string): void {
    if (!this.#quiet) this.#faults.push(`${this.#where}: ${text}`)
  }

  #block(b: number, state: State): State {
    const after = this.#after.blocks[b]!.code
    const kept = new Set(after)
    const before = this.#before.blocks[b]!
    const known = new Set(before.map((each) => each.code))
    let i = 0
    let branched = false
    for (const each of before) {
      this.#where = `block ${b}, ${each.text}`
      if (!kept.has(each.code) || each.code.form !== each.form) {
        this.#removed(each, state)
        continue
      }
      while (i < after.length && after[i] !== each.code) {
        if (known.has(after[i]!) && after[i]!.form !== P.CONSTANT) this.#fault(`out of order: ${printOne(after[i]!)}`)
        if (branched) this.#fault(`behind a branch: ${printOne(after[i]!)}`)
        i = this.#inserted(after, i, state)
      }
      i++
      this.#kept(each, state)
      if (each.code.target >= 0 || each.form === P.TABLE_BRANCH || each.form === P.RETURN || each.form === P.TAIL_CALL)
        branched = true
    }
    this.#where = `block ${b}, end`
    while (i < after.length) {
      if (branched) this.#fault(`behind a branch: ${printOne(after[i]!)}`)
      i = this.#inserted(after, i, state)
    }
    return state
  }

  /** What the allocator may leave out: its effect on values remains. */
  #removed(each: Before, state: State): void {
    if (each.form === P.PARALLEL_MOVE) state.rename(each.defs.map(valueOf), each.uses.map(valueOf))
    else if (each.form === F.MOV_r && each.code.cond === Cond.AL) state.rename([valueOf(each.d)], [valueOf(each.m)])
    else if (isConstant(each.form)) this.#constant(each, state)
    else this.#fault('is missing')
  }

  #constant(each: Before, state: State): void {
    const place = constantOf(each.code)
    const value = valueOf(each.d)
    state.forget(value)
    const values = state.at(place)
    values.add(value)
    state.places.set(place, values)
  }

  /** A move that the allocator made; returns the index behind it. */
  #inserted(after: readonly Code[], i: number, state: State): number {
    const code = after[i]!
    const text = printOne(code)
    if (code.s !== 0) this.#fault(`changes flags: ${text}`)
    if (code.cond !== Cond.AL) this.#fault(`conditional: ${text}`)
    if (code.d < 0 || code.d > 14 || code.d === 13) this.#fault(`register out of range: ${text}`)
    if (code.form !== P.SPILL_STORE && ((this.#after.written >> code.d) & 1) === 0) {
      this.#fault(`r${code.d} is not said to be written: ${text}`)
    }
    switch (code.form) {
      case F.MOV_r:
        state.move(code.d, code.m)
        return i + 1
      case P.SPILL_LOAD:
        this.#slot(code)
        state.move(code.d, `s${code.imm}`)
        return i + 1
      case P.SPILL_STORE:
        this.#slot(code)
        state.move(`s${code.imm}`, code.d)
        return i + 1
      case P.CONSTANT:
      case P.FRAME_ADDRESS:
        state.move(code.d, constantOf(code))
        return i + 1
      case F.EOR_r: {
        // x ^= y, y ^= x, x ^= y
        const [second, third] = [after[i + 1], after[i + 2]]
        const x = code.d
        const y = code.m
        const isSwap = (each: Code | undefined, d: number, m: number): boolean =>
          each !== undefined &&
          each.form === F.EOR_r &&
          each.d === d &&
          each.n === d &&
          each.m === m &&
          each.amount === 0
        if (x === y || !isSwap(code, x, y) || !isSwap(second, y, x) || !isSwap(third, x, y))
          this.#fault(`no swap: ${text}`)
        const held = state.at(x)
        state.places.set(x, state.at(y))
        state.places.set(y, held)
        return i + 3
      }
      default:
        this.#fault(`unknown insertion: ${text}`)
        return i + 1
    }
  }

  #slot(code: Code): void {
    if (code.imm < 0 || code.imm >= this.#after.spillWords) this.#fault(`slot out of range: ${printOne(code)}`)
  }

  #kept(each: Before, state: State): void {
    const { code } = each
    const { use, def } = rolesOf(code)
    const text = printOne(code)
    for (const field of FIELDS) {
      const was = each[field]
      const is = code[field]
      if (((use | def) & FIELD[field]) === 0 || was < 0) continue
      if (was < FIRST_VIRTUAL && was !== is) this.#fault(`${field} was a real register: ${text}`)
      if (was >= FIRST_VIRTUAL && (is < 0 || is > 14 || is === 13)) this.#fault(`${field} is no register: ${text}`)
      if (was === 13) continue
      if ((use & FIELD[field]) !== 0 && !state.at(is).has(valueOf(was))) {
        this.#fault(`${field} is not in its register: ${text}`)
      }
    }
    for (const { vreg, register } of each.fixedUses) {
      if (!state.at(register).has(valueOf(vreg))) this.#fault(`v${vreg} is not in r${register}: ${text}`)
    }
    this.#distinct(each, def)
    for (let r = 0; r < 15; r++) if (((code.clobbers >> r) & 1) !== 0) state.places.delete(r)
    for (const field of FIELDS) {
      const was = each[field]
      if ((def & FIELD[field]) === 0 || was < 0 || was === 13) continue
      if (((this.#after.written >> code[field]) & 1) === 0)
        this.#fault(`r${code[field]} is not said to be written: ${text}`)
      if (!isConstant(each.form) || code.cond !== Cond.AL) {
        state.define(valueOf(was), code[field])
        continue
      }
      this.#constant(each, state)
      state.move(code[field], constantOf(code))
    }
    for (const { vreg, register } of each.fixedDefs) state.define(valueOf(vreg), register)
  }

  /** Registers that an instruction must not name twice (DDI 0403E: UNPREDICTABLE otherwise). */
  #distinct(each: Before, def: number): void {
    const { code } = each
    const differ = (x: 'd' | 'n' | 'm' | 'a', y: 'd' | 'n' | 'm' | 'a'): void => {
      if (code[x] >= 0 && code[x] === code[y]) this.#fault(`${x} and ${y} are one register: ${printOne(code)}`)
    }
    if ((def & FIELD.d) !== 0 && (def & FIELD.a) !== 0) differ('d', 'a')
    if (code.index !== 0) {
      differ('n', 'd')
      differ('n', 'a')
    }
    if (code.form === F.STREX || code.form === F.STREXB || code.form === F.STREXH) {
      differ('a', 'd')
      differ('a', 'n')
    }
  }
}
