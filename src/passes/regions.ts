// What memory an address is of, and where in it: followed from the stack, the context, data sections and maps through sums, copies
// and phis. An address stays in the memory that it came from, whatever is added to it: no C program can get from one object to
// another by arithmetic, and no program knows what lies beyond. Where two kinds of memory meet, or an address goes into anything
// else, it is not followed any more, and a stack is then given away.
// For 64-bit SSA and for words alike. Where an index is added to an address of the stack, ranges say how far it reaches.

import { int32 } from '../base/arrays.ts'
import { unreachable } from '../base/errors.ts'
import { type Block, type Callee, type Func, type Value, callsHelper } from '../ir/func.ts'
import { COMPARE, I64, Op, attributes } from '../ir/op.ts'
import { type Ranges, findRanges } from './ranges.ts'

/** Kinds of memory. ELEMENTS is what a map's structure (MAP) leads to. */
export const Kind = { UNKNOWN: 0, CONTEXT: 1, ENV: 2, STACK: 3, SECTION: 4, MAP: 5, ELEMENTS: 6 } as const
export type Kind = (typeof Kind)[keyof typeof Kind]

export interface Region {
  readonly kind: Kind
  /** STACK: number of the area, 0 the function's own. SECTION, MAP, ELEMENTS: index in the program. */
  readonly index: number
  /** STACK: from this byte up (counted from r10) somebody else may read and write; 0 if nobody can. */
  given: number
}

/** Bytes on either side of its base where an offset counts as known. */
export const FAR = 1 << 16
/** Bytes below r10 that are a function's. */
export const STACK_BYTES = 512
const UNVISITED = -1
/** The runtime's function that gives the address of a map's value. */
const ANY_MAP = -1
const MAP_LOOKUP = 'thumbpf_map_lookup'

/** Bytes of a plain load or store, 0 for other operations, by operation. */
export const accessBytes = new Uint8Array(256)
for (const op of [Op.load8, Op.load8s, Op.store8]) accessBytes[op] = 1
for (const op of [Op.load16, Op.load16s, Op.store16]) accessBytes[op] = 2
for (const op of [Op.load32, Op.store32]) accessBytes[op] = 4
for (const op of [Op.load64, Op.store64]) accessBytes[op] = 8

export function isLoad(op: number): boolean {
  return op >= Op.load8 && op <= Op.load64
}

export function isStore(op: number): boolean {
  return op >= Op.store8 && op <= Op.store64
}

export function isAtomic(op: number): boolean {
  return (op >= Op.atomicadd && op <= Op.atomiccmpxchg) || (op >= Op.atomicadd2 && op <= Op.atomiccmpxchg2)
}

/** Bytes that an atomic operation uses. */
export function atomicBytes(value: Value): number {
  return value.op >= Op.atomicadd2 || value.args[1]!.type === I64 ? 8 : 4
}

/** By operation: 1 where the result may be an address that is known. */
const follows = new Uint8Array(256)
for (const op of [Op.frame, Op.address, Op.tableaddress, Op.param, Op.trunc, Op.zext, Op.load32, Op.call, Op.word]) {
  follows[op] = 1
}
for (const op of [Op.add, Op.add2, Op.sub, Op.select, Op.phi]) follows[op] = 1
/** By operation: 1 where it is none unless an operand is one; those of phis may come later. */
const derives = new Uint8Array(256)
for (const op of [Op.trunc, Op.zext, Op.load32, Op.word, Op.add, Op.add2, Op.sub, Op.select]) derives[op] = 1

/**
 * Whether an address is one that `Addresses` would know, as is plain without it: the context, env, a stack, a section or a map and
 * constants added.
 */
export function isPlain(func: Func, address: Value, isEntry: boolean): boolean {
  let at = address
  while (at.op === Op.trunc || at.op === Op.zext || (at.op === Op.add && at.args[1]!.op === Op.const)) at = at.args[0]!
  switch (at.op) {
    case Op.frame:
      return true
    case Op.address:
    case Op.tableaddress:
      return at.callee!.kind === 'data' || at.callee!.kind === 'map'
    case Op.param:
      return at.imm === func.params.length - 1 || (isEntry && at.imm === 0)
    default:
      return false
  }
}

const anywhere = { least: -FAR, most: FAR } as const

/** What is known of a function's addresses, by value id. */
export class Addresses {
  /** Number of the region, 0 for what is not known. */
  readonly region: Int32Array
  /** The offset from the region's base is in from..to; beyond FAR it may be any. */
  readonly from: Int32Array
  readonly to: Int32Array
  readonly regions: Region[] = [Kind.UNKNOWN, Kind.CONTEXT, Kind.ENV].map((kind) => ({ kind, index: 0, given: 0 }))
  /** By region: an address at a constant offset, the one that others at constant offsets are counted from. */
  readonly bases: (Value | undefined)[] = []
  private readonly numbers = new Map<Callee | null, number>()
  private readonly func: Func
  private readonly order: readonly Block[]
  private readonly isEntry: boolean
  private ranges: Ranges | undefined
  private again = false
  private readonly isBounded: boolean

