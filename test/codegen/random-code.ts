// Random CodeFunctions over virtual registers as select could leave them, and copies of them.

import { Code, CodeBlock, CodeFunction, P } from '../../src/codegen/code.ts'
import { F } from '../../src/thumb/forms.ts'
import { Cond, Flags, Index } from '../../src/thumb/instruction.ts'
import { CALLER_SAVED } from '../../src/thumb/registers.ts'
import { Random } from '../support/random.ts'

export interface Shape {
  readonly seed: number
  /** Blocks before critical edges are split, at least 1. */
  readonly blocks: number
  /** Instructions in a block, at most. */
  readonly length: number
  /** Registers that live across blocks. */
  readonly variables: number
  /** Of 100 instructions, calls. */
  readonly calls: number
}

/** Numbers below `n`. */
export function randomFrom(seed: number): (n: number) => number {
  const random = new Random(seed)
  return (n) => random.below(n)
}

/** A function in which every register is written before it is read. */
export function randomFunction(shape: Shape): CodeFunction {
  const random = randomFrom(shape.seed)
  const fn = new CodeFunction('random')
  const fresh = (): number => fn.nextVirtual++
  const variables: number[] = []
  const constants: number[] = []
  for (let i = 0; i < shape.variables; i++) variables.push(fresh())
  fn.frameBytes = 8 * random(4)

  // Edges first: every block but the entry may be anybody's successor.
  const count = shape.blocks
  const successors: number[][] = []
  for (let b = 0; b < count; b++) {
    const list: number[] = []
    const wanted = b === count - 1 ? random(2) : 1 + random(10) / 4
    for (let i = 0; i < Math.floor(wanted) && count > 1; i++) {
      const s = random(3) > 0 && b + 1 < count ? b + 1 + random(Math.min(3, count - b - 1)) : 1 + random(count - 1)
      if (!list.includes(s)) list.push(s)
    }
    successors.push(list)
  }
  const incoming = new Int32Array(count)
  for (const list of successors) for (const s of list) incoming[s] = incoming[s]! + 1
  // A block between, for each critical edge; placed at the end.
  const between: { to: number }[] = []
  for (let b = 0; b < count; b++) {
    if (successors[b]!.length < 2) continue
    successors[b] = successors[b]!.map((s) => {
      if (incoming[s]! < 2) return s
      between.push({ to: s })
      return count + between.length - 1
    })
  }
  for (const { to } of between) successors.push([to])
  for (let b = 0; b < successors.length; b++) {
    const block = new CodeBlock(b)
    block.loopDepth = b === 0 ? 0 : random(3)
    block.successors = successors[b]!
    fn.blocks.push(block)
  }
  for (const block of fn.blocks) for (const s of block.successors) fn.blocks[s]!.predecessors.push(block.index)

  const make = (block: CodeBlock, form: number, d = -1, n = -1, m = -1, imm = 0): Code => {
    const code = new Code(form)
    code.d = d
    code.n = n
    code.m = m
    code.imm = imm
    block.code.push(code)
    return code
  }
  const pick = (list: readonly number[]): number => list[random(list.length)]!

  const entry = fn.blocks[0]!
  const parameters = Math.min(variables.length, random(5))
  const head = make(entry, P.ENTRY)
  head.fixedDefs = variables.slice(0, parameters).map((vreg, register) => ({ vreg, register }))
  for (const v of variables.slice(parameters)) {
    const kind = random(4)
    if (kind === 0) make(entry, P.CONSTANT, v, -1, -1, random(1 << 20))
    else if (kind === 1) make(entry, P.ARGUMENT_LOAD, v, -1, -1, random(4))
    else make(entry, F.MOV_i, v, -1, -1, random(256))
  }
  for (let i = random(4); i > 0; i--) {
    const v = fresh()
    constants.push(v)
    if (random(2) === 0) make(entry, P.CONSTANT, v, -1, -1, random(1000))
    else make(entry, P.FRAME_ADDRESS, v, -1, -1, random(64))
  }

  for (const block of fn.blocks) {
    const temporaries: number[] = []
    const source = (): number => {
      const kind = random(8)
      if (kind === 0 && constants.length > 0) return pick(constants)
      if (kind < 4 && temporaries.length > 0)
        return temporaries[temporaries.length - 1 - random(Math.min(6, temporaries.length))]!
      return variables.length > 0 ? pick(variables) : temporaries.length > 0 ? pick(temporaries) : constant()
    }
    const constant = (): number => {
      const v = fresh()
      make(block, P.CONSTANT, v, -1, -1, random(100))
      temporaries.push(v)
      return v
    }
    const target = (): number => {
      if (random(2) === 0 && variables.length > 0) return pick(variables)
      return fresh()
    }
    const keep = (v: number): void => {
      if (!variables.includes(v) && !temporaries.includes(v) && !constants.includes(v)) temporaries.push(v)
    }
    const other = (...not: number[]): number => {
      for (let tries = 0; tries < 20; tries++) {
        const v = source()
        if (!not.includes(v)) return v
      }
      return constant()
    }
    const writable = (v: number): boolean => !constants.includes(v)
    const instruction = (): void => {
      const kind = random(100)
      if (kind < shape.calls) {
        const uses = Array.from({ length: random(5) }, (_, register) => ({ vreg: source(), register }))
        const callee = random(8) === 0 ? source() : -1
        const defs: number[] = []
        for (let i = random(3); i > 0; i--) {
          const v = target()
          if (!defs.includes(v)) defs.push(v)
        }
        const call = make(block, P.CALL, -1, -1, callee)
        call.symbol = random(3)
        call.fixedUses = uses
        call.fixedDefs = defs.map((vreg, register) => ({ vreg, register }))
        call.clobbers = CALLER_SAVED
        defs.forEach(keep)
        return
      }
      switch (random(17)) {
        case 0: {
          const v = target()
          make(block, P.CONSTANT, v, -1, -1, random(1 << 16))
          keep(v)
          return
        }
        case 1: {
          const v = target()
          const m = source()
          make(block, F.MOV_r, v, -1, m)
          keep(v)
          return
        }
        case 2: {
          const [n, m] = [source(), source()]
          make(block, F.CMP_r, -1, n, m).s = Flags.SET
          return
        }
        case 3: {
          const v = source()
          if (!writable(v)) return
          make(block, F.MOVT, v, -1, -1, random(65536))
          return
        }
        case 4: {
          const v = source()
          const [n, m] = [source(), source()]
          if (!writable(v)) return
          make(block, F.ADD_r, v, n, m).cond = random(2) === 0 ? Cond.EQ : Cond.NE
          return
        }
        case 5: {
          const [n, m] = [source(), source()]
          const low = target()
          let high = target()
          while (high === low) high = fresh()
          make(block, F.UMULL, low, n, m).a = high
          keep(low)
          keep(high)
          return
        }
        case 6: {
          const [n, m] = [source(), source()]
          const low = other()
          const high = other(low)
          if (!writable(low) || !writable(high)) return
          make(block, F.UMLAL, low, n, m).a = high
          return
        }
        case 7: {
          const n = other()
          if (!writable(n)) return
          let d = target()
          while (d === n) d = fresh()
          make(block, F.LDR_i, d, n, -1, 4).index = Index.POST
          keep(d)
          return
        }
        case 8: {
          const n = other()
          if (!writable(n)) return
          const d = other(n)
          make(block, F.STR_i, d, n, -1, 4).index = Index.PRE
          return
        }
        case 9: {
          const [d, n] = [source(), source()]
          let status = target()
          while (status === d || status === n) status = fresh()
          make(block, F.STREX, d, n, -1, 0).a = status
          keep(status)
          return
        }
        case 10: {
          const n = source()
          let low = target()
          const high = fresh()
          while (low === high) low = fresh()
          make(block, F.LDRD_i, low, n, -1, 8).a = high
          keep(low)
          keep(high)
          return
        }
        case 11: {
          const [d, n, m] = [source(), source(), source()]
          make(block, F.STR_r, d, n, m).amount = random(4)
          return
        }
        case 12: {
          // A permutation, with copies into registers that are new.
          const defs: number[] = []
          const uses: number[] = []
          for (let i = random(6); i > 0; i--) {
            const v = target()
            if (defs.includes(v)) continue
            uses.push(source())
            defs.push(v)
          }
          const move = make(block, P.PARALLEL_MOVE)
          move.defs = defs
          move.uses = uses
          defs.forEach(keep)
          return
        }
        case 13: {
          const [n, m, a] = [source(), source(), source()]
          const v = target()
          make(block, F.MLA, v, n, m).a = a
          keep(v)
          return
        }
        case 14: {
          const d = source()
          make(block, P.ARGUMENT_STORE, d, -1, -1, random(2))
          fn.outgoingWords = 2
          return
        }
        default: {
          const [n, m] = [source(), source()]
          const v = target()
          const form = [F.ADD_r, F.SUB_r, F.EOR_r, F.MUL, F.LDR_r][random(5)]!
          make(block, form, v, n, m)
          keep(v)
        }
      }
    }
    for (let i = random(shape.length + 1); i > 0; i--) instruction()
    // The end.
    const list = block.successors
    const next = block.index + 1
    if (list.length === 0) {
      if (random(8) === 0) {
        make(block, P.UNREACHABLE)
      } else {
        const results = [source(), source()].slice(0, 1 + random(2))
        make(block, P.RETURN).fixedUses = results.map((vreg, register) => ({ vreg, register }))
      }
    } else if (list.length === 1) {
      if (random(2) === 0 && variables.length > 1) {
        const defs: number[] = []
        const uses: number[] = []
        for (const v of variables) {
          if (random(3) > 0) continue
          const u = source()
          defs.push(v)
          uses.push(u)
        }
        const move = make(block, P.PARALLEL_MOVE)
        move.defs = defs
        move.uses = uses
      }
      if (list[0] !== next || random(2) === 0) make(block, F.B).target = list[0]!
    } else if (list.length === 2) {
      const [n, m] = [source(), source()]
      const test = random(2) === 0
      if (test) make(block, F.CMP_r, -1, n, m).s = Flags.SET
      // Something that keeps flags between the comparison and the branch.
      if (random(2) === 0) {
        const v = target()
        const [x, y] = [source(), source()]
        make(block, F.ADD_r, v, x, y)
      }
      const first = test ? make(block, F.B) : make(block, random(2) === 0 ? F.CBZ : F.CBNZ, -1, n)
      if (test) first.cond = Cond.EQ
      first.target = list[0]!
      if (list[1] !== next || random(2) === 0) make(block, F.B).target = list[1]!
    } else {
      const n = source()
      make(block, P.TABLE_BRANCH, -1, n).targets = list
    }
  }
  // A block at the end must not fall off; the generator gives each its branch.
  for (const block of fn.blocks) {
    const last = block.code[block.code.length - 1]
    if (block.index === fn.blocks.length - 1 && block.successors.length === 0 && last === undefined)
      make(block, P.UNREACHABLE)
  }
  return fn
}

/** The same function once more, sharing nothing that allocation changes. */
export function copyFunction(fn: CodeFunction): CodeFunction {
  const copy = new CodeFunction(fn.name)
  copy.nextVirtual = fn.nextVirtual
  copy.frameBytes = fn.frameBytes
  copy.outgoingWords = fn.outgoingWords
  copy.savesAll = fn.savesAll
  for (const block of fn.blocks) {
    const other = new CodeBlock(block.index)
    other.loopDepth = block.loopDepth
    other.predecessors = [...block.predecessors]
    other.successors = [...block.successors]
    other.code = block.code.map((code) => Object.assign(new Code(code.form), code))
    copy.blocks.push(other)
  }
  return copy
}
