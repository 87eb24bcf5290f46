// The factors by which divisions by constants multiply (src/passes/divide.ts), over the integers: for every dividend, the
// product shifted is the quotient. What is emitted around them is tested (test/passes/divide.test.ts).

import { multiplier } from '../../src/passes/divide.ts'
import { type Solver, type Verdict, prove } from './solver.ts'

export interface Division {
  readonly divisor: bigint
  /** The greatest dividend. */
  readonly most: bigint
  readonly bits: 32 | 64
}

const usual = [3n, 5n, 6n, 7n, 9n, 10n, 11n, 12n, 13n, 24n, 25n, 60n, 100n, 255n, 360n, 641n, 1000n, 1024n + 1n, 3600n]
const large = [10_000n, 65_535n, 86_400n, 1_000_000n, 16_777_213n, 1_000_000_000n, (1n << 31n) + 1n, (1n << 32n) - 1n]

export const divisions: readonly Division[] = [...usual, ...large].flatMap((divisor): Division[] => [
  { divisor, most: (1n << 32n) - 1n, bits: 32 },
  { divisor, most: 1n << 31n, bits: 32 },
  { divisor, most: (1n << 64n) - 1n, bits: 64 },
  { divisor, most: 1n << 63n, bits: 64 },
])

export const nameOf = ({ divisor, most, bits }: Division): string =>
  `x / ${divisor} for x up to ${most} in ${bits} bits`

export function proveDivision(solver: Solver, division: Division, milliseconds: number): Promise<Verdict> {
  const { divisor, most, bits } = division
  const { factor, shift } = multiplier(divisor, most, bits)
  const power = 1n << BigInt(bits + shift)
  const given = [
    '(declare-const x Int) (declare-const q Int) (declare-const r Int)',
    `(assert (and (<= 0 x) (<= x ${most}) (<= 0 r) (< r ${divisor}) (= x (+ (* ${divisor} q) r))))`,
  ].join('\n')
  // q = floor(factor * x / power)
  const goal = `(and (<= (* ${power} q) (* ${factor} x)) (< (* ${factor} x) (* ${power} (+ q 1))))`
  return prove(solver, given, goal, milliseconds)
}
