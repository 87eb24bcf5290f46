// Compares of one value with constants, one after the other, become a branch through a table: compilers for BPF make trees of
// them of a switch. The tree is followed with the set of values that comes each way, and where the ways that are not the most
// common one lie densely, a comparison with their bounds and a table take its place. By the target's model a table is 5
// cycles, its bounds 2 or 3; a node of a tree is 2 to 3 cycles and 4 bytes.
// Needs: words, numbered. Leaves: nodes' comparisons that nobody needs.

import { removeUnreachable } from '../ir/cfg.ts'
import { type Block, type Func, type Value, connect, countUses, disconnect } from '../ir/func.ts'
import { significantBits } from '../ir/known.ts'
import { COMPARE, I32, I64, Op, VOID, attributes } from '../ir/op.ts'
import { removeRedundantPhis } from './redundant-phis.ts'
import { type Interval, type Test, complement, domainOf, intersect, testOf } from './switch-tests.ts'

/** Entries of a table, at most. */
const LONGEST = 1024
/** Nodes of a tree, at most, and how deep they are. */
const MAXIMUM_NODES = 2048
const DEEPEST = 256
/** Fewer ways than this are not worth a table. */
const FEWEST = 4
/** Values outside of the table that are compared one by one. */
const MAXIMUM_OUTSIDE = 2
/** Cycles of a node of the tree on average, of a table with what compares, and of a subtraction before. */
const NODE_CYCLES = 2.6
const TABLE_CYCLES = 5
const CHECK_CYCLES = 2
/** What must be gained on average: state machines are mostly in one of their states, and no way through a table is short. */
const MARGIN = 0.5
/** Bytes that must be gained: arms behind the table take a branch of 4 bytes each, and no arm becomes conditional instructions. */
const SMALL_MARGIN = 12
/** Bytes of a node: a comparison and a branch; of the table's branch. */
const NODE_BYTES = 4
const TABLE_BYTES = 4

/** Where the tree leads. */
interface Way {
  readonly target: Block
  /** An edge that it comes by: what phis there get. */
  readonly from: Block
  /** What leads there: a block of its own where the target's phis tell ways apart. */
  block: Block | null
}

/** Values from..to go this way, behind so many nodes. */
interface Piece {
  readonly from: number
  readonly to: number
  readonly way: number
  readonly depth: number
}

/** Whether anything changed. `small`: fewer bytes are better than fewer cycles. */
export function makeSwitches(func: Func, small: boolean): boolean {
  if (!hasCandidates(func)) return false
  countUses(func)
  // What is not dense from its root on may be from a node on.
  let budget = 8 * func.blocks.length
  let changed = false
  for (const root of func.blocks.slice()) {
    if (root.values.length === 0 || budget < 0) continue
    const tree = new Tree(root)
    const table = tree.grow() ? tree.choose(small) : undefined
    budget -= tree.nodes.length
    if (table === undefined) continue
    replace(func, tree, table)
    changed = true
  }
  // Nodes that became empty, and roots of trees that another's values never come to.
  if (!changed) return false
  const before = func.blocks.length
  // What only led through comparisons that are gone comes by one way now.
  if (removeUnreachable(func).length < before) removeRedundantPhis(func)
  return true
}

/** Whether a comparison with a constant follows another of the same value, and that a third one. */
function hasCandidates(func: Func): boolean {
  for (const block of func.blocks) {
    const tested = testedBy(block)
    if (tested === null) continue
    for (const next of block.successors) {
      if (next.predecessors.length !== 1 || testedBy(next) !== tested) continue
      for (const third of next.successors) {
        if (third.predecessors.length === 1 && testedBy(third) === tested) return true
      }
    }
  }
  return false
}

/** The value that the branch at a block's end compares with a constant, as testOf has it. */
function testedBy({ values }: Block): Value | null {
  const terminator = values[values.length - 1]!
  if (terminator.op !== Op.branch) return null
  const { op, args } = terminator.args[0]!
  if ((attributes[op]! & COMPARE) === 0) return null
  const left = args[0]!
  const right = args[args.length >> 1]!
  const value = right.op === Op.const ? left : left.op === Op.const ? right : null
  return value !== null && value.op === Op.add && value.args[1]!.op === Op.const ? value.args[0]! : value
}

class Tree {
  readonly root: Block
  readonly nodes: Block[] = []
  readonly ways: Way[] = []
  readonly pieces: Piece[] = []
  low: Value
  high: Value | null = null
  domain: Interval = { from: 0, to: 0 }
  private readonly seen = new Set<Block>()

  constructor(root: Block) {
    this.root = root
    this.low = root.terminator
  }