  /**
   * `order`: reverse postorder. `isEntry`: parameter 0 is the context; env is the last one in any function. `isBounded`: offsets are asked
   * for too, which takes ranges where a stack is indexed; without, only regions are right.
   */
  constructor(func: Func, order: readonly Block[], isEntry: boolean, isBounded = true) {
    this.func = func
    this.isBounded = isBounded
    this.order = order
    this.isEntry = isEntry
    this.region = int32(func.valueCount).fill(UNVISITED)
    this.from = int32(func.valueCount)
    this.to = int32(func.valueCount)
    // Phis are taken for what comes from above until a later round shows otherwise. What was given up stays so.
    const followed: Value[] = []
    const { region } = this
    for (let at = 0; at < order.length; at++) {
      const { values } = order[at]!
      for (let index = 0; index < values.length; index++) {
        const value = values[index]!
        if (follows[value.op] === 0 || (derives[value.op] === 1 && !this.hasAddress(value))) region[value.id] = 0
        else {
          this.visit(value)
          if (region[value.id]! > 0) followed.push(value)
        }
      }
    }
    while (this.again) {
      this.again = false
      for (const value of followed) this.visit(value)
    }
    if (followed.length > 0) this.giveAway(order)
  }

  /** The number of the region that an address, a value's operand, is of. */
  of(address: Value): number {
    // Constants, and values made since.
    return address.op === Op.const ? 0 : (this.region[address.id] ?? 0)
  }

  isExact(address: Value): boolean {
    return this.from[address.id] === this.to[address.id]
  }

  /** Whether an operand is an address. Of most values none is. */
  private hasAddress({ args }: Value): boolean {
    const { region } = this
    for (let at = 0; at < args.length; at++) if (region[args[at]!.id]! > 0) return true
    return false
  }

  private visit(value: Value): void {
    const { op, args } = value
    switch (op) {
      case Op.frame:
        return this.set(value, this.number(value.callee, Kind.STACK), value.imm, value.imm)
      case Op.address:
      case Op.tableaddress: {
        const kind =
          value.callee!.kind === 'data' ? Kind.SECTION : value.callee!.kind === 'map' ? Kind.MAP : Kind.UNKNOWN
        const at = op === Op.address ? value.imm : 0
        return this.set(value, kind === Kind.UNKNOWN ? 0 : this.number(value.callee, kind), at, at)
      }
      case Op.param:
        if (value.imm === this.func.params.length - 1) return this.set(value, Kind.ENV, 0, 0)
        return this.set(value, this.isEntry && value.imm === 0 ? Kind.CONTEXT : 0, 0, 0)
      case Op.trunc:
      case Op.zext:
        return this.set(value, this.of(args[0]!), this.from[args[0]!.id]!, this.to[args[0]!.id]!)
      case Op.load32: {
        // A map's structure holds one address: that of its elements.
        const map = this.of(args[0]!)
        if (map > 0 && this.regions[map]!.kind === Kind.MAP) return this.set(value, this.elements(map), 0, 0)
        return this.set(value, 0, 0, 0)
      }
      case Op.call: {
        // A value of a map: whichever.
        const found = value.callee!.kind === 'helper' || value.callee!.kind === 'pointer' ? value.callee! : undefined
        const isElement = found?.prototype?.name === MAP_LOOKUP
        return this.set(value, isElement ? this.elementsOf(ANY_MAP) : 0, -FAR, FAR)
      }
      case Op.word:
        // Of an address in two words the low one is.
        if (value.imm === 0 && args[0]!.op === Op.add2) {
          return this.set(value, this.of(args[0]!), this.from[args[0]!.id]!, this.to[args[0]!.id]!)
        }
        // Of a call's result the low word is the address.
        return this.set(value, value.imm === 0 ? this.of(args[0]!) : 0, -FAR, FAR)
      case Op.add:
        return this.sum(value, args[0]!, args[1]!)
      case Op.add2:
        return this.sum(value, args[0]!, args[2]!)
      case Op.sub: {
        const [a, b] = args
        if (this.of(b!) > 0) return this.set(value, 0, 0, 0)
        return this.set(value, this.of(a!), -FAR, FAR)
      }
      case Op.select:
        return this.join(value, 1)
      case Op.phi:
        return this.join(value, 0)
      default:
        unreachable(`operation ${op} makes no address`)
    }
  }

