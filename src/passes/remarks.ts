// Why instructions have no code of their own, told from what passes leave behind them. An instruction is followed by the values that are
// its result or its effect: what the frontend says, what stands for that after each pass, and how the last of them went away. Nothing of
// this runs where nobody asks for it.

import type { Fates, Remark } from '../base/remark.ts'
import { type Block, type Func, type Value, resolve } from '../ir/func.ts'
import { type Module, allFunctions } from '../ir/module.ts'
import { EFFECT, I64, Op, TERMINATOR, attributes } from '../ir/op.ts'

/** Passes that give an instruction another form, and which. */
const forms: Readonly<Record<string, string>> = {
  booleans: 'the condition itself',
  accumulate: 'product and sum in one',
  'signed-loads': 'the load extends the sign',
  strength: 'the address is a pointer that steps',
  countdown: "part of the loop's countdown",
}

/** What divisions are made of, by the operation that shows it. */
const quotients: Readonly<Record<number, string>> = {
  [Op.umul]: 'the division is a multiplication',
  [Op.smul]: 'the division is a multiplication',
  [Op.udiv]: 'the remainder is what the quotient leaves',
  [Op.sdiv]: 'the remainder is what the quotient leaves',
}

/** Where an instruction was several values, one that is known tells more than one that nobody needs. */
interface Reason extends Remark {
  readonly known: boolean
}

/** Follows the instructions of one compilation. */
export class Follower {
  /** Values that are an instruction's result or effect: their origin's. */
  readonly #followed = new Set<Value>()
  /** Of these, what a pass without replacements says stands for them. */
  readonly #becomes = new Map<Value, Value>()
  readonly #reasons = new Map<number, Reason>()
  readonly #changed = new Map<number, Remark>()
  /** Instructions that the frontend made something of: the others are never reached. */
  readonly #built = new Set<number>()
  readonly #read = new Map<number, number[]>()
  /** By function: what was there behind the last pass, with its operation. */
  readonly #before = new Map<Func, ReadonlyMap<Value, number>>()

  /** The frontend: an instruction gives this value, or has this effect. The value may be another's, where it moves a register. */
  readonly made = (slot: number, value: Value): void => {
    this.#built.add(slot)
    if (value.op === Op.const) this.#because(slot, 'ssa', constant(value))
    else if (value.origin !== slot) this.#because(slot, 'ssa', copyOf(value))
    else {
      this.#followed.add(value)
      // What is extended is the result as well.
      const word = value.op === Op.zext || value.op === Op.sext ? value.args[0]! : value
      if (word.origin === slot) this.#followed.add(word)
      else if (value.op === Op.zext) this.#because(slot, 'ssa', copyOf(word))
    }
  }

