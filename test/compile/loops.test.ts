// Loops of every kind of counter, step and condition turn as often and access the same places compiled as interpreted: what
// countdown and strength rewrite. The bodies are small, so that the counter is often read by its condition alone.

import fc from 'fast-check'
import { expect, it } from 'vitest'
import { assemble } from '../../src/bpf/asm.ts'
import { formatOutcome } from '../../src/base/outcome.ts'
import { Simulator } from '../../src/machine/sim/simulator.ts'
import { compareRuns, makeContext } from '../support/differential.ts'

const machine = new Simulator()
const CONTEXT = 512

interface LoopShape {
  readonly wide: boolean
  readonly start: number
  /** Against the bound: how far the counter goes at each step. */
  readonly step: number
  readonly condition: string
  readonly guard: string | undefined
  /** The bound is loaded and masked with this; 0: it is a constant. */
  readonly mask: number
  readonly bound: number
  readonly body: readonly string[]
  /** The counter is read behind the loop. */
  readonly after: boolean
}

/** Each turn counts in r0. r3 is the counter, r2 the bound, r1 the context. */
function source(shape: LoopShape): string {
  const { wide, start, step, condition, guard, mask, bound, body, after } = shape
  const down = step < 0
  const c = wide ? 'r3' : 'w3'
  const b = wide ? 'r2' : 'w2'
  const [from, to] = down ? ['r2', 'r3'] : ['r3', 'r2']
  return [
    'w0 = 0',
    'w4 = 7',
    mask > 0 ? `r2 = *(u8 *)(r1 + 3)\nr2 &= ${mask}` : `r2 = ${bound}`,
    `r3 = ${start}`,
    // The counter that goes down starts at the bound.
    ...(down ? ['r5 = r3', 'r3 = r2', 'r2 = r5'] : []),
    // Neither passes its bound without meeting it, nor goes below zero.
    ...(mask > 0 && condition === '!=' ? [down ? 'r3 |= 8' : 'r2 |= 8'] : []),
    ...(down && condition === '>' ? ['r3 += 1'] : []),
    guard === undefined ? '' : `if ${from} ${guard} ${to} goto done`,
    'loop:',
    'w0 += 1',
    ...body,
    `${c} += ${step}`,
    `if ${c} ${condition} ${b} goto loop`,
    'done:',
    after ? 'r0 += r3' : '',
    'w4 <<= 8',
    'w0 ^= w4',
    'exit',
  ]
    .filter((line) => line !== '')
    .join('\n')
}

const accesses = fc
  .tuple(
    fc.constantFrom('r5 = r3', 'w5 = w3'),
    fc.integer({ min: 0, max: 3 }),
    fc.constantFrom(0, 0, 1, 4),
    fc.constantFrom(
      'r6 = *(u8 *)(r5 + 40)',
      'r6 = *(u16 *)(r5 + 42)',
      'r6 = *(u32 *)(r5 + 64)',
      '*(u8 *)(r5 + 41) = r0',
      '*(u32 *)(r5 + 48) = r4',
      'r6 = *(u64 *)(r5 + 72)',
    ),
  )
  .map(([copy, scale, more, access]) =>
    [
      copy,
      `r5 += ${more}`,
      `r5 <<= ${scale}`,
      'r5 += r1',
      access,
      access.startsWith('r6') ? 'w4 ^= w6' : 'w4 += 3',
    ].join('\n'),
  )

const shapes = fc.boolean().chain((down) =>
  fc.record<LoopShape>({
    wide: fc.boolean(),
    start: fc.integer({ min: 0, max: 5 }),
    step: down ? fc.constantFrom(-1) : fc.constantFrom(1, 1, 2, 4, 3),
    condition: down ? fc.constantFrom('!=', '>', 's>') : fc.constantFrom('<', 's<', '!=', '<=', 's<='),
    guard: fc.option(fc.constantFrom('>=', 's>=', '==', '>'), { nil: undefined }),
    mask: fc.constantFrom(0, 7, 15, 15),
    bound: fc.integer({ min: 6, max: 24 }),
    body: fc.array(accesses, { maxLength: 3 }),
    after: fc.boolean(),
  }),
)

/** Ends after few turns whatever the bound is. */
function ends(shape: LoopShape): boolean {
  if (shape.condition !== '!=') return true
  if (shape.step === 1 || shape.step === -1) return true
  return shape.mask === 0 && (shape.bound - shape.start) % shape.step === 0
}

const runs = Number(process.env['THUMBPF_FUZZ_RUNS'] ?? 300)

it('loops turn as often and access the same', { timeout: 600_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(shapes.filter(ends), fc.integer(), async (shape, seed) => {
      const { interpreter, machine: compiled } = await compareRuns(
        assemble(source(shape)),
        makeContext(CONTEXT, seed),
        machine,
      )
      expect(interpreter.outcome.kind).toBe('returned')
      expect({ r: formatOutcome(compiled.outcome), ctx: [...compiled.ctx] }).toEqual({
        r: formatOutcome(interpreter.outcome),
        ctx: [...interpreter.ctx],
      })
    }),
    { numRuns: runs },
  )
})