  /** Follows the tree from its root on. Whether there is one. */
  grow(): boolean {
    const test = nodeTest(this.root)
    if (test === undefined) return false
    this.low = test.low
    this.high = test.high
    this.domain = domainOf(test)
    if (this.high === null) {
      const bits = significantBits(this.low)
      if (bits < 32) this.domain = { from: 0, to: 2 ** bits - 1 }
    }
    this.seen.add(this.root)
    this.follow(this.root, test, [this.domain], 1)
    return this.nodes.length >= FEWEST - 1
  }

  private follow(node: Block, test: Test, values: readonly Interval[], depth: number): void {
    this.nodes.push(node)
    const holds = intersect(values, test.holds)
    const fails = intersect(values, complement(test.holds, domainOf(test)))
    for (const [at, set] of [holds, fails].entries()) {
      if (set.length === 0) continue
      const next = node.successors[at]!
      const inner = depth < DEEPEST && this.nodes.length < MAXIMUM_NODES ? this.innerTest(next) : undefined
      if (inner !== undefined) {
        this.follow(next, inner, set, depth + 1)
        continue
      }
      const way = this.wayTo(node, next)
      for (const { from, to } of set) this.pieces.push({ from, to, way, depth })
    }
  }

  /** The test of a block that does nothing but compare the same value. */
  private innerTest(block: Block): Test | undefined {
    if (block.predecessors.length !== 1 || this.seen.has(block)) return undefined
    const test = nodeTest(block)
    if (test === undefined || test.low !== this.low || test.high !== this.high) return undefined
    // Nothing else may be computed on the way.
    const condition = block.terminator.args[0]!
    for (const value of block.values) {
      if (value === block.terminator) continue
      if (value.uses !== 1 || (value !== condition && !condition.args.includes(value))) return undefined
    }
    this.seen.add(block)
    return test
  }

  private wayTo(from: Block, target: Block): number {
    const known = this.ways.findIndex((way) => way.target === target && sameWay(way.from, from, target))
    return known >= 0 ? known : this.ways.push({ target, from, block: null }) - 1
  }

  /** The table that pays best, if any does. */
  choose(small: boolean): Table | undefined {
    this.pieces.sort((one, other) => one.from - other.from)
    const common = this.commonWay()
    const items = this.pieces.filter(({ way }) => way !== common)
    let first = 0
    let last = items.length - 1
    const isDense = (): boolean => {
      const length = items[last]!.to - items[first]!.from + 1
      return length <= LONGEST && length <= 4 * (last - first + 1) + 8
    }
    while (last - first + 1 >= FEWEST && !isDense()) {
      // The value that is farthest from the others is compared by itself.
      const below = items[first + 1]!.from - items[first]!.from
      const above = items[last]!.to - items[last - 1]!.to
      if (below > above) first++
      else last--
    }
    const count = last - first + 1
    const outside = items.filter((_item, at) => at < first || at > last)
    if (count < FEWEST || outside.length > MAXIMUM_OUTSIDE) return undefined
    // Values without a bound, of 64 bits: their number is no word.
    if (outside.some(({ from, to }) => to - from >= LONGEST)) return undefined
    let { from } = items[first]!
    let { to } = items[last]!
    const { domain } = this
    let checks = true
    if (domain.to - domain.from + 1 <= 2 * (to - from + 1) && domain.to < LONGEST) {
      // Rather a longer table than bounds.
      from = domain.from
      to = domain.to
      checks = false
    } else if (from > 0 && from <= 2) from = 0
    const length = to - from + 1
    const check = (checks ? CHECK_CYCLES + (this.high === null ? 0 : 1) : 0) + (from === 0 ? 0 : 1)
    const bytes = TABLE_BYTES + length + (checks ? NODE_BYTES : 0) + (from === 0 ? 0 : 2) + outside.length * NODE_BYTES
    const before = this.nodes.length * NODE_BYTES
    let depths = 0
    for (let at = first; at <= last; at++) depths += items[at]!.depth
    const pays = (depths / count) * NODE_CYCLES > TABLE_CYCLES + check + MARGIN
    if (small ? bytes + SMALL_MARGIN > before : !pays || bytes > before + 32) return undefined
    return { from, to, checks, common, outside }
  }

  /** The way of most values: what switches call the default. */
  private commonWay(): number {
    const counts = this.ways.map(() => 0)
    for (const { from, to, way } of this.pieces) counts[way]! += to - from + 1
    return counts.indexOf(Math.max(...counts))
  }
}

interface Table {
  readonly from: number
  readonly to: number
  /** Whether the value may be outside. */
  readonly checks: boolean
  /** The way of what is outside, but for these. */
  readonly common: number
  readonly outside: readonly Piece[]
}