  /** A pass that copies, or that makes other values without replacing: what `to` is, `from` was. */
  readonly follow = (from: Value, to: Value): void => {
    if (!this.#followed.has(from)) return
    if (to.origin === from.origin && to.op !== Op.const) this.#followed.add(to)
    else this.#becomes.set(from, to)
  }

  /** Behind the frontend and each pass. */
  readonly after = (pass: string, func: Func): void => {
    const before = this.#before.get(func)
    const values = new Map<Value, number>()
    for (const block of func.blocks) for (const value of block.values) values.set(value, value.op)
    if (before === undefined) addReaders(func, this.#read)
    else {
      const blocks = new Set(func.blocks)
      for (const [value, op] of before) {
        if (!this.#followed.has(value)) continue
        if (!values.has(value)) this.#vanished(pass, value, op, blocks)
        else if (op === Op.branch && value.op === Op.jump) this.#note(pass, value.origin, 'it always goes the same way')
        else if (op !== value.op) this.#note(pass, value.origin, forms[pass])
      }
      for (const value of values.keys()) {
        if (value.origin < 0 || before.has(value)) continue
        this.#note(pass, value.origin, pass === 'divide' ? quotients[value.op] : forms[pass])
      }
    }
    this.#before.set(func, values)
  }

  /** A followed value was there before the pass, as `op`, and is no more. */
  #vanished(pass: string, value: Value, op: number, blocks: ReadonlySet<Block>): void {
    this.#followed.delete(value)
    const { origin, replacement } = value
    const target = replacement ?? this.#becomes.get(value)
    if (op === Op.call && pass === 'inline') this.#because(origin, pass, 'what it calls stands in its place')
    else if (target !== undefined) this.#replaced(pass, origin, resolve(target))
    else if (op === Op.jump) this.#because(origin, pass, 'no jump is needed', false)
    else if (!blocks.has(value.block)) this.#because(origin, pass, 'never reached', false)
    else if (op === Op.branch) this.#because(origin, pass, 'it always goes the same way')
    else if (pass === 'stack-slots' && op >= Op.store8 && op <= Op.store64) {
      this.#because(origin, pass, 'the stack slot is kept in registers')
    } else if ((attributes[op]! & (EFFECT | TERMINATOR)) !== 0) this.#because(origin, pass, `removed by ${pass}`)
    else this.#because(origin, pass, 'nobody needs the result', false)
  }

  #replaced(pass: string, origin: number, target: Value): void {
    if (target.op === Op.const) return this.#because(origin, pass, constant(target))
    if (target.origin === origin) {
      this.#followed.add(target)
      return
    }
    const other = target.origin < 0 ? '' : `: insn ${target.origin}`
    if (pass === 'stack-slots') this.#because(origin, pass, `the stack slot is kept in registers${other}`)
    else if (pass === 'loads') this.#because(origin, pass, `what is there is known${other}`)
    else if (forms[pass] !== undefined) this.#because(origin, pass, `${forms[pass]}${other}`)
    else if (other !== '') this.#because(origin, pass, `the same as insn ${target.origin}`)
    else if (this.#reasons.get(origin)?.known !== true) this.#because(origin, pass, 'the value is there anyway')
  }

  #because(slot: number, stage: string, text: string, known = true): void {
    if (known || this.#reasons.get(slot)?.known !== true) this.#reasons.set(slot, { slot, stage, text, known })
  }

  #note(stage: string, slot: number, text: string | undefined): void {
    if (text !== undefined) this.#changed.set(slot, { slot, stage, text })
  }

  /** When all passes are done. `slots`: of all instructions. */
  fates(module: Module, slots: Iterable<number>): Fates {
    const present = new Set<number>()
    const readers = new Map<number, number[]>()
    for (const func of allFunctions(module)) {
      addReaders(func, readers)
      for (const { values } of func.blocks) {
        for (const value of values) if (this.#followed.has(value)) present.add(value.origin)
      }
    }
    const gone = new Map<number, Remark>()
    const unneeded = new Set<number>()
    for (const slot of slots) {
      if (present.has(slot)) continue
      const reason = this.#built.has(slot)
        ? this.#reasons.get(slot)
        : { stage: 'ssa', text: 'never reached', known: true }
      if (reason === undefined) continue
      gone.set(slot, { slot, stage: reason.stage, text: reason.text })
      if (!reason.known) unneeded.add(slot)
    }
    return { gone, unneeded, changed: this.#changed, read: this.#read, readers }
  }
}

/** By instruction, those whose values have one of its values as an operand. */
function addReaders(func: Func, readers: Map<number, number[]>): void {
  for (const { values } of func.blocks) {
    for (const { origin, args } of values) {
      for (const arg of args) {
        if (arg.origin < 0 || origin < 0 || arg.origin === origin) continue
        const known = readers.get(arg.origin)
        if (known === undefined) readers.set(arg.origin, [origin])
        else if (!known.includes(origin)) known.push(origin)
      }
    }
  }
}

function copyOf({ origin }: Value): string {
  return origin < 0 ? 'a copy' : `a copy of insn ${origin}`
}

function constant({ type, imm, immHigh }: Value): string {
  return `constant ${type === I64 ? (BigInt(immHigh) << 32n) | BigInt(imm >>> 0) : imm}`
}
