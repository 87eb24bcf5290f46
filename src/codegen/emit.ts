// The last stage: functions of Codes over real registers become the bytes of one section, with relocations, line table
// and the places of data. Needs: prologue, epilogue and frame offsets as ordinary instructions (frame.ts); of the
// pseudo-forms only CALL, CONSTANT, TABLE_BRANCH, UNREACHABLE and ENTRY are left. Each function begins at a multiple of 4,
// as literal loads count from there. The same input gives the same bytes.

import { unreachable } from '../base/errors.ts'
import { encode } from '../thumb/encode.ts'
import { F } from '../thumb/forms.ts'
import { Cond } from '../thumb/instruction.ts'
import { PC } from '../thumb/registers.ts'
import { Code, type CodeFunction } from './code.ts'
import { type Items, Kind, buildItems } from './emit-items.ts'
import { type Layout, type Pool, compareSize, jumpSize, layOut, tableBytes } from './emit-layout.ts'

/** ELF relocation types (AAELF32) that emitted code has. The addend is in the code, as REL sections want it. */
export const EmittedReloc = { R_ARM_ABS32: 2, R_ARM_THM_CALL: 10 } as const

/** A module's code without addresses. Offsets are in bytes from the start of `code`. */
export interface EmittedModule {
  readonly code: Uint8Array
  /** In the order of the input. `size` includes the function's literal pools. */
  readonly functions: readonly { readonly name: string; readonly offset: number; readonly size: number }[]
  /** By offset. `symbol` is the module's number, as in Code.symbol. */
  readonly relocations: readonly { readonly offset: number; readonly type: number; readonly symbol: number }[]
  /** By offset: from there on code serves BPF instruction `slot`, -1 for none in particular. */
  readonly lines: readonly { readonly offset: number; readonly slot: number }[]
  /** Byte ranges [start, end) of literal pools and tables, by offset. */
  readonly data: readonly (readonly [number, number])[]
}

const NOP = 0xbf00

class Emitter {
  code = new Uint8Array(4096)
  at = 0
  readonly functions: { name: string; offset: number; size: number }[] = []
  readonly relocations: { offset: number; type: number; symbol: number }[] = []
  readonly lines: { offset: number; slot: number }[] = []
  readonly data: (readonly [number, number])[] = []
  private slot = -2
  /** Calls whose distance is known when all functions have their places. */
  private readonly calls: { offset: number; symbol: number }[] = []
  /** For instructions that no Code stands for. */
  private readonly scratch = new Code(F.NOP)

  addFunction(func: CodeFunction, align: boolean): void {
    const items = buildItems(func, !align)
    const layout = layOut(items, align)
    const base = this.at
    this.reserve(layout.size)
    this.functions.push({ name: func.name, offset: base, size: layout.size })
    let pool = 0
    for (let i = 0; i <= items.count; i++) {
      for (; layout.pools[pool]?.at === i; pool++) this.addPool(layout.pools[pool]!, base)
      if (i === items.count) break
      if (layout.pads[i] !== 0) this.pad(this.at + layout.pads[i]!)
      if (this.at !== base + layout.offsets[i]!) unreachable('the layout and the bytes differ')
      if (items.sizes[i] === 0) continue
      this.setSlot(items.codes[i]!.origin)
      this.addItem(items, layout, i, base)
    }
    this.pad(base + layout.size)
  }

  private reserve(bytes: number): void {
    if (this.at + bytes <= this.code.length) return
    const wider = new Uint8Array(Math.max(this.code.length * 2, this.at + bytes))
    wider.set(this.code.subarray(0, this.at))
    this.code = wider
  }

  private setSlot(slot: number): void {
    if (slot === this.slot) return
    this.slot = slot
    this.lines.push({ offset: this.at, slot })
  }

  private halfword(value: number): void {
    this.code[this.at++] = value
    this.code[this.at++] = value >>> 8
  }

  private pad(end: number): void {
    while (this.at < end) this.halfword(NOP)
  }

  private instruction(code: Code, inIT = false, wide = false): void {
    this.at += encode(code, inIT, this.code, this.at, wide)
  }

  /** B to an offset in the section. */
  private branch(target: number, cond: number, wide: boolean): void {
    const { scratch } = this
    scratch.form = F.B
    scratch.cond = cond
    scratch.n = -1
    scratch.imm = target - (this.at + 4)
    this.instruction(scratch, false, wide)
  }

