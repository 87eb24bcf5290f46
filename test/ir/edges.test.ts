// Which edges get a block of their own.

import { expect, it } from 'vitest'

import { splitCriticalEdges } from '../../src/ir/edges.ts'
import { parse } from '../../src/ir/parse.ts'
import { print } from '../../src/ir/print.ts'

it('splits ways from branches to blocks with several ways in, or with phis', () => {
  const func = parse(`func f(i32, i32, i32)
b0:
  v0:i32 = param #0
  branch v0 b1 b2
b1: <- b0
  v1:i32 = phi v0
  branch v1 b2 b3
b2: <- b0 b1
  ret v0, v0
b3: <- b1
  ret v1, v1
`)
  splitCriticalEdges(func)
  const edges = func.blocks.map(({ id, successors }) => `${id}: ${successors.map((to) => to.id).join(' ')}`)
  expect(edges, print(func)).toEqual(['0: 4 5', '4: 1', '5: 2', '1: 6 3', '6: 2', '2: ', '3: '])
})