  private sum(value: Value, a: Value, b: Value): void {
    const left = this.of(a)
    const right = this.of(b)
    if (left > 0 && right > 0) return this.set(value, 0, 0, 0)
    const [address, other] = left > 0 ? [a, b] : [b, a]
    const region = Math.max(left, right)
    if (region <= 0) return this.set(value, region, 0, 0)
    const from = this.from[address.id]!
    const to = this.to[address.id]!
    if (other.op === Op.const) {
      // The high word of an address counts for nothing.
      this.set(value, region, from + other.imm, to + other.imm)
    } else {
      const { least, most } = this.bounds(region, other)
      this.set(value, region, from + least, to + most)
    }
  }

  /** Bounds of an index, for what it is added to. They are worth finding for stacks, which values can take the place of. */
  private bounds(region: number, index: Value): { least: number; most: number } {
    if (!this.isBounded || this.regions[region]!.kind !== Kind.STACK) return anywhere
    this.ranges ??= findRanges(this.func, this.order)
    const least = this.ranges.known.signedMinimum(index.id)
    const most = this.ranges.known.signedMaximum(index.id)
    // Where nothing comes to, nothing is said.
    return least >= -FAR && most <= FAR && least <= most ? { least, most } : anywhere
  }

  /** `first`: index of the first operand that the value may be. */
  private join(value: Value, first: number): void {
    const { args } = value
    let region = UNVISITED
    let from = 0
    let to = 0
    for (let at = first; at < args.length; at++) {
      const arg = args[at]!
      // Null is an address of any kind.
      if (arg === value || (arg.op === Op.const && arg.imm === 0)) continue
      const other = this.of(arg)
      if (other === UNVISITED) continue
      if (other === 0) {
        region = 0
        break
      }
      if (region === UNVISITED) {
        region = other
        from = this.from[arg.id]!
        to = this.to[arg.id]!
      } else if (region !== other) {
        region = 0
        break
      } else {
        from = Math.min(from, this.from[arg.id]!)
        to = Math.max(to, this.to[arg.id]!)
      }
    }
    // What comes round the loop was not seen yet: a second look.
    if (this.region[value.id] === UNVISITED) {
      this.again ||= value.op === Op.phi && region > 0
    } else if (this.from[value.id] !== from || this.to[value.id] !== to) {
      from = -FAR
      to = FAR
    }
    this.set(value, region === UNVISITED ? 0 : region, from, to)
  }

  private set(value: Value, region: number, from: number, to: number): void {
    const { id } = value
    if (region <= 0) from = to = 0
    else if (from < -FAR || to > FAR) {
      from = -FAR
      to = FAR
    }
    const before = this.region[id]!
    // Once given up, never again followed: so this ends.
    if (before === 0 || (before === region && this.from[id] === from && this.to[id] === to)) return
    if (before !== UNVISITED) this.again = true
    this.region[id] = region
    this.from[id] = from
    this.to[id] = to
  }

  private number(thing: Callee | null, kind: Kind): number {
    let number = this.numbers.get(thing)
    if (number === undefined) {
      number = this.regions.length
      const index = thing === null ? 0 : 'index' in thing ? thing.index : thing.kind === 'data' ? thing.section : 0
      this.regions.push({ kind, index, given: 0 })
      this.numbers.set(thing, number)
    }
    return number
  }

  private elements(map: number): number {
    return this.elementsOf(this.regions[map]!.index)
  }

  private elementsOf(index: number): number {
    const known = this.regions.findIndex((region) => region.kind === Kind.ELEMENTS && region.index === index)
    return known >= 0 ? known : this.regions.push({ kind: Kind.ELEMENTS, index, given: 0 }) - 1
  }

  /** Finds the stacks of which an operand is an address that its value does not just follow. */
  private giveAway(order: readonly Block[]): void {
    const { region } = this
    if (!this.regions.some(({ kind }) => kind === Kind.STACK)) return
    const isStack = Uint8Array.from(this.regions, ({ kind }) => (kind === Kind.STACK ? 1 : 0))
    for (let block = 0; block < order.length; block++) {
      const { values } = order[block]!
      for (let index = 0; index < values.length; index++) {
        const { args } = values[index]!
        for (let at = 0; at < args.length; at++) {
          // Of constants nothing was set.
          const number = region[args[at]!.id]!
          if (number > 0 && isStack[number] === 1) this.giveTo(values[index]!, at, number)
        }
      }
    }
  }

  /** An operand is an address of that stack. */
  private giveTo(value: Value, at: number, number: number): void {
    const { op, args } = value
    // An access, a comparison, another address of the same stack; what is returned is gone by then.
    if (at === 0 && (accessBytes[op]! > 0 || isAtomic(op))) return
    if (this.region[value.id] === number || (attributes[op]! & COMPARE) !== 0 || op === Op.ret) return
    const region = this.regions[number]!
    // A helper is given the address of an object: it may use what lies from there up.
    const from = callsHelper(value) ? this.from[args[at]!.id]! : -FAR
    region.given = Math.min(region.given, from)
  }
}
