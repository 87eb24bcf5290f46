// Orders of blocks of random graphs: complete, forwards but for ways back, and with every loop in one piece.

import { describe, expect, it } from 'vitest'

import { dominators, reversePostorder } from '../../src/ir/cfg.ts'
import { type Block, Func } from '../../src/ir/func.ts'
import { loopOrder } from '../../src/ir/loop-order.ts'
import { I32, Op } from '../../src/ir/op.ts'
import { Random } from '../support/random.ts'

/** A function whose blocks are made of straight code, branches, loops and ways out of them: reducible. */
function structured(random: Random): Func {
  const func = new Func('random', [I32])
  let block = func.newBlock()
  const condition = func.append(block, Op.param, I32)
  const exits: Block[] = []
  const part = (depth: number): void => {
    for (let count = 1 + random.below(3); count > 0; count--) {
      const kind = depth > 4 ? 0 : random.below(4)
      const next = func.newBlock()
      if (kind === 0) func.jump(block, next)
      else if (kind === 1) {
        const arm = func.newBlock()
        if (random.chance(50)) func.branch(block, condition, arm, next)
        else func.branch(block, condition, next, arm)
        block = arm
        part(depth + 1)
        func.jump(block, next)
      } else if (kind === 2) {
        const header = func.newBlock()
        func.jump(block, header)
        block = header
        exits.push(next)
        part(depth + 1)
        exits.pop()
        func.branch(block, condition, header, next)
      } else if (exits.length > 0) {
        const leaving = func.newBlock()
        func.branch(block, condition, next, leaving)
        func.jump(leaving, random.pick(exits))
      } else func.jump(block, next)
      block = next
    }
  }
  part(0)
  func.append(block, Op.ret, I32, [condition])
  return func
}

/** Blocks of the natural loop of a back edge. */
function bodyOf(header: Block, latch: Block): Set<Block> {
  const body = new Set([header, latch])
  const work = [latch]
  for (let block = work.pop(); block !== undefined; block = work.pop()) {
    if (block === header) continue
    for (const from of block.predecessors) {
      if (body.has(from)) continue
      body.add(from)
      work.push(from)
    }
  }
  return body
}

describe('loopOrder', () => {
  it('has every block once, and every loop in a row', () => {
    let loops = 0
    let moved = 0
    for (let seed = 1; seed <= 400; seed++) {
      const func = structured(new Random(seed))
      const order = reversePostorder(func)
      const idom = dominators(order)
      const result = loopOrder(order, idom)
      expect(new Set(result)).toEqual(new Set(order))
      expect(result.length).toBe(order.length)
      if (result.some((block, at) => block !== order[at])) moved++
      const place = new Map(result.map((block, at) => [block, at]))
      for (const block of order) {
        for (const to of block.successors) {
          if (place.get(to)! > place.get(block)!) continue
          // A way back: everything on the way stands between.
          const body = [...bodyOf(to, block)].map((each) => place.get(each)!)
          expect(Math.min(...body)).toBe(place.get(to)!)
          if (to.predecessors.filter((from) => place.get(from)! >= place.get(to)!).length > 1) continue
          expect(Math.max(...body) - Math.min(...body) + 1, `seed ${seed}`).toBe(body.length)
          loops++
        }
      }
    }
    expect(loops).toBeGreaterThan(400)
    expect(moved).toBeGreaterThan(100)
  })

  it('has every block of a graph with ways into the middle of loops', () => {
    for (let seed = 1; seed <= 200; seed++) {
      const random = new Random(seed)
      const func = new Func('random', [I32])
      const blocks = Array.from({ length: 12 }, () => func.newBlock())
      const condition = func.append(blocks[0]!, Op.param, I32)
      for (const block of blocks.slice(0, -1)) {
        const one = blocks[1 + random.below(11)]!
        const other = blocks[1 + random.below(11)]!
        if (one === other) func.jump(block, one)
        else func.branch(block, condition, one, other)
      }
      func.append(blocks[11]!, Op.ret, I32, [condition])
      const order = reversePostorder(func)
      for (const block of blocks) block.predecessors = block.predecessors.filter((from) => from.order >= 0)
      expect(new Set(loopOrder(order, dominators(order)))).toEqual(new Set(order))
    }
  })
})