/** What the branch at the end of a block asks, where it leads to two blocks. */
function nodeTest(block: Block): Test | undefined {
  const { terminator, successors } = block
  if (terminator.op !== Op.branch || successors[0] === successors[1]) return undefined
  return testOf(terminator.args[0]!)
}

/** Whether phis of the target get the same from both. */
function sameWay(one: Block, other: Block, target: Block): boolean {
  const at = target.predecessors.indexOf(one)
  const also = target.predecessors.indexOf(other)
  for (const phi of target.values) {
    if (phi.op !== Op.phi) break
    if (phi.args[at] !== phi.args[also]) return false
  }
  return true
}

/** Puts the table in the tree's place. The blocks of its nodes become empty. */
function replace(func: Func, tree: Tree, table: Table): void {
  const { root, low, high } = tree
  const { from, to, checks, common, outside } = table
  const { origin } = root.terminator
  const word = (value: number): Value => func.word(value)
  const wayBlock = (index: number): Block => {
    const way = tree.ways[index]!
    if (way.block !== null) return way.block
    if (way.target.values[0]!.op !== Op.phi) return (way.block = way.target)
    const block = func.newBlock()
    const at = way.target.predecessors.indexOf(way.from)
    // The root has no terminator just now.
    func.jump(block, way.target, way.from === root ? origin : way.from.terminator.origin)
    for (const phi of way.target.values) {
      if (phi.op !== Op.phi) break
      phi.args.push(phi.args[at]!)
    }
    way.block = block
    return block
  }
  root.values.pop()
  const successors = root.successors.slice()
  /** Puts `value - bound < count` at the end of a block. */
  const compare = (block: Block, bound: number, count: number): { index: Value; condition: Value } => {
    if (high === null && count === 1) {
      return { index: low, condition: func.append(block, Op.eq, I32, [low, word(bound)], 0, origin) }
    }
    if (high === null) {
      const index = bound === 0 ? low : func.append(block, Op.add, I32, [low, word(-bound)], 0, origin)
      return { index, condition: func.append(block, Op.ult, I32, [index, word(count)], 0, origin) }
    }
    let words = [low, high]
    if (bound !== 0) words = difference(func, block, low, high, bound, origin)
    const condition = func.append(block, Op.ult2, I32, [...words, word(count), word(0)], 0, origin)
    return { index: words[0]!, condition }
  }
  let tail = root
  let index = low
  const hub = checks ? func.newBlock() : root
  root.successors = []
  if (checks) {
    const checked = compare(root, from, to - from + 1)
    index = checked.index
    let next = outside.length > 0 ? func.newBlock() : wayBlock(common)
    func.branch(root, checked.condition, hub, next, origin)
    for (const [at, piece] of outside.entries()) {
      tail = next
      next = at + 1 < outside.length ? func.newBlock() : wayBlock(common)
      const { condition } = compare(tail, piece.from, piece.to - piece.from + 1)
      func.branch(tail, condition, wayBlock(piece.way), next, origin)
    }
  } else if (from !== 0) {
    index = func.append(root, Op.add, I32, [low, word(-from)], 0, origin)
  }
  const targets: Block[] = []
  const cases: Value[] = [index]
  let piece = 0
  for (let value = from; value <= to; value++) {
    while (piece < tree.pieces.length && tree.pieces[piece]!.to < value) piece++
    const found = tree.pieces[piece]
    const target = wayBlock(found === undefined || found.from > value ? common : found.way)
    let number = targets.indexOf(target)
    if (number < 0) number = targets.push(target) - 1
    cases.push(word(number))
  }
  // Bounds alone may have told the ways apart.
  if (targets.length === 1) func.append(hub, Op.jump, VOID, [], 0, origin)
  else func.append(hub, Op.switch, VOID, cases, 0, origin)
  for (const target of targets) connect(hub, target)
  // The old edges go last: the new ones took their phis' operands from them.
  for (const node of tree.nodes) {
    if (node !== root) {
      while (node.successors.length > 0) disconnect(node, node.successors.length - 1)
      node.values = []
      continue
    }
    const made = root.successors
    root.successors = successors
    while (root.successors.length > 0) disconnect(root, root.successors.length - 1)
    root.successors = made
  }
}

/** The words of low:high less a constant. */
function difference(func: Func, block: Block, low: Value, high: Value, bound: number, origin: number): Value[] {
  const words = [low, high, func.word(-bound), func.word(bound > 0 ? -1 : 0)]
  const sum = func.append(block, Op.add2, I64, words, 0, origin)
  const first = func.append(block, Op.word, I32, [sum], 0, origin)
  const second = func.append(block, Op.word, I32, [sum], 1, origin)
  return [first, second]
}