  private addPool(pool: Pool, base: number): void {
    const end = base + pool.offset + pool.literals.length * 4
    if (pool.jumped) this.branch(end, Cond.AL, jumpSize(pool) === 4)
    this.pad(base + pool.offset)
    this.setSlot(-1)
    this.data.push([this.at, end])
    for (const { value, symbol } of pool.literals) {
      if (symbol >= 0) this.relocations.push({ offset: this.at, type: EmittedReloc.R_ARM_ABS32, symbol })
      this.halfword(value)
      this.halfword(value >>> 16)
    }
  }

  private addItem(items: Items, layout: Layout, i: number, base: number): void {
    const code = items.codes[i]!
    const size = items.sizes[i]!
    switch (items.kinds[i]) {
      case Kind.BRANCH:
        this.addBranch(base + layout.offsets[items.starts[code.target]!]!, code.cond, size)
        break
      case Kind.ZERO_BRANCH:
        this.addZeroBranch(code, base + layout.offsets[items.starts[code.target]!]!, size)
        break
      case Kind.CALL:
        this.calls.push({ offset: this.at, symbol: code.symbol })
        this.at += 4
        break
      case Kind.LITERAL:
        code.form = F.LDR_l
        code.s = 0
        code.imm = base + items.literals.get(i)!.offset - ((this.at + 4) & ~3)
        this.instruction(code, false, size === 4)
        break
      case Kind.TABLE: {
        const targets = code.targets.map((target) => base + layout.offsets[items.starts[target]!]!)
        this.addTable(code, targets, layout.entrySizes[i]!, layout.far.get(i)!)
        break
      }
      default:
        if (items.wide[i] === 1) this.instruction(code, items.inIT[i] === 1, true)
        else this.at += encode(code, items.inIT[i] === 1, this.code, this.at, false, items.rows[i])
    }
  }

  private addBranch(target: number, cond: number, size: number): void {
    if (size < 6) {
      this.branch(target, cond, size === 4)
      return
    }
    this.branch(this.at + 6, cond ^ 1, false)
    this.branch(target, Cond.AL, true)
  }

  private addZeroBranch(code: Code, target: number, size: number): void {
    if (size === 2) {
      code.imm = target - (this.at + 4)
      this.instruction(code)
      return
    }
    const { scratch } = this
    scratch.form = F.CMP_i
    scratch.cond = Cond.AL
    scratch.n = code.n
    scratch.imm = 0
    this.instruction(scratch)
    this.addBranch(target, code.form === F.CBZ ? Cond.EQ : Cond.NE, size - compareSize(code))
  }

  /** Entries reach forward only, and not far: `far` says which lead to which of the branches after the table instead. */
  private addTable(code: Code, targets: readonly number[], entrySize: number, far: Uint16Array): void {
    code.form = entrySize === 1 ? F.TBB : F.TBH
    code.m = code.n
    code.n = PC
    this.instruction(code)
    const base = this.at
    const end = base + tableBytes(targets.length, entrySize)
    for (const [index, target] of targets.entries()) {
      const stub = far[index]!
      const entry = ((stub > 0 ? end + 4 * (stub - 1) : target) - base) >> 1
      this.code[this.at++] = entry
      if (entrySize === 2) this.code[this.at++] = entry >>> 8
    }
    if (this.at < end) this.code[this.at++] = 0
    this.data.push([base, end])
    let made = 0
    for (const [index, target] of targets.entries()) {
      if (far[index]! <= made) continue
      this.branch(target, Cond.AL, true)
      made++
    }
  }

  /** Fills in the calls. `functionOf` gives the index of a symbol's function, -1 if it is not in this module. */
  finish(functionOf: (symbol: number) => number): EmittedModule {
    const { scratch } = this
    for (const { offset, symbol } of this.calls) {
      const index = functionOf(symbol)
      scratch.form = F.BL
      scratch.cond = Cond.AL
      scratch.n = -1
      if (index < 0) this.relocations.push({ offset, type: EmittedReloc.R_ARM_THM_CALL, symbol })
      scratch.imm = index < 0 ? -4 : this.functions[index]!.offset - (offset + 4)
      encode(scratch, false, this.code, offset)
    }
    this.relocations.sort((one, other) => one.offset - other.offset)
    const { functions, relocations, lines, data } = this
    return { code: this.code.slice(0, this.at), functions, relocations, lines, data }
  }
}

/**
 * The functions' code, one after the other. `functionOf` gives for a symbol's number (Code.symbol) the index in
 * `functions` of the function that it names, -1 if it is an import. `align`: bytes are spent on the alignment of loops. Uses up the functions: their Codes change.
 */
export function emit(
  functions: readonly CodeFunction[],
  functionOf: (symbol: number) => number,
  align = true,
): EmittedModule {
  const emitter = new Emitter()
  for (const func of functions) emitter.addFunction(func, align)
  return emitter.finish(functionOf)
}
